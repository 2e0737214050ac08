"""The phases of the engine: the floor, a full run, a day more, and a backfill."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Final

from keepwell.bench.phase import Work, cpu_seconds, silent_connection
from keepwell.bench.world import END, write_events
from keepwell.bench.worlds import NEXT, World
from keepwell.services.runs import backfill_days, run_day

# sqlglot imports a dialect when it is first used; imports are not counted, wherever they happen.
import_module("sqlglot.dialects.duckdb")
BACKFILL_DAYS: Final = 180
SINGLE_DAYS: Final = tuple(END - timedelta(days=back) for back in (BACKFILL_DAYS - 1, 140, 90))
"""Dates that are also computed one at a time, for comparing: the first, one shortly after the first survey answers
came, and one with half of the history. END is, anyway."""
FLOOR_SQL: Final = (
    "SELECT count(*), max(customer), max(person), max(name), max(feature), max(occurred_at), sum(value)"
    " FROM read_parquet(?)"
)


@contextmanager
def floor(world: World) -> Iterator[Work]:
    """F2: one pass over the events that reads the needed columns and does nothing with them."""
    files = world.event_files()
    with silent_connection() as connection:
        yield Work(lambda: connection.execute(FLOOR_SQL, [files]).fetchall(), cpu_seconds)


@contextmanager
def full(world: World) -> Iterator[Work]:
    """A run without any state: all tables, scores, segments, signals and the snapshot included."""
    world.forget()
    yield Work(lambda: run_day(world.workspace, as_of=END), cpu_seconds)


@contextmanager
def incremental(world: World) -> Iterator[Work]:
    """The run of the day after, whose events have arrived."""
    with world.workspace.warehouse("bench") as warehouse:
        write_events(warehouse, world.size, NEXT)
    yield Work(lambda: run_day(world.workspace, as_of=NEXT), cpu_seconds)


@contextmanager
def again(world: World) -> Iterator[Work]:
    """The same day after, without any state."""
    world.forget()
    with incremental(world) as work:
        yield work


@contextmanager
def single(world: World) -> Iterator[Work]:
    """Some dates of the backfill, one run each."""
    world.forget()
    yield Work(lambda: [run_day(world.workspace, as_of=day) for day in SINGLE_DAYS], cpu_seconds)


@contextmanager
def backfill(world: World) -> Iterator[Work]:
    """Half a year of snapshots without any state."""
    world.forget()
    first = END - timedelta(days=BACKFILL_DAYS - 1)
    yield Work(lambda: backfill_days(world.workspace, first=first, last=END), cpu_seconds)
