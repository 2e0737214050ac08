"""Customers keep their history: what their attributes were from which moment on, whatever the order of the files.

`customer_history` has a row where a state begins. `customer_seen` remembers the moments at which a state was only seen
again: when a file from in between arrives late, the earlier state has to begin anew at the next of these.
"""

from typing import Final

from keepwell.warehouse.keys import keep_customers
from keepwell.warehouse.loading.rows import Intake, digest, ranked, take_superseded
from keepwell.warehouse.schema import attribute_columns
from keepwell.warehouse.sql import listed, quoted
from keepwell.warehouse.tables import CUSTOMERS

_MOMENTS: Final = ("synced_at", "updated_at")
"""What a state that is only seen again has of its own."""

_SEEN: Final = listed(["customer", "valid_from", *_MOMENTS])
_STATE: Final = digest(CUSTOMERS, without=_MOMENTS)
_NAMES: Final = tuple(attribute_columns(CUSTOMERS))


def merge_customers(intake: Intake) -> None:
    """Put checked rows into the history, and count what they did."""
    connection = intake.warehouse.connection
    keep_customers(connection, f"SELECT customer_id FROM {intake.good}")  # noqa: S608
    rows = (
        f"(SELECT k.customer, coalesce(synced_at, updated_at, {intake.moment}) AS valid_from, g.* EXCLUDE (_content)"  # noqa: S608
        f" FROM {intake.good} g JOIN customer_keys k USING (customer_id))"
    )
    content = digest(CUSTOMERS, only=intake.present)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS {ranked(rows, 'customer, valid_from', content)}")
    take_superseded(intake, "incoming")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE observed AS {_observed(intake.present)}")
    _rebuild(intake)


def _observed(present: frozenset[str]) -> str:
    """The new observations; what the file does not say is taken from the state valid at that moment."""
    merged = ", ".join(f"i.{quoted(n)}" if n in present else f"h.{quoted(n)}" for n in _NAMES)
    return (
        f"SELECT i.customer, i.valid_from, {merged} FROM (SELECT * FROM incoming WHERE _place = 1) i"  # noqa: S608
        " ASOF LEFT JOIN customer_history h ON h.customer = i.customer AND h.valid_from <= i.valid_from"
    )


def _rebuild(intake: Intake) -> None:
    connection = intake.warehouse.connection
    connection.execute(f"CREATE OR REPLACE TEMP TABLE moved AS {_moved()}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE timeline AS {_timeline()}")
    _count(intake)
    names = listed(["customer", "valid_from", *_NAMES])
    for table in ("customer_history", "customer_seen"):
        connection.execute(f"DELETE FROM {table} WHERE customer IN (FROM moved)")  # noqa: S608
    connection.execute(f"INSERT INTO customer_history({names}) SELECT {names} FROM timeline WHERE begins")  # noqa: S608
    connection.execute(
        f"INSERT INTO customer_seen SELECT {_SEEN} FROM timeline WHERE NOT begins UNION ALL"  # noqa: S608
        f" SELECT {_SEEN} FROM observed WHERE customer NOT IN (FROM moved)"
        " AND (customer, valid_from) NOT IN (SELECT customer, seen_at FROM customer_seen)"
        " AND (customer, valid_from) NOT IN (SELECT customer, valid_from FROM customer_history)"
    )


def _moved() -> str:
    """Customers for whom a file says more than that their latest state still holds."""
    latest = f"(SELECT *, {_STATE} AS state FROM customers)"  # noqa: S608
    return (
        f"SELECT DISTINCT o.customer FROM (SELECT *, {_STATE} AS state FROM observed) o"  # noqa: S608
        f" LEFT JOIN {latest} l ON l.customer = o.customer AND l.state = o.state AND l.valid_from <= o.valid_from"
        " WHERE l.customer IS NULL"
    )


def _timeline() -> str:
    """All observations of these customers in order; `begins` where the state differs from the one before."""
    names = listed(_NAMES)
    again = ", ".join(f"{'s' if n in _MOMENTS else 'h'}.{quoted(n)}" for n in _NAMES)
    kept = (
        f"SELECT customer, valid_from, {names} FROM customer_history UNION ALL"  # noqa: S608
        f" SELECT s.customer, s.seen_at AS valid_from, {again} FROM customer_seen s"
        " ASOF JOIN customer_history h ON h.customer = s.customer AND h.valid_from <= s.seen_at"
    )
    every = (
        f"SELECT customer, valid_from, {names} FROM observed UNION ALL SELECT * FROM ({kept}) k"  # noqa: S608
        " WHERE (customer, valid_from) NOT IN (SELECT customer, valid_from FROM observed)"
    )
    return (
        "SELECT *, state IS DISTINCT FROM lag(state) OVER (PARTITION BY customer ORDER BY valid_from) AS begins"  # noqa: S608
        f" FROM (SELECT *, {_STATE} AS state FROM ({every}) WHERE customer IN (FROM moved))"
    )


def _count(intake: Intake) -> None:
    """Added: the first row of a customer without history; changed or deleted: a state that begins now."""
    found = intake.warehouse.connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE begins AND fresh AND first AND deleted_at IS NULL),"  # noqa: S608
        " count(*) FILTER (WHERE begins AND fresh AND deleted_at IS NOT NULL), count(*) FILTER (WHERE begins AND fresh)"
        " FROM (SELECT o.deleted_at, coalesce(t.begins, false) AS begins, h.customer IS NULL AS fresh,"
        " o.customer NOT IN (SELECT customer FROM customer_history) AND row_number() OVER"
        " (PARTITION BY o.customer ORDER BY o.valid_from) = 1 AS first"
        " FROM observed o LEFT JOIN timeline t USING (customer, valid_from)"
        f" LEFT JOIN (SELECT customer, valid_from, {_STATE} AS state FROM customer_history) h"
        " ON h.customer = t.customer AND h.valid_from = t.valid_from AND h.state = t.state)"
    ).fetchone() or (0, 0, 0, 0)
    total, added, deleted, begun = found
    counts = intake.desk.counts
    counts.added += added
    counts.deleted += deleted
    counts.changed += begun - added - deleted
    counts.unchanged += total - begun
