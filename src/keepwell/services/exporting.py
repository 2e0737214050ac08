"""The export verb: canonical tables and published results as CSV or Parquet."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TextIO

import duckdb

from keepwell.model.problems import did_you_mean
from keepwell.services.csv_text import write_csv
from keepwell.services.customer_rows import SIGNAL_COLUMNS, customers_flat, metric_names, metrics_listed, signals_listed
from keepwell.services.reading import Published, read_published
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.schema import CODED, FACT_COLUMNS, person_column
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import CUSTOMERS, TABLES, Table

PUBLISHED: Final = ("customers", "segments", "signals", "metrics")
HISTORY: Final = "customer_history"
EXPORTS: Final = (*PUBLISHED, HISTORY, *(name for name in TABLES if name != "customers"))
_AT_ONCE: Final = 10_000


@dataclass(frozen=True)
class Export:
    """An opened export: columns and rows; the rows can be read once, while the export is open."""

    columns: Sequence[str]
    rows: Iterator[Sequence[Any]]


def export_csv(
    workspace: Workspace,
    *,
    table: str,
    handle: TextIO,
    as_of: date | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> int:
    """Write a table as CSV that spreadsheets open safely; returns the number of rows."""
    if _checked(table) in PUBLISHED:
        export = published_table(read_published(workspace, as_of), table)
        return write_csv(handle, export.columns, export.rows)
    with workspace.warehouse(f"export of {table}", on_wait) as warehouse:
        cursor = warehouse.connection.execute(_select(warehouse, table))
        columns = [name for name, *_ in cursor.description or ()]
        return write_csv(handle, columns, _fetched(cursor))


def export_parquet(
    workspace: Workspace,
    *,
    table: str,
    target: Path,
    as_of: date | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> int:
    """Write a table as one Parquet file; returns the number of rows."""
    if _checked(table) in PUBLISHED:
        published = read_published(workspace, as_of)
        if table == "signals":
            return _copy_signals(published, target)
        with duckdb.connect() as connection:
            return _copy(connection, _published_select(published, table), target)
    with workspace.warehouse(f"export of {table}", on_wait) as warehouse:
        return _copy(warehouse.connection, _select(warehouse, table), target)


def published_table(published: Published, table: str) -> Export:
    """A published table as plain rows."""
    if table == "customers":
        return Export(*_iterated(customers_flat(published)))
    if table == "signals":
        return Export(SIGNAL_COLUMNS, ([row[name] for name in SIGNAL_COLUMNS] for row in signals_listed(published)))
    if table == "segments":
        columns = ["customer_id", "as_of", "segment", "primary"]
        return Export(columns, _memberships(published))
    names = metric_names(published)
    rows = ([c["customer_id"], c["as_of"], *(c["metrics"][n] for n in names)] for c in metrics_listed(published))
    return Export(["customer_id", "as_of", *names], rows)


def _checked(table: str) -> str:
    if table not in EXPORTS:
        hint = did_you_mean(table, EXPORTS) or f"; there are: {', '.join(EXPORTS)}"
        raise WorkspaceError(f"there is no table '{table}' to export{hint}")
    return table


def _iterated(found: tuple[list[str], list[list[Any]]]) -> tuple[list[str], Iterator[list[Any]]]:
    columns, rows = found
    return columns, iter(rows)


def _memberships(published: Published) -> Iterator[list[Any]]:
    day = published.as_of.isoformat()
    for row in published.rows(["customer_id", "segment", "segments"]):
        for name in row["segments"]:
            yield [row["customer_id"], day, name, name == row["segment"]]


def _published_select(published: Published, table: str) -> str:
    """A published table as SQL over its snapshot, so that types stay what they are."""
    snapshots, day = published.workspace.snapshots, literal(published.as_of.isoformat())
    source = snapshots.scan([snapshots.path(published.as_of)])
    head = f"customer_id, CAST({day} AS DATE) AS as_of"
    if table == "metrics":
        names = metric_names(published)
        values = ", ".join(f"{quoted(f'm.{n}')} AS {quoted(n)}" for n in names)
        return f"SELECT {head}, {values} FROM {source} WHERE status <> 'churned' ORDER BY customer_id"  # noqa: S608 - quoted names
    if table == "customers":
        kept = [c for c in published.columns if c != "customer_id" and not c.startswith(("m.", "q."))]
        return f"SELECT {head}, {', '.join(map(quoted, kept))} FROM {source} ORDER BY customer_id"  # noqa: S608
    inner = f"SELECT {head}, unnest(segments) AS name, segment FROM {source}"  # noqa: S608
    return f'SELECT customer_id, as_of, name AS segment, name = segment AS "primary" FROM ({inner}) ORDER BY 1, 3'  # noqa: S608


def _copy_signals(published: Published, target: Path) -> int:
    """Signals with what the model says about them, as everywhere else, in the types of a snapshot."""
    kinds = {"as_of": "DATE", "mrr": "DOUBLE", "value": "DOUBLE"}
    columns = ", ".join(f"{literal(name)}: {literal(kinds.get(name, 'VARCHAR'))}" for name in SIGNAL_COLUMNS)
    with TemporaryDirectory(prefix="keepwell-") as folder, duckdb.connect() as connection:
        lines = Path(folder) / "signals.ndjson"
        with lines.open("w", encoding="utf-8") as handle:
            handle.writelines(f"{json.dumps(signal)}\n" for signal in signals_listed(published))
        source = f"read_json({literal(str(lines))}, format = 'newline_delimited', columns = {{{columns}}})"
        return _copy(connection, f"SELECT * FROM {source}", target)  # noqa: S608


def _select(warehouse: Warehouse, name: str) -> str:
    """A canonical table with outside ids and texts in place of keys and codes, deleted rows left out."""
    table = CUSTOMERS if name == HISTORY else TABLES[name]
    if table.facts:
        return _facts_select(warehouse, table)
    stored = HISTORY if table is CUSTOMERS else table.name
    columns = [c for c in table.column_names if c not in ("customer_id", "deleted_at")]
    since = ["valid_from"] if table is CUSTOMERS else []
    selected = ", ".join(f"t.{quoted(c)}" for c in [*since, *columns])
    order = "k.customer_id, t.valid_from" if table is CUSTOMERS else f"t.{quoted(table.key)}"
    return (
        f"SELECT k.customer_id, {selected} FROM {stored} t LEFT JOIN customer_keys k USING (customer)"  # noqa: S608
        f" WHERE t.deleted_at IS NULL ORDER BY {order}"
    )


def _facts_select(warehouse: Warehouse, table: Table) -> str:
    files = [day.path for day in fact_days(warehouse, table).values()]
    if not files:
        empty = ", ".join(f"NULL AS {quoted(c)}" for c in ["customer_id", *FACT_COLUMNS[table.name]])
        return f"SELECT {empty} LIMIT 0"
    coded = CODED[table.name]
    joins = " JOIN customer_keys k USING (customer)"
    joins += " LEFT JOIN person_keys p ON p.person = f.person" if person_column(table) else ""
    for column in coded:
        joins += (
            f" LEFT JOIN symbols s_{column} ON s_{column}.kind = '{table.name}.{column}'"
            f" AND s_{column}.code = f.{quoted(column)}"
        )
    own = [c for c in FACT_COLUMNS[table.name] if c not in ("customer", "person")]
    texts = ", ".join(f"s_{c}.text AS {quoted(c)}" if c in coded else f"f.{quoted(c)}" for c in own)
    return (
        f"SELECT k.customer_id, p.person_id, {texts} FROM {scan(files)} f{joins}"  # noqa: S608 - own names
        f" ORDER BY f.{quoted(table.time or table.key)}, f.{quoted(table.key)}"
    )


def _copy(connection: duckdb.DuckDBPyConnection, select: str, target: Path) -> int:
    done = connection.execute(
        f"COPY ({select}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    ).fetchone()
    return int(done[0]) if done else 0


def _fetched(cursor: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    while rows := cursor.fetchmany(_AT_ONCE):
        yield from rows
