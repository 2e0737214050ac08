"""What a list of customers is asked for, as conditions with parameters: whom one may see, filters, search, order."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from keepwell.scoring.scorecards import NOT_ENOUGH_DATA

CHURNED: Final = "churned"
UNASSIGNED: Final = ""
DEFAULT_SORT: Final = "arr"
_WORDS_AT_MOST: Final = 8

_ORDER: Final = {
    "name": "lower(name)",
    "score": "score",
    "band": "score",
    "change_7": "change_7",
    "change_30": "change_30",
    "risk_score": "risk_score",
    "coverage": "coverage",
    "arr": "arr",
    "mrr": "mrr",
    "days_to_renewal": "days_to_renewal",
    "renewal_date": "renewal_date",
    "segment": "segment",
    "owner_email": "owner_key",
    "industry": "lower(industry)",
    "plan": "plan",
    "tenure": "tenure_months",
    "status": "status",
    "last_touch_at": "last_touch_at",
    "customer_since": "customer_since",
    "customer_id": "customer_id",
}
SORTS: Final = tuple(_ORDER)


@dataclass(frozen=True)
class Scope:
    """Whose customers a person may see: everyone's, or those of some owners and those without one."""

    owners: frozenset[str] | None = None
    unassigned: bool = True


EVERYONE: Final = Scope()


@dataclass(frozen=True)
class PortfolioQuery:
    """What a list shows. Empty filters admit everything; without `statuses` those who left are left out.

    `owners` may hold an empty text for customers without an owner. `segments` matches any segment of a customer.
    `changed_by` is in points within `changed_days`: -5 finds who fell by at least 5, 5 who rose as much.
    `renewal_within` includes renewals that have passed. `ids` admits only these customers.
    """

    search: str = ""
    bands: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    tenures: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    renewal_within: int | None = None
    arr_min: float | None = None
    arr_max: float | None = None
    changed_by: int | None = None
    changed_days: Literal[7, 30] = 7
    ids: frozenset[str] | None = None
    sort: str = DEFAULT_SORT
    descending: bool = True
    offset: int = 0
    limit: int = 50
    scope: Scope = EVERYONE


@dataclass(frozen=True)
class Where:
    """A condition in SQL with the values of its parameters."""

    sql: str
    values: tuple[Any, ...] = ()


def where_of(query: PortfolioQuery) -> Where:
    """All conditions of a query as one."""
    parts = [scope_where(query.scope), *_filters(query)]
    return Where(" AND ".join(part.sql for part in parts), tuple(v for part in parts for v in part.values))


def scope_where(scope: Scope) -> Where:
    """Whom a person may see."""
    if scope.owners is None:
        return Where("true")
    return _owned(tuple(sorted(scope.owners)), unassigned=scope.unassigned)


def order_of(query: PortfolioQuery) -> str:
    """The order of the rows; unknown values come last, and equal ones in the order of ids."""
    column = _ORDER.get(query.sort, _ORDER[DEFAULT_SORT])
    return f"{column} {'DESC' if query.descending else 'ASC'} NULLS LAST, customer_id"


def _filters(query: PortfolioQuery) -> Iterator[Where]:
    yield _within("status", query.statuses) if query.statuses else Where("status <> ?", (CHURNED,))
    if query.bands:
        yield _within(f"coalesce(band, '{NOT_ENOUGH_DATA}')", query.bands)
    if query.owners:
        named = tuple(owner for owner in query.owners if owner != UNASSIGNED)
        yield _owned(named, unassigned=UNASSIGNED in query.owners)
    for column, wanted in (("industry", query.industries), ("tenure", query.tenures), ("plan", query.plans)):
        if wanted:
            yield _within(column, wanted)
    for column, wanted in (("segments", query.segments), ("signals", query.signals)):
        if wanted:
            yield Where(f"list_has_any({column}, CAST(? AS VARCHAR[]))", (list(wanted),))
    if query.ids is not None:
        yield _within("customer_id", tuple(sorted(query.ids)))
    yield from _ranges(query)
    yield from (Where("contains(searched, ?)", (word,)) for word in query.search.lower().split()[:_WORDS_AT_MOST])


def _ranges(query: PortfolioQuery) -> Iterator[Where]:
    if query.renewal_within is not None:
        yield Where("days_to_renewal <= ?", (query.renewal_within,))
    if query.arr_min is not None:
        yield Where("arr >= ?", (query.arr_min,))
    if query.arr_max is not None:
        yield Where("arr <= ?", (query.arr_max,))
    if query.changed_by is not None:
        column = "change_30" if query.changed_days == 30 else "change_7"
        yield Where(f"{column} {'<=' if query.changed_by < 0 else '>='} ?", (query.changed_by,))


def _within(column: str, wanted: tuple[str, ...]) -> Where:
    return Where(f"list_contains(CAST(? AS VARCHAR[]), {column})", (list(wanted),))


def _owned(owners: tuple[str, ...], *, unassigned: bool) -> Where:
    keys = [owner.strip().lower() for owner in owners]
    none = "owner_key IS NULL" if unassigned else "false"
    return Where(f"(coalesce(list_contains(CAST(? AS VARCHAR[]), owner_key), false) OR {none})", (keys,))
