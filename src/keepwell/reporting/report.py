"""Everything a report for the head of customer success says, gathered from snapshots."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from keepwell.model.loader import LoadedModel
from keepwell.reporting.expansion import Expansions, expansion_list
from keepwell.reporting.groups import BANDS, grouping, groupings
from keepwell.reporting.movement import Movement, movement_days
from keepwell.reporting.plain import Plain
from keepwell.reporting.portfolio import Portfolio, Share, portfolio, spread
from keepwell.reporting.profiles import SegmentProfile, segment_profiles
from keepwell.reporting.quality import DataQuality, data_quality
from keepwell.reporting.reading import Day, day_back, longest_back, read_day
from keepwell.reporting.retention import Retention, retention_days
from keepwell.reporting.risks import Risks, top_risks
from keepwell.reporting.scores import health_name
from keepwell.reporting.segments import SegmentTable, segment_table
from keepwell.reporting.summary import summary
from keepwell.reporting.trend import Point, trend
from keepwell.segments.membership import primary_dimension
from keepwell.warehouse.snapshots import Snapshots

QUARTER: Final = 90
MONTH: Final = 30
YEAR: Final = 365
SHORTEST_YEAR: Final = 120
"""Retention over fewer days than this says nothing that the quarter does not."""


@dataclass(frozen=True)
class About(Plain):
    """Whose report it is, of which day, made by which model."""

    workspace: str
    as_of: date
    currency: str
    model: str
    model_title: str
    model_version: str
    model_hash: str
    score: str | None
    data_until: date | None


@dataclass(frozen=True)
class Division(Plain):
    """One way to divide the customers: how they are spread over it, and who moved over 30 and 90 days."""

    by: str
    title: str
    shares: tuple[Share, ...]
    movements: tuple[Movement, ...]


@dataclass(frozen=True)
class Report(Plain):
    """The whole report. `tables` has one overview for each dimension of segments, the primary one first."""

    about: About
    summary: tuple[str, ...]
    portfolio: Portfolio
    quarter: Retention | None
    year: Retention | None
    divisions: tuple[Division, ...]
    trend: tuple[Point, ...]
    tables: tuple[SegmentTable, ...]
    profiles: tuple[SegmentProfile, ...]
    risks: Risks
    expansions: Expansions
    quality: DataQuality


def gather_report(
    snapshots: Snapshots, loaded: LoadedModel, as_of: date, *, workspace: str, currency: str = "USD"
) -> Report:
    """Gather the report of a published date; raises ReportError when it is not published."""
    day = read_day(snapshots, as_of)
    back = {days: _read(snapshots, day_back(snapshots, as_of, days)) for days in (MONTH, QUARTER)}
    quarter = back[QUARTER] or back[MONTH]
    figures = portfolio(snapshots, loaded, as_of)
    risks = top_risks(snapshots, loaded, day, currency=currency)
    expansions = expansion_list(snapshots, loaded, day, currency=currency)
    retained = None if quarter is None else retention_days(quarter, day)
    dimensions = [by for by in groupings(loaded.model) if by != BANDS]
    return Report(
        about=_about(loaded, day, workspace, currency),
        summary=summary(figures, retained, risks, expansions, workspace=workspace, currency=currency),
        portfolio=figures,
        quarter=retained,
        year=_year(snapshots, day),
        divisions=tuple(_divisions(loaded, day, [found for found in back.values() if found is not None])),
        trend=trend(snapshots, loaded, as_of),
        tables=tuple(segment_table(loaded, by, quarter, day) for by in dimensions),
        profiles=segment_profiles(loaded, dimensions[0], quarter, day, currency=currency) if dimensions else (),
        risks=risks,
        expansions=expansions,
        quality=data_quality(loaded, day, currency=currency),
    )


def _about(loaded: LoadedModel, day: Day, workspace: str, currency: str) -> About:
    freshness = (day.said("freshness") or {}).values()
    dates = [date.fromisoformat(until) for until in freshness if until]
    about, health = loaded.model.model, health_name(loaded)
    return About(
        workspace=workspace,
        as_of=day.as_of,
        currency=currency,
        model=about.name,
        model_title=about.title or about.name,
        model_version=about.version,
        model_hash=day.about.get("keepwell.model_hash") or loaded.hash,
        score=(loaded.model.scores[health].label or health) if health else None,
        data_until=min(dates, default=None),
    )


def _divisions(loaded: LoadedModel, day: Day, earlier: Iterable[Day]) -> Iterable[Division]:
    """Bands where there is a score, and the primary segments."""
    chosen = [BANDS] if health_name(loaded) else []
    if loaded.model.segments:
        chosen.append(primary_dimension(loaded.model.segments.values()))
    days = list(earlier)
    for by in chosen:
        groups = grouping(loaded, by, (day,))
        movements = tuple(movement_days(loaded, before, day, by) for before in days)
        yield Division(by, groups.title, spread(groups, day.present()), movements)


def _year(snapshots: Snapshots, day: Day) -> Retention | None:
    first = longest_back(snapshots, day.as_of, YEAR)
    if first is None or (day.as_of - first).days < SHORTEST_YEAR:
        return None
    return retention_days(read_day(snapshots, first), day)


def _read(snapshots: Snapshots, day: date | None) -> Day | None:
    return None if day is None else read_day(snapshots, day)
