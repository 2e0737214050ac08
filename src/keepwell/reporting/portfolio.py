"""The whole portfolio on one day: customers, ARR, how they are spread, what changed, how far data reach."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from keepwell.model.loader import LoadedModel
from keepwell.reporting.groups import BANDS, Grouping, grouping
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day, day_back, read_day
from keepwell.reporting.scores import at_risk, health_of, mean, money, share, weighted_mean
from keepwell.segments.membership import primary_dimension
from keepwell.warehouse.snapshots import Snapshots

WEEK: Final = 7
MONTH: Final = 30
STEEPEST: Final = 10


@dataclass(frozen=True)
class Share(Plain):
    """One group's part of the portfolio, in customers and in ARR."""

    name: str
    label: str
    color: str
    customers: int
    arr: float
    customers_share: float | None
    arr_share: float | None


@dataclass(frozen=True)
class Totals(Plain):
    """The figures of one day that are compared with earlier days."""

    as_of: date
    customers: int
    churned: int
    arr: float
    mrr: float
    average_score: float | None
    weighted_score: float | None
    at_risk: int
    arr_at_risk: float


@dataclass(frozen=True)
class Change(Plain):
    """The difference to an earlier day; `days` is what was asked for, `since` the snapshot that was found."""

    days: int
    since: date
    customers: int
    arr: float
    average_score: float | None
    weighted_score: float | None
    at_risk: int
    arr_at_risk: float


@dataclass(frozen=True)
class Decline(Plain):
    """A customer whose score fell."""

    customer_id: str
    name: str
    owner: str
    arr: float | None
    before: int
    after: int
    band_before: str
    band_after: str

    @property
    def points(self) -> int:
        """How far it fell, as a negative number."""
        return self.after - self.before


@dataclass(frozen=True)
class Portfolio(Plain):
    """Figures of the portfolio on one day. Scores, bands and coverage are None or empty in a model without a score."""

    totals: Totals
    at_risk_rule: str
    arr_unknown: int
    bands: tuple[Share, ...]
    segments: tuple[Share, ...]
    week: Change | None
    month: Change | None
    declines: tuple[Decline, ...]
    declines_since: date | None
    not_enough_data: int | None
    coverage: float | None


def portfolio(snapshots: Snapshots, loaded: LoadedModel, as_of: date) -> Portfolio:
    """The portfolio on a published date; raises ReportError when it is not published."""
    day = read_day(snapshots, as_of)
    earlier = {days: _earlier(snapshots, as_of, days) for days in (WEEK, MONTH)}
    now, present = totals(loaded, day), day.present()
    health = health_of(loaded, present)
    month = earlier[MONTH]
    return Portfolio(
        totals=now,
        at_risk_rule=at_risk(loaded, present)[1],
        arr_unknown=int(np.isnan(present.number("arr")).sum()),
        bands=spread(grouping(loaded, BANDS, ()), present) if health.name else (),
        segments=_segments(loaded, present),
        week=_change(WEEK, now, loaded, earlier[WEEK]),
        month=_change(MONTH, now, loaded, month),
        declines=() if month is None else steepest_declines(loaded, month, day),
        declines_since=None if month is None else month.as_of,
        not_enough_data=int(np.isnan(health.shown).sum()) if health.name else None,
        coverage=mean(health.coverage) if health.name else None,
    )


def totals(loaded: LoadedModel, day: Day) -> Totals:
    """The figures of one day."""
    present = day.present()
    health, (risky, _) = health_of(loaded, present), at_risk(loaded, present)
    arr = present.number("arr")
    return Totals(
        as_of=day.as_of,
        customers=present.rows,
        churned=day.rows - present.rows,
        arr=money(arr),
        mrr=money(present.number("mrr")),
        average_score=mean(health.raw),
        weighted_score=weighted_mean(health.raw, arr),
        at_risk=int(risky.sum()),
        arr_at_risk=money(arr[risky]),
    )


def spread(groups: Grouping, present: Day) -> tuple[Share, ...]:
    """How customers and ARR are spread over the groups of a division; empty groups are kept, they are news, too."""
    names, arr = groups.of(present), present.number("arr")
    whole = money(arr)
    found = []
    for group in groups.groups:
        rows = names == group.name
        count, amount = int(rows.sum()), money(arr[rows])
        part = share(count, present.rows), share(amount, whole)
        found.append(Share(group.name, group.label, group.color, count, amount, *part))
    return tuple(found)


def steepest_declines(loaded: LoadedModel, before: Day, after: Day, limit: int = STEEPEST) -> tuple[Decline, ...]:
    """The customers of both days whose health score fell most; those with more ARR first where they fell alike."""
    name = health_of(loaded, after).name
    if name is None:
        return ()
    then = before.present()
    scores = dict(zip(then.ids.tolist(), then.number(f"{name}_score").tolist(), strict=True))
    bands = dict(zip(then.ids.tolist(), then.text(f"{name}_band").tolist(), strict=True))
    now = after.present()
    shown, arr = now.number(f"{name}_score"), now.number("arr")
    change = shown - np.array([scores.get(customer, np.nan) for customer in now.ids.tolist()])
    fallen = np.flatnonzero(change < 0)
    order = sorted(fallen, key=lambda row: (change[row], -np.nan_to_num(arr[row]), now.ids[row]))
    return tuple(
        Decline(
            customer_id=str(now.ids[row]),
            name=str(now.text("name")[row] or ""),
            owner=str(now.text("owner_email")[row] or ""),
            arr=None if np.isnan(arr[row]) else float(arr[row]),
            before=int(scores[now.ids[row]]),
            after=int(shown[row]),
            band_before=str(bands[now.ids[row]]),
            band_after=str(now.text(f"{name}_band")[row]),
        )
        for row in order[:limit]
    )


def _earlier(snapshots: Snapshots, as_of: date, days: int) -> Day | None:
    found = day_back(snapshots, as_of, days)
    return None if found is None else read_day(snapshots, found)


def _segments(loaded: LoadedModel, present: Day) -> tuple[Share, ...]:
    if not loaded.model.segments:
        return ()
    primary = primary_dimension(loaded.model.segments.values())
    return spread(grouping(loaded, primary, (present,)), present)


def _change(days: int, now: Totals, loaded: LoadedModel, day: Day | None) -> Change | None:
    if day is None:
        return None
    then = totals(loaded, day)
    return Change(
        days=days,
        since=day.as_of,
        customers=now.customers - then.customers,
        arr=round(now.arr - then.arr, 2),
        average_score=_difference(now.average_score, then.average_score),
        weighted_score=_difference(now.weighted_score, then.weighted_score),
        at_risk=now.at_risk - then.at_risk,
        arr_at_risk=round(now.arr_at_risk - then.arr_at_risk, 2),
    )


def _difference(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else now - then
