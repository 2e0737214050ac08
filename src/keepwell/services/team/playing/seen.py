"""Which runs, approvals and held-out customers a person may see: those of the customers whom the person sees."""

from collections.abc import Collection
from typing import TypeVar

from django.db.models import Model, QuerySet

from keepwell.services.published.copies import CURRENT, Copies, NothingPublished
from keepwell.services.published.portfolio_query import scope_where
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.team.access import scope_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, Task

Row = TypeVar("Row", bound=Model)
OPEN = (Task.State.OPEN, Task.State.SNOOZED)


def customers_seen(workspace: Workspace, person: Person) -> frozenset[str] | None:
    """The ids of the customers whom a person sees; None for everybody's."""
    scope = scope_of(person)
    if scope.owners is None:
        return None

    def read(copies: Copies) -> frozenset[str]:
        where = scope_where(scope)
        found = rows_of(
            f"SELECT customer_id FROM read_parquet(?) WHERE {where.sql}",  # noqa: S608 - own names
            [copies.path(CURRENT), *where.values],
        )
        return frozenset(row["customer_id"] for row in found)

    try:
        own = read_copies(workspace, read)
    except NothingPublished:
        return frozenset()
    # Who stands in for somebody sees the customers of the tasks that were given to him.
    return own.union(Task.objects.filter(assignee=person, state__in=OPEN).values_list("customer_id", flat=True))


def only_seen(rows: "QuerySet[Row]", seen: Collection[str] | None) -> "QuerySet[Row]":
    """The rows with a `customer_id` that is seen."""
    return rows if seen is None else rows.filter(customer_id__in=seen)
