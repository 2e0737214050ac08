"""Figures of the whole portfolio between two published dates: segments, movement, key figures."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from keepwell.model.problems import did_you_mean
from keepwell.reporting.groups import groupings
from keepwell.reporting.movement import Movement, movement_days
from keepwell.reporting.nps import nps_of_scores
from keepwell.reporting.portfolio import totals
from keepwell.reporting.reading import Day, day_back, longest_back, read_day
from keepwell.reporting.retention import retention_days
from keepwell.reporting.segments import SegmentTable, segment_table
from keepwell.services.reading import Published, published_date, read_published
from keepwell.services.workspace import Workspace, WorkspaceError

MONTH: Final = 30
QUARTER: Final = 90
_NPS: Final = "m.nps_score"
_TOTALS: Final = (
    ("customers", "Customers", "customers"),
    ("arr", "ARR", "money"),
    ("mrr", "MRR", "money"),
    ("average_score", "Average health", "points"),
    ("weighted_score", "Average health by ARR", "points"),
    ("at_risk", "Customers at risk", "customers"),
    ("arr_at_risk", "ARR at risk", "money"),
)
_RATES: Final = (
    ("nrr", "Net revenue retention"),
    ("grr", "Gross revenue retention"),
    ("logo_churn", "Customers lost"),
    ("revenue_churn", "Revenue lost"),
)


@dataclass(frozen=True)
class Kpi:
    """One key figure now and at the date it is compared with; rates are over the time between and before."""

    name: str
    label: str
    unit: str
    current: float | None
    previous: float | None

    @property
    def change(self) -> float | None:
        """The difference; None when either is unknown."""
        return None if self.current is None or self.previous is None else self.current - self.previous


@dataclass(frozen=True)
class KpiTable:
    """All key figures of a date."""

    as_of: date
    since: date | None
    rows: tuple[Kpi, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        rows = [{**asdict(kpi), "change": kpi.change} for kpi in self.rows]
        return {"as_of": self.as_of.isoformat(), "since": self.since.isoformat() if self.since else None, "rows": rows}


def segments_compared(
    workspace: Workspace, *, as_of: date | None = None, since: date | None = None, by: str | None = None
) -> SegmentTable:
    """The segments of a dimension (the primary one if left out) side by side; retention is since `since`."""
    published = read_published(workspace, as_of)
    loaded, snapshots = published.model, workspace.snapshots
    start = _start(workspace, published.as_of, since, QUARTER)
    first = None if start is None else read_day(snapshots, start)
    return segment_table(loaded, _division(published, by), first, read_day(snapshots, published.as_of))


def movement_compared(
    workspace: Workspace, *, first: date | None = None, last: date | None = None, by: str | None = None
) -> Movement:
    """Who moved between two published dates; the last 30 days if left out."""
    published = read_published(workspace, last)
    start = _start(workspace, published.as_of, first, MONTH)
    if start is None:
        raise WorkspaceError(f"{published.as_of} is the only published date; movement needs an earlier one")
    snapshots = workspace.snapshots
    days = read_day(snapshots, start), read_day(snapshots, published.as_of)
    return movement_days(published.model, *days, _division(published, by))


def kpis_compared(workspace: Workspace, *, as_of: date | None = None, since: date | None = None) -> KpiTable:
    """The key figures of a date and of an earlier one, 30 days before if left out."""
    published = read_published(workspace, as_of)
    start = _start(workspace, published.as_of, since, MONTH)
    now = read_day(workspace.snapshots, published.as_of)
    then = None if start is None else read_day(workspace.snapshots, start)
    rows = (*_amounts(published, now, then), *_rates(workspace, now, then), *_nps(now, then))
    return KpiTable(published.as_of, start, rows)


def _amounts(published: Published, now: Day, then: Day | None) -> Iterator[Kpi]:
    here = totals(published.model, now)
    before = None if then is None else totals(published.model, then)
    for name, label, unit in _TOTALS:
        current, previous = getattr(here, name), None if before is None else getattr(before, name)
        if current is not None or previous is not None:
            yield Kpi(name, label, unit, current, previous)


def _rates(workspace: Workspace, now: Day, then: Day | None) -> Iterator[Kpi]:
    """Retention over the period, and over a period of the same length before it."""
    if then is None:
        return
    kept = retention_days(then, now)
    start = day_back(workspace.snapshots, then.as_of, (now.as_of - then.as_of).days)
    earlier = None if start is None else retention_days(read_day(workspace.snapshots, start), then)
    for name, label in _RATES:
        yield Kpi(name, label, "share", getattr(kept, name), None if earlier is None else getattr(earlier, name))


def _nps(now: Day, then: Day | None) -> Iterator[Kpi]:
    if _NPS in now:
        scores = [None if day is None else nps_of_scores(day.present().number(_NPS)).nps for day in (now, then)]
        yield Kpi("nps", "Net promoter score", "points", *scores)


def _start(workspace: Workspace, last: date, wanted: date | None, days: int) -> date | None:
    if wanted is None:
        near = day_back(workspace.snapshots, last, days)
        return near if near is not None else longest_back(workspace.snapshots, last, days)
    if wanted >= last:
        raise WorkspaceError(f"the period ends ({last}) before it begins ({wanted})")
    return published_date(workspace.snapshots, wanted)


def _division(published: Published, by: str | None) -> str:
    known = groupings(published.model.model)
    if by is None:
        return known[0]
    if by not in known:
        raise WorkspaceError(f"cannot divide by '{by}'{did_you_mean(by, known)}; there are: {', '.join(known)}")
    return by
