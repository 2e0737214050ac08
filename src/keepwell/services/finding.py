"""Finds the customer that somebody means: by id, by exact name, or with a suggestion."""

from collections.abc import Sequence
from datetime import date

from keepwell.model.problems import did_you_mean
from keepwell.services.reading import Published, Row
from keepwell.services.workspace import WorkspaceError

_SHOWN = 5


def find_customer(published: Published, wanted: str) -> Row:
    """The row (id, name, status, churned_on) of the customer with this id or exact name; raises WorkspaceError."""
    rows = published.rows(["customer_id", "name", "status", "churned_on"])
    for row in rows:
        if row["customer_id"] == wanted:
            return row
    named = [row for row in rows if str(row["name"]).casefold() == wanted.casefold().strip()]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(row["customer_id"] for row in named[:_SHOWN])
        raise WorkspaceError(f"{len(named)} customers are called '{wanted}'; name one by its id: {ids}")
    raise WorkspaceError(_unknown(rows, wanted, published.as_of))


def _unknown(rows: Sequence[Row], wanted: str, as_of: date) -> str:
    known = [str(row[key]) for key in ("customer_id", "name") for row in rows]
    return f"there is no customer '{wanted}' on {as_of}{did_you_mean(wanted, known)}"
