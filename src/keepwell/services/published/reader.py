"""Reads the copies: an in-memory DuckDB for each thread, files by parameter, never a lock."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import duckdb

from keepwell.services.published.copies import Copies, copies_needed
from keepwell.services.workspace import Workspace

MEMORY: Final = "256MB"
_AT_ONCE: Final = 2_000
_TRIES: Final = 3

Row = dict[str, Any]
T = TypeVar("T")
_kept = threading.local()


def read_copies(workspace: Workspace, read: Callable[[Copies], T]) -> T:
    """What `read` finds in the current version; read again when two publishes took the version away meanwhile."""
    for _ in range(_TRIES - 1):
        copies = copies_needed(workspace)
        try:
            return _read(copies, read)
        except (duckdb.IOException, FileNotFoundError):
            if copies_needed(workspace).version == copies.version:
                raise
    return _read(copies_needed(workspace), read)


def _read(copies: Copies, read: Callable[[Copies], T]) -> T:
    if getattr(_kept, "folder", copies.folder) != copies.folder and hasattr(_kept, "connection"):
        # What a connection remembers of files that are gone would only grow.
        _kept.connection.close()
        del _kept.connection
    _kept.folder = copies.folder
    return read(copies)


def rows_of(sql: str, values: Sequence[Any] = ()) -> list[Row]:
    """The rows of a query as dictionaries."""
    cursor = _cursor().execute(sql, list(values))
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def row_of(sql: str, values: Sequence[Any] = ()) -> Row | None:
    """The first row of a query."""
    found = rows_of(sql, values)
    return found[0] if found else None


def rows_streamed(sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
    """The rows of a query one by one, for results that are too many to hold."""
    # A connection of its own: a page that is read meanwhile in this thread would end the stream.
    with _connect() as connection:
        cursor = connection.execute(sql, list(values))
        names = [name for name, *_ in cursor.description or ()]
        while rows := cursor.fetchmany(_AT_ONCE):
            for row in rows:
                yield dict(zip(names, row, strict=True))


def _cursor() -> duckdb.DuckDBPyConnection:
    if not hasattr(_kept, "connection"):
        _kept.connection = _connect()
    connection: duckdb.DuckDBPyConnection = _kept.connection
    return connection


def _connect() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY})
    connection.execute("SET TimeZone='UTC'")
    connection.execute("SET enable_progress_bar=false")
    # The system caches files for all threads together.
    connection.execute("SET enable_external_file_cache=false")
    # The files of a version never change, so what was read of their structure stays right.
    connection.execute("SET parquet_metadata_cache=true")
    return connection
