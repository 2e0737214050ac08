"""One engine in memory for a process, to read published files with: opening one takes ten times as long as asking."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import duckdb

_LOCK: Final = threading.Lock()


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection for some questions, in any thread; what it must not do is to make tables."""
    with _LOCK:
        connection = _engine(os.getpid()).cursor()
    with connection:
        yield connection


@cache
def _engine(_process: int) -> duckdb.DuckDBPyConnection:
    """A process that came from another one has none of its threads: it opens its own, and never closes that one."""
    connection = duckdb.connect()
    # Files are replaced by newer ones of the same name.
    connection.execute("SET enable_external_file_cache=false")
    return connection
