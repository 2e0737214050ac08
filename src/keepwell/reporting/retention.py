"""Net and gross revenue retention and churn, over the customers who were there when a period began.

The cohort is locked at the start: who joins later is in neither numerator nor denominator, and who leaves and comes
back inside the period is retained. Amounts of one account are summed before anything is called expansion or
contraction. Accounts that paid nothing at the start are customers (they count in logo churn), but no revenue to retain.
Without revenue at the start there is no rate: None, and not 0.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from math import isnan
from typing import Final

import numpy as np

from keepwell.metrics.frame import Bools
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day, read_day
from keepwell.warehouse.snapshots import Snapshots

YEAR: Final = 365.0
MONTHS: Final = 12.0
NO_REVENUE: Final = "no revenue at the start of the period"
NO_CUSTOMERS: Final = "no customers at the start of the period"


@dataclass(frozen=True)
class Retention(Plain):
    """Retention of one cohort. `unknown` customers have no amount on one of the days and are left out of revenue."""

    customers: int
    lost: int
    paying: int
    start: float
    expansion: float
    contraction: float
    churned: float
    unknown: int = 0
    first: date | None = None
    last: date | None = None

    @property
    def nrr(self) -> float | None:
        """Net revenue retention: (start + expansion - contraction - churned) / start."""
        return nrr_of(self.start, self.expansion, self.contraction, self.churned)

    @property
    def grr(self) -> float | None:
        """Gross revenue retention: without expansion, so never above 1."""
        return grr_of(self.start, self.contraction, self.churned)

    @property
    def revenue_churn(self) -> float | None:
        """The share of the revenue at the start that left with its customers; 0 when nobody left."""
        return self.churned / self.start if self.start > 0 else None

    @property
    def logo_churn(self) -> float | None:
        """Customers lost, of those at the start."""
        return self.lost / self.customers if self.customers else None

    @property
    def days(self) -> int | None:
        """The length of the period."""
        return (self.last - self.first).days if self.first and self.last else None

    @property
    def why(self) -> str:
        """Why there is no rate; empty when there is one."""
        return "" if self.start > 0 else NO_REVENUE if self.customers else NO_CUSTOMERS

    def as_dict(self) -> dict[str, object]:
        """The amounts and the rates."""
        rates = {"nrr": self.nrr, "grr": self.grr, "revenue_churn": self.revenue_churn, "logo_churn": self.logo_churn}
        return {**super().as_dict(), **rates, "why": self.why}


def nrr_of(start: float, expansion: float, contraction: float, churned: float) -> float | None:
    """Net revenue retention of given amounts; None without revenue at the start."""
    return (start + expansion - contraction - churned) / start if start > 0 else None


def grr_of(start: float, contraction: float, churned: float) -> float | None:
    """Gross revenue retention of given amounts; None without revenue at the start."""
    return (start - contraction - churned) / start if start > 0 else None


def by_account(amounts: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Amounts of subscriptions as amounts of accounts."""
    summed: dict[str, float] = defaultdict(float)
    for account, amount in amounts:
        summed[account] += amount
    return dict(summed)


def retention_of(
    start: Mapping[str, float],
    end: Mapping[str, float],
    *,
    customers: Collection[str] | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Retention:
    """Retention from amounts by account (see `by_account`) at both ends of a period.

    Parameters
    ----------
    start, end
        What each account paid; an account that is not in `end` has left, one with nan is there with an unknown amount.
    customers
        The cohort; everybody in `start` if left out.
    """
    cohort = [name for name in start if customers is None or name in customers]
    lost = sum(name not in end for name in cohort)
    known = [n for n in cohort if not isnan(start[n]) and not isnan(end.get(n, 0.0))]
    paying = [n for n in known if start[n] > 0]
    change = {n: end[n] - start[n] for n in paying if n in end}
    return Retention(
        customers=len(cohort),
        lost=lost,
        paying=len(paying),
        start=sum(start[n] for n in paying),
        expansion=sum(c for c in change.values() if c > 0),
        contraction=-sum(c for c in change.values() if c < 0) or 0.0,
        churned=float(sum(start[n] for n in paying if n not in end)),
        unknown=len(cohort) - len(known),
        first=first,
        last=last,
    )


def retention_days(first: Day, last: Day, *, cohort: Bools | None = None) -> Retention:
    """Retention between two snapshots in MRR; `cohort` chooses rows of the first one's customers."""
    before, after = first.present(), last.present()
    chosen = np.ones(before.rows, np.bool_) if cohort is None else cohort
    kept = before.take(chosen)
    return retention_of(amounts(kept), amounts(after), first=first.as_of, last=last.as_of)


def retention_between(snapshots: Snapshots, first: date, last: date) -> Retention:
    """Retention of all customers between two published dates; raises ReportError when one is not published."""
    return retention_days(read_day(snapshots, first), read_day(snapshots, last))


def amounts(day: Day, name: str = "mrr") -> dict[str, float]:
    """What each customer pays; nan where unknown."""
    return dict(zip(day.ids.tolist(), day.number(name).tolist(), strict=True))


def annualised(measured: float, period_days: float) -> float:
    """A churn rate measured over some days, as it would be over a year."""
    return converted(measured, period_days, YEAR)


def monthly(measured: float, period_days: float) -> float:
    """A churn rate measured over some days, as it would be over a month of 365/12 days."""
    return converted(measured, period_days, YEAR / MONTHS)


def converted(measured: float, period_days: float, wanted_days: float) -> float:
    """A churn rate over another length of time; raises ValueError for what is no rate or no period."""
    if not 0 <= measured <= 1 or period_days <= 0:
        raise ValueError(f"a churn rate is between 0 and 1 over at least a day, not {measured} over {period_days} days")
    kept: float = (1 - measured) ** (wanted_days / period_days)
    return 1 - kept
