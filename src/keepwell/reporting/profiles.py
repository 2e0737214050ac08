"""The profile of a segment: who they are, how they do, how much contact there is, and what to do."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.explained_conditions import tree_text
from keepwell.metrics.frame import Bools, Floats
from keepwell.model.conditions import ConditionTree, Group, Leaf
from keepwell.model.expression_text import expression_text
from keepwell.model.graph import segment_key
from keepwell.model.loader import LoadedModel
from keepwell.model.score_definitions import Band
from keepwell.reporting.groups import Grouping, grouping
from keepwell.reporting.patterns import Pattern, Patterns, patterns_of
from keepwell.reporting.plain import Figure, Plain
from keepwell.reporting.reading import Day
from keepwell.reporting.scores import health_name, mean
from keepwell.reporting.segments import Members, SegmentRow, member_rows, segment_table
from keepwell.reporting.strategy import recommendations

DAYS_A_MONTH: Final = 365.25 / 12
TOP: Final = 3
ADOPTION: Final = ("adoption_score", "feature_adoption_depth")
MEETINGS: Final = ("meetings_per_quarter", "meetings_90d", "meetings_91d")
RESPONSES: Final = ("email_response_rate", "outreach_response_rate", "response_rate")
TICKETS: Final = ("support_ticket_rate", "tickets_30d", "tickets_last_30_days")


@dataclass(frozen=True)
class Industry(Plain):
    """An industry's share of the segment's customers whose industry is known."""

    name: str
    customers: int
    share: float


@dataclass(frozen=True)
class Demographics(Plain):
    """Who they are."""

    avg_arr: Figure
    avg_company_size: Figure
    top_industries: tuple[Industry, ...]
    avg_tenure_months: Figure


@dataclass(frozen=True)
class Performance(Plain):
    """How they do."""

    avg_health_score: Figure
    avg_adoption_score: Figure
    nrr: Figure
    churn_rate: Figure


@dataclass(frozen=True)
class Engagement(Plain):
    """How much contact there is."""

    avg_meetings_per_quarter: Figure
    avg_email_response_rate: Figure
    support_ticket_rate: Figure


@dataclass(frozen=True)
class SegmentProfile(Plain):
    """Everything about one segment. `criteria` is its definition in words."""

    segment: SegmentRow
    description: str
    criteria: str
    action: str
    demographics: Demographics
    performance: Performance
    engagement: Engagement
    characteristics: tuple[Pattern, ...]
    characteristics_note: str
    recommendations: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """What the definition of a segment says about it."""

    description: str = ""
    criteria: str = ""
    action: str = ""


def segment_profiles(
    loaded: LoadedModel, by: str, first: Day | None, last: Day, *, currency: str = "USD"
) -> tuple[SegmentProfile, ...]:
    """Profiles of all segments of a dimension that have customers; `first` is where the retention period begins."""
    present = last.present()
    rows = segment_table(loaded, by, first, last).rows
    groups = grouping(loaded, by, (present,))
    return tuple(_of_group(loaded, groups, present, row, currency) for row in rows if row.customers)


def segment_profile(
    loaded: LoadedModel, by: str, name: str, first: Day | None, last: Day, *, currency: str = "USD"
) -> SegmentProfile | None:
    """The profile of one segment of a dimension, also without customers; None when there is no such segment."""
    present = last.present()
    row = next((row for row in segment_table(loaded, by, first, last).rows if row.name == name), None)
    groups = grouping(loaded, by, (present,))
    return None if row is None else _of_group(loaded, groups, present, row, currency)


def members_profile(
    loaded: LoadedModel, chosen: Members, first: Day | None, last: Day, said: Said, *, currency: str = "USD"
) -> SegmentProfile:
    """The profile of any customers of a day; see `member_rows`."""
    (row,) = member_rows(loaded, [chosen], first, last)
    return _profile(loaded, last.present(), chosen.now, row, said, None, currency)


def _of_group(loaded: LoadedModel, groups: Grouping, present: Day, row: SegmentRow, currency: str) -> SegmentProfile:
    key = segment_key(loaded.model, row.name)
    definition = loaded.model.segments[key] if key else None
    band = _band(loaded, groups, row.name)
    said = Said(
        definition.description if definition else band.meaning if band else "",
        _criteria(loaded, row.name),
        definition.action if definition else band.action if band else "",
    )
    return _profile(loaded, present, groups.of(present) == row.name, row, said, key, currency)


def _profile(
    loaded: LoadedModel, present: Day, inside: Bools, row: SegmentRow, said: Said, key: str | None, currency: str
) -> SegmentProfile:
    members = present.take(inside)
    found: Patterns = patterns_of(loaded, present, inside, row.label, segment=key)
    texts, reasons = recommendations(loaded.model.segments[key] if key else None, found, currency)
    return SegmentProfile(
        segment=row,
        description=said.description,
        criteria=said.criteria,
        action=said.action,
        demographics=_demographics(members),
        performance=Performance(row.health, _adoption(loaded, members), row.nrr, row.churn),
        engagement=Engagement(*(_metric(loaded, members, names) for names in (MEETINGS, RESPONSES, TICKETS))),
        characteristics=found.telling(),
        characteristics_note=found.note,
        recommendations=texts,
        reasons=reasons,
    )


def _band(loaded: LoadedModel, groups: Grouping, name: str) -> Band | None:
    bands = loaded.model.scores[groups.score].bands if groups.score else ()
    return next((band for band in bands if band.name == name), None)


def _demographics(members: Day) -> Demographics:
    since = members.dates("customer_since")
    months = [np.nan if day is None else _months(day, members.as_of) for day in since]
    return Demographics(
        avg_arr=_average(members.number("arr"), "no customer has a known ARR"),
        avg_company_size=_average(members.number("company_size"), "no customer has a known company size"),
        top_industries=_industries(members.text("industry").tolist()),
        avg_tenure_months=_average(np.array(months), "no customer has a known start"),
    )


def _months(since: date, as_of: date) -> float:
    return max(0, (as_of - since).days) / DAYS_A_MONTH


def _industries(found: Sequence[str | None]) -> tuple[Industry, ...]:
    known = Counter(industry for industry in found if industry)
    ordered = sorted(known.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return tuple(Industry(name, customers, customers / known.total()) for name, customers in ordered)


def _adoption(loaded: LoadedModel, members: Day) -> Figure:
    """The adoption metric, else the health score's component of that name."""
    health = health_name(loaded)
    parts = [name for name in loaded.model.scores[health].components if "adoption" in name] if health else []
    if not any(f"m.{name}" in members for name in ADOPTION) and parts:
        return _average(members.number(f"{health}.{parts[0]}"), "no customer has a known adoption")
    return _metric(loaded, members, ADOPTION)


def _metric(loaded: LoadedModel, members: Day, names: Sequence[str]) -> Figure:
    name = next((name for name in names if name in loaded.model.metrics and f"m.{name}" in members), None)
    if name is None:
        return Figure(None, f"the model has no metric {' or '.join(names[:2])}")
    return _average(members.number(f"m.{name}"), f"{name} is unknown for all of them")


def _average(values: Floats, why: str) -> Figure:
    known = int((~np.isnan(values)).sum())
    return Figure(mean(values), "" if known else why, known)


def _criteria(loaded: LoadedModel, name: str) -> str:
    key = segment_key(loaded.model, name)
    definition = loaded.model.segments[key] if key else None
    if definition is None:
        return ""
    if definition.catch_all:
        return "everybody whom no other segment takes"
    texts = [] if definition.when is None else [_said(compile_model(loaded).conditions[definition.when])]
    if definition.by:
        texts.append(f"{definition.by} = '{name.partition(': ')[2]}'")
    if definition.parent:
        texts.append(f"is in '{definition.parent}'")
    return " and ".join(texts)


def _said(tree: ConditionTree) -> str:
    """A condition in words, with the numbers that its settings stand for."""
    return tree_text(_with_numbers(tree))


def _with_numbers(tree: ConditionTree) -> ConditionTree:
    match tree:
        case Group(kind, items):
            return Group(kind, tuple(map(_with_numbers, items)))
        case Leaf(expression, _):
            return Leaf(expression, expression_text(expression))
    return tree
