"""What all tables share when checked rows go in: keys for rows without one, and rows of unknown customers."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from keepwell.warehouse.loading.quarantine import SUPERSEDED, UNKNOWN_CUSTOMER, Desk
from keepwell.warehouse.loading.reading import count_rows, number_table
from keepwell.warehouse.schema import attribute_columns
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import CUSTOMERS, Kind, Table

NULL_WORD: Final = "chr(30)"
LATEST: Final = "coalesce(synced_at, TIMESTAMP 'infinity') DESC, _row DESC"
"""Which of several rows with one key stands: the later sync, then the later line."""


@dataclass(frozen=True)
class Intake:
    """Checked rows on their way into a table: `good` is a relation of them, `present` the columns the file has."""

    warehouse: Warehouse
    table: Table
    good: str
    present: frozenset[str]
    desk: Desk
    now: datetime

    @property
    def moment(self) -> str:
        """The moment of the load as an SQL literal."""
        return f"TIMESTAMP '{self.now:%Y-%m-%d %H:%M:%S.%f}'"


def keyed(table: Table, rows: str) -> str:
    """The rows with a key for those that have none: a digest of their content.

    Equal events in one file are numbered, so that they stay apart and yet a repeated file adds nothing. Equal service
    metrics are one measurement.
    """
    if not table.optional_key:
        return f"(SELECT * EXCLUDE (_content) FROM {rows})"  # noqa: S608
    number = (
        " || ':' || row_number() OVER (PARTITION BY _content, deleted_at IS NULL ORDER BY _row)" if table.facts else ""
    )
    return (
        f"(SELECT * EXCLUDE (_content) FROM {rows} WHERE {table.key} IS NOT NULL UNION ALL BY NAME"  # noqa: S608
        f" SELECT * EXCLUDE (_content) REPLACE ('auto:' || _content{number} AS {table.key}) FROM {rows}"
        f" WHERE {table.key} IS NULL)"
    )


def known_rows(intake: Intake) -> str:
    """Hand rows of unknown customers in; the others, with their `customer` in place of its id (keys still as given)."""
    good, table = intake.good, intake.table
    unknown = f"(SELECT * FROM {good} WHERE customer_id NOT IN (SELECT customer_id FROM customer_keys))"  # noqa: S608
    if count_rows(intake.desk.connection, unknown):
        intake.desk.take(
            "SELECT _row, 'customer_id' AS column_name, customer_id AS value, 'no customer has this id; the row"  # noqa: S608
            f" loads by itself once one has' AS reason, '{UNKNOWN_CUSTOMER}' AS code, {row_json(table)} AS row"
            f" FROM {keyed(table, unknown)}"
        )
    kind = "JOIN" if table.customer_required else "LEFT JOIN"
    kept = "" if table.customer_required else " WHERE g.customer_id IS NULL OR k.customer IS NOT NULL"
    return (
        f"(SELECT k.customer, g.* EXCLUDE (customer_id) FROM {good} g {kind} customer_keys k"  # noqa: S608
        f" ON k.customer_id = g.customer_id{kept})"
    )


def row_json(table: Table) -> str:
    """The parsed row as JSON in canonical columns, such that it can be loaded again as it is."""
    fields = []
    for column in table.all_columns:
        name = quoted(column.name)
        if column.kind is Kind.TIME:
            fields.append(f"{name} := CAST({name} AS VARCHAR) || 'Z'")
        elif column.kind in (Kind.NUMBER, Kind.MONEY):
            # A JSON number would pass through a float.
            fields.append(f"{name} := CAST({name} AS VARCHAR)")
        else:
            fields.append(f"{name} := {name}")
    return f"CAST(json_merge_patch('{{}}', to_json(struct_pack({', '.join(fields)}))) AS VARCHAR)"


def digest(table: Table, *, without: tuple[str, ...] = ("synced_at",), only: frozenset[str] | None = None) -> str:
    """A digest of a stored row's content; what changes with every sync is left out."""
    names = [n for n in attribute_columns(table) if n not in without and (only is None or n in only)]
    words = ", ".join(f"coalesce(CAST({quoted(n)} AS VARCHAR), {NULL_WORD})" for n in names)
    return f"md5(concat_ws(chr(31), coalesce(CAST(customer AS VARCHAR), {NULL_WORD}), {words}))"


def ranked(rows: str, key: str, content: str) -> str:
    """The rows of one file with `_place` 1 for the one that stands for its key, and what the others are to it."""
    return (
        f"SELECT *, row_number() OVER w AS _place, first_value(_row) OVER w AS _winner,"  # noqa: S608
        " first_value(_digest) OVER w AS _winner_digest, first_value(synced_at) OVER w AS _winner_synced,"
        " first_value(deleted_at) OVER w AS _winner_deleted"
        f" FROM (SELECT *, {content} AS _digest FROM {rows})"
        f" WINDOW w AS (PARTITION BY {key} ORDER BY {LATEST})"
    )


CONFLICT: Final = (
    "_place > 1 AND _digest <> _winner_digest AND _winner_deleted IS NULL"
    " AND NOT coalesce(synced_at < _winner_synced, false)"
)
"""Which of the rows that do not stand contradict the one that does; the others only repeat it or are older states."""


def take_superseded(intake: Intake, ranked_table: str) -> None:
    """Hand rows in that a later line of the same file contradicts, and count those that only repeat it."""
    desk = intake.desk
    desk.counts.repeated += count_rows(desk.connection, f"{ranked_table} WHERE _place > 1 AND NOT ({CONFLICT})")
    winners = f"(SELECT DISTINCT _winner FROM {ranked_table} WHERE {CONFLICT})"  # noqa: S608
    numbers = desk.connection.execute(f"SELECT _winner FROM {winners} ORDER BY _winner").fetchnumpy()["_winner"]  # noqa: S608
    if not len(numbers):
        return
    rows = np.asarray(numbers, dtype=np.int64)
    number_table(desk.connection, "winner_lines", _winner=rows, winner_line=desk.lines(rows))
    desk.take(_superseded(intake, ranked_table))


def _superseded(intake: Intake, ranked_table: str) -> str:
    key = intake.table.key
    return (
        f"SELECT _row, {literal(key)} AS column_name, lost.{key} AS value, 'line ' || winner_line || ' of this file has"  # noqa: S608
        f" the same key and other values; the later line was taken' AS reason, '{SUPERSEDED}' AS code, given.row"
        f" FROM (SELECT _row, _winner, {_key(intake.table)} AS {key} FROM {ranked_table} WHERE {CONFLICT}) lost"
        f" JOIN winner_lines USING (_winner)"
        f" JOIN (SELECT _row, {row_json(intake.table)} AS row FROM {intake.good}) given USING (_row)"
    )


def _key(table: Table) -> str:
    if table is not CUSTOMERS:
        return table.key
    return "(SELECT k.customer_id FROM customer_keys k WHERE k.customer = incoming.customer)"
