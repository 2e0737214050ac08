"""The pipeline: what customers could buy."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Long, Pk, Version, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting
from keepwell.services.team.access import may_see_customer
from keepwell.services.team.opportunities import (
    opportunity_contacted,
    opportunity_lost,
    opportunity_reopened,
    opportunity_won,
)
from keepwell.services.team.pipeline import PipelineQuery, pipeline_found, pipeline_totals
from keepwell.store.models import Opportunity

router = Router(tags=["Opportunities"])

Money = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 13, max_digits=15, decimal_places=2)]
State = Literal["identified", "contacted", "won", "lost", "gone"]


class OpportunityBody(Schema):
    """A chance to sell more to a customer."""

    id: int
    customer_id: str
    company: str
    owner_email: str
    signal: str
    title: str
    reason: str
    action: str
    urgency: str
    value: Decimal | None
    period: str = Field(description="What the value is of: once, month or year.")
    state: State
    opened_on: date
    seen_on: date = Field(description="The last day on which the signal was on.")
    contacted_at: datetime | None
    closed_at: datetime | None
    won_value: Decimal | None = Field(description="What a year of it brings, once won.")
    note: str
    version: int


class StageBody(Schema):
    """One stage of the pipeline: how many, and what they bring in a year."""

    state: State
    count: int
    yearly: Decimal


class OpportunityFilter(Schema):
    """Which opportunities."""

    state: Literal["", "all", "identified", "contacted", "won", "lost", "gone"] = Field(
        "", description="Left out: those that are identified or contacted."
    )
    signal: Word = ""
    owner: Word = Field("", description="An e-mail address; '-' for customers without an owner.")
    search: Word = ""


class Noted(Schema):
    """What somebody says of it."""

    version: Version
    note: Long = ""


class Won(Noted):
    """What was won."""

    value: Money | None = Field(None, description="What a year of it brings; left out, the signal's own value.")


@router.get("", response={200: Page[OpportunityBody], **PROBLEMS}, auth=READ)
def list_opportunities(
    request: ApiRequest, filters: Annotated[OpportunityFilter, Query()], limit: Limit, offset: Offset
) -> Any:
    """The pipeline in the order in which to work: urgent ones first, then by what a year of them brings."""
    found = pipeline_found(request.user, PipelineQuery(**filters.model_dump()))
    shown = [OpportunityBody.from_orm(one) for one in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.get("/stages", response={200: list[StageBody], **PROBLEMS}, auth=READ)
def list_opportunity_stages(request: ApiRequest) -> Any:
    """How many there are at which stage, and their value in a year; won and lost over the last 90 days."""
    return list(pipeline_totals(request.user, request.now))


@router.get("/{int:opportunity_id}", response={200: OpportunityBody, **PROBLEMS}, auth=READ)
def get_opportunity(request: ApiRequest, opportunity_id: Pk) -> Any:
    """One opportunity."""
    return OpportunityBody.from_orm(_seen(request, opportunity_id))


@router.post(
    "/{int:opportunity_id}/contacted", response={200: OpportunityBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED
)
@idempotent
def contact_opportunity(request: ApiRequest, opportunity_id: Pk, body: Noted) -> Any:
    """Somebody is in touch about it."""
    pk = _seen(request, opportunity_id).pk
    done = opportunity_contacted(acting(request), pk, version=body.version, note=body.note, now=request.now)
    return OpportunityBody.from_orm(done)


@router.post("/{int:opportunity_id}/won", response={200: OpportunityBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def win_opportunity(request: ApiRequest, opportunity_id: Pk, body: Won) -> Any:
    """The customer bought."""
    pk, who = _seen(request, opportunity_id).pk, acting(request)
    done = opportunity_won(who, pk, version=body.version, value=body.value, note=body.note, now=request.now)
    return OpportunityBody.from_orm(done)


@router.post("/{int:opportunity_id}/lost", response={200: OpportunityBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def lose_opportunity(request: ApiRequest, opportunity_id: Pk, body: Noted) -> Any:
    """The customer said no; the note says why."""
    pk = _seen(request, opportunity_id).pk
    done = opportunity_lost(acting(request), pk, version=body.version, note=body.note, now=request.now)
    return OpportunityBody.from_orm(done)


@router.post(
    "/{int:opportunity_id}/reopen", response={200: OpportunityBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED
)
@idempotent
def reopen_opportunity(request: ApiRequest, opportunity_id: Pk, body: Noted) -> Any:
    """Back into the pipeline."""
    pk = _seen(request, opportunity_id).pk
    return OpportunityBody.from_orm(opportunity_reopened(acting(request), pk, version=body.version, now=request.now))


def _seen(request: ApiRequest, opportunity_id: int) -> Opportunity:
    found = Opportunity.objects.filter(pk=opportunity_id).first()
    if found is None or not may_see_customer(request.user, found.customer_id):
        raise Problem(404, "Not found", "There is no such opportunity, or it is not yours to see.")
    return found
