"""The customer's answer, given on its page or told to a colleague: once, and carried out as a task."""

from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from keepwell.model.timelines import timeline
from keepwell.playbooks.events import Happened
from keepwell.services.published import NothingPublished, PortfolioRow, customers_named
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.offering.deciding import hold_question
from keepwell.services.team.offering.kinds import kind_of
from keepwell.services.team.offering.limits import OfferRefused
from keepwell.services.team.offering.making import record_offer
from keepwell.services.team.offering.sending import call_back, quiet_calendar, said_terms
from keepwell.services.team.offering.written_back import EVENT, keep_accepted
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.roles import People
from keepwell.services.team.playing.starts import start_from_event
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, Offer, Task

BILLING: Final = "billing_team"
WITHIN: Final = "1 business day"
LONGEST_NAME: Final = 255
LONGEST_NOTE: Final = 2000
PRIORITY: Final = 1
ON_PAGE: Final = "on the page of the offer"
TOLD: Final = "told to a colleague"


@transaction.atomic
def offer_accept(who: Actor, workspace: Workspace, pk: int, *, name: str, note: str, how: str, now: datetime) -> Offer:
    """The customer says yes: the offer is theirs, and somebody carries it out. Raises OfferRefused."""
    offer = _answered(pk, Offer.State.ACCEPTED, name, note, how, now)
    offer.task = _task(workspace, offer, now)
    offer.save(update_fields=["task"])
    _record_task(who, offer.task, now)
    record_offer(who, offer, "offer.accepted", f"{offer.answer['name']} accepted", now, how=how, task=offer.task.pk)
    keep_accepted(offer, now)
    _tell(workspace, offer, EVENT, now)
    return offer


@transaction.atomic
def offer_decline(who: Actor, workspace: Workspace, pk: int, *, name: str, note: str, how: str, now: datetime) -> Offer:
    """The customer says no. Raises OfferRefused."""
    offer = _answered(pk, Offer.State.DECLINED, name, note, how, now)
    record_offer(who, offer, "offer.declined", f"{offer.answer['name'] or 'somebody'} declined", now, how=how)
    _tell(workspace, offer, "offer_declined", now)
    return offer


@transaction.atomic
def offer_withdraw(who: Actor, pk: int, *, version: int, why: str, now: datetime) -> Offer:
    """Take an offer back that nobody has answered; its link says so from then on. Raises OfferRefused."""
    if not why.strip():
        raise OfferRefused("Say why it is taken back: whoever talks to the customer next wants to know.")
    hold_question(pk)
    offer = Offer.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if offer is None or offer.state not in (Offer.State.ASKED, Offer.State.OPEN):
        raise OfferRefused(f"It is {offer.get_state_display().lower()}." if offer else "It is not there any more.")
    if offer.version != version:
        raise OfferRefused("Somebody else has changed it meanwhile; look at it again.")
    offer.state, offer.answered_at, offer.result = Offer.State.WITHDRAWN, now, why.strip()[:LONGEST_NOTE]
    offer.version += 1
    offer.save()
    asked = Approval.objects.filter(offers=offer, kind="offer", state=Approval.State.OPEN)
    asked.update(state=Approval.State.GONE, decided_at=now)
    call_back(offer, f"The offer was taken back: {offer.result}")
    return record_offer(who, offer, "offer.withdrawn", "took back", now, why=offer.result)


def closed_words(offer: Offer, now: datetime) -> str:
    """Why an offer cannot be answered; empty while it can."""
    if offer.state == Offer.State.OPEN:
        return "" if offer.expires_at > now else "It has expired."
    return {
        Offer.State.ACCEPTED.value: "It was accepted already.",
        Offer.State.DONE.value: "It was accepted already.",
        Offer.State.DECLINED.value: "It was declined already.",
        Offer.State.EXPIRED.value: "It has expired.",
        Offer.State.WITHDRAWN.value: "It was taken back.",
    }.get(offer.state, "It is not open.")


def _answered(pk: int, state: Offer.State, name: str, note: str, how: str, now: datetime) -> Offer:
    """Close it with an answer; of two at the same moment one wins."""
    said = " ".join(name.split())[:LONGEST_NAME]
    if state == Offer.State.ACCEPTED and not said:
        raise OfferRefused("Write the name of who accepts.")
    answer = {"name": said, "note": note.strip()[:LONGEST_NOTE], "how": how}
    still = Offer.objects.filter(pk=pk, state=Offer.State.OPEN, expires_at__gt=now)
    won = still.update(state=state, answered_at=now, answer=answer, version=F("version") + 1)
    offer = Offer.objects.select_related("run").filter(pk=pk).first()
    if offer is None:
        raise OfferRefused("It is not there any more.")
    if not won:
        raise OfferRefused(closed_words(offer, now))
    call_back(offer, f"The offer was {offer.get_state_display().lower()} before.")
    return offer


def _task(workspace: Workspace, offer: Offer, now: datetime) -> Task:
    """Somebody enters it in billing: there is no connection that would."""
    row, person = _row(workspace, offer.customer_id), People().of(BILLING, offer.owner_email)
    return Task.objects.create(
        customer_id=offer.customer_id,
        company=offer.company,
        owner_email=offer.owner_email,
        kind=Task.Kind.PLAYBOOK if offer.run_id else Task.Kind.MANUAL,
        play=f"offer:{offer.pk}",
        title=f"Carry out for {offer.company}: {offer.title}"[:255],
        action="Carry out the accepted offer",
        segment=(row.segment or "")[:120] if row else "",
        reasons=[f"{offer.answer['name']} accepted the offer {offer.answer['how']}"],
        conditions=[],
        notes="\n".join(line for line in (said_terms(offer), offer.answer["note"]) if line),
        checklist=[{"text": text, "done": False} for text in kind_of(offer.kind).steps],
        priority=PRIORITY,
        money=None if row is None or row.mrr is None else Decimal(str(round(row.mrr, 2))),
        renewal_on=row.renewal_date if row else None,
        opened_on=now.astimezone(ZoneInfo(workspace.zone)).date(),
        opened_at=now,
        due_at=quiet_calendar(workspace).later(now, timeline(WITHIN)),
        assignee=person,
    )


def _row(workspace: Workspace, customer_id: str) -> PortfolioRow | None:
    try:
        return customers_named(workspace, [customer_id]).get(customer_id)
    except NothingPublished:
        return None


def _record_task(who: Actor, task: Task, now: datetime) -> None:
    given = f"for {task.assignee.shown_name}" if task.assignee else "for the customer's owner"
    record(
        who,
        at=now,
        action="task.opened",
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: {given}",
        after={"state": task.state, "due": task.due_at.isoformat()},
    )


def _tell(workspace: Workspace, offer: Offer, event: str, now: datetime) -> None:
    """Runs hear that the customer answered, and playbooks that the event starts begin."""
    key, data = f"offer:{offer.pk}:{offer.state}", {"offer": offer.pk, "answer": str(offer.state)}
    happened(offer.customer_id, Happened.RESPONSE, name="reply", key=key, at=now, data=data)
    start_from_event(workspace, offer.customer_id, event, key, now, now)
