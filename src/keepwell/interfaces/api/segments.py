"""Segments of the model and of the workspace: side by side, one by one, over time, and in each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import numpy as np
from ninja import Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import Day, Name, Word
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, ApiRequest
from keepwell.reporting.movement import Movement, Mover, Totals
from keepwell.reporting.plain import plain
from keepwell.reporting.profiles import SegmentProfile
from keepwell.reporting.segments import Members
from keepwell.services.segment_figures import (
    MONTH,
    OWN,
    QUARTER,
    Overview,
    OwnSegment,
    Period,
    Seen,
    dimension_of,
    members_of,
    movement,
    overview,
    period_of,
    profile,
)
from keepwell.services.segment_members import MembersPoint, Overlap, membership_trend, overlap
from keepwell.services.team.access import scope_of
from keepwell.services.team.segment_own import own_segments
from keepwell.services.team.segments import segment_named

router = Router(tags=["Segments"], auth=READ)

By = Annotated[Word | None, Query(None, description="The dimension: primary, bands, …; the first one if left out.")]
First = Annotated[Day | None, Query(None, description="The earlier date; the nearest published one before is taken.")]
Last = Annotated[Day | None, Query(None, description="The later date; the published day if left out.")]
MoveKind = Literal["upgrade", "downgrade", "lateral", "joined", "left", "stayed"]


class OverviewBody(Schema):
    """Segments side by side over a period."""

    by: str
    dimensions: list[str]
    first: date | None
    last: date
    overview: Overview


class SegmentBody(Schema):
    """Who a segment is, how it does, what sets it apart, and what to do."""

    name: str
    dimension: str | None = Field(description="Null of a segment made in the workspace.")
    first: date | None
    last: date
    profile: SegmentProfile


class MemberBody(Schema):
    """A customer of a segment as it was on the date."""

    customer_id: str
    name: str
    owner_email: str | None
    arr: float | None


class FlowBody(Schema):
    """So many customers from one segment to another; null is nobody's: they joined or left."""

    source: str | None
    target: str | None
    kind: MoveKind
    customers: int
    arr_before: float
    arr_after: float
    source_label: str
    target_label: str


class MovementBody(Schema):
    """Who moved between two dates, by flow."""

    by: str
    title: str
    first: date
    last: date
    moves: list[FlowBody]
    totals: Totals
    models_differ: bool = Field(description="Whether the two days were made with different models.")


@dataclass(frozen=True)
class _Chosen:
    """A segment on the dates asked for."""

    seen: Seen
    own: OwnSegment | None
    members: Members


@router.get("", response={200: OverviewBody, **PROBLEMS})
def list_segments(request: ApiRequest, by: By, first: First, last: Last) -> Any:
    """The segments of a dimension and those made in the workspace: customers, ARR, health, retention, at risk."""
    period = period_of(request.workspace, first=first, last=last, days=QUARTER)
    seen = Seen(request.workspace, period, scope_of(request.user))
    chosen = _dimension(seen, by)
    found = overview(seen, chosen, own_segments(request.workspace, request.user, period))
    return {
        "by": chosen,
        "dimensions": list(seen.dimensions),
        "first": period.first,
        "last": period.last,
        "overview": plain(found),
    }


@router.get("/movement", response={200: MovementBody, **PROBLEMS})
def get_segment_movement(request: ApiRequest, by: By, first: First, last: Last) -> Any:
    """Who changed segment or band between two dates, who joined and who left: so many, with their ARR."""
    found = plain(_movement(request, by, first, last))
    return {name: found[name] for name in MovementBody.model_fields}


@router.get("/movement/customers", response={200: Page[Mover], **PROBLEMS})
def list_movers(
    request: ApiRequest,
    limit: Limit,
    offset: Offset,
    by: By,
    first: First,
    last: Last,
    kind: MoveKind | None = None,
    source: Word | None = None,
    target: Word | None = None,
) -> Any:
    """The customers of one kind of move or of one flow."""
    wanted = {"kind": kind, "source": source, "target": target}
    given = {name: value for name, value in wanted.items() if value is not None}
    movers = _movement(request, by, first, last).movers
    found = [one for one in movers if all(getattr(one, name) == value for name, value in given.items())]
    shown: list[Any] = [plain(one) for one in found[offset : offset + limit]]
    return page_of(shown, len(found), limit, offset)


@router.get("/overlap", response={200: Overlap, **PROBLEMS})
def get_segment_overlap(
    request: ApiRequest,
    last: Last,
    dimension: Annotated[
        Sequence[Word], Query([], max_length=20, description=f"Dimensions; '{OWN}' are those made in the workspace.")
    ],
) -> Any:
    """How many customers each two segments have in common."""
    period = period_of(request.workspace, first=None, last=last, days=QUARTER)
    seen = Seen(request.workspace, period, scope_of(request.user))
    chosen = list(dimension) or [*seen.dimensions[:1], OWN]
    own = own_segments(request.workspace, request.user, period) if OWN in chosen else ()
    return plain(overlap(seen, chosen, own))


@router.get("/{path:name}/members", response={200: Page[MemberBody], **PROBLEMS})
def list_segment_members(request: ApiRequest, name: Name, limit: Limit, offset: Offset, as_of: Last) -> Any:
    """Who was in a segment on a published date, the largest ARR first."""
    chosen = _chosen(request, name, None, as_of)
    day = chosen.seen.last.present().take(chosen.members.now)
    arr = day.number("arr")
    order = np.lexsort((day.ids.astype(str), -np.nan_to_num(arr, nan=-1.0)))[offset : offset + limit]
    names, owners = day.text("name"), day.text("owner_email")
    shown = [
        MemberBody(
            customer_id=str(day.ids[row]),
            name=str(names[row] or day.ids[row]),
            owner_email=owners[row] or None,
            arr=plain(float(arr[row])),
        )
        for row in order
    ]
    return page_of(shown, day.rows, limit, offset)


@router.get("/{path:name}/trend", response={200: list[MembersPoint], **PROBLEMS})
def get_segment_trend(request: ApiRequest, name: Name, last: Last) -> Any:
    """How many customers counted in a segment of the model over the last half year."""
    chosen = _chosen(request, name, None, last)
    if chosen.own is not None:
        raise Problem(409, "Not possible", "The API tells the trend of segments of the model alone.")
    return membership_trend(chosen.seen, name)


@router.get("/{path:name}", response={200: SegmentBody, **PROBLEMS})
def get_segment(request: ApiRequest, name: Name, first: First, last: Last) -> Any:
    """Who a segment is, how it does, what sets it apart from the rest, and what to do."""
    chosen = _chosen(request, name, first, last, whole=True)
    period = chosen.seen.period
    return {
        "name": name,
        "dimension": None if chosen.own else dimension_of(chosen.seen.model, name),
        "first": period.first,
        "last": period.last,
        "profile": plain(profile(chosen.seen, name, chosen.own, request.workspace.currency)),
    }


def _chosen(request: ApiRequest, name: str, first: date | None, last: date | None, *, whole: bool = False) -> _Chosen:
    period = period_of(request.workspace, first=first, last=last, days=QUARTER)
    seen = Seen(request.workspace, period, scope_of(request.user), whole=whole)
    own = _own(request, name, period)
    found = members_of(seen, name, () if own is None else (own,))
    if found is None:
        raise Problem(404, "Not found", "There is no such segment, or it is not shared with this token's person.")
    return _Chosen(seen, own, found)


def _own(request: ApiRequest, name: str, period: Period) -> OwnSegment | None:
    if segment_named(request.user, name) is None:
        return None
    return next(iter(own_segments(request.workspace, request.user, period, (name,))), None)


def _dimension(seen: Seen, by: str | None) -> str:
    if by is not None and by not in seen.dimensions:
        raise Problem(422, "Request cannot be used", f"There is no dimension '{by}'; {', '.join(seen.dimensions)}.")
    return seen.dimension(by)


def _movement(request: ApiRequest, by: str | None, first: date | None, last: date | None) -> Movement:
    period = period_of(request.workspace, first=first, last=last, days=MONTH)
    seen = Seen(request.workspace, period, scope_of(request.user))
    found = movement(seen, _dimension(seen, by))
    if found is None:
        raise Problem(409, "Not possible", f"{period.last} is the only published date; movement needs an earlier one.")
    return found
