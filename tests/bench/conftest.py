"""One tiny world, with phases run in this process: a process each is for timings only."""

from pathlib import Path

import pytest

from keepwell.bench import measure
from keepwell.bench.measure import Measured, bench_measure
from keepwell.bench.phase import run_phase
from keepwell.bench.world import Size
from keepwell.bench.worlds import World

TINY = Size("tiny", events=19_950, customers=40, days=95)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the worlds are."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="session")
def measured(folder: Path) -> Measured:
    """A measurement of the tiny world with everything but PostgreSQL, which has its own test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "CYCLES", 2)
        patch.setattr(measure, "BACKFILLS", 1)
        patch.delitem(measure.OTHERS, "postgresql")
        return bench_measure(folder, TINY, tell=lambda *_: None, run=run_phase)


@pytest.fixture(scope="session")
def world(folder: Path, measured: Measured) -> World:
    """The world after its measurement; what was computed is in its results."""
    return World.open(folder / TINY.name)
