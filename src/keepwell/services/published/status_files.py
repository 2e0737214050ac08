"""The state of the data as the pages read it: feeds, loads, quarantine, coverage, and ids that nobody has."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from keepwell.evaluation.compiled import compile_model
from keepwell.metrics.frame import Quality
from keepwell.reporting.words import label_of
from keepwell.services.freshness import feed_ages
from keepwell.services.published.copies import QUARANTINE, STATUS, Copies
from keepwell.services.published.month_files import PARQUET
from keepwell.services.published.unmatched import closest_customers
from keepwell.services.reading import Published
from keepwell.services.workspace import Workspace
from keepwell.warehouse.loading.quarantine import ROW_KEY, SHORT_REASON
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.storage import Warehouse

LOADS: Final = 50
FILES: Final = 5
Data = dict[str, Any]


def write_status(workspace: Workspace, warehouse: Warehouse, copies: Copies, folder: Path) -> None:
    """Write the state of the data, and the rows that wait in quarantine."""
    published = Published(workspace, copies.as_of)
    _write_quarantine(warehouse, folder)
    status = {
        "as_of": copies.as_of,
        "tables": list(_tables(published, warehouse)),
        "loads": _rows(warehouse, _LOADS_SQL, LOADS),
        "quarantine": _rows(warehouse, _GROUPS_SQL, FILES),
        "coverage": list(_coverage(published, warehouse)),
        "unmatched": closest_customers(warehouse.connection),
        "links": _rows(warehouse, "SELECT unknown_id, customer_id FROM identity_links ORDER BY 1"),
        "warnings": list(published.warnings),
    }
    (folder / STATUS).write_text(json.dumps(status, default=_said, ensure_ascii=False) + "\n", encoding="utf-8")


_LOADS_SQL: Final = (
    'SELECT load_id, path, table_name AS "table", loaded_at, read, added, changed, unchanged, repeated, deleted,'
    " quarantined FROM loads ORDER BY load_id DESC LIMIT ?"
)
_GROUPS_SQL: Final = (
    f'SELECT table_name AS "table", code, column_name AS "column", {SHORT_REASON} AS reason, count(*) AS rows,'  # noqa: S608
    " list(DISTINCT file ORDER BY file)[:?] AS files, coalesce(bool_and(json_valid(row)), false) AS retryable"
    " FROM quarantine WHERE state = 'open' GROUP BY ALL ORDER BY rows DESC, 1, 2, 3, 4"
)


def _tables(published: Published, warehouse: Warehouse) -> Iterator[Data]:
    waiting = dict(
        warehouse.connection.execute(
            "SELECT table_name, count(*) FROM quarantine WHERE state = 'open' GROUP BY 1"
        ).fetchall()
    )
    feeds = _rows(
        warehouse,
        'SELECT table_name AS "table", source, rows, first_row_at, last_row_at, last_sync_at FROM feeds ORDER BY 1, 2',
    )
    for age in feed_ages(published.model.model, published.as_of, published.about):
        own = [{k: v for k, v in feed.items() if k != "table"} for feed in feeds if feed["table"] == age.table]
        yield {
            "table": age.table,
            "rows": sum(feed["rows"] for feed in own),
            "quarantined": waiting.get(age.table, 0),
            "until": age.until,
            "age": age.age,
            "limit": age.limit,
            "used": age.used,
            "state": age.state,
            "sources": own,
        }


def _coverage(published: Published, warehouse: Warehouse) -> Iterator[Data]:
    """For how many customers each metric is known on the current date, and why not for the others."""
    compiled, there = compile_model(published.model), frozenset(published.columns)
    names = [name for name in compiled.metrics() if f"m.{name}" in there]
    snapshots = published.workspace.snapshots
    counts = ", ".join(_count(name, f"q.{name}" in there) for name in names)
    found = warehouse.connection.execute(
        f"SELECT count(*){', ' if counts else ''}{counts} FROM {snapshots.scan([snapshots.path(published.as_of)])}"  # noqa: S608
        " WHERE status <> 'churned'"
    ).fetchone() or (0,)
    for name, (known, assumed, stale, absent) in zip(names, found[1:], strict=True):
        label = label_of(name, compiled.metrics()[name])
        counted = {"known": known, "assumed": assumed, "stale": stale, "absent": absent}
        unused = found[0] - known - assumed - stale - absent
        yield {"metric": name, "label": label, "customers": found[0], **counted, "unused": unused}


def _count(name: str, coded: bool) -> str:
    if not coded:
        known = f"count({quoted(f'm.{name}')})"
        return f"[{known}, 0, 0, count(*) - {known}]"
    code = quoted(f"q.{name}")
    guessed = f"{code} IN ({int(Quality.ASSUMED)}, {int(Quality.CARRIED)})"
    tests = (f"{code} = {int(Quality.KNOWN)}", guessed, *(f"{code} = {int(q)}" for q in _NO_VALUE))
    return f"[{', '.join(f'count(*) FILTER (WHERE {test})' for test in tests)}]"


_NO_VALUE: Final = (Quality.STALE, Quality.NO_SOURCE)


def _write_quarantine(warehouse: Warehouse, folder: Path) -> None:
    warehouse.connection.execute(
        f'COPY (SELECT {ROW_KEY} AS key, table_name AS "table", file, line, column_name AS "column", value,'  # noqa: S608
        f" {SHORT_REASON} AS short, reason, code, row, row_number() OVER (ORDER BY load_id, file, line, code) AS place"
        f" FROM quarantine WHERE state = 'open' ORDER BY place) TO {literal(str(folder / QUARANTINE))} {PARQUET}"
    )


def _rows(warehouse: Warehouse, sql: str, *values: object) -> list[Data]:
    cursor = warehouse.connection.execute(sql, list(values))
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _said(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{value!r} has no place in a state of data")
