"""A follower that is killed at random moments, on a database of its own, ends with what an undisturbed one has."""

import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from keepwell.services.ingest import Journal, Places
from keepwell.services.workspace import Workspace
from tests.interfaces.serving import environment, in_site
from tests.services.team.alerting.told import CUSTOMER, OTHER, failed, tracked
from tests.web import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
EVENTS: Final = 120
KILLS: Final = 12
FOLLOW: Final = """
import sys, time
from pathlib import Path
from keepwell.interfaces.site import launch
launch.set_up(Path(sys.argv[1])); launch.prepare()
from datetime import UTC, datetime
from keepwell.services.team.alerting import journal_reader
from keepwell.services.team.alerting.follow import follow_turn
from keepwell.services.team.here import workspace
journal_reader.CHUNK = 900
print("ready", flush=True)
while True:
    follow_turn(workspace(), datetime(2026, 6, 30, 9, tzinfo=UTC), limit=3)
    time.sleep(0.005)
"""
LEFT: Final = """
print(sorted((a.rule, a.customer_id, a.times) for a in Alert.objects.all()),
      AlertMark.objects.exclude(key=None).count(), Outgoing.objects.count(),
      JournalPlace.objects.get(reader="alerts").position,
      AuditEntry.objects.filter(action="alert.opened").count())
"""


def follow(folder: Path, seconds: float) -> None:
    """Follow for so long after it has begun, and be killed."""
    command = [sys.executable, "-c", FOLLOW, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def left_behind(folder: Path, size: int) -> str:
    """Follow to the end, and what is there then."""
    for _ in range(20):
        follow(folder, 2)
        said = in_site(folder, LEFT)
        if f" {size} " in said:
            return said
    raise AssertionError(f"never reached the end: {said}")


def test_it_ends_as_if_nothing_had_happened(published: Workspace, tmp_path: Path) -> None:
    killed, calm = (tmp_path / name for name in ("killed", "calm"))
    shutil.copytree(published.root, killed, ignore=shutil.ignore_patterns("web", "inbox_events"))
    journal, chosen = Journal(Places(killed / "data" / "inbox_events")), random.Random(7)
    for number in range(EVENTS):
        who = chosen.choice((CUSTOMER, OTHER))
        journal.append([chosen.choice((failed(number, who), tracked("nps_answered", number, who, score=1)))], NOW)
    journal.close()
    size = Places(killed / "data" / "inbox_events").open_files()[0].stat().st_size
    shutil.copytree(killed, calm)
    for _ in range(KILLS):
        follow(killed, chosen.uniform(0.0, 0.25))
    assert left_behind(killed, size) == left_behind(calm, size)
