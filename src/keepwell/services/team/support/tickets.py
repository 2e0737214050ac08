"""Tickets as support sees them: with category, priority and clocks, whoever said so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from keepwell.services.published.tickets import TicketRow, tickets_known
from keepwell.services.team.support.clocks import Clock, clocks_of
from keepwell.services.team.support.desk import PRIORITIES, Desk, desk_of
from keepwell.services.team.support.rules import category_by_rules, known_category, priority_by_rules
from keepwell.services.workspace import Workspace
from keepwell.store.models import TicketJudged

PERSON, GIVEN, RULES, CLASSIFIER = "person", "given", "rules", "classifier"
BY_WORDS = {
    PERSON: "corrected by hand",
    GIVEN: "from the help desk",
    RULES: "by rules",
    CLASSIFIER: "by the classifier",
}
FAULTS = ("Bug", "Performance", "Data Issue", "Integration", "Mobile")
_FAULTY_TYPES = ("problem", "bug", "incident", "defect", "")


@dataclass(frozen=True)
class DeskTicket:
    """A ticket with what it is about, how urgent it is, who said so and why, and its service levels."""

    row: TicketRow
    category: str
    priority: str
    by: str
    confidence: float | None
    why: str
    priority_why: str
    clocks: tuple[Clock, ...]

    @property
    def ticket_id(self) -> str:
        """Its id."""
        return self.row.ticket_id

    @property
    def subject(self) -> str:
        """Its subject."""
        return self.row.subject

    @property
    def body(self) -> str:
        """Its text."""
        return self.row.body

    @property
    def open(self) -> bool:
        """Whether it waits for anything; nobody waits for an answer to a customer who left."""
        return not self.row.left and self.row.resolved_at is None and self.row.status not in ("solved", "closed")

    @property
    def fault(self) -> bool:
        """Whether something is broken: a bug, or trouble with a part of the product."""
        return self.category == "Bug" or (self.category in FAULTS and self.row.type.strip().lower() in _FAULTY_TYPES)

    @property
    def by_words(self) -> str:
        """Who said what category it is, in words."""
        return BY_WORDS.get(self.by, "")


def desk_tickets(
    workspace: Workspace,
    now: datetime,
    *,
    since: datetime | None = None,
    open_only: bool = False,
    ticket_id: str = "",
) -> list[DeskTicket]:
    """The tickets known at a moment, the oldest first; with an id that one alone."""
    desk = desk_of(workspace)
    rows = tickets_known(workspace, now, since=since, open_only=open_only, ticket_id=ticket_id)
    judged = judged_of(row.ticket_id for row in rows)
    return [desk_ticket(desk, row, judged.get(row.ticket_id)) for row in rows]


def judged_of(tickets: Iterable[str]) -> Mapping[str, TicketJudged]:
    """What is written down about these tickets."""
    wanted = set(tickets)
    if not TicketJudged.objects.exists():
        return {}
    return TicketJudged.objects.in_bulk(wanted)


def desk_ticket(desk: Desk, row: TicketRow, judged: TicketJudged | None) -> DeskTicket:
    """A ticket with what a person says of it, else the help desk, else what was judged, else the rules."""
    category, by, confidence, why = _category(desk, row, judged)
    priority, priority_why = _priority(desk, row, judged)
    timed = row.resolved_at is not None or not (row.left or row.status in ("solved", "closed"))
    clocks = clocks_of(desk, priority, row.created_at, row.first_response_at, row.resolved_at) if timed else ()
    return DeskTicket(row, category, priority, by, confidence, why, priority_why, clocks)


def _category(desk: Desk, row: TicketRow, judged: TicketJudged | None) -> tuple[str, str, float | None, str]:
    if judged is not None and judged.by == PERSON and judged.category:
        return judged.category, PERSON, None, judged.why
    if row.category.strip():
        return known_category(row.category), GIVEN, None, ""
    if judged is not None and judged.category:
        return judged.category, judged.by, judged.confidence, judged.why
    found = category_by_rules(desk, row.subject, row.body)
    return (found.value, RULES, found.confidence, found.why) if found else ("", RULES, None, "")


def _priority(desk: Desk, row: TicketRow, judged: TicketJudged | None) -> tuple[str, str]:
    if judged is not None and judged.by == PERSON and judged.priority:
        return judged.priority, "Set by hand"
    if row.priority in PRIORITIES:
        return row.priority, "From the help desk"
    found = priority_by_rules(desk, row.urgency, row.impact, row.severity, row.subject, row.body)
    return found.value, found.why
