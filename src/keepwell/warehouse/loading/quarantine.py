"""Rows that do not load are kept with file, line, column, value and reason; none is lost, none is kept twice."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np

from keepwell.warehouse.loading.parse import Check, text_sql
from keepwell.warehouse.loading.plan import Plan
from keepwell.warehouse.loading.reading import LineFinder, RawColumn, RawFile, count_rows, number_table
from keepwell.warehouse.loading.report import Counts, QuarantinedRow
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.tables import Table

SAMPLE: Final = 5
UNKNOWN_CUSTOMER: Final = "unknown_customer"
SUPERSEDED: Final = "superseded"
REWRITTEN: Final = frozenset({UNKNOWN_CUSTOMER, SUPERSEDED})
"""Rows with these codes are kept in canonical columns, all others as their file has them."""

ROW_KEY: Final = "left(md5(concat_ws(chr(31), table_name, file, line, code, row)), 20)"
"""What names a row of the quarantine: it has no id of its own, and these are never the same twice while it is open."""

WAITING: Final = (
    f"state = 'open' AND code = '{UNKNOWN_CUSTOMER}' AND value IN (SELECT customer_id FROM customer_keys"  # noqa: S608
    " UNION ALL SELECT unknown_id FROM identity_links)"
)
"""Rows in quarantine whose customer is known by now."""

SHORT_REASON: Final = (
    f"concat_ws(' ', column_name, if(code = '{SUPERSEDED}', 'has other values on a later line of the file', reason))"
)
"""The reason of a row without what is particular to it, to count by."""

FOUND_NOW: Final = "found_now"
"""A temporary table of the rows that a desk has taken."""

_FOUND_AGAIN: Final = f"EXISTS (SELECT 1 FROM {FOUND_NOW} b WHERE b.code = q.code AND b.row = hash(q.row))"  # noqa: S608
_COLUMNS: Final = "load_id, table_name, file, line, column_name, value, reason, code, row, state"
_SAME: Final = "q.table_name = b.table_name AND q.file = b.file AND q.line = b.line AND q.code = b.code"


@dataclass(frozen=True)
class Desk:
    """Where the bad rows of one file and table are handed in."""

    connection: duckdb.DuckDBPyConnection
    load_id: int
    table: Table
    file: Path
    lines: LineFinder
    counts: Counts

    def __post_init__(self) -> None:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {FOUND_NOW}(code VARCHAR, row UBIGINT)")

    def take_broken(self, broken: str) -> None:
        """Take what is no row at all: a relation (line, code, reason, text)."""
        self._collect(
            "SELECT line, CAST(NULL AS VARCHAR) AS column_name, CAST(NULL AS VARCHAR) AS value, reason, code,"  # noqa: S608
            f" CAST(to_json(text) AS VARCHAR) AS row FROM {broken}"
        )

    def take_checked(self, bad: str, checks: tuple[Check, ...], raw: RawFile) -> None:
        """Take rows that failed a check: a relation (_row, _error, _value); they are kept as the file has them."""
        kinds = ", ".join(
            f"({i}, {literal(c.column)}, {literal(c.reason)}, {literal(c.code)})" for i, c in enumerate(checks)
        )
        if kinds and count_rows(self.connection, bad):
            fields = ", ".join(f"{quoted(c.name)} := {quoted(c.name)}" for c in raw.columns)
            self.take(
                f"SELECT b._row, e.column_name, b._value AS value, e.reason, e.code, r.row FROM {bad} b"  # noqa: S608
                f" JOIN (VALUES {kinds}) e(error, column_name, reason, code) ON e.error = b._error JOIN (SELECT _row,"
                f" CAST(to_json(struct_pack({fields})) AS VARCHAR) AS row FROM {raw.relation}) r USING (_row)"
            )

    def take(self, rows: str) -> None:
        """Take rows of a relation (_row, column_name, value, reason, code, row)."""
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE bad_rows AS {rows}")
        numbers = self.connection.execute("SELECT DISTINCT _row FROM bad_rows ORDER BY _row").fetchnumpy()["_row"]
        wanted = np.asarray(numbers, dtype=np.int64)
        if not len(wanted):
            return
        number_table(self.connection, "bad_lines", _row=wanted, line=self.lines(wanted))
        self._collect(
            "SELECT l.line, column_name, value, reason, code, row FROM bad_rows JOIN bad_lines l USING (_row)"
        )

    def _collect(self, rows: str) -> None:
        labels = f"{literal(self.table.name)} AS table_name, {literal(str(self.file))} AS file"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE bad_found AS SELECT {labels}, * FROM ({rows})"  # noqa: S608
        )
        for reason, count in self.connection.execute(
            f"SELECT {SHORT_REASON}, count(*) FROM bad_found GROUP BY ALL ORDER BY ALL"  # noqa: S608
        ).fetchall():
            self.counts.add_quarantined(reason, count)
        self.connection.execute(f"INSERT INTO {FOUND_NOW} SELECT code, hash(row) FROM bad_found")  # noqa: S608
        self.connection.execute(
            f"INSERT INTO quarantine({_COLUMNS}) SELECT {self.load_id}, table_name, file, line, column_name, value,"  # noqa: S608
            " reason, code, row, 'open' FROM bad_found b WHERE NOT EXISTS (SELECT 1 FROM quarantine q"
            f" WHERE {_SAME} AND q.row = b.row AND q.state = 'open') ORDER BY line"
        )


def sample(desk: Desk) -> list[QuarantinedRow]:
    """The first rows that a desk has taken; what is still open from an earlier file of that name is not among them."""
    found = desk.connection.execute(
        "SELECT table_name, file, line, column_name, value, reason, code, row FROM quarantine q"  # noqa: S608
        f" WHERE table_name = ? AND file = ? AND state = 'open' AND {_FOUND_AGAIN} ORDER BY line, code LIMIT ?",
        [desk.table.name, str(desk.file), SAMPLE],
    ).fetchall()
    return [QuarantinedRow(*row) for row in found]


def settle_fixed(desk: Desk, raw: RawFile, plan: Plan, good: str) -> None:
    """Mark rows as resolved that an earlier load of this file got wrong and this one got right, by their key.

    The file was corrected, or its mapping. What is wrong again, in this load, stays open.
    """
    connection, values = desk.connection, [desk.table.name, str(desk.file), desk.load_id]
    waits = (
        f"FROM quarantine q WHERE table_name = ? AND file = ? AND load_id < ? AND state = 'open'"
        f" AND code <> '{UNKNOWN_CUSTOMER}' AND json_valid(row) AND json_type(row) = 'OBJECT'"
        f" AND NOT {_FOUND_AGAIN}"
    )
    if not connection.execute(f"SELECT 1 {waits} LIMIT 1", values).fetchone():
        return
    fields = "".join(f", {_field(column)} AS {quoted(column.name)}" for column in raw.columns)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE settled AS SELECT _id FROM (SELECT q.rowid AS _id, code, row{fields} {waits})"  # noqa: S608
        f" WHERE {_given_key(plan)} IN (SELECT {plan.table.key} FROM {good})",
        values,
    )
    connection.execute("UPDATE quarantine SET state = 'resolved' WHERE rowid IN (SELECT _id FROM settled)")


def _field(column: RawColumn) -> str:
    """A cell of a kept row as the file had it."""
    text = f"json_extract_string(row, {literal(f'$.{_json_name(column.name)}')})"
    return text if column.type == "VARCHAR" else f"TRY_CAST({text} AS {column.type})"


def _json_name(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _given_key(plan: Plan) -> str:
    """The key of a kept row: a row of which another one was taken is kept in canonical columns, others as given."""
    canonical = f"json_extract_string(row, {literal(f'$.{plan.table.key}')})"
    cell = plan.cells.get(plan.table.key)
    return canonical if cell is None else f"if(code = '{SUPERSEDED}', {canonical}, {text_sql(cell)})"


def settle_waiting(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Mark the rows that waited for their customer as resolved; call when they are loaded."""
    connection.execute(f"UPDATE quarantine SET state = 'resolved' WHERE table_name = ? AND {WAITING}", [table])  # noqa: S608
