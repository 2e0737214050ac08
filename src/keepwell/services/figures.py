"""Figures of the whole portfolio: segments side by side, movement between two dates, key figures."""

from collections.abc import Callable
from datetime import date
from typing import Final

from keepwell.model.problems import did_you_mean
from keepwell.reporting.groups import groupings
from keepwell.reporting.kpis import KpiTable, kpi_table
from keepwell.reporting.movement import Movement, movement_days
from keepwell.reporting.reading import day_back, longest_back, read_day
from keepwell.reporting.segments import SegmentTable, segment_table
from keepwell.reporting.weekly import Week, weekly_report
from keepwell.services.reading import Published, published_date, read_published
from keepwell.services.workspace import Workspace, WorkspaceError

MONTH: Final = 30
QUARTER: Final = 90
WEEK: Final = 7
Waits = Callable[[str], None] | None


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


def kpis_computed(workspace: Workspace, *, as_of: date | None = None, on_wait: Waits = None) -> KpiTable:
    """The table of key figures of a published date, compared with 30 days before."""
    published = read_published(workspace, as_of)
    with workspace.warehouse("show kpis", on_wait) as warehouse:
        return kpi_table(workspace.snapshots, published.model, published.as_of, warehouse=warehouse)


def kpis_weekly(
    workspace: Workspace, *, first: date, last: date | None = None, on_wait: Waits = None
) -> tuple[Week, ...]:
    """The key figures week by week between two dates, the newest first."""
    published = read_published(workspace, last)
    if first >= published.as_of:
        raise WorkspaceError(f"the period ends ({published.as_of}) before it begins ({first})")
    weeks = (published.as_of - first).days // WEEK + 1
    with workspace.warehouse("show kpis", on_wait) as warehouse:
        return weekly_report(workspace.snapshots, published.model, published.as_of, warehouse=warehouse, weeks=weeks)


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
