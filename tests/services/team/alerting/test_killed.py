"""A follower that is killed at random moments, on a database of its own, ends with what an undisturbed one has."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from keepwell.services.ingest import Journal, Places
from keepwell.services.workspace import Workspace
from tests.interfaces.serving import environment
from tests.services.team.alerting.told import CUSTOMER, OTHER, failed, tracked
from tests.web import NOW

pytestmark = pytest.mark.slow
EVENTS: Final = 120
KILLS: Final = 12
PROGRAM: Final = """
import os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from keepwell.interfaces.site import launch
launch.set_up(Path(sys.argv[1])); launch.prepare()
from django.db import connections
from keepwell.services.team.alerting import journal_reader
from keepwell.services.team.alerting.follow import follow_turn
from keepwell.services.team.here import workspace
from keepwell.store.models import Alert, AlertMark, AuditEntry, JournalPlace, Outgoing
journal_reader.CHUNK = 900

def turn():
    follow_turn(workspace(), datetime(2026, 6, 30, 9, tzinfo=UTC), limit=3)
    time.sleep(0.005)

def position():
    return getattr(JournalPlace.objects.filter(reader="alerts").first(), "position", 0)

def follow(size):
    last = time.monotonic() + 120
    while time.monotonic() < last and (not size or position() < size):
        turn()
    print(sorted((a.rule, a.customer_id, a.times) for a in Alert.objects.all()),
          AlertMark.objects.exclude(key=None).count(), Outgoing.objects.count(), position(),
          AuditEntry.objects.filter(action="alert.opened").count(), flush=True)

# A process for each life of a follower, of one that is set up: what it knows is forgotten with it.
for line in sys.stdin:
    connections.close_all()
    pid = os.fork()
    if not pid:
        print(os.getpid(), flush=True)
        follow(int(line))
        os._exit(0)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


class Followers:
    """Starts followers of a workspace, one after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def started(self, until: int = 0) -> int:
        """A follower that follows up to a place of the journal, or for ever; returns its id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{until}\n")
        self._process.stdin.flush()
        return int(self.said())

    def said(self) -> str:
        """The next line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def killed(self, seconds: float) -> None:
        """Follow for so long, and be killed."""
        pid = self.started()
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
        assert self.said() == "ended\n"

    def left_behind(self, size: int) -> str:
        """Follow to the end, and what is there then."""
        self.started(size)
        found = self.said()
        assert f" {size} " in found
        return found


@contextmanager
def followers(folder: Path) -> Iterator[Followers]:
    """Followers of a workspace."""
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment()) as process:
        yield Followers(process)


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
    with followers(killed) as some, followers(calm) as others:
        for _ in range(KILLS):
            some.killed(chosen.uniform(0.0, 0.25))
        assert some.left_behind(size) == others.left_behind(size)
