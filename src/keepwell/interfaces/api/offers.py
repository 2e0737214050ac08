"""Offers to customers: made, listed, answered for the customer, taken back."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Long, Pk, Said, Version, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting, seen_customer
from keepwell.services.published import customers_named
from keepwell.services.team.access import may_see_customer
from keepwell.services.team.offering.making import MOST_DAYS, OPEN_DAYS
from keepwell.services.team.offers import (
    TOLD,
    OfferQuery,
    Proposal,
    offer_accept,
    offer_decline,
    offer_make,
    offer_url,
    offer_withdraw,
    offers_found,
)
from keepwell.store.models import Offer

router = Router(tags=["Offers"])

Kind = Literal[
    "pause", "downgrade", "discount", "free_months", "free_sessions", "trial", "dedicated_support", "preview", "custom"
]
State = Literal["asked", "refused", "open", "accepted", "declined", "expired", "withdrawn", "done"]
Money = Annotated[Decimal, Field(ge=0, lt=Decimal(10) ** 13, max_digits=15, decimal_places=2)]


class OfferBody(Schema):
    """Something that a customer may accept."""

    id: int
    customer_id: str
    company: str
    owner_email: str
    kind: Kind
    title: str
    terms: dict[str, Any] = Field(description="months, percent, sessions, days, grace_days, terms.")
    worth: Decimal | None = Field(description="What it costs; null where nobody can say.")
    state: State
    run_id: int | None = Field(description="The playbook's run that made it.")
    approval_id: int | None
    task_id: int | None = Field(description="The task that carries it out, once accepted.")
    made_at: datetime
    opened_at: datetime | None
    expires_at: datetime
    to_name: str
    to_email: str
    note: str
    answered_at: datetime | None
    done_at: datetime | None
    result: str
    url: str = Field("", description="Where the customer answers; empty unless it is open.")
    version: int


class OfferFilter(Schema):
    """Which offers."""

    state: Literal["", "all", State] = Field(
        "", description="Left out: those that wait for approval, are open, or are accepted and not carried out."
    )
    kind: Literal["", Kind] = ""
    owner: Word = Field("", description="An e-mail address; '-' for customers without an owner.")
    search: Word = ""


class NewOffer(Schema):
    """What is offered, and to whom."""

    customer_id: Word
    kind: Kind
    title: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\u0000]*$")]
    months: Annotated[int, Field(ge=1, le=12)] | None = None
    percent: Annotated[float, Field(gt=0, le=100)] | None = None
    sessions: Annotated[int, Field(ge=1, le=20)] | None = None
    days: Annotated[int, Field(ge=1, le=365)] | None = None
    grace_days: Annotated[int, Field(ge=1, le=365)] | None = None
    terms: Long = ""
    worth: Money | None = Field(None, description="What it costs, where it cannot be computed from the MRR.")
    open_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = OPEN_DAYS
    to_name: Word = ""
    to_email: Word = Field("", description="Left out: nothing is sent, and you hand over the link.")
    note: Long = ""


class Answer(Schema):
    """What the customer said."""

    name: Word = Field("", description="Who at the customer; needed to accept.")
    note: Long = ""


class Back(Schema):
    """Why it is taken back."""

    version: Version
    why: Said


@router.get("", response={200: Page[OfferBody], **PROBLEMS}, auth=READ)
def list_offers(request: ApiRequest, filters: Annotated[OfferFilter, Query()], limit: Limit, offset: Offset) -> Any:
    """Offers to the customers that you see: what waits for approval first, then what is open, the newest first."""
    found = offers_found(request.user, OfferQuery(**filters.model_dump()))
    shown = [_told(one) for one in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.post("", response={201: OfferBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def make_offer(request: ApiRequest, body: NewOffer) -> Any:
    """Offer something: open at once within your rights, else it waits for approval (state asked)."""
    row = customers_named(request.workspace, [seen_customer(request, body.customer_id)])[body.customer_id]
    units = body.model_dump(include={"months", "percent", "sessions", "days", "grace_days", "terms"})
    told = body.model_dump(include={"kind", "title", "worth", "to_name", "to_email", "note"})
    proposal = Proposal(terms=units, days=body.open_days, **told)
    return Status(201, _told(offer_make(acting(request), request.workspace, row, proposal, request.now)))


@router.get("/{int:offer_id}", response={200: OfferBody, **PROBLEMS}, auth=READ)
def get_offer(request: ApiRequest, offer_id: Pk) -> Any:
    """One offer."""
    return _told(_seen(request, offer_id))


@router.post("/{int:offer_id}/accepted", response={200: OfferBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def accept_offer(request: ApiRequest, offer_id: Pk, body: Answer) -> Any:
    """The customer told you that it accepts; a task carries it out."""
    pk, said, who = _seen(request, offer_id).pk, body.model_dump(), acting(request)
    return _told(offer_accept(who, request.workspace, pk, **said, how=TOLD, now=request.now))


@router.post("/{int:offer_id}/declined", response={200: OfferBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def decline_offer(request: ApiRequest, offer_id: Pk, body: Answer) -> Any:
    """The customer told you that it declines."""
    pk, said, who = _seen(request, offer_id).pk, body.model_dump(), acting(request)
    return _told(offer_decline(who, request.workspace, pk, **said, how=TOLD, now=request.now))


@router.post("/{int:offer_id}/withdrawn", response={200: OfferBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def withdraw_offer(request: ApiRequest, offer_id: Pk, body: Back) -> Any:
    """Take back what nobody has answered; its link says so from then on."""
    pk = _seen(request, offer_id).pk
    done = offer_withdraw(acting(request), pk, version=body.version, why=body.why, now=request.now)
    return _told(done)


def _told(offer: Offer) -> OfferBody:
    body = OfferBody.from_orm(offer)
    body.url = offer_url(offer) if offer.state == Offer.State.OPEN else ""
    return body


def _seen(request: ApiRequest, offer_id: int) -> Offer:
    found = Offer.objects.filter(pk=offer_id).first()
    if found is None or not may_see_customer(request.user, found.customer_id):
        raise Problem(404, "Not found", "There is no such offer, or it is not yours to see.")
    return found
