"""One segment: who they are, how they do, what sets them apart, what to do, and who is in it on any date."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.pages.segment_parts import Asked, dates_asked, seen_by, with_figures
from keepwell.interfaces.workspace.pages.segments import title_of
from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.interfaces.workspace.segment_charts import trend_option
from keepwell.interfaces.workspace.segment_playbooks import playbooks_of
from keepwell.interfaces.workspace.templatetags.keepwell import short_money
from keepwell.model.definitions import Model
from keepwell.model.graph import segment_key
from keepwell.reporting.condition_words import segment_words
from keepwell.reporting.reading import Day
from keepwell.reporting.scores import health_name
from keepwell.reporting.strategy import pattern_words
from keepwell.services.published.kept_models import band_colors, segment_shown
from keepwell.services.segment_fields import with_labels
from keepwell.services.segment_figures import OwnSegment, Seen, dimension_of, members_of, profile
from keepwell.services.segment_members import MembersPoint, also_in, membership_trend, own_trend, trend_dates
from keepwell.services.team.access import Action, may
from keepwell.services.team.segment_membership import members_on, stored_dates
from keepwell.services.team.segment_own import found_on, own_segments
from keepwell.services.team.segments import may_change, peers_of, segment_named
from keepwell.store.models import WorkspaceSegment

SHOWN: Final = 50
_OWN_POINTS: Final = 10
"""Dates of an own segment's trend: those that are not stored are evaluated."""


@dataclass(frozen=True)
class MemberRow:
    """A customer of a segment as it was on the date."""

    customer_id: str
    name: str
    owner: str
    arr: float | None
    score: int | None
    band: str
    color: str


@require_GET
@page(Action.SEE)
def segment(request: PageRequest, name: str) -> HttpResponseBase:
    """The profile of a segment of the model or of the workspace."""
    asked = dates_asked(request)
    seen = seen_by(request, asked.period, whole=True)
    mine = segment_named(request.user, name)
    if mine is None and dimension_of(seen.model, name) is None:
        raise Http404
    if request.GET.get("part") == "trend":
        return _trend(request, seen, name, mine)
    known = _about(request, seen, name, mine) | {"asked": asked}
    return with_figures(request, "profile", known, lambda: _figures(request, asked, seen, name, mine))


def _about(request: PageRequest, seen: Seen, name: str, mine: WorkspaceSegment | None) -> dict[str, Any]:
    if mine is not None:
        return {
            "name": name,
            "label": mine.label,
            "mine": mine,
            "may_change": may_change(request.user, mine),
            "may_copy": may(request.user, Action.PRIVATE_SEGMENTS),
            "portfolio_filter": f"own={name}",
        }
    label, color = segment_shown(seen.model, name)
    dimension = dimension_of(seen.model, name) or ""
    known: dict[str, Any] = {"name": name, "label": label, "color": color, "dimension": title_of(dimension)}
    known |= {"playbooks": playbooks_of(request.workspace, name), "may_start_many": may(request.user, Action.APPROVE)}
    return known | _family(seen.model, name)


def _family(model: Model, name: str) -> dict[str, Any]:
    """The segment that this one lies within, and those that lie within it, with their labels."""
    key = segment_key(model, name)
    definition = model.segments[key] if key else None
    parent = definition.parent if definition else None
    inner = [(one, segment_shown(model, one)[0]) for one, s in model.segments.items() if s.parent == name and not s.by]
    return {"parent": (parent, segment_shown(model, parent)[0]) if parent else None, "inner": inner}


def _figures(
    request: PageRequest, asked: Asked, seen: Seen, name: str, mine: WorkspaceSegment | None
) -> dict[str, Any]:
    own = _own(request, asked, mine)
    found = profile(seen, name, own, request.workspace.currency)
    chosen = members_of(seen, name, () if own is None else (own,))
    if found is None or chosen is None:
        raise Http404
    said = None if mine is None else found_on(request.workspace, request.user, mine, asked.period.last)
    members = seen.last.present().take(chosen.now)
    return {
        "profile": found,
        "criteria": segment_words(seen.loaded, name)
        if mine is None
        else with_labels(request.workspace, found.criteria),
        "patterns": [
            (p, pattern_words(p, request.workspace.currency, amounts=short_money)) for p in found.characteristics
        ],
        "members": _rows(seen, members),
        "left_over": max(0, members.rows - SHOWN),
        "also": 0 if mine is not None else also_in(seen, name),
        "said": said,
        "current": asked.period.last == asked.period.dates[-1],
    }


def _own(request: PageRequest, asked: Asked, mine: WorkspaceSegment | None) -> OwnSegment | None:
    if mine is None:
        return None
    return next(iter(own_segments(request.workspace, request.user, asked.period, (mine.name,))), None)


def _rows(seen: Seen, members: Day) -> Sequence[MemberRow]:
    health = health_name(seen.loaded)
    colors = band_colors(seen.model, health)
    arr, scores = members.number("arr"), members.number(f"{health}_score")
    order = np.lexsort((members.ids.astype(str), -np.nan_to_num(arr, nan=-1.0)))[:SHOWN]
    names, owners, bands = (members.text(column) for column in ("name", "owner_email", f"{health}_band"))
    return [
        MemberRow(
            customer_id=str(members.ids[row]),
            name=str(names[row] or members.ids[row]),
            owner=str(owners[row] or ""),
            arr=None if np.isnan(arr[row]) else float(arr[row]),
            score=None if np.isnan(scores[row]) else round(float(scores[row])),
            band=str(bands[row] or ""),
            color=colors.get(str(bands[row] or ""), "gray"),
        )
        for row in order
    ]


def _trend(request: PageRequest, seen: Seen, name: str, mine: WorkspaceSegment | None) -> HttpResponseBase:
    points = membership_trend(seen, name) if mine is None else _own_points(request, seen, mine)
    return render(
        request, "workspace/segments/trend.html", {"points": points, "chart": trend_option(points), "mine": mine}
    )


def _own_points(request: PageRequest, seen: Seen, mine: WorkspaceSegment) -> tuple[MembersPoint, ...]:
    """Stored dates are read, a few others are evaluated with the definition of today."""
    peers = peers_of(request.user)
    days = set(trend_dates(seen.period.dates, seen.period.last, points=_OWN_POINTS))
    days |= set(trend_dates(sorted(stored_dates(request.workspace)), seen.period.last)) & set(seen.period.dates)
    found = {day: members_on(request.workspace, mine, day, peers) for day in days}
    return own_trend(request.workspace, {day: one.ids for day, one in found.items() if not one.problem}, seen.ids)
