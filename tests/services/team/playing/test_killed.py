"""Workers that are killed with `kill -9` while they move runs: nothing is lost, nothing happens twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgresql import database_url

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("kills", "minutes"), [(12, 16), pytest.param(200, 60, marks=pytest.mark.long)], ids=["twelve", "two hundred"]
)
def test_a_busy_hour_with_killed_workers_is_the_same_as_without(kills: int, minutes: int) -> None:
    wanted = os.environ.get("KEEPWELL_TEST_DATABASE") or "postgresql"
    arguments = [database_url(wanted), str(kills), "1", str(minutes)]
    program = [sys.executable, "-m", "tests.services.team.playing.killing", *arguments]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert ended.returncode == 0, ended.stderr[-3000:]
    found = json.loads(ended.stdout)
    assert found["killed"] >= kills
    assert all(found["quiet"][table] for table in ("PlaybookEffect", "Outgoing", "PlaybookRun", "Happening"))
    for table, rows in found["quiet"].items():
        assert found["loud"][table] == rows, table
