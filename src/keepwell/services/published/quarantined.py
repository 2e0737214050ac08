"""Rows in quarantine one by one, the values they hold, and which of them can be corrected here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from keepwell.services.published.copies import QUARANTINE, Copies
from keepwell.services.published.data_status import QuarantinedRow, quarantine_rows
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.workspace import Workspace
from keepwell.warehouse.loading.plan import normal_name
from keepwell.warehouse.loading.retry import WaitingRow

MOST_ROWS: Final = 100_000
"""How many rows of a group are corrected or tried at once."""


@dataclass(frozen=True)
class Group:
    """Rows that wait for the same reason: what `quarantine_rows` filters by."""

    table: str
    code: str
    column: str | None
    reason: str


@dataclass(frozen=True)
class QuarantinedValue:
    """A value that rows of a group have in the column that is wrong; an empty one is empty text."""

    value: str
    rows: int


def quarantine_row(workspace: Workspace, key: str) -> QuarantinedRow | None:
    """One row that waits; None when it does not wait any more."""

    def read(copies: Copies) -> str | None:
        found = rows_of('SELECT place FROM read_parquet(?) WHERE "key" = ?', [copies.path(QUARANTINE), key])
        return str(found[0]["place"]) if found else None

    place = read_copies(workspace, read)
    if place is None:
        return None
    near = quarantine_rows(workspace, offset=int(place) - 1, limit=1).rows
    return next((row for row in near if row.key == key), None)


def quarantine_values(workspace: Workspace, group: Group, limit: int = 50) -> tuple[QuarantinedValue, ...]:
    """The values that rows of a group have in its column, the most frequent first."""

    def read(copies: Copies) -> tuple[QuarantinedValue, ...]:
        found = rows_of(
            "SELECT coalesce(value, '') AS value, count(*) AS rows FROM read_parquet(?)"
            ' WHERE "table" = ? AND code = ? AND short = ? GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?',
            [copies.path(QUARANTINE), group.table, group.code, group.reason, limit],
        )
        return tuple(QuarantinedValue(**row) for row in found)

    return read_copies(workspace, read)


def group_rows(workspace: Workspace, group: Group) -> tuple[QuarantinedRow, ...]:
    """The rows of a group, at most MOST_ROWS."""
    found = quarantine_rows(workspace, group.table, group.code, group.column, group.reason, limit=MOST_ROWS)
    return found.rows


def is_correctable(row: QuarantinedRow) -> bool:
    """Whether a row can be corrected here: it is no broken line, and no mapping made it from other columns."""
    if "" in row.row:
        return False
    return WaitingRow(row.key, row.table, row.file, row.code, json.dumps(row.row)).canonical


def cell_name(row: QuarantinedRow) -> str | None:
    """How the column that is wrong is called in the row itself."""
    return next((name for name in row.row if normal_name(name) == row.column), None)


def replacements(workspace: Workspace, group: Group, values: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Corrections that put one value for another into a group's column, for every row that has it."""
    found: dict[str, dict[str, str]] = {}
    for row in group_rows(workspace, group):
        name = cell_name(row)
        if name is not None and (row.value or "") in values and is_correctable(row):
            found[row.key] = {name: values[row.value or ""]}
    return found
