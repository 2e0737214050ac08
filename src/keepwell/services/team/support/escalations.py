"""Escalations: opened once for a pattern and what it is about, kept up to date, filed and closed by people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import transaction

from keepwell.services.playbook_facts import day_facts
from keepwell.services.published.tickets import accounts_known, service_known
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.outbox.texts import model_now
from keepwell.services.team.support.desk import Desk
from keepwell.services.team.support.documents import Known, document_of, figures_of
from keepwell.services.team.support.patterns import LATENCY, PATTERNS, Found, Seen, patterns
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.services.workspace import Workspace
from keepwell.store.models import Escalation

WORKER: Final = Actor("Keepwell")
LONGEST_LINK: Final = 500
_NPS: Final = "nps_score"


class EscalationRefused(Exception):  # noqa: N818 - it is an answer, not a fault
    """What cannot be done with an escalation; the message says why and what to do."""


@dataclass(frozen=True)
class Escalated:
    """What a look at the patterns did."""

    opened: int = 0
    refreshed: int = 0


def escalate(workspace: Workspace, desk: Desk, tickets: Sequence[DeskTicket], now: datetime) -> Escalated:
    """Open an escalation for each pattern that is there, and bring the open ones up to date; again changes nothing."""
    done, quiet = _closed()
    found = patterns(Seen(desk, tickets, service_known(workspace, now), now, done, quiet))
    if not found:
        return Escalated()
    known = _known(workspace, desk, found, now)
    with transaction.atomic():
        there = list(Escalation.objects.select_for_update().exclude(state=Escalation.State.CLOSED))
        taken: set[int] = set()
        results = [_bring(one, known, there, taken) for one in found]
    return Escalated(results.count("opened"), results.count("refreshed"))


def escalation_file(who: Actor, pk: int, *, version: int, link: str, now: datetime) -> Escalation:
    """It stands in a tracker now, at this address. Raises EscalationRefused."""
    address = link.strip()
    if not _web(address):
        raise EscalationRefused("Give the address under which it was filed, beginning with https://.")

    def change(one: Escalation) -> str:
        if one.state == Escalation.State.CLOSED:
            raise EscalationRefused("It is closed; open it again first.")
        one.state, one.link = Escalation.State.FILED, address
        one.figures = {**one.figures, "filed_tickets": len(one.tickets)}
        return f"filed at {address}"

    return _change(who, pk, version, "escalation.filed", change, now)


def escalation_close(who: Actor, pk: int, *, version: int, why: str, now: datetime) -> Escalation:
    """It is dealt with; its tickets set nothing off again. Raises EscalationRefused."""
    said = why.strip()[:255]
    if not said:
        raise EscalationRefused("Say in a few words what came of it: whoever asked wants to know.")

    def change(one: Escalation) -> str:
        if one.state == Escalation.State.CLOSED:
            raise EscalationRefused("It is closed already.")
        one.state = Escalation.State.CLOSED
        one.figures = {**one.figures, "closed_why": said}
        return f"closed: {said}"

    return _change(who, pk, version, "escalation.closed", change, now)


def escalation_reopen(who: Actor, pk: int, *, version: int, now: datetime) -> Escalation:
    """Open again what was closed or filed by mistake. Raises EscalationRefused."""

    def change(one: Escalation) -> str:
        if one.state == Escalation.State.OPEN:
            raise EscalationRefused("It is open.")
        others = Escalation.objects.filter(pattern=one.pattern, subject=one.subject).exclude(pk=one.pk)
        if others.exclude(state=Escalation.State.CLOSED).exists():
            raise EscalationRefused("Another one about the same thing is open meanwhile.")
        one.state = Escalation.State.OPEN
        return "opened again"

    return _change(who, pk, version, "escalation.reopened", change, now)


def _closed() -> tuple[dict[str, set[str]], dict[str, datetime]]:
    """Tickets that were dealt with, by pattern, and since when a measurement is."""
    done: dict[str, set[str]] = {}
    quiet: dict[str, datetime] = {}
    for one in Escalation.objects.filter(state=Escalation.State.CLOSED).only(
        "pattern", "subject", "tickets", "changed_at"
    ):
        done.setdefault(one.pattern, set()).update(one.tickets)
        if one.pattern == LATENCY:
            quiet[one.subject] = max(one.changed_at, quiet.get(one.subject, one.changed_at))
    return done, quiet


def _known(workspace: Workspace, desk: Desk, found: Sequence[Found], now: datetime) -> Known:
    customers = {name for one in found for name in one.customers}
    return Known(desk, now, accounts_known(workspace, customers), workspace.currency, _nps(workspace, customers))


def _nps(workspace: Workspace, customers: set[str]) -> Mapping[str, float]:
    """The latest answers, where the model has them as a metric."""
    as_of = workspace.snapshots.latest()
    if as_of is None or _NPS not in model_now(workspace).metrics:
        return {}
    facts = day_facts(workspace.snapshots, as_of, (_NPS,))
    answers = {name: one.values.get(_NPS) for name in customers if (one := facts.facts(name)) is not None}
    return {name: float(score) for name, score in answers.items() if isinstance(score, int | float)}


def _bring(found: Found, known: Known, there: list[Escalation], taken: set[int]) -> str:
    """Open it, or bring up to date what is open about the same: the same subject, or some of the same tickets."""
    one = _same(found, there, taken)
    figures, tickets = figures_of(found, known), [ticket.ticket_id for ticket in found.tickets]
    if one is None:
        one = _opened(found, known, figures, tickets)
        there.append(one)
        taken.add(one.pk)
        return "opened"
    taken.add(one.pk)
    kept = {name: value for name, value in one.figures.items() if name in ("filed_tickets", "closed_why")}
    if one.tickets == tickets and one.figures == {**_plain(figures), **kept}:
        return "kept"
    before = {"tickets": len(one.tickets), "customers": len(one.customers)}
    one.tickets, one.customers, one.figures = tickets, list(found.customers), {**_plain(figures), **kept}
    one.title, one.document, one.changed_at = found.title[:255], document_of(found, known), known.now
    one.version += 1
    one.save()
    _say(WORKER, one, "escalation.refreshed", found.why, before, known.now)
    return "refreshed"


def _same(found: Found, there: Sequence[Escalation], taken: set[int]) -> Escalation | None:
    mine = {ticket.ticket_id for ticket in found.tickets}
    alike = [one for one in there if one.pattern == found.pattern and one.pk not in taken]
    by_name = next((one for one in alike if one.subject == found.subject[:160]), None)
    if by_name is not None or found.pattern not in _BY_TICKETS:
        return by_name
    return max(
        (one for one in alike if mine.intersection(one.tickets)),
        key=lambda one: len(mine.intersection(one.tickets)),
        default=None,
    )


_BY_TICKETS: Final = frozenset(PATTERNS) - {LATENCY, "competitor"}
"""Patterns that are known by their tickets; the others by their name alone."""


def _opened(found: Found, known: Known, figures: Mapping[str, Any], tickets: list[str]) -> Escalation:
    pattern = PATTERNS[found.pattern]
    one = Escalation.objects.create(
        pattern=found.pattern,
        subject=found.subject[:160],
        title=found.title[:255],
        team=pattern.team,
        priority=pattern.priority,
        document=document_of(found, known),
        tickets=tickets,
        customers=list(found.customers),
        figures=_plain(figures),
        opened_at=known.now,
        changed_at=known.now,
    )
    _say(WORKER, one, "escalation.opened", found.why, None, known.now)
    return one


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in figures.items()}


def _change(
    who: Actor, pk: int, version: int, action: str, change: Callable[[Escalation], str], now: datetime
) -> Escalation:
    with transaction.atomic():
        one = Escalation.objects.select_for_update().filter(pk=pk).first()
        if one is None:
            raise EscalationRefused("It is not there any more.")
        if one.version != version:
            raise EscalationRefused("Somebody else, or new tickets, changed it meanwhile; look at it again.")
        before = {"state": one.state, "link": one.link}
        said = change(one)
        one.version += 1
        one.changed_at, one.changed_by = now, who.person
        one.save()
        _say(who, one, action, said, before, now)
    return one


def _say(who: Actor, one: Escalation, action: str, said: str, before: Any, now: datetime) -> None:
    record(
        who,
        at=now,
        action=action,
        kind="escalation",
        object_id=one.pk,
        summary=f"{PATTERNS[one.pattern].label}, {one.title}: {said}" if one.pattern in PATTERNS else one.title,
        before=before,
        after={
            "state": one.state,
            "link": one.link,
            "tickets": len(one.tickets),
            "customers": len(one.customers),
        },
    )


def _web(address: str) -> bool:
    """Whether it is an address that a browser opens as a page."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    usable = parts.scheme in ("http", "https") and bool(parts.hostname) and len(address) <= LONGEST_LINK
    return usable and address.isprintable() and " " not in address
