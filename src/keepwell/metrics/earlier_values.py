"""What stood in a row before it was written over, from the table that keeps its changes.

A subscription is one row that its source overwrites: without this, the plan and the MRR of today would be those of any
earlier day, and a backfill would know of a downgrade before it happened.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import duckdb

from keepwell.warehouse.sql import quoted

_MONTHS: Final = 12


@dataclass(frozen=True)
class Overwritten:
    """Columns of a table, each with the column of `changes` that holds its value before a change.

    Both tables share `key`. The kinds of changes in `not_before` say nothing of an earlier value: there was none.
    """

    changes: str
    key: str
    columns: Mapping[str, str]
    not_before: tuple[str, ...]


OVERWRITTEN: Final[Mapping[str, Overwritten]] = MappingProxyType(
    {
        "subscriptions": Overwritten(
            "subscription_changes",
            "subscription_id",
            MappingProxyType(
                {"mrr": "mrr_before", "arr": "mrr_before", "plan": "plan_before", "quantity": "quantity_before"}
            ),
            ("new", "trial_started"),
        )
    }
)


def earlier_join(table: str, dates: str, used: Collection[str]) -> str:
    """Joins `h`, the values of a row `r` of a table before the first change after each date `d`; empty where none is
    needed."""
    found = OVERWRITTEN.get(table)
    asked = [before for column, before in found.columns.items() if column in used] if found else []
    if found is None or not asked:
        return ""
    kinds = ", ".join(f"'{kind}'" for kind in found.not_before)
    picked = ", ".join(
        f"arg_min({quoted(before)}, row(c.occurred_at, c.change_id)) FILTER (WHERE {quoted(before)} IS NOT NULL)"
        f" AS {quoted(before)}"
        for before in dict.fromkeys(asked)
    )
    return (
        f" LEFT JOIN (SELECT d.i, c.{found.key}, {picked} FROM {dates} d"
        f" JOIN {found.changes} c ON c.occurred_at >= d.ends"
        f" WHERE c.deleted_at IS NULL AND c.change_type NOT IN ({kinds}) GROUP BY d.i, c.{found.key}) h"
        f" ON h.i = d.i AND h.{found.key} = r.{found.key}"
    )


def keeps_earlier(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether any change of the table's rows is on record; without one every value is the row's own."""
    found = OVERWRITTEN.get(table)
    return found is not None and bool(connection.execute(f"SELECT 1 FROM {found.changes} LIMIT 1").fetchall())


def earlier_value(table: str, column: str) -> str | None:
    """The value of a column as it was on a date, where `earlier_join` is part of the statement; None if it is the
    row's own."""
    found = OVERWRITTEN.get(table)
    before = found.columns.get(column) if found is not None else None
    if before is None:
        return None
    own = f"r.{quoted(column)}"
    if column == "arr":
        # A change says what a month was worth; a row without a yearly amount goes on without one.
        return (
            f"CASE WHEN h.{quoted(before)} IS NULL OR {own} IS NULL THEN {own} ELSE h.{quoted(before)} * {_MONTHS} END"
        )
    return f"coalesce(h.{quoted(before)}, {own})"
