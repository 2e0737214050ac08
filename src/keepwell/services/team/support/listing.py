"""Support as pages and programs show it: open tickets, the most urgent first, and how service levels are kept."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from keepwell.services.published.portfolio_query import Scope
from keepwell.services.team.access import Action, covers, may, scope_of
from keepwell.services.team.support.clocks import RESOLUTION, RESPONSE, Clock, next_clock
from keepwell.services.team.support.desk import PRIORITIES
from keepwell.services.team.support.patterns import PATTERNS
from keepwell.services.team.support.tickets import DeskTicket, desk_tickets
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Escalation, Person

FIGURES_OVER: Final = timedelta(days=30)
STATES: Final = {"breached": "Overdue", "near": "Due soon", "running": "In time", "none": "No clock"}
_KEPT, _BROKEN = "kept", "broken"
_UNRANKED: Final = "~"


@dataclass(frozen=True)
class SupportQuery:
    """Which open tickets; empty is all of them."""

    search: str = ""
    category: str = ""
    priority: str = ""
    clock: str = ""
    owner: str = ""
    customer_id: str = ""


@dataclass(frozen=True)
class Waiting:
    """An open ticket with the clock that is due first and how it stands."""

    ticket: DeskTicket
    clock: Clock | None
    state: str


@dataclass(frozen=True)
class Level:
    """How often one service level was kept for a priority; `kept` is None when nothing was due."""

    priority: str
    response: float | None
    response_of: int
    resolution: float | None
    resolution_of: int


@dataclass(frozen=True)
class SupportFigures:
    """How support stands: what is open now, and how service levels were kept in the last 30 days."""

    open: int
    breached: int
    near: int
    response: float | None
    resolution: float | None
    levels: tuple[Level, ...]


def waiting_tickets(workspace: Workspace, person: Person, now: datetime) -> list[Waiting]:
    """The open tickets of customers whom a person may see: by priority, in each what is due first on top."""
    scope = scope_of(person)
    found = [
        _waiting(one, now) for one in desk_tickets(workspace, now, open_only=True) if _in_scope(scope, one) and one.open
    ]
    return sorted(found, key=_order)


def chosen(found: Iterable[Waiting], query: SupportQuery) -> list[Waiting]:
    """Those that are asked for, in their order."""
    return [one for one in found if _fits(one, query)]


def ticket_seen(workspace: Workspace, person: Person, ticket_id: str, now: datetime) -> DeskTicket | None:
    """A ticket of the last half-year, or one that is open, when its customer is this person's to see."""
    scope = scope_of(person)
    found = (one for one in desk_tickets(workspace, now, ticket_id=ticket_id) if _in_scope(scope, one))
    return next(found, None)


def support_figures(workspace: Workspace, person: Person, now: datetime) -> SupportFigures:
    """The figures over the customers whom a person may see."""
    scope = scope_of(person)
    seen = [one for one in desk_tickets(workspace, now, since=now - FIGURES_OVER) if _in_scope(scope, one)]
    states = [_waiting(one, now).state for one in seen if one.open]
    recent = [one for one in seen if one.row.created_at >= now - FIGURES_OVER]
    whole = _level("", recent, now)
    levels = tuple(_level(name, [one for one in recent if one.priority == name], now) for name in PRIORITIES)
    return SupportFigures(
        open=len(states),
        breached=states.count("breached"),
        near=states.count("near"),
        response=whole.response,
        resolution=whole.resolution,
        levels=levels,
    )


def may_see_escalations(person: Person) -> bool:
    """Escalations are about many people's customers: managers and those above see them."""
    return may(person, Action.ASSIGN)


def escalations_found(*, state: str = "", pattern: str = "", team: str = "") -> QuerySet[Escalation]:
    """Escalations, the newest first; without a state those that are not closed."""
    rows = Escalation.objects.all()
    if state != "all":
        rows = rows.filter(state=state) if state else rows.exclude(state=Escalation.State.CLOSED)
    if pattern:
        rows = rows.filter(pattern=pattern)
    if team:
        rows = rows.filter(team=team)
    return rows.order_by("-opened_at", "team", "pk")


def escalation_label(one: Escalation) -> str:
    """What people call its pattern."""
    return PATTERNS[one.pattern].label if one.pattern in PATTERNS else one.pattern


def escalation_tickets(workspace: Workspace, person: Person, one: Escalation, now: datetime) -> list[DeskTicket]:
    """Its tickets that this person may see, the newest first."""
    scope, wanted = scope_of(person), set(one.tickets)
    found = desk_tickets(workspace, now, since=one.opened_at - timedelta(days=45))
    return [ticket for ticket in reversed(found) if ticket.ticket_id in wanted and _in_scope(scope, ticket)]


def escalation_history(one: Escalation) -> Sequence[AuditEntry]:
    """What became of it, the newest first."""
    return list(AuditEntry.objects.filter(object_kind="escalation", object_id=str(one.pk))[:50])


def of_sources(found: Iterable[Waiting]) -> Counter[str]:
    """How many open tickets got their category from whom."""
    return Counter(one.ticket.by_words for one in found if one.ticket.category)


def _waiting(one: DeskTicket, now: datetime) -> Waiting:
    clock = next_clock(one.clocks)
    return Waiting(one, clock, clock.state(now) if clock else "none")


def _order(one: Waiting) -> tuple[str, bool, float, str]:
    """What is overdue was due before what is not; a ticket that nobody gave a priority comes last."""
    due = one.clock.due_at.timestamp() if one.clock else 0.0
    return one.ticket.priority or _UNRANKED, one.clock is None, due, one.ticket.ticket_id


def _in_scope(scope: Scope, one: DeskTicket) -> bool:
    return covers(scope, one.row.owner_email)


def _fits(one: Waiting, query: SupportQuery) -> bool:
    ticket, search = one.ticket, query.search.strip().lower()
    said = f"{ticket.subject} {ticket.ticket_id} {ticket.row.company} {ticket.row.customer_id}".lower()
    wanted = (
        (query.category, ticket.category or "-"),
        (query.priority, ticket.priority),
        (query.clock, one.state),
        (query.owner, ticket.row.owner_email or "-"),
        (query.customer_id, ticket.row.customer_id),
    )
    return search in said and all(not asked or asked == there for asked, there in wanted)


def _level(priority: str, tickets: Sequence[DeskTicket], now: datetime) -> Level:
    shares = [_share(tickets, kind, now) for kind in (RESPONSE, RESOLUTION)]
    return Level(priority, *shares[0], *shares[1])


def _share(tickets: Sequence[DeskTicket], kind: str, now: datetime) -> tuple[float | None, int]:
    """The share of clocks that ran out well, of those that ran out."""
    states = [clock.state(now) for one in tickets for clock in one.clocks if clock.kind == kind]
    kept = states.count(_KEPT)
    over = kept + states.count(_BROKEN) + states.count("breached")
    return (kept / over if over else None), over
