"""Service levels as time passes: what comes near or is passed sets off the alerts of the model, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from keepwell.services.published.tickets import tickets_version
from keepwell.services.team.alerting.hearing import arrived
from keepwell.services.team.moments import moment_words
from keepwell.services.team.support.clocks import WORDS, Clock, rings
from keepwell.services.team.support.tickets import DeskTicket, desk_tickets
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import TicketClock

NEAR_EVENT: Final = "ticket_sla_near"
BREACHED_EVENT: Final = "ticket_sla_breached"
SETTLED_EVENT: Final = "ticket_sla_settled"
EVENTS: Final = {"near": NEAR_EVENT, "breached": BREACHED_EVENT}
NEWS: Final = timedelta(days=1)
"""What was reached longer ago is no news: the signals of the day tell of it."""
KEPT_IN_MIND: Final = timedelta(days=90)
"""For so long a level that was told of is watched until it is settled."""
PAUSE: Final = timedelta(minutes=1)
"""Service levels are hours, so that one look a minute is enough."""


@dataclass
class _Looked:
    """When this process looked last, and at which tickets."""

    key: tuple[str, str] = ("", "")
    at: datetime | None = None


_looked = _Looked()


def support_turn(workspace: Workspace, now: datetime, _worker: str = "") -> int:
    """Look at the clocks of open tickets, once a minute or when tickets were published; how many rang."""
    key = (str(workspace.root), tickets_version(workspace))
    if not key[1] or (_looked.key == key and _looked.at is not None and _looked.at <= now < _looked.at + PAUSE):
        return 0
    rung = ring(workspace, now)
    _looked.key, _looked.at = key, now
    return rung


def ring(workspace: Workspace, now: datetime) -> int:
    """Tell of every service level that came near or passed within the last day and was not told of yet."""
    waiting = desk_tickets(workspace, now, open_only=True)
    return _due(workspace, waiting, now) + _settle(workspace, waiting, now)


def _due(workspace: Workspace, waiting: Sequence[DeskTicket], now: datetime) -> int:
    due = [(one, clock, what, at) for one in waiting for clock, what, at in rings(one.clocks, now - NEWS, now)]
    told = set(
        TicketClock.objects.filter(ticket_id__in={one.ticket_id for one, *_ in due}).values_list("ticket_id", "what")
    )
    return sum(
        _ring(workspace, one, clock, what, at, now)
        for one, clock, what, at in due
        if (one.ticket_id, _name(clock, what)) not in told
    )


def _settle(workspace: Workspace, waiting: Sequence[DeskTicket], now: datetime) -> int:
    """Say what was answered or solved since it was told of, once nothing of its customer is near or late any more."""
    late = {
        (one.ticket_id, clock.kind): one.row.customer_id
        for one in waiting
        for clock in one.clocks
        if clock.state(now) in EVENTS
    }
    told = TicketClock.objects.filter(at__gte=now - KEPT_IN_MIND).values_list("ticket_id", "what", "customer_id")
    places = {(ticket, *what.split("_")[:2], customer) for ticket, what, customer in told}
    settled = {(ticket, kind) for ticket, kind, what, _ in places if what == "settled"}
    over = {(ticket, kind, customer) for ticket, kind, _, customer in places} - {
        (*place, customer) for place, customer in late.items()
    }
    return sum(
        _settled(workspace, ticket, kind, customer, now)
        for ticket, kind, customer in sorted(over)
        if (ticket, kind) not in settled and customer not in late.values()
    )


@transaction.atomic
def _settled(workspace: Workspace, ticket: str, kind: str, customer: str, now: datetime) -> bool:
    _, fresh = TicketClock.objects.get_or_create(
        ticket_id=ticket, what=f"{kind}_settled", defaults={"customer_id": customer, "due_at": now, "at": now}
    )
    if fresh:
        about = {"ticket_id": ticket, "level": WORDS[kind]}
        arrived(workspace, [Incident(customer, (SETTLED_EVENT,), now, f"{ticket}:{kind}_settled", about)], now)
    return fresh


@transaction.atomic
def _ring(workspace: Workspace, one: DeskTicket, clock: Clock, what: str, at: datetime, now: datetime) -> bool:
    """In one transaction with what follows from it; whoever writes the row first tells."""
    _, fresh = TicketClock.objects.get_or_create(
        ticket_id=one.ticket_id,
        what=_name(clock, what),
        defaults={"customer_id": one.row.customer_id, "due_at": clock.due_at, "at": now},
    )
    if fresh:
        arrived(workspace, [_incident(one, clock, what, at)], now)
    return fresh


def _name(clock: Clock, what: str) -> str:
    return f"{clock.kind}_{what}"


def _incident(one: DeskTicket, clock: Clock, what: str, at: datetime) -> Incident:
    about = {
        "ticket_id": one.ticket_id,
        "subject": one.subject[:200],
        "priority": one.priority,
        "category": one.category,
        "level": WORDS[clock.kind],
        "due": moment_words(clock.due_at),
    }
    return Incident(one.row.customer_id, (EVENTS[what],), at, f"{one.ticket_id}:{_name(clock, what)}", about)
