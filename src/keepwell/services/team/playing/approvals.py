"""Questions that wait for a person's yes: who may answer which, and the answer."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from keepwell.playbooks.events import Happened
from keepwell.services.team.access import Action, covers, may, scope_of
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.offering import deciding
from keepwell.services.team.playing.happenings import happened
from keepwell.store.models import Approval, Person

NOTE_LONGEST: Final = 4000
PLAYBOOK: Final = "playbook"


class ApprovalRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """An answer that cannot be given; the message says why."""


def approvals_for(person: Person) -> QuerySet[Approval]:
    """The open questions that a person may answer, the most urgent first: those about customers that it may see."""
    if not may(person, Action.APPROVE):
        return Approval.objects.none()
    waiting = Approval.objects.filter(state=Approval.State.OPEN).select_related("run")
    scope = scope_of(person)
    if scope.owners is not None:
        own = Q(owner_email__in=scope.owners)
        waiting = waiting.filter(own | Q(owner_email="") if scope.unassigned else own)
    return waiting.order_by("due_at", "asked_at", "pk")


def may_decide(person: Person, approval: Approval) -> bool:
    """Whether a person may answer a question."""
    return may(person, Action.APPROVE) and covers(scope_of(person), approval.owner_email)


@transaction.atomic
def approval_decide(who: Actor, approval_id: int, given: bool, note: str, now: datetime) -> Approval:
    """Answer a question, once. The run that asked goes on within moments.

    Raises ApprovalRefused when the person may not, or when it is answered or no longer needed.
    """
    held = Approval.objects.select_for_update(of=("self",)).select_related("run", "decided_by")
    approval = held.filter(pk=approval_id).first()
    if approval is None or (who.person is not None and not may_decide(who.person, approval)):
        raise ApprovalRefused("There is no such question for you to answer.")
    if approval.state != Approval.State.OPEN:
        raise ApprovalRefused(_closed(approval))
    if approval.due_at is not None and now > approval.due_at:
        raise ApprovalRefused("The time for an answer is over: nobody's answer is a no.")
    why_not = deciding.why_not(who.person, approval) if approval.kind == deciding.KIND and who.person else ""
    if why_not:
        raise ApprovalRefused(why_not)
    approval.state = Approval.State.GIVEN if given else Approval.State.REFUSED
    approval.decided_by, approval.decided_at, approval.note = who.person, now, note.strip()[:NOTE_LONGEST]
    approval.save(update_fields=["state", "decided_by", "decided_at", "note"])
    if approval.kind == PLAYBOOK and approval.run is not None:
        kind = Happened.APPROVAL_GIVEN if given else Happened.APPROVAL_REFUSED
        said = who.person.shown_name if who.person else who.name
        happened(
            approval.customer_id,
            kind,
            name=said,
            key=f"approval:{approval.key}",
            at=now,
            run=approval.run,
            data={"asked": approval.key},
        )
    _record(who, approval, now)
    if approval.kind == deciding.KIND:
        deciding.offer_decided(who, approval, now)
    return approval


def _closed(approval: Approval) -> str:
    if approval.decided_by is not None:
        return f"{approval.decided_by.shown_name} was quicker: {approval.get_state_display().lower()}."
    return f"This question is closed: {approval.get_state_display().lower()}."


def _record(who: Actor, approval: Approval, now: datetime) -> None:
    record(
        who,
        at=now,
        action=f"approval.{approval.state}",
        kind="approval",
        object_id=approval.pk,
        customer_id=approval.customer_id,
        summary=f"{approval.company}: {approval.get_state_display()}: {approval.question}",
        before={"state": Approval.State.OPEN},
        after={"state": approval.state, "note": approval.note},
    )
