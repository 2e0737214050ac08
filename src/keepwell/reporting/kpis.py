"""The table of key figures: target, current, previous and trend of every row, and why where a number is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from keepwell.model.loader import LoadedModel
from keepwell.reporting.moments import window
from keepwell.reporting.plain import Figure, Plain
from keepwell.reporting.portfolio_figures import MONTH, QUARTER, PortfolioFigures
from keepwell.reporting.reading import day_back
from keepwell.reporting.service_figures import ServiceFigures
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.storage import Warehouse

HEALTHY: Final = 80.0
AT_RISK: Final = 60.0
NO_WAREHOUSE: Final = "needs the warehouse's tables"
NO_PREVIOUS: Final = "no snapshot to compare with"
Trend = Literal["better", "worse", "same"]
Unit = Literal["share", "points", "stars", "hours", "count"]
STEPS: Final[Mapping[Unit, float]] = {"share": 0.001, "points": 0.1, "stars": 0.01, "hours": 0.1, "count": 1.0}
"""What is shown: a smaller difference is no trend."""


@dataclass(frozen=True)
class KpiRow:
    """What a row is: its target, and whether more of it is better (None: neither)."""

    name: str
    label: str
    section: str
    unit: Unit
    target: float | None
    more_is_better: bool | None
    days: int


ROWS: Final = (
    KpiRow("monthly_retention", "Monthly retention rate", "Retention", "share", 0.95, True, MONTH),
    KpiRow("annual_retention", "Annual retention rate", "Retention", "share", 0.85, True, MONTH),
    KpiRow("monthly_churn", "Churn rate (monthly)", "Retention", "share", 0.05, False, MONTH),
    KpiRow("healthy", "% customers healthy (80+ score)", "Health", "share", 0.70, True, MONTH),
    KpiRow("at_risk", "% customers at risk (60-79 score)", "Health", "share", 0.20, False, MONTH),
    KpiRow("critical", "% customers critical (<60 score)", "Health", "share", 0.10, False, MONTH),
    KpiRow("nps", "Net promoter score (NPS)", "Satisfaction", "points", 50.0, True, QUARTER),
    KpiRow("csat", "Customer satisfaction (CSAT)", "Satisfaction", "stars", 4.5, True, MONTH),
    KpiRow("first_response", "Average first response time", "Support", "hours", 2.0, False, MONTH),
    KpiRow("resolution", "Average resolution time", "Support", "hours", 24.0, False, MONTH),
    KpiRow("first_contact", "% tickets resolved at first contact", "Support", "share", 0.70, True, MONTH),
    KpiRow("dau", "Daily active users (DAU)", "Engagement", "share", 0.60, True, MONTH),
    KpiRow("wau", "Weekly active users (WAU)", "Engagement", "share", 0.80, True, MONTH),
    KpiRow("conversion", "% free to premium conversion", "Expansion", "share", 0.15, True, MONTH),
    KpiRow("nrr", "Net revenue retention (NRR)", "Expansion", "share", 1.10, True, MONTH),
    KpiRow("grr", "Gross revenue retention (GRR)", "Expansion", "share", None, True, MONTH),
    KpiRow("customers", "Customers", "Volume", "count", None, True, MONTH),
    KpiRow("tickets", "Tickets in 30 days", "Volume", "count", None, None, MONTH),
)
"""The rows of the household document, in its order; GRR and the two volumes are what its weekly report adds."""


@dataclass(frozen=True)
class Kpi(Plain):
    """One row. `arrow` is where the number went, `trend` whether that is good; None where either is missing."""

    name: str
    label: str
    section: str
    unit: Unit
    target: float | None
    target_text: str
    current: Figure
    previous: Figure
    arrow: str
    trend: Trend | None
    on_target: bool | None
    note: str = ""


@dataclass(frozen=True)
class KpiTable(Plain):
    """All rows of a day; `since` is the day that `previous` is of."""

    as_of: date
    since: date | None
    rows: tuple[Kpi, ...]

    def row(self, name: str) -> Kpi:
        """A row by its name."""
        return next(row for row in self.rows if row.name == name)


def kpi_table(snapshots: Snapshots, loaded: LoadedModel, as_of: date, *, warehouse: Warehouse | None) -> KpiTable:
    """The key figures of a published day, compared with the day 30 days before.

    Parameters
    ----------
    warehouse
        Where tickets, surveys and events are; without it those rows say that it is missing.

    Raises
    ------
    ReportError
        When `as_of` is not published.
    """
    since = day_back(snapshots, as_of, MONTH)
    current, notes = _figures(snapshots, loaded, as_of, warehouse)
    previous = {} if since is None else _figures(snapshots, loaded, since, warehouse)[0]
    nothing = Figure(None, NO_PREVIOUS)
    rows = (_row(row, current[row.name], previous.get(row.name, nothing), notes.get(row.name, "")) for row in ROWS)
    return KpiTable(as_of, since, tuple(rows))


def _figures(
    snapshots: Snapshots, loaded: LoadedModel, day: date, warehouse: Warehouse | None
) -> tuple[dict[str, Figure], dict[str, str]]:
    book = PortfolioFigures(snapshots, loaded, day)
    found = {
        "monthly_retention": book.retained(),
        "annual_retention": book.retained_year(),
        "monthly_churn": book.churn(),
        "healthy": book.scored(HEALTHY, float("inf")),
        "at_risk": book.scored(AT_RISK, HEALTHY),
        "critical": book.scored(float("-inf"), AT_RISK),
        "conversion": book.conversion(),
        "nrr": book.nrr(),
        "grr": book.grr(),
        "customers": book.customers(),
    }
    missing = {row.name: Figure(None, NO_WAREHOUSE) for row in ROWS}
    served = {} if warehouse is None else _served(warehouse, book, day)
    return {**missing, **found, **served}, {**book.notes, **NOTES}


NOTES: Final = {
    "first_contact": "neither reopened nor escalated; how many replies it took is not in the data",
    "dau": "of all members, the mean of seven days",
    "wau": "of all members",
    "nps": "answers of 90 days",
    "conversion": "free or on trial 90 days before, paying now",
}


def _served(warehouse: Warehouse, book: PortfolioFigures, day: date) -> dict[str, Figure]:
    # Those who left in the month had tickets and answers, too: leaving them out would embellish the figures.
    source = ServiceFigures(warehouse, book.day.ids.tolist())
    now = ServiceFigures(warehouse, book.present.ids.tolist())
    month, quarter = (window(day, days, warehouse.zone) for days in (MONTH, QUARTER))
    nps = source.nps(quarter)
    return {
        "nps": Figure(nps.nps, "" if nps.answers else "no NPS answer in 90 days", nps.answers),
        "csat": source.csat(month),
        "first_response": source.first_response_hours(month),
        "resolution": source.resolution_hours(month),
        "first_contact": source.first_contact(month),
        "dau": now.active_share(day, 1),
        "wau": now.active_share(day, 7),
        "tickets": source.tickets(month),
    }


def _row(row: KpiRow, current: Figure, previous: Figure, note: str) -> Kpi:
    change = None if current.value is None or previous.value is None else current.value - previous.value
    arrow, trend = _trend(row, change)
    text = target_text(row)
    met = _met(row, current.value)
    return Kpi(row.name, row.label, row.section, row.unit, row.target, text, current, previous, arrow, trend, met, note)


def _trend(row: KpiRow, change: float | None) -> tuple[str, Trend | None]:
    if change is None:
        return "", None
    if abs(change) < STEPS[row.unit] / 2:
        return "→", "same"
    arrow = "↑" if change > 0 else "↓"
    if row.more_is_better is None:
        return arrow, None
    return arrow, "better" if (change > 0) is row.more_is_better else "worse"


def _met(row: KpiRow, value: float | None) -> bool | None:
    if value is None or row.target is None:
        return None
    return value >= row.target if row.more_is_better else value < row.target


def target_text(row: KpiRow) -> str:
    """A target as people write it: `95 %`, `< 5 %`, `50+`, `4.5/5`, `< 2 h`."""
    if row.target is None:
        return ""
    texts: Mapping[Unit, str] = {
        "share": f"{row.target * 100:g} %",
        "points": f"{row.target:g}+",
        "stars": f"{row.target:g}/5",
        "hours": f"{row.target:g} h",
        "count": f"{row.target:g}",
    }
    return f"{'' if row.more_is_better else '< '}{texts[row.unit]}"


def weeks_back(as_of: date, weeks: int) -> list[date]:
    """The Mondays of the last weeks, the one of `as_of` first."""
    monday = as_of - timedelta(days=as_of.weekday())
    return [monday - timedelta(weeks=i) for i in range(weeks)]
