"""Tickets made by hand, with the values that a test is about."""

from datetime import datetime, timedelta
from typing import Any, Final

from keepwell.model.definitions import Settings
from keepwell.services.published.tickets import TicketRow
from keepwell.services.team.support.desk import Desk, desk_from
from keepwell.services.team.support.tickets import DeskTicket, desk_ticket
from keepwell.store.models import TicketJudged
from tests.web import NOW

TEXTS: Final = (
    "company", "owner_email", "plan", "tier", "subject", "body", "person_id", "person", "category", "type", "urgency",
    "impact", "priority", "severity", "status", "channel", "assignee", "tags",
)  # fmt: skip


def desk(**values: Any) -> Desk:
    """A desk with these settings."""
    return desk_from(Settings(values=values))


def row(ticket_id: str = "t-1", *, hours_ago: float = 1, **fields: Any) -> TicketRow:
    """A ticket as the data have it; what is not given is empty."""
    plain: dict[str, Any] = dict.fromkeys(TEXTS, "")
    moments = {"first_response_at": None, "resolved_at": None, "created_at": NOW - timedelta(hours=hours_ago)}
    given = {"customer_id": "c-1", "mrr": 100.0, "left": False, **moments, **fields}
    return TicketRow(**{**plain, "ticket_id": ticket_id, **given})


def ticket(
    ticket_id: str = "t-1", *, of: Desk | None = None, judged: TicketJudged | None = None, **fields: Any
) -> DeskTicket:
    """A ticket as support sees it."""
    return desk_ticket(of or desk(), row(ticket_id, **fields), judged)


def many(count: int, *, start: int = 0, customers: int | None = None, **fields: Any) -> list[DeskTicket]:
    """Tickets that differ in number and customer, the oldest first."""
    spread = customers or count
    return [
        ticket(f"t-{start + n:03}", hours_ago=500 - n, customer_id=f"c-{n % spread:03}", **fields) for n in range(count)
    ]


def hours(number: float) -> datetime:
    """So many hours after now."""
    return NOW + timedelta(hours=number)
