"""The doctor verb: whether a workspace is in order, and what to do where it is not."""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

import duckdb

from keepwell.model.loader import LoadedModel
from keepwell.model.problems import DefinitionError
from keepwell.model.words import counted
from keepwell.services.exchange import outdated
from keepwell.services.freshness import feed_ages, stale_feeds
from keepwell.services.reading import Published
from keepwell.services.workspace import Workspace, WorkspaceError, workspace_open
from keepwell.warehouse.lock import WarehouseBusy, WarehouseError, lock_acquire, lock_release
from keepwell.warehouse.rates import RatesError
from keepwell.warehouse.tables import TABLES

LOW_DISK_BYTES: Final = 1 << 30
_GIGABYTE: Final = 1 << 30


class State(StrEnum):
    """How a finding is: fine, good to know, worth a look, or broken."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    check: str
    state: State
    message: str


def examine(root: Path, *, today: date) -> list[Finding]:
    """Look at the configuration, the model, the lock, the disk and the data of a workspace; changes nothing."""
    try:
        workspace = workspace_open(root)
    except WorkspaceError as error:
        return [Finding("config", State.ERROR, str(error))]
    return [
        Finding("config", State.OK, f"{workspace.name}: {workspace.zone}, {workspace.currency}"),
        *_rates(workspace),
        *_model(workspace),
        _engine(workspace),
        _lock(workspace),
        _disk(workspace),
        *_snapshots(workspace, today),
    ]


def _rates(workspace: Workspace) -> Iterator[Finding]:
    try:
        rates = workspace.rates()
    except RatesError as error:
        yield Finding("rates", State.ERROR, str(error))
        return
    if rates is not None:
        known = ", ".join(rates.currencies) or "no other currency"
        yield Finding("rates", State.OK, f"{known} into {rates.currency}")


def _model(workspace: Workspace) -> Iterator[Finding]:
    try:
        loaded = workspace.model()
    except DefinitionError as error:
        yield from (Finding("model", State.ERROR, str(problem)) for problem in error.problems)
        return
    except WorkspaceError as error:
        yield Finding("model", State.ERROR, str(error))
        return
    yield from (Finding("model", State.NOTE, str(problem)) for problem in loaded.problems)
    about = loaded.model.model
    yield Finding("model", State.OK, f"{about.name} {about.version}, {counted(len(loaded.model.metrics), 'metric')}")
    yield from _newer_model(workspace, loaded)


def _newer_model(workspace: Workspace, loaded: LoadedModel) -> Iterator[Finding]:
    latest = workspace.snapshots.latest()
    about = None if latest is None else _about(workspace, latest)
    if about is not None and about.get("keepwell.model_hash") != loaded.hash:
        yield Finding("model", State.WARNING, f"the model changed since {latest} was published; 'keepwell run' uses it")


def _engine(workspace: Workspace) -> Finding:
    try:
        with duckdb.connect(config={"memory_limit": workspace.memory_limit}) as connection:
            connection.execute("SELECT 1").fetchone()
    except duckdb.Error as error:
        words = f"DuckDB {duckdb.__version__} does not start with memory_limit = '{workspace.memory_limit}': {error}"
        return Finding("engine", State.ERROR, words)
    return Finding("engine", State.OK, f"DuckDB {duckdb.__version__}, up to {workspace.memory_limit} of memory")


def _lock(workspace: Workspace) -> Finding:
    path = workspace.data_dir / "warehouse.lock"
    if not path.exists():
        return Finding("lock", State.OK, "nothing has been loaded yet")
    try:
        lock_release(lock_acquire(path, doing="doctor", wait_seconds=0, on_wait=None))
    except WarehouseBusy as error:
        return Finding("lock", State.WARNING, str(error))
    except (WarehouseError, OSError) as error:
        return Finding("lock", State.ERROR, str(error))
    return Finding("lock", State.OK, "free")


def _disk(workspace: Workspace) -> Finding:
    folder = workspace.data_dir if workspace.data_dir.exists() else workspace.root
    if not os.access(folder, os.W_OK):
        return Finding("disk", State.ERROR, f"{folder} cannot be written to")
    free = shutil.disk_usage(folder).free
    used = sum(file.stat().st_size for file in workspace.data_dir.rglob("*") if file.is_file())
    words = f"{used / _GIGABYTE:.2f} GB used, {free / _GIGABYTE:.1f} GB free"
    if free < LOW_DISK_BYTES:
        return Finding("disk", State.WARNING, f"{words}: a run needs room beside what it replaces")
    return Finding("disk", State.OK, words)


def _snapshots(workspace: Workspace, today: date) -> Iterator[Finding]:
    dates = workspace.snapshots.dates()
    if not dates:
        yield Finding("snapshots", State.WARNING, "nothing is published yet; 'keepwell run' publishes a day")
        return
    read = {day: _about(workspace, day) for day in dates}
    broken = [day for day, about in read.items() if about is None]
    yield from (Finding("snapshots", State.ERROR, _unreadable(workspace, day)) for day in broken)
    if broken:
        return
    latest = workspace.snapshots.latest() or dates[-1]
    late = (today - latest).days
    words = f"{len(dates)} dates, {dates[0]} to {dates[-1]}; the current one is {latest}"
    yield Finding(
        "snapshots", State.WARNING if late > 1 else State.OK, words + (f", {counted(late, 'day')} ago" * (late > 1))
    )
    yield from _other_rates(workspace, {day: about for day, about in read.items() if about is not None})
    yield from _freshness(Published(workspace, latest))


def _other_rates(workspace: Workspace, read: Mapping[date, Mapping[str, str]]) -> Iterator[Finding]:
    """Dates whose amounts would be others today: rates were added or changed since."""
    try:
        rates = workspace.rates()
    except RatesError:
        return
    other = [day for day, about in read.items() if outdated(about, day, rates)]
    if other:
        again = f"'keepwell backfill --from {other[0]} --to {other[-1]}' computes them again"
        verb = "was" if len(other) == 1 else "were"
        words = f"{counted(len(other), 'date')} {verb} computed with other exchange rates than now; {again}"
        yield Finding("rates", State.WARNING, words)


def _about(workspace: Workspace, day: date) -> Mapping[str, str] | None:
    """What stands beside the rows of a date; None when the file cannot be read."""
    try:
        return workspace.snapshots.about(day)
    except duckdb.Error:
        return None


def _unreadable(workspace: Workspace, day: date) -> str:
    return f"{workspace.snapshots.path(day)} cannot be read; 'keepwell run --as-of {day}' makes it again"


def _freshness(published: Published) -> Iterator[Finding]:
    try:
        ages = feed_ages(published.model.model, published.as_of, published.about)
    except (WorkspaceError, KeyError) as error:
        yield Finding("freshness", State.ERROR, str(error))
        return
    stale = stale_feeds(ages)
    for age in stale:
        words = f"{age.table}: nothing after {age.until}, {counted(age.age or 0, 'day')} before {published.as_of}"
        yield Finding("freshness", State.WARNING, f"{words}; stale after {age.limit}")
    absent = [age.table for age in ages if age.used and age.state == "absent"]
    if absent:
        yield Finding("freshness", State.WARNING, f"never loaded, so unknown: {', '.join(absent)}")
    if not stale and not absent:
        used = sum(age.used for age in ages)
        yield Finding("freshness", State.OK, f"{used} of {len(TABLES)} tables in use, all fresh on {published.as_of}")
