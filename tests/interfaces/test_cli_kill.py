"""Killed anywhere and started again, commands give the same bytes as if they had never been killed."""

import random
import shutil
import time
from pathlib import Path

import pytest

from tests.interfaces.cli_world import FIRST, LAST, contents, keepwell, spawn

MOMENTS = 4
MOST = 16


def kill_after(seconds: float, *arguments: object) -> bool:
    """Start a command, kill it after a while; returns whether it was still running."""
    process = spawn(*arguments)
    time.sleep(seconds)
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


def duration(*arguments: object) -> float:
    """How long a command takes as a process of its own."""
    start = time.monotonic()
    assert spawn(*arguments).wait() in (0, 1)
    return time.monotonic() - start


def undisturbed(tmp_path: Path, source: Path, *command: object) -> tuple[dict[str, bytes], float]:
    folder = tmp_path / "undisturbed"
    shutil.copytree(source, folder)
    took = duration("-w", folder, *command)
    return contents(folder), took


@pytest.mark.parametrize(
    "command", [("run", "--as-of", LAST), ("backfill", "--from", FIRST, "--to", LAST)], ids=["run", "backfill"]
)
def test_killed_computations_end_the_same(tmp_path: Path, loaded: Path, command: tuple[object, ...]) -> None:
    expected, took = undisturbed(tmp_path, loaded, *command)
    folder = tmp_path / "killed"
    shutil.copytree(loaded, folder)
    moments, killed = random.Random(11), 0
    # A busy machine that becomes quiet lets commands end before their kill: then earlier moments are tried.
    for attempt in range(1, MOST + 1):
        killed += kill_after(took * moments.uniform(0.25, 0.95) / (1 + attempt // MOMENTS), "-w", folder, *command)
        if attempt >= MOMENTS and killed:
            break
    assert killed
    assert keepwell("-w", folder, *command).code == 0
    assert contents(folder) == expected
    assert not list((folder / "data").rglob("*.tmp"))


def test_killed_loads_end_the_same(tmp_path: Path, world: Path, loaded: Path) -> None:
    expected, _ = undisturbed(tmp_path, loaded, "run", "--as-of", LAST)
    folder = tmp_path / "killed"
    assert keepwell("init", folder, "--pack", "b2b-saas").code == 0
    moments = random.Random(12)
    for _ in range(MOMENTS):
        kill_after(moments.uniform(0.7, 3.0), "-w", folder, "load", world)
    assert keepwell("-w", folder, "load", world).code == 0
    assert keepwell("-w", folder, "run", "--as-of", LAST).code == 0
    assert contents(folder) == expected


def test_two_runs_are_the_same_bytes(copy: Path) -> None:
    command = ("-w", copy, "run", "--as-of", LAST)
    assert keepwell(*command).code == 0
    first = contents(copy)
    assert keepwell(*command).code == 0
    assert contents(copy) == first


def test_a_day_is_the_same_in_a_run_and_in_a_backfill(copy: Path, scored: Path) -> None:
    assert keepwell("-w", copy, "run", "--as-of", LAST).code == 0
    assert contents(copy, ["snapshots/*.parquet"]).items() <= contents(scored).items()
