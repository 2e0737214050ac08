"""What time and tasks do to offers: they expire, and are done when their task is."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from keepwell.services.team.audit import Actor
from keepwell.services.team.offering.deciding import close_asked, hold_question
from keepwell.services.team.offering.making import record_offer
from keepwell.services.team.offering.sending import call_back
from keepwell.services.team.outcomes import outcome_words
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, Offer, Outcome, Task

LIMIT: Final = 200
UNDONE_WITHIN: Final = timedelta(days=2)
"""Outcomes are taken back on their day; so long a carried-out offer is looked at again."""
_WORKER: Final = Actor("Keepwell")
_CLOSED: Final = (Task.State.DONE, Task.State.CANCELLED)


def offers_turn(here: Workspace, now: datetime, worker: str = "", *, limit: int = LIMIT) -> int:
    """Expire what is over, close what was carried out; how many changed. Each in a transaction of its own."""
    due = Offer.objects.filter(_due(now)).order_by("expires_at", "pk").values_list("pk", flat=True)
    return sum(_move(pk, now) for pk in list(due[:limit]))


def _due(now: datetime) -> Q:
    over = Q(state=Offer.State.OPEN, expires_at__lte=now)
    unanswered = Q(state=Offer.State.ASKED, approval__due_at__lte=now)
    carried_out = Q(state=Offer.State.ACCEPTED, task__state__in=_CLOSED)
    undone = Q(state=Offer.State.DONE, done_at__gt=now - UNDONE_WITHIN, task__state__in=OPEN_STATES)
    return over | unanswered | carried_out | undone


@transaction.atomic
def _move(pk: int, now: datetime) -> bool:
    hold_question(pk)
    held = Offer.objects.select_for_update(of=("self",), skip_locked=True).select_related("task")
    # What another worker moved meanwhile is not due any more.
    offer = held.filter(_due(now), pk=pk).first()
    if offer is None:
        return False
    match offer.state:
        case Offer.State.OPEN:
            _close(offer, Offer.State.EXPIRED, "Nobody answered in time", now)
            call_back(offer, "The offer expired before.")
            record_offer(_WORKER, offer, "offer.expired", "nobody answered", now)
        case Offer.State.ASKED:
            _expire_question(offer, now)
        case Offer.State.ACCEPTED:
            _carried_out(offer, now)
        case _:
            offer.state, offer.done_at, offer.result = Offer.State.ACCEPTED, None, ""
            offer.save(update_fields=["state", "done_at", "result"])
            record_offer(_WORKER, offer, "offer.reopened", "the task was opened again:", now)
    return True


def _expire_question(offer: Offer, now: datetime) -> None:
    asked = Approval.objects.filter(offers=offer, state=Approval.State.OPEN)
    asked.update(state=Approval.State.EXPIRED, decided_at=now)
    close_asked(offer, Offer.State.EXPIRED, "Nobody approved it in time", now)
    record_offer(_WORKER, offer, "offer.expired", "nobody approved", now)


def _carried_out(offer: Offer, now: datetime) -> None:
    """A follow-up goes on with it; otherwise the task's end is the offer's."""
    task, outcome = offer.task, Outcome.objects.filter(task=offer.task_id).first()
    if task is None:
        return
    following = Task.objects.filter(linked_to=task, kind=Task.Kind.FOLLOW_UP).order_by("-pk").first()
    if outcome is not None and outcome.result == Outcome.Result.FOLLOW_UP and following is not None:
        offer.task = following
        offer.save(update_fields=["task"])
        record_offer(_WORKER, offer, "offer.followed_up", "a follow-up goes on with", now, task=following.pk)
        return
    done = task.state == Task.State.DONE and (outcome is None or outcome.result != Outcome.Result.LOST)
    if done:
        offer.done_at = now
    _close(offer, Offer.State.DONE if done else Offer.State.WITHDRAWN, _result(task, outcome), now)
    action, words = ("offer.done", "carried out") if done else ("offer.withdrawn", "not carried out:")
    record_offer(_WORKER, offer, action, words, now, result=offer.result)


def _result(task: Task, outcome: Outcome | None) -> str:
    if outcome is None:
        return task.closed_why or task.get_state_display()
    return f"{outcome_words(outcome)}. {outcome.note}" if outcome.note else outcome_words(outcome)


def _close(offer: Offer, state: Offer.State, result: str, now: datetime) -> None:
    offer.state, offer.result = state, result
    if offer.answered_at is None:
        offer.answered_at = now
    offer.version += 1
    offer.save()
