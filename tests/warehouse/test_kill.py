"""Killing a load anywhere and starting it again gives what an undisturbed load gives."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keepwell.warehouse.storage import Warehouse

from .helpers import content, csv_text, load, put

LOAD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse

def tell(step):
    print(step.stage, flush=True)

with Warehouse.open(Path(sys.argv[1]), zone="UTC") as warehouse:
    print("open", flush=True)
    load_paths(warehouse, [Path(sys.argv[2])], now=datetime(2026, 3, 1, 12, tzinfo=UTC), progress=tell)
print("end", flush=True)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files whose load takes a moment: days enough to be killed in between."""
    files = tmp_path / "in"
    put(files, "customers.csv", csv_text("customer_id,name", *(f"c{i},n{i}" for i in range(50))))
    tickets = [f"t{i % 90},c{i % 60},2026-01-01,{i}" for i in range(100)]
    put(files, "tickets.csv", csv_text("ticket_id,customer_id,created_at,subject", *tickets))
    events = [f"e{i},c{i % 50},n{i % 5},2026-01-{1 + i % 28:02}T10:00Z" for i in range(2000)]
    put(files, "events.csv", csv_text("event_id,customer_id,name,occurred_at", *events))
    more = [f"e{i},c{i % 55},n{i % 7},2026-02-{1 + i % 28:02}T10:00Z" for i in range(1500, 3000)]
    put(files, "events_2.csv", csv_text("event_id,customer_id,name,occurred_at", *more))
    return files


def _kill_after(folder: Path, data: Path, steps: int, pause: float) -> bool:
    """Start a load and kill it `pause` seconds after its step number `steps`; False when it was done before."""
    process = subprocess.Popen([sys.executable, "-c", LOAD, str(data), str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for _ in range(steps):
        if process.stdout.readline() in ("", "end\n"):
            process.wait()
            return False
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_a_killed_load_started_again_gives_the_same(folder: Path, tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "undisturbed", zone="UTC") as warehouse:
        load(warehouse, folder)
        expected = content(warehouse)
    data = tmp_path / "killed"
    kills = [_kill_after(folder, data, steps, pause) for steps, pause in KILLS]
    assert sum(kills) >= len(KILLS) - 1
    with Warehouse.open(data, zone="UTC") as warehouse:
        load(warehouse, folder)
        assert content(warehouse) == expected
        live = {warehouse.root / p for (p,) in warehouse.connection.execute("SELECT path FROM fact_days").fetchall()}
        assert set((data / "facts").glob("*/*/*")) == live


KILLS = ((3, 0.01), (8, 0.02), (20, 0.005), (36, 0.0), (44, 0.003))
