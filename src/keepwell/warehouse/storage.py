"""A data folder: one DuckDB file for what is small, Parquet by day for facts, one process at a time."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from keepwell.warehouse.lock import WarehouseBusy, WarehouseError, lock_acquire, lock_release
from keepwell.warehouse.rates import Rates
from keepwell.warehouse.schema import schema_statements

__all__ = ["Warehouse", "WarehouseBusy", "WarehouseError"]

LAYOUT: Final = "2"
ROWS_FOR_ALL: Final = 2_000_000
"""Where fewer rows are read, waking more threads than one costs more than they do."""


@dataclass
class Warehouse:
    """An open data folder. Use it as a context manager; closing gives the lock back.

    `dates` are the ones (days since 1970) that are kept in the temporary table of dates; `rates` turn amounts into the
    workspace's currency when they are read, None leaves them as they are.
    """

    root: Path
    zone: str
    connection: duckdb.DuckDBPyConnection
    _lock: int | None
    dates: tuple[int, ...] = ()
    rates: Rates | None = None
    _alone: bool = False
    _tidy: bool = True

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        zone: str,
        wait_seconds: float = 0,
        on_wait: Callable[[str], None] | None = None,
        doing: str = "work",
        memory_limit: str = "1GB",
        rates: Rates | None = None,
        alone: bool = False,
    ) -> Self:
        """Open or create the warehouse in `data_dir`, whose event days are days in `zone`.

        `alone` is for little work (`set_threads_for` ends it): more threads than one would cost more than they help,
        and what is written goes to the file with its commit, not to a log first.
        Raises WarehouseBusy when another process has it, WarehouseError when the folder was made with another zone.
        """
        _require_zone(zone)
        root = data_dir.resolve()
        root.mkdir(parents=True, exist_ok=True)
        lock = lock_acquire(root / "warehouse.lock", doing=doing, wait_seconds=wait_seconds, on_wait=on_wait)
        try:
            connection = _connect(root, memory_limit, alone=alone)
            try:
                _prepare(connection, zone)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock_release(lock)
            raise
        warehouse = cls(root, zone, connection, lock, rates=rates, _alone=alone)
        if warehouse._mark.exists():
            warehouse.sweep()
        warehouse._mark.touch()
        return warehouse

    @property
    def stage(self) -> Path:
        """Where a load keeps its intermediate files; gone when the folder is closed, or opened after a failure."""
        return self.root / "stage"

    @property
    def _mark(self) -> Path:
        """There while the folder is open, and after whoever had it was killed or failed: then there may be leftovers.

        Years of days are tens of thousands of folders; looking through them costs more than much of what is done here.
        """
        return self.root / "warehouse.open"

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All or nothing: commits at the end, rolls back when anything is raised."""
        self.connection.execute("BEGIN TRANSACTION")
        try:
            yield self.connection
        except BaseException:
            self._tidy = False
            self.connection.execute("ROLLBACK")
            self.dates = ()
            raise
        self.connection.execute("COMMIT")

    def set_threads_for(self, rows: int) -> None:
        """Use one thread from here on, or all, by how many rows are going to be read."""
        alone = rows < ROWS_FOR_ALL
        if alone != self._alone:
            self.connection.execute("SET threads = 1" if alone else "RESET threads; RESET checkpoint_threshold")
            self._alone = alone

    def sweep(self) -> None:
        """Remove what an interrupted load left behind: stage files and fact files that no manifest row names."""
        shutil.rmtree(self.stage, ignore_errors=True)
        live = {path for (path,) in self.connection.execute("SELECT path FROM fact_days").fetchall()}
        for table in _entries(self.root / "facts"):
            for day in _entries(table.path):
                for file in _entries(day.path):
                    if f"facts/{table.name}/{day.name}/{file.name}" not in live:
                        os.unlink(file)

    def close(self) -> None:
        """Close the file and give the lock back; closing twice is harmless."""
        if self._lock is None:
            return
        self.connection.close()
        shutil.rmtree(self.stage, ignore_errors=True)
        if self._tidy:
            self._mark.unlink(missing_ok=True)
        lock_release(self._lock)
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tidy = self._tidy and error is None
        self.close()


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """What is in a folder; nothing when there is none. Thousands of files are listed on every open."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _require_zone(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise WarehouseError(f"unknown time zone {zone!r}; use a name such as Europe/Berlin") from error


def _connect(root: Path, memory_limit: str, *, alone: bool) -> duckdb.DuckDBPyConnection:
    path = root / "warehouse.duckdb"
    settings: dict[str, str | bool | int | float | list[str]] = {
        "preserve_insertion_order": "false",
        "memory_limit": memory_limit,
        "temp_directory": str(root / "tmp"),
    }
    if alone:
        settings |= {"threads": 1, "checkpoint_threshold": "1KB"}
    try:
        _bring_into_being(path)
        connection = duckdb.connect(str(path), config=settings)
    except duckdb.Error as error:
        raise WarehouseError(f"{path} cannot be opened: {str(error).splitlines()[0]}") from error
    connection.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
    return connection


def _bring_into_being(path: Path) -> None:
    """Make the file in one step: killed while DuckDB writes its first pages, there is no file rather than half of one.

    An empty file is what such a kill leaves where the file was made in place; it never held anything.
    """
    if path.exists() and path.stat().st_size > 0:
        return
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    duckdb.connect(str(fresh)).close()
    os.replace(fresh, path)


def _kept_settings(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    try:
        return dict(connection.execute("SELECT name, value FROM settings").fetchall())
    except duckdb.CatalogException:  # a new file; asking the catalogue first would cost more than everything else here
        return {}


def _prepare(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    kept = _kept_settings(connection)
    if kept.get("layout") != LAYOUT:
        for statement in schema_statements():
            connection.execute(statement)
        kept = _kept_settings(connection)
    if not kept:
        connection.execute("INSERT INTO settings VALUES ('zone', ?), ('layout', ?)", [zone, LAYOUT])
    elif kept["zone"] != zone:
        raise WarehouseError(
            f"this data folder was made with time zone {kept['zone']}, the workspace now says {zone}; its event days"
            " depend on it: set the zone back, or load the data into a new folder"
        )
    elif kept.get("layout") != LAYOUT:
        connection.execute("UPDATE settings SET value = ? WHERE name = 'layout'", [LAYOUT])
