"""Judging tickets: those without a category get one, and people correct it; what they say teaches the classifier."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.support.classifier import SURE, predict
from keepwell.services.team.support.desk import CHOICES, PRIORITIES, Desk
from keepwell.services.team.support.rules import category_by_rules
from keepwell.services.team.support.tickets import CLASSIFIER, GIVEN, PERSON, RULES, DeskTicket
from keepwell.services.workspace import Workspace
from keepwell.store.models import TicketJudged

WORKER: Final = Actor("Keepwell")
_FIELDS: Final = ("customer_id", "category", "priority", "by", "confidence", "why", "at")


class TicketRefused(Exception):  # noqa: N818 - it is an answer, not a fault
    """What cannot be said of a ticket; the message says why."""


def judge(workspace: Workspace, desk: Desk, tickets: Sequence[DeskTicket], now: datetime) -> int:
    """Give tickets that nobody gave a category the one of the classifier or the rules; how many changed."""
    waiting = [one for one in tickets if one.by not in (GIVEN, PERSON)]
    said = predict(workspace, waiting) if waiting else None
    rows = []
    for place, one in enumerate(waiting):
        row = _judged(desk, one, said[place] if said else None, now)
        if (row.category, row.by) != (one.category, one.by) or one.confidence != row.confidence:
            rows.append(row)
    return _written(rows, now)


def ticket_correct(who: Actor, one: DeskTicket, *, category: str, priority: str, now: datetime) -> TicketJudged:
    """A person says what a ticket is; it wins over everything else from now on. Raises TicketRefused."""
    if category and category not in CHOICES and category != one.category:
        raise TicketRefused("Choose one of the categories.")
    if priority and priority not in PRIORITIES:
        raise TicketRefused("Choose a priority from P0 to P4.")
    with transaction.atomic():
        row = TicketJudged.objects.update_or_create(
            ticket_id=one.ticket_id,
            defaults={
                "customer_id": one.row.customer_id,
                "category": category or one.category,
                "priority": priority or one.priority,
                "by": PERSON,
                "confidence": None,
                "why": f"Said by {who.name}"[:255],
                "person": who.person,
                "at": now,
            },
        )[0]
        record(
            who,
            at=now,
            action="ticket.corrected",
            kind="ticket",
            object_id=one.ticket_id,
            customer_id=one.row.customer_id,
            summary=f"Ticket {one.ticket_id}: {row.category or 'no category'}, {row.priority}",
            before={"category": one.category, "priority": one.priority, "by": one.by},
            after={"category": row.category, "priority": row.priority, "by": row.by},
        )
    return row


def _judged(desk: Desk, one: DeskTicket, said: tuple[str, float] | None, now: datetime) -> TicketJudged:
    row = TicketJudged(ticket_id=one.ticket_id, customer_id=one.row.customer_id, at=now, by=RULES)
    if said is not None and said[1] >= SURE:
        row.category, row.confidence, row.by = said[0], round(said[1], 3), CLASSIFIER
        row.why = "Like tickets that people labelled so"
        return row
    found = category_by_rules(desk, one.subject, one.body)
    if found is not None:
        row.category, row.confidence, row.why = found.value, found.confidence, found.why
    return row


@transaction.atomic
def _written(rows: list[TicketJudged], now: datetime) -> int:
    if not rows:
        return 0
    # What a person said meanwhile stays.
    said = set(
        TicketJudged.objects.filter(by=PERSON, ticket_id__in=[row.ticket_id for row in rows]).values_list(
            "ticket_id", flat=True
        )
    )
    kept = [row for row in rows if row.ticket_id not in said]
    TicketJudged.objects.bulk_create(
        kept, batch_size=200, update_conflicts=True, unique_fields=["ticket_id"], update_fields=list(_FIELDS)
    )
    record(
        WORKER,
        at=now,
        action="tickets.judged",
        kind="run",
        object_id=now.date().isoformat(),
        summary=f"{len(kept)} tickets were given a category",
        after={"classifier": sum(row.by == CLASSIFIER for row in kept), "rules": sum(row.by == RULES for row in kept)},
    )
    return len(kept)
