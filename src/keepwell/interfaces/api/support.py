"""Support: tickets with their clocks, and escalations."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from ninja import Path, Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Pk, Said, Version, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting
from keepwell.services.team.support.escalations import escalation_close, escalation_file, escalation_reopen
from keepwell.services.team.support.judging import ticket_correct
from keepwell.services.team.support.listing import (
    SupportQuery,
    chosen,
    escalations_found,
    may_see_escalations,
    support_figures,
    ticket_seen,
    waiting_tickets,
)
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.store.models import Escalation

router = Router(tags=["Support"])

TicketId = Annotated[str, Path(max_length=255, pattern=r"^[^\u0000]*$", description="The ticket's id.")]
State = Literal["open", "filed", "closed"]


class ClockBody(Schema):
    """One service level of a ticket."""

    kind: Literal["response", "resolution"]
    state: Literal["kept", "broken", "breached", "near", "running"]
    due_at: datetime
    near_at: datetime
    done_at: datetime | None


class TicketBody(Schema):
    """A ticket with what it is about, how urgent it is, who said so, and its service levels."""

    id: str
    customer_id: str
    company: str
    owner_email: str
    subject: str
    category: str
    priority: str
    judged_by: Literal["person", "given", "rules", "classifier"]
    confidence: float | None
    status: str
    assignee: str
    created_at: datetime
    clocks: list[ClockBody]


class LevelBody(Schema):
    """How often service levels were kept in the last 30 days; null when nothing was due."""

    priority: str
    response: float | None
    response_of: int
    resolution: float | None
    resolution_of: int


class FiguresBody(Schema):
    """How support stands."""

    open: int
    breached: int
    near: int
    response: float | None
    resolution: float | None
    levels: list[LevelBody]


class EscalationBody(Schema):
    """A pattern in support, with the document for the team that has to hear of it."""

    id: int
    pattern: str
    subject: str
    title: str
    team: str
    priority: str
    state: State
    link: str
    document: str = Field(description="Markdown.")
    tickets: list[str]
    customers: list[str]
    figures: dict[str, Any]
    opened_at: datetime
    changed_at: datetime
    version: int


class TicketFilter(Schema):
    """Which open tickets."""

    search: Word = ""
    category: Word = ""
    priority: Literal["", "P0", "P1", "P2", "P3", "P4"] = ""
    clock: Literal["", "breached", "near", "running", "none"] = ""
    owner: Word = Field("", description="An e-mail address; '-' for customers without an owner.")
    customer_id: Word = ""


class EscalationFilter(Schema):
    """Which escalations."""

    state: Literal["", "all", "open", "filed", "closed"] = Field("", description="Left out: open and filed ones.")
    pattern: Word = ""
    team: Literal["", "product", "engineering"] = ""


class Judged(Schema):
    """What a person says of a ticket; what is left out stays."""

    category: Word = ""
    priority: Literal["", "P0", "P1", "P2", "P3", "P4"] = ""


class Filed(Schema):
    """Where it was filed."""

    version: Version
    link: Said


class Closed(Schema):
    """What came of it."""

    version: Version
    why: Said


class Reopened(Schema):
    """The version that was read."""

    version: Version


@router.get("/tickets", response={200: Page[TicketBody], **PROBLEMS}, auth=READ)
def list_open_tickets(
    request: ApiRequest, filters: Annotated[TicketFilter, Query()], limit: Limit, offset: Offset
) -> Any:
    """The open tickets, by priority, in each what is due first on top."""
    found = waiting_tickets(request.workspace, request.user, request.now)
    kept = chosen(found, SupportQuery(**filters.model_dump()))
    shown = [_ticket(one.ticket, request.now) for one in kept[offset : offset + limit]]
    return page_of(shown, len(kept), limit, offset)


@router.get("/figures", response={200: FiguresBody, **PROBLEMS}, auth=READ)
def get_support_figures(request: ApiRequest) -> Any:
    """What is open now, and how service levels were kept in the last 30 days."""
    return support_figures(request.workspace, request.user, request.now)


@router.get("/tickets/{path:ticket_id}", response={200: TicketBody, **PROBLEMS}, auth=READ)
def get_ticket(request: ApiRequest, ticket_id: TicketId) -> Any:
    """One ticket that is open or younger than half a year."""
    return _ticket(_seen(request, ticket_id), request.now)


@router.put("/tickets/{path:ticket_id}", response={200: TicketBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def judge_ticket(request: ApiRequest, ticket_id: TicketId, body: Judged) -> Any:
    """Say what a ticket is about and how urgent it is: it wins over everything else, and is learned from."""
    one = _seen(request, ticket_id)
    ticket_correct(acting(request), one, category=body.category, priority=body.priority, now=request.now)
    return _ticket(_seen(request, ticket_id), request.now)


@router.get("/escalations", response={200: Page[EscalationBody], **PROBLEMS}, auth=READ)
def list_escalations(
    request: ApiRequest, filters: Annotated[EscalationFilter, Query()], limit: Limit, offset: Offset
) -> Any:
    """Escalations, the newest first; for managers, ops and admins."""
    _allowed(request)
    found = escalations_found(**filters.model_dump())
    shown = [EscalationBody.from_orm(one) for one in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.get("/escalations/{int:escalation_id}", response={200: EscalationBody, **PROBLEMS}, auth=READ)
def get_escalation(request: ApiRequest, escalation_id: Pk) -> Any:
    """One escalation with its document."""
    return EscalationBody.from_orm(_escalation(request, escalation_id))


@router.post(
    "/escalations/{int:escalation_id}/filed", response={200: EscalationBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED
)
@idempotent
def file_escalation(request: ApiRequest, escalation_id: Pk, body: Filed) -> Any:
    """It stands in a tracker now."""
    pk, who = _escalation(request, escalation_id).pk, acting(request)
    return EscalationBody.from_orm(
        escalation_file(who, pk, version=body.version, link=body.link, now=request.now),
    )


@router.post(
    "/escalations/{int:escalation_id}/closed",
    response={200: EscalationBody, **PROBLEMS},
    auth=WORK,
    openapi_extra=KEYED,
)
@idempotent
def close_escalation(request: ApiRequest, escalation_id: Pk, body: Closed) -> Any:
    """It is dealt with; its tickets set nothing off again."""
    pk, who = _escalation(request, escalation_id).pk, acting(request)
    return EscalationBody.from_orm(escalation_close(who, pk, version=body.version, why=body.why, now=request.now))


@router.post(
    "/escalations/{int:escalation_id}/reopen",
    response={200: EscalationBody, **PROBLEMS},
    auth=WORK,
    openapi_extra=KEYED,
)
@idempotent
def reopen_escalation(request: ApiRequest, escalation_id: Pk, body: Reopened) -> Any:
    """Open again what was closed or filed by mistake."""
    pk = _escalation(request, escalation_id).pk
    return EscalationBody.from_orm(escalation_reopen(acting(request), pk, version=body.version, now=request.now))


_OF_ROW: Final = ("customer_id", "company", "owner_email", "subject", "status", "assignee", "created_at")


def _ticket(one: DeskTicket, now: datetime) -> TicketBody:
    told = {
        "id": one.ticket_id,
        "category": one.category,
        "priority": one.priority,
        "judged_by": one.by,
        "confidence": one.confidence,
        "clocks": [{**vars(clock), "state": clock.state(now)} for clock in one.clocks],
    }
    return TicketBody.model_validate({**told, **{name: getattr(one.row, name) for name in _OF_ROW}})


def _seen(request: ApiRequest, ticket_id: str) -> DeskTicket:
    found = ticket_seen(request.workspace, request.user, ticket_id, request.now)
    if found is None:
        raise Problem(404, "Not found", "There is no such ticket, or it is not yours to see.")
    return found


def _allowed(request: ApiRequest) -> None:
    if not may_see_escalations(request.user):
        raise Problem(403, "Not allowed", "Escalations are about many people's customers: managers see them.")


def _escalation(request: ApiRequest, escalation_id: int) -> Escalation:
    _allowed(request)
    found = Escalation.objects.filter(pk=escalation_id).first()
    if found is None:
        raise Problem(404, "Not found", "There is no such escalation.")
    return found
