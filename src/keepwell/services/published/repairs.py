"""What a person does about rows that wait: correct them, try them again, say whose they are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from keepwell.model.problems import did_you_mean
from keepwell.services.published.copies import copies_current
from keepwell.services.published.publishing import publish_from
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.loading.links import forget_link, keep_link
from keepwell.warehouse.loading.one_file import FileLoader
from keepwell.warehouse.loading.quarantine import ROW_KEY, SUPERSEDED
from keepwell.warehouse.loading.retry import WaitingRow, retry_rows, retry_unknown
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES

Waits = Callable[[str], None] | None
Corrections = Mapping[str, Mapping[str, Any]]
_NO_CORRECTIONS: Final[Corrections] = {}


@dataclass(frozen=True)
class RetryReport:
    """What became of rows that were tried again: those that went in, and those that still wait."""

    tried: int
    resolved: int
    waiting: int
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class LinkReport:
    """What a link did: `rows` had waited for it and are loaded now."""

    unknown_id: str
    customer_id: str
    rows: int
    problems: tuple[str, ...] = ()


def retry_quarantine(
    workspace: Workspace,
    *,
    now: datetime,
    table: str | None = None,
    keys: Sequence[str] | None = None,
    corrections: Corrections | None = None,
    on_wait: Waits = None,
) -> RetryReport:
    """Try rows in quarantine again: those with these keys, those of a table, or all.

    `corrections` replaces cells of rows by their keys; without `keys` only rows with a correction are tried. A row
    that is still wrong waits on with its new reason. Rows that are right now can be tried any number of times.
    Raises WorkspaceError for an unknown table.
    """
    if table is not None and table not in TABLES:
        raise WorkspaceError(f"there is no table '{table}'{did_you_mean(table, TABLES)}")
    changed = corrections or _NO_CORRECTIONS
    wanted = keys if keys is not None else (list(changed) or None)
    with workspace.warehouse("retry of quarantined rows", on_wait) as warehouse:
        loader = FileLoader(warehouse, _utc(now))
        rows = [_corrected(row, changed) for row in _chosen(warehouse.connection, table, wanted)]
        resolved = retry_rows(loader, rows)
        _publish(workspace, warehouse)
        waiting = _waiting(warehouse)
    return RetryReport(len(rows), resolved, waiting, tuple(loader.problems))


def link_identity(
    workspace: Workspace, unknown_id: str, customer_id: str, *, now: datetime, on_wait: Waits = None
) -> LinkReport:
    """Let an id that a source uses stand for a customer, now and in later loads, and load the rows that waited.

    Doing it again changes nothing. Raises WorkspaceError when there is no such customer, or when the id is one.
    """
    with workspace.warehouse("link of an id", on_wait) as warehouse:
        _check_link(warehouse.connection, unknown_id, customer_id)
        keep_link(warehouse.connection, unknown_id, customer_id, _utc(now).replace(tzinfo=None))
        loader = FileLoader(warehouse, _utc(now))
        rows = retry_unknown(loader)
        _publish(workspace, warehouse)
    return LinkReport(unknown_id, customer_id, rows, tuple(loader.problems))


def unlink_identity(workspace: Workspace, unknown_id: str, *, on_wait: Waits = None) -> bool:
    """Forget a link for later loads; rows that it loaded stay where they are. Returns whether there was one."""
    with workspace.warehouse("unlink of an id", on_wait) as warehouse:
        forgotten = forget_link(warehouse.connection, unknown_id)
        _publish(workspace, warehouse)
    return forgotten


def _corrected(row: WaitingRow, corrections: Corrections) -> WaitingRow:
    changes = corrections.get(row.key)
    return replace(row, row=json.dumps({**json.loads(row.row), **changes}, ensure_ascii=False)) if changes else row


def _chosen(connection: duckdb.DuckDBPyConnection, table: str | None, keys: Sequence[str] | None) -> list[WaitingRow]:
    """The open rows to try, in the order in which they came; broken lines are no rows and stay.

    A row that a later line of its file contradicts is tried only when it is named: it would take that line's place.
    """
    found = connection.execute(
        f"SELECT {ROW_KEY} AS key, table_name, file, code, row FROM quarantine WHERE state = 'open'"  # noqa: S608
        " AND json_valid(row) AND json_type(row) = 'OBJECT' AND (CAST(? AS VARCHAR) IS NULL OR table_name = ?)"
        f" AND if(CAST(? AS VARCHAR[]) IS NULL, code <> ?, list_contains(CAST(? AS VARCHAR[]), {ROW_KEY}))"
        " ORDER BY load_id, file, line",
        [table, table, keys, SUPERSEDED, keys],
    ).fetchall()
    return [WaitingRow(*row) for row in found]


def _check_link(connection: duckdb.DuckDBPyConnection, unknown_id: str, customer_id: str) -> None:
    known = {row[0] for row in connection.execute(
        "SELECT customer_id FROM customer_keys WHERE customer_id IN (?, ?)", [unknown_id, customer_id]
    ).fetchall()}  # fmt: skip
    if customer_id not in known:
        raise WorkspaceError(f"there is no customer '{customer_id}' to link '{unknown_id}' to")
    if unknown_id in known:
        raise WorkspaceError(f"'{unknown_id}' is a customer itself; only an id that no customer has can be linked")
    if not unknown_id.strip():
        raise WorkspaceError("an empty id cannot be linked")


def _publish(workspace: Workspace, warehouse: Warehouse) -> None:
    """Show what changed; before the first run there is nothing to show it in."""
    if copies_current(workspace) is not None:
        publish_from(workspace, warehouse)


def _waiting(warehouse: Warehouse) -> int:
    found = warehouse.connection.execute("SELECT count(*) FROM quarantine WHERE state = 'open'").fetchone()
    return int(found[0]) if found else 0


def _utc(now: datetime) -> datetime:
    return (now if now.tzinfo else now.replace(tzinfo=UTC)).astimezone(UTC)
