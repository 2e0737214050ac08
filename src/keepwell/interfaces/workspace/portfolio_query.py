"""The portfolio's address: filters, order and columns as parameters, read leniently and written back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from keepwell.services.published import PortfolioChoices, PortfolioQuery, Scope
from keepwell.services.published.portfolio_query import SORTS

PAGE: Final = 50
LISTS: Final = {
    "band": "bands",
    "segment": "segments",
    "signal": "signals",
    "owner": "owners",
    "industry": "industries",
    "tenure": "tenures",
    "plan": "plans",
    "status": "statuses",
}
NUMBERS: Final = ("renewal_within", "arr_min", "arr_max", "changed_by", "changed_days")
UNASSIGNED: Final = "-"
"""How a parameter says: without an owner."""
COLUMNS: Final = {
    "score": "Health",
    "change_7": "7 days",
    "change_30": "30 days",
    "sparkline": "Trend",
    "arr": "ARR",
    "days_to_renewal": "Renewal",
    "segment": "Segment",
    "reasons": "Main reasons",
    "owner_email": "Owner",
    "last_touch_at": "Last touch",
    "industry": "Industry",
    "plan": "Plan",
    "tenure": "Tenure",
    "coverage": "Coverage",
    "risk_score": "Churn risk",
}
SHOWN: Final = (
    "score", "change_7", "change_30", "sparkline", "arr", "days_to_renewal", "segment", "reasons", "owner_email",
    "last_touch_at",
)  # fmt: skip
_LABELS: Final = {
    "band": "Band", "segment": "Segment", "signal": "Signal", "owner": "Owner", "industry": "Industry",
    "tenure": "Tenure", "plan": "Plan", "status": "Status",
}  # fmt: skip


@dataclass(frozen=True)
class Chip:
    """A filter that is set, and the address without it."""

    label: str
    without: str


@dataclass(frozen=True)
class Address:
    """What an address of the portfolio asks for; whatever it does not understand is left out."""

    values: dict[str, tuple[str, ...]]

    def query(self, scope: Scope) -> PortfolioQuery:
        """As a query within a scope."""
        lists: dict[str, Any] = {field: self.values.get(name, ()) for name, field in LISTS.items()}
        lists["owners"] = tuple("" if owner == UNASSIGNED else owner for owner in lists["owners"])
        return PortfolioQuery(
            search=self.one("q"),
            **lists,
            renewal_within=_whole(self.one("renewal_within")),
            arr_min=_number(self.one("arr_min")),
            arr_max=_number(self.one("arr_max")),
            changed_by=_whole(self.one("changed_by")),
            changed_days=30 if self.one("changed_days") == "30" else 7,
            sort=self.sort,
            descending=self.descending,
            offset=(self.page - 1) * PAGE,
            limit=PAGE,
            scope=scope,
        )

    def one(self, name: str) -> str:
        """A parameter's only value."""
        return (self.values.get(name) or ("",))[0]

    @property
    def sort(self) -> str:
        """The column that orders the rows."""
        return self.one("sort").removeprefix("-") if self.one("sort").removeprefix("-") in SORTS else "arr"

    @property
    def descending(self) -> bool:
        """Whether the largest come first."""
        return self.one("sort").startswith("-") or not self.one("sort")

    @property
    def page(self) -> int:
        """The page, from 1."""
        return min(max(1, _whole(self.one("page")) or 1), 1_000_000)

    @property
    def columns(self) -> tuple[str, ...]:
        """The chosen columns."""
        chosen = tuple(name for name in self.values.get("column", ()) if name in COLUMNS)
        return chosen or SHOWN

    def with_(self, **changes: str | tuple[str, ...] | None) -> str:
        """The address with other parameters; the page starts anew."""
        values = {name: found for name, found in self.values.items() if name != "page"}
        for name, value in changes.items():
            values.pop(name, None)
            if value:
                values[name] = (value,) if isinstance(value, str) else value
        return "?" + urlencode([(name, one) for name, found in values.items() for one in found])

    def kept(self) -> dict[str, list[str]]:
        """What a saved view keeps."""
        return {name: list(found) for name, found in self.values.items() if name != "page"}

    def chips(self, choices: PortfolioChoices) -> Iterator[Chip]:
        """The filters that are set, in words."""
        for name, field in LISTS.items():
            labels = {(c.name or UNASSIGNED): c.label for c in getattr(choices, field)}
            for value in self.values.get(name, ()):
                rest = tuple(one for one in self.values[name] if one != value)
                yield Chip(f"{_LABELS[name]}: {labels.get(value, value)}", self.with_(**{name: rest}))
        query = self.query(Scope())
        if query.search:
            yield Chip(f"“{query.search}”", self.with_(q=None))
        if query.renewal_within is not None:
            yield Chip(f"Renewal within {query.renewal_within} days", self.with_(renewal_within=None))
        if query.arr_min is not None:
            yield Chip(f"ARR from {query.arr_min:,.0f}", self.with_(arr_min=None))
        if query.arr_max is not None:
            yield Chip(f"ARR up to {query.arr_max:,.0f}", self.with_(arr_max=None))
        if query.changed_by is not None:
            how = f"fell by {-query.changed_by}" if query.changed_by < 0 else f"rose by {query.changed_by}"
            yield Chip(f"{how} or more in {query.changed_days} days", self.with_(changed_by=None, changed_days=None))


def address_of(given: QueryDict | dict[str, list[str]]) -> Address:
    """Read an address or a saved view; empty parameters are left out."""
    lists = dict(given.lists()) if isinstance(given, QueryDict) else given
    # One order, so that the same question has one address, whatever database kept it.
    known = ("q", "own", *LISTS, *NUMBERS, "column", "sort", "page")
    found = {name: tuple(str(v) for v in lists[name] if str(v).strip()) for name in known if name in lists}
    return Address({name: values for name, values in found.items() if values})


def _whole(text: str) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "").strip())
    except ValueError:
        return None
    return number if -1e15 < number < 1e15 else None
