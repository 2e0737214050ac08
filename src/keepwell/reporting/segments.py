"""Segments side by side: customers, ARR, health, retention and risk of every segment of a dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from keepwell.metrics.frame import Bools
from keepwell.model.loader import LoadedModel
from keepwell.reporting.groups import Group, grouping
from keepwell.reporting.plain import Figure, Plain
from keepwell.reporting.reading import Day
from keepwell.reporting.retention import Retention, retention_days
from keepwell.reporting.scores import at_risk, health_of, mean, money, share

NO_SCORE = "the model has no health score"
NO_EARLIER = "there is no earlier snapshot to compare with"


@dataclass(frozen=True)
class SegmentRow(Plain):
    """One segment. Retention is of those who were in it when the period began, wherever they went."""

    name: str
    label: str
    color: str
    customers: int
    arr: float
    customers_share: float | None
    arr_share: float | None
    health: Figure
    nrr: Figure
    grr: Figure
    churn: Figure
    at_risk: int
    at_risk_share: float | None
    arr_at_risk: float


@dataclass(frozen=True)
class SegmentTable(Plain):
    """All segments of a dimension and, in the last row, everybody. `since` is when the retention period began."""

    by: str
    title: str
    as_of: date
    since: date | None
    at_risk_rule: str
    rows: tuple[SegmentRow, ...]
    total: SegmentRow


@dataclass(frozen=True)
class Members:
    """Some customers by a name: masks over those present on both days, `before` None without an earlier day."""

    shown: Group
    before: Bools | None
    now: Bools


def segment_table(loaded: LoadedModel, by: str, first: Day | None, last: Day) -> SegmentTable:
    """Compare the groups of a dimension (or `bands`); `first` is the snapshot where retention begins, None without."""
    present = last.present()
    before = None if first is None else first.present()
    groups = grouping(loaded, by, (present,) if before is None else (before, present))
    names, then = groups.of(present), None if before is None else groups.of(before)
    chosen = [
        Members(group, None if then is None else then == group.name, names == group.name) for group in groups.groups
    ]
    rows = member_rows(loaded, [*chosen, everybody(first, last)], first, last)
    _, rule = at_risk(loaded, present)
    since = None if before is None else before.as_of
    return SegmentTable(by, groups.title, last.as_of, since, rule, rows[:-1], rows[-1])


def everybody(first: Day | None, last: Day) -> Members:
    """All customers of both days."""
    before = None if first is None else np.ones(first.present().rows, np.bool_)
    return Members(Group("", "All customers"), before, np.ones(last.present().rows, np.bool_))


def member_rows(loaded: LoadedModel, chosen: Sequence[Members], first: Day | None, last: Day) -> tuple[SegmentRow, ...]:
    """A row for each of some sets of customers, which may overlap."""
    sides = _Sides(loaded, None if first is None else first.present(), last.present())
    return tuple(sides.row(members) for members in chosen)


class _Sides:
    """Both ends of a comparison, with what every row needs."""

    def __init__(self, loaded: LoadedModel, before: Day | None, present: Day) -> None:
        self.before, self.present = before, present
        self.health = health_of(loaded, present)
        self.risky, _ = at_risk(loaded, present)
        self.arr = present.number("arr")

    def row(self, chosen: Members) -> SegmentRow:
        members, shown = chosen.now, chosen.shown
        risky = members & self.risky
        customers, arr = int(members.sum()), money(self.arr[members])
        kept = self._retention(chosen.before)
        why = NO_EARLIER if kept is None else kept.why
        return SegmentRow(
            name=shown.name,
            label=shown.label,
            color=shown.color,
            customers=customers,
            arr=arr,
            customers_share=share(customers, self.present.rows),
            arr_share=share(arr, money(self.arr)),
            health=self._health(members),
            nrr=Figure(kept.nrr if kept else None, why, kept.paying if kept else 0),
            grr=Figure(kept.grr if kept else None, why, kept.paying if kept else 0),
            churn=_churn(kept),
            at_risk=int(risky.sum()),
            at_risk_share=share(int(risky.sum()), customers),
            arr_at_risk=money(self.arr[risky]),
        )

    def _retention(self, cohort: Bools | None) -> Retention | None:
        if self.before is None or cohort is None:
            return None
        return retention_days(self.before, self.present, cohort=cohort)

    def _health(self, members: Bools) -> Figure:
        if self.health.name is None:
            return Figure(None, NO_SCORE)
        known = self.health.raw[members]
        value = mean(known)
        why = "" if value is not None else "no customer has a score" if len(known) else "no customers"
        return Figure(value, why, int((~np.isnan(known)).sum()))


def _churn(kept: Retention | None) -> Figure:
    if kept is None:
        return Figure(None, NO_EARLIER)
    why = "" if kept.customers else "no customers at the start of the period"
    return Figure(kept.logo_churn, why, kept.customers)
