"""The weekly report: one row per week, the running one first."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from keepwell.model.loader import LoadedModel
from keepwell.reporting.kpis import AT_RISK, HEALTHY, weeks_back
from keepwell.reporting.moments import Window, window
from keepwell.reporting.plain import Plain
from keepwell.reporting.portfolio_figures import PortfolioFigures
from keepwell.reporting.reading import nearest_day, read_day
from keepwell.reporting.service_figures import ServiceFigures
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.storage import Warehouse

WEEKS: Final = 12
WEEK: Final = 7


@dataclass(frozen=True)
class Week(Plain):
    """One week, Monday to Sunday, or up to `last`. Customers are those at its end; churn is of those at its start."""

    week_start: date
    last: date
    customers: int
    churned: int
    churn_rate: float | None
    healthy: float | None
    at_risk: float | None
    critical: float | None
    tickets: int | None
    first_response_hours: float | None
    resolution_hours: float | None
    nps: float | None
    nps_answers: int


def weekly_report(
    snapshots: Snapshots, loaded: LoadedModel, as_of: date, *, warehouse: Warehouse | None, weeks: int = WEEKS
) -> tuple[Week, ...]:
    """The last weeks, newest first; weeks without a snapshot are left out, weeks without churn are not."""
    return tuple(_weeks(snapshots, loaded, as_of, warehouse, weeks))


def _weeks(
    snapshots: Snapshots, loaded: LoadedModel, as_of: date, warehouse: Warehouse | None, weeks: int
) -> Iterator[Week]:
    for start in weeks_back(as_of, weeks):
        last = nearest_day(snapshots, min(start + timedelta(days=WEEK - 1), as_of))
        if last is not None and last >= start:
            yield _week(snapshots, loaded, start, last, warehouse)


def _week(snapshots: Snapshots, loaded: LoadedModel, start: date, last: date, warehouse: Warehouse | None) -> Week:
    book = PortfolioFigures(snapshots, loaded, last)
    left = book.day.dates("churned_on")
    churned = sum(day is not None and start <= day <= last for day in left)
    before = nearest_day(snapshots, start - timedelta(days=1))
    # Without a snapshot of the day before, those at the start are those at the end and those who left since.
    base = read_day(snapshots, before, ("status",)).present().rows if before else book.present.rows + churned
    zone = warehouse.zone if warehouse else "UTC"
    served = _served(warehouse, book, window(last, (last - start).days + 1, zone))
    return Week(
        week_start=start,
        last=last,
        customers=book.present.rows,
        churned=churned,
        churn_rate=churned / base if base else None,
        healthy=book.scored(HEALTHY, float("inf")).value,
        at_risk=book.scored(AT_RISK, HEALTHY).value,
        critical=book.scored(float("-inf"), AT_RISK).value,
        tickets=served[0],
        first_response_hours=served[1],
        resolution_hours=served[2],
        nps=served[3],
        nps_answers=served[4],
    )


def _served(
    warehouse: Warehouse | None, book: PortfolioFigures, period: Window
) -> tuple[int | None, float | None, float | None, float | None, int]:
    if warehouse is None:
        return None, None, None, None, 0
    source = ServiceFigures(warehouse, book.day.ids.tolist())
    tickets, nps = source.tickets(period).value, source.nps(period)
    hours = source.first_response_hours(period).value, source.resolution_hours(period).value
    return None if tickets is None else int(tickets), *hours, nps.nps, nps.answers
