"""What follows from an outcome: a hold, a follow-up, a customer who left, and rows for the canonical data."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F, QuerySet

from keepwell.model.definitions import Model
from keepwell.playbooks.events import Happened
from keepwell.playbooks.machine import NO_ANSWER
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.holds import hold_until, record_end
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.reasons import resolved_segment
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.store.models import CanonicalWrite, Hold, Outcome, Task

FOLLOW_UP: Final = "follow_up:"
END_OF_DAY: Final = time(17)
SOURCE: Final = "keepwell"
_LEFT: Final = "left_message"
_CLOSED_BY: Final = "Closed by the outcome of task "


@dataclass(frozen=True)
class Known:
    """The model, and the conditions that are true of the customer while an outcome is logged."""

    model: Model | None
    conditions: tuple[str, ...]


def apply_result(who: Actor, outcome: Outcome, known: Known, *, now: datetime, today: date) -> None:
    """Everything that follows from an outcome, in the caller's transaction."""
    _keep_interaction(who, outcome, now)
    happened(outcome.customer_id, Happened.OUTCOME, name=_heard(outcome), key=outcome_key(outcome), at=now)
    match outcome.result:
        case Outcome.Result.RESOLVED:
            _hold(who, outcome, known, Hold.Kind.RESOLVED, now=now, today=today)
            automatic = (Task.Kind.SEGMENT, Task.Kind.SIGNAL)
            _close(who, outcome, _others(outcome).filter(kind__in=automatic), now)
        case Outcome.Result.FOLLOW_UP:
            _follow_up(who, outcome, known, now)
        case Outcome.Result.LOST:
            _hold(who, outcome, known, Hold.Kind.LOST, now=now, today=today)
            _close(who, outcome, _others(outcome), now)
            _keep_churn(outcome, now)


def _heard(outcome: Outcome) -> str:
    """What playbooks hear: who left a message, or wrote, and tries again later, has no answer yet."""
    waits = outcome.result == Outcome.Result.FOLLOW_UP and outcome.contact != Outcome.Contact.REACHED
    return NO_ANSWER if waits else outcome.result


def outcome_key(outcome: Outcome) -> str:
    """Under which key playbooks hear of an outcome."""
    return f"outcome:{outcome.pk}"


def follow_up_of(outcome: Outcome) -> Task | None:
    """The follow-up that an outcome made."""
    return Task.objects.filter(linked_to=outcome.task_id, kind=Task.Kind.FOLLOW_UP).order_by("pk").first()


def withdraw(outcome: Outcome, *, today: date) -> str:
    """Take back what followed from an outcome; the reason why that cannot be done, empty when it was."""
    waiting = CanonicalWrite.objects.filter(row__source=SOURCE, row__source_id=str(outcome.task_id))
    if waiting.exclude(loaded_at=None).exists():
        return "The outcome is in the data already, so it stays. Make a new task instead."
    follow_up = follow_up_of(outcome)
    if follow_up is not None and (follow_up.version > 1 or follow_up.state not in OPEN_STATES):
        return "Somebody has worked on the follow-up already, so the outcome stays."
    if Hold.objects.filter(outcome=outcome).exclude(ended_on=None).exists():
        return "What the outcome said has ended meanwhile, so it stays. Make a new task instead."
    waiting.delete()
    Hold.objects.filter(outcome=outcome).delete()
    if follow_up is not None:
        follow_up.delete()
    _reopen(outcome)
    return ""


def _others(outcome: Outcome) -> QuerySet[Task]:
    open_tasks = Task.objects.filter(customer_id=outcome.customer_id, state__in=OPEN_STATES)
    return open_tasks.exclude(pk=outcome.task_id)


def _close(who: Actor, outcome: Outcome, tasks: Iterable[Task], now: datetime, why: str = "") -> None:
    for task in tasks:
        reason = why or f"{_CLOSED_BY}{outcome.task_id}: {outcome.get_result_display()}"
        cancelled = Task.objects.filter(pk=task.pk, state__in=OPEN_STATES)
        cancelled.update(state=Task.State.CANCELLED, closed_at=now, closed_why=reason[:255], version=F("version") + 1)
        _record(who, task, "task.cancelled", reason, now)


def _reopen(outcome: Outcome) -> None:
    """Open again what the outcome closed, where no other task took its place."""
    closed = Task.objects.filter(
        customer_id=outcome.customer_id,
        state=Task.State.CANCELLED,
        closed_why__startswith=f"{_CLOSED_BY}{outcome.task_id}:",
    )
    taken = set(_others(outcome).values_list("play", flat=True))
    for task in closed:
        if task.play not in taken:
            Task.objects.filter(pk=task.pk).update(
                state=Task.State.OPEN, closed_at=None, closed_why="", version=F("version") + 1
            )


def _hold(who: Actor, outcome: Outcome, known: Known, kind: str, *, now: datetime, today: date) -> None:
    for standing in Hold.objects.filter(customer_id=outcome.customer_id, ended_on=None):
        standing.ended_on, standing.ended_why = today, "A later outcome took its place"
        standing.save(update_fields=["ended_on", "ended_why"])
        record_end(who, standing, standing.ended_why, now)
    resolved = kind == Hold.Kind.RESOLVED and known.model is not None
    hold = Hold.objects.create(
        customer_id=outcome.customer_id,
        kind=kind,
        segment=resolved_segment(known.model) if resolved and known.model else "",
        conditions=list(known.conditions),
        outcome=outcome,
        since=today,
        until=hold_until(known.model, today) if kind == Hold.Kind.RESOLVED else None,
    )
    until = f" until {hold.until}" if hold.until else ""
    record(
        who,
        at=now,
        action="hold.set",
        kind="hold",
        object_id=hold.pk,
        customer_id=hold.customer_id,
        summary=f"{outcome.task.company} is {hold.get_kind_display().lower()}{until}",
        after={"kind": kind, "until": hold.until.isoformat() if hold.until else None, "conditions": hold.conditions},
    )


def _follow_up(who: Actor, outcome: Outcome, known: Known, now: datetime) -> None:
    """A task on the chosen day; it replaces an earlier follow-up of the same play that is still open."""
    task, on = outcome.task, outcome.follow_up_on
    if on is None:
        return
    play = (FOLLOW_UP + task.play.removeprefix(FOLLOW_UP))[:120]
    replaced = _others(outcome).filter(play=play)
    _close(who, outcome, replaced, now, f"{_CLOSED_BY}{task.pk}: replaced by the follow-up on {on}")
    follow_up = Task.objects.create(
        customer_id=task.customer_id,
        company=task.company,
        owner_email=task.owner_email,
        kind=Task.Kind.FOLLOW_UP,
        play=play,
        title=f"Follow up with {task.company} ({outcome.get_issue_display().lower()})"[:255],
        action=task.action,
        segment=task.segment,
        reasons=task.reasons,
        conditions=list(known.conditions),
        priority=task.priority,
        money=task.money,
        renewal_on=task.renewal_on,
        opened_on=on,
        opened_at=now,
        due_at=datetime.combine(on, END_OF_DAY, ZoneInfo(settings.TIME_ZONE)),
        assignee=who.person,
        linked_to=task,
    )
    _record(who, follow_up, "task.opened", f"on {on}", now)


def _keep_interaction(who: Actor, outcome: Outcome, now: datetime) -> None:
    """The touch goes into the canonical data, so that metrics see it from the next run on."""
    email = outcome.contact == Outcome.Contact.EMAIL
    _keep(
        "interactions",
        outcome,
        now,
        {
            "interaction_id": f"{SOURCE}-task-{outcome.task_id}",
            "customer_id": outcome.customer_id,
            "kind": "email" if email else "call",
            "direction": "outbound",
            "owner_email": who.person.email if who.person else outcome.task.owner_email,
            "occurred_at": _utc(now),
            "outcome": _LEFT if outcome.contact == Outcome.Contact.VOICEMAIL else "completed",
        },
    )


def _keep_churn(outcome: Outcome, now: datetime) -> None:
    note = f": {outcome.note}" if outcome.note else ""
    _keep(
        "customers",
        outcome,
        now,
        {
            "customer_id": outcome.customer_id,
            "name": outcome.task.company,
            "status": "churned",
            "churned_at": _utc(now),
            "churn_reason": f"{outcome.get_issue_display()}{note}"[:500],
        },
    )


def _keep(table: str, outcome: Outcome, now: datetime, row: dict[str, Any]) -> None:
    about = {"source": SOURCE, "synced_at": _utc(now), "source_id": str(outcome.task_id)}
    CanonicalWrite.objects.create(table=table, row={**row, **about}, made_at=now)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _record(who: Actor, task: Task, action: str, why: str, now: datetime) -> None:
    record(
        who,
        at=now,
        action=action,
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: {why}",
    )
