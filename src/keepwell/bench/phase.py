"""One phase in a process of its own: `python -m keepwell.bench.phase NAME DIR` prints what it cost as one JSON line.

A process each, so that no phase finds what an earlier one left in memory, and the peak is its own. What comes before
and after the work (opening, resetting, keeping results) and the imports are not counted.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

import duckdb

from keepwell.bench.worlds import World

PHASES: Final = {
    "floor": "engine",
    "full": "engine",
    "incremental": "engine",
    "again": "engine",
    "single": "engine",
    "backfill": "engine",
    "one_by_one": "with_duckdb",
    "pandas": "with_pandas",
    "postgresql": "with_postgresql",
}
"""The module of each phase. They are imported by name when they run: what is imported counts in the peak."""


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: CPU seconds of all threads, seconds on the wall, and the process's peak in MB."""

    cpu: float
    wall: float
    peak: float


@dataclass(frozen=True)
class Work:
    """What is measured, and the clock of the CPU time it takes."""

    do: Callable[[], object]
    cpu: Callable[[], float]


Phase = Callable[[World], AbstractContextManager[Work]]
Runner = Callable[[str, World], Cost]


class PhaseError(Exception):
    """A phase that failed; the message is its last words."""


def silent_connection() -> duckdb.DuckDBPyConnection:
    """A connection that shows no progress after two seconds: a phase prints its cost and nothing else."""
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    return connection


def cpu_seconds() -> float:
    """CPU time of this process so far, user and system, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run_phase(name: str, world: World) -> Cost:
    """Run a phase in this process."""
    phase: Phase = getattr(import_module(f"keepwell.bench.{PHASES[name]}"), name)
    with phase(world) as work:
        cpu, wall = work.cpu(), time.perf_counter()
        work.do()
        return Cost(work.cpu() - cpu, time.perf_counter() - wall, _peak())


def run_apart(name: str, world: World) -> Cost:
    """Run a phase in a fresh process; raises PhaseError when it fails."""
    command = [sys.executable, "-m", "keepwell.bench.phase", name, str(world.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own module
    if done.returncode:
        raise PhaseError(f"{name}: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    try:
        return Cost(**json.loads(done.stdout.splitlines()[-1]))
    except (IndexError, TypeError, ValueError):
        raise PhaseError(f"{name}: no cost at the end of what it said: {done.stdout[-80:]!r}") from None


def _peak() -> float:
    """Peak of resident memory in MB. The kernel's other figure, ru_maxrss, begins with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1024
    units = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / units


if __name__ == "__main__":
    print(json.dumps(asdict(run_phase(sys.argv[1], World.open(Path(sys.argv[2]))))))
