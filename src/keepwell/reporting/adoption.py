"""Which features are taken up: by all who could, and by the month in which customers began.

Rates divide by every customer who could have adopted, and not only by those who used something: grouped by feature
after a join, every rate would be 100 %. A cohort's size is the whole cohort.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day
from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import EVENTS

OLD_ENOUGH: Final = 30
RECENT: Final = 90
USING: Final = 30
COHORTS: Final = 12


@dataclass(frozen=True)
class FeatureAdoption(Plain):
    """One feature among the active customers who are at least 30 days old.

    `adopters` used it for the first time within the last 90 days, `using` within the last 30 days, `ever` at all.
    """

    feature: str
    eligible: int
    adopters: int
    adoption_rate: float
    using: int
    using_rate: float
    ever: int
    ever_rate: float
    days_to_adopt: float | None


@dataclass(frozen=True)
class CohortAdoption(Plain):
    """One feature in one cohort; `cohort_size` is everybody who began in the month, those who left included."""

    cohort_month: date
    feature: str
    cohort_size: int
    adopters: int
    adoption_rate: float


@dataclass(frozen=True)
class _Use:
    first: date
    last: date


def feature_adoption(warehouse: Warehouse, day: Day) -> tuple[FeatureAdoption, ...]:
    """Adoption of every feature ever used, the most adopted first; empty without eligible customers or events."""
    uses = _uses(warehouse, day.as_of)
    since = _since(day.present())
    eligible = {c for c, began in since.items() if (day.as_of - began).days >= OLD_ENOUGH}
    if not eligible:
        return ()
    found = [_feature(name, by, eligible, since, day.as_of) for name, by in uses.items()]
    return tuple(sorted(found, key=lambda row: (-row.adoption_rate, -row.ever_rate, row.feature)))


def adoption_cohorts(warehouse: Warehouse, day: Day, months: int = COHORTS) -> tuple[CohortAdoption, ...]:
    """Adoption by starting month, newest first; a month without adopters of a feature says 0 and is not left out."""
    uses, cohorts = _uses(warehouse, day.as_of), defaultdict(set)
    first = _first_cohort(day.as_of, months)
    for customer, began in _since(day).items():
        if began >= first:
            cohorts[began.replace(day=1)].add(customer)
    rows = []
    for month in sorted(cohorts, reverse=True):
        members = cohorts[month]
        for name, by in uses.items():
            adopters = len(members & by.keys())
            rows.append(CohortAdoption(month, name, len(members), adopters, adopters / len(members)))
    return tuple(sorted(rows, key=lambda row: (-row.cohort_month.toordinal(), -row.adoption_rate, row.feature)))


def _feature(
    name: str, by: Mapping[str, _Use], eligible: set[str], since: Mapping[str, date], as_of: date
) -> FeatureAdoption:
    ever = eligible & by.keys()
    fresh = {c for c in ever if (as_of - by[c].first).days < RECENT}
    using = {c for c in ever if (as_of - by[c].last).days < USING}
    waits = [max(0, (by[c].first - since[c]).days) for c in fresh]
    whole = len(eligible)
    return FeatureAdoption(
        feature=name,
        eligible=whole,
        adopters=len(fresh),
        adoption_rate=len(fresh) / whole,
        using=len(using),
        using_rate=len(using) / whole,
        ever=len(ever),
        ever_rate=len(ever) / whole,
        days_to_adopt=sum(waits) / len(waits) if waits else None,
    )


def _since(day: Day) -> dict[str, date]:
    """When customers began; who has no known start is in no rate."""
    return {str(c): d for c, d in zip(day.ids, day.dates("customer_since"), strict=True) if d is not None}


def _uses(warehouse: Warehouse, as_of: date) -> dict[str, dict[str, _Use]]:
    """First and last day of use of every feature by customer, up to a day."""
    days = {str(fact.path): day for day, fact in fact_days(warehouse, EVENTS).items() if day <= as_of}
    if not days:
        return {}
    # A file holds one day of the workspace's zone and is named after it: the file says the day, whatever the zone.
    rows = warehouse.connection.execute(
        "SELECT s.text, k.customer_id, min(f.filename), max(f.filename)"  # noqa: S608 - our own file names
        f" FROM {scan(list(map(Path, days)))} f JOIN symbols s ON s.code = f.feature AND s.kind = 'events.feature'"
        " JOIN customer_keys k ON k.customer = f.customer GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    found: dict[str, dict[str, _Use]] = defaultdict(dict)
    for feature, customer, first, last in rows:
        found[feature][customer] = _Use(days[first], days[last])
    return dict(found)


def _first_cohort(as_of: date, months: int) -> date:
    """The first day of the earliest of so many months, the running one included."""
    month = as_of.year * 12 + as_of.month - months
    return date(month // 12, month % 12 + 1, 1)
