"""The outbox and the channels."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Number, Pk, Said, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import CHANNELS, READ, WORK, ApiRequest, acting
from keepwell.services.team.outbox.channels import Switch, switches
from keepwell.services.team.outbox.listing import OutboxQuery, outbox_found, outbox_seen
from keepwell.services.team.outbox.queue import leave, send_again
from keepwell.store.models import Outgoing

router = Router(tags=["Outbox"])

State = Literal["open", "waiting", "sending", "sent", "rehearsed", "failed", "dead", "suppressed", "cancelled"]
ChannelName = Literal["email", "in_app", "workspace", "slack", "teams", "webhook"]
Audience = Literal["customer", "internal"]


class OutboxFilter(Schema):
    """Which messages; `open` are those on their way."""

    state: State | None = None
    channel: ChannelName | None = None
    audience: Audience | None = None
    customer_id: Word = ""
    run: Number | None = Field(None, description="A run of a playbook.")
    search: Word = Field("", description="Words of the subject, the company, or to whom it goes.")

    def query(self) -> OutboxQuery:
        """As the service takes it."""
        return OutboxQuery(
            state=self.state or "",
            channel=self.channel or "",
            audience=self.audience or "",
            customer_id=self.customer_id,
            run=self.run,
            search=self.search,
        )


class OutgoingBrief(Schema):
    """A message, without its texts. `rehearsed` is a dry run: nothing left."""

    id: int
    channel: str
    audience: str
    purpose: str
    customer_id: str
    company: str
    run_id: int | None
    step: str
    message: str
    address: str
    to_name: str
    subject: str
    state: str
    made_at: datetime
    due_at: datetime
    sent_at: datetime | None
    attempts: int
    error: str


class EventBody(Schema):
    """What became of a message."""

    kind: str
    at: datetime
    data: dict[str, Any]


class OutgoingBody(OutgoingBrief):
    """A message exactly as it leaves; `body` is what a webhook's target is sent."""

    sender: dict[str, str]
    text: str
    html: str
    body: str
    provider_id: str
    events: list[EventBody]


class LeaveBody(Schema):
    """Why a message is not to be sent."""

    why: Said


class ChannelBody(Schema):
    """A channel for an audience; one that is not live rehearses."""

    name: str
    audience: str
    label: str
    live: bool
    missing: list[str] = Field(description="What its configuration lacks.")
    changed_at: datetime | None


@router.get("/outbox", response={200: Page[OutgoingBrief], **PROBLEMS}, auth=READ)
def list_outbox(request: ApiRequest, filters: Annotated[OutboxFilter, Query()], limit: Limit, offset: Offset) -> Any:
    """The messages that the person may see, the newest first."""
    found = outbox_found(outbox_seen(request.workspace, request.user), filters.query())
    shown = found.defer("text", "html", "payload")[offset : offset + limit]
    return page_of([OutgoingBrief.from_orm(one) for one in shown], found.count(), limit, offset)


@router.get("/outbox/{int:outgoing_id}", response={200: OutgoingBody, **PROBLEMS}, auth=READ)
def get_outgoing(request: ApiRequest, outgoing_id: Pk) -> Any:
    """One message: what was or would be sent, and what became of it."""
    return _body(_row(request, outgoing_id))


@router.post(
    "/outbox/{int:outgoing_id}/retry", response={200: OutgoingBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED
)
@idempotent
def retry_outgoing(request: ApiRequest, outgoing_id: Pk) -> Any:
    """Send again what was given up."""
    send_again(acting(request), _row(request, outgoing_id).pk, request.now)
    return _body(_row(request, outgoing_id))


@router.post(
    "/outbox/{int:outgoing_id}/cancel", response={200: OutgoingBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED
)
@idempotent
def cancel_outgoing(request: ApiRequest, outgoing_id: Pk, body: LeaveBody) -> Any:
    """Do not send what has not left yet."""
    leave(acting(request), _row(request, outgoing_id).pk, body.why, request.now)
    return _body(_row(request, outgoing_id))


@router.get("/channels", response={200: list[ChannelBody], **PROBLEMS}, auth=CHANNELS)
def list_channels(request: ApiRequest) -> Any:
    """Every channel with its switch. People make channels live, after a test to themselves."""
    return [_channel(one) for one in switches(request.user.pk, request.now)]


def _row(request: ApiRequest, outgoing_id: int) -> Outgoing:
    found = outbox_seen(request.workspace, request.user).filter(pk=outgoing_id).first()
    if found is None:
        raise Problem(404, "Not found", "There is no such message, or this token may not see it.")
    return found


def _body(row: Outgoing) -> OutgoingBody:
    return OutgoingBody(
        **OutgoingBrief.from_orm(row).model_dump(),
        sender=row.sender,
        text=row.text,
        html=row.html,
        body=str(row.payload.get("body") or "") if row.channel == "webhook" else "",
        provider_id=row.provider_id,
        events=[EventBody.from_orm(one) for one in row.events.order_by("at", "pk")],
    )


def _channel(one: Switch) -> ChannelBody:
    return ChannelBody(
        name=one.way.name,
        audience=one.way.audience,
        label=one.way.label,
        live=one.live,
        missing=list(one.missing),
        changed_at=one.changed_at,
    )
