"""Workers that are killed with `kill -9` while they send: no customer gets anything twice, nothing is lost."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_no_customer_gets_a_message_twice() -> None:
    program = [sys.executable, "-m", "tests.services.team.outbox.killing", "80", "12", "7"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    rows = found["rows"]
    assert found["killed"] == 12
    assert all(times <= 1 for _, _, times in rows)
    assert {state for state, _, _ in rows} <= {"sent", "dead"}
    assert all(times == 1 for state, _, times in rows if state == "sent")
    unsure = [error for state, error, _ in rows if state == "dead"]
    assert all("may have arrived" in error for error in unsure)
    assert len(unsure) <= found["killed"], "one for each death at most"
