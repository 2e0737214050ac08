"""What came of a task: logged once, with everything that follows from it in the same transaction."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F

from keepwell.services.published import NothingPublished
from keepwell.services.team.audit import Actor, record, written_together
from keepwell.services.team.here import workspace
from keepwell.services.team.outcome_effects import Known, apply_result, outcome_key, withdraw
from keepwell.services.team.playing.resuming import Resumed, resume_runs
from keepwell.services.team.task_days import published_model, situation_now
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.store.models import AuditEntry, Outcome, Task

NOTE_LONGEST: Final = 4000
FARTHEST_DAYS: Final = 366


class OutcomeConflict(Exception):  # noqa: N818  it is an answer, not a fault
    """Somebody else was quicker; the message says who did what and when."""

    def __init__(self, message: str, task: Task) -> None:
        super().__init__(message)
        self.task = task


class OutcomeInvalid(Exception):  # noqa: N818  it is an answer, not a fault
    """An outcome that cannot be logged like this: what is wrong, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


class UndoRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """An outcome that cannot be taken back; the message says why and what to do instead."""


@dataclass(frozen=True)
class _Said:
    """What a person says came of it."""

    contact: str
    issue: str
    result: str
    note: str
    follow_up_on: date | None


def log_outcome(
    who: Actor,
    task_id: int,
    *,
    version: int,
    contact: str,
    issue: str,
    result: str,
    note: str = "",
    follow_up_on: date | None = None,
    now: datetime,
    today: date,
) -> Outcome:
    """Log what came of a task; the caller has checked that the actor may see its customer.

    Resolved: the customer is shown as healthy until something new is true. Follow-up: a task on the chosen date. Lost:
    the customer leaves every queue. Raises OutcomeInvalid with what to correct, OutcomeConflict when the task is no
    longer as the person saw it.
    """
    said = _Said(contact, issue, result, note.strip(), follow_up_on)
    _check(said, today)
    known = _known(task_id)
    with transaction.atomic(), written_together():
        task = _claimed(task_id, version, now)
        outcome = Outcome.objects.create(
            task=task,
            customer_id=task.customer_id,
            contact=contact,
            issue=issue,
            result=result,
            note=said.note,
            follow_up_on=follow_up_on if result == Outcome.Result.FOLLOW_UP else None,
            logged_by=who.person,
            logged_at=now,
        )
        apply_result(who, outcome, known, now=now, today=today)
        _record(who, outcome, now)
    return outcome


@dataclass(frozen=True)
class Undone:
    """A task that is open again, and what its outcome had stopped."""

    task: Task
    runs: Resumed


@transaction.atomic
def undo_outcome(who: Actor, outcome_id: int, *, now: datetime, today: date) -> Undone:
    """Take back an outcome of the same day while nothing followed from it; the task is open again.

    Playbooks that it stopped go on where they stood, unless something else happened since.
    """
    outcome = Outcome.objects.select_for_update().select_related("task").filter(pk=outcome_id).first()
    if outcome is None:
        raise UndoRefused("This outcome was taken back already.")
    if outcome.logged_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date() != today:
        raise UndoRefused("Only an outcome of today can be taken back. Make a new task instead.")
    task, problem = outcome.task, withdraw(outcome, today=today)
    if problem:
        raise UndoRefused(problem)
    before, key = values_of(outcome), outcome_key(outcome)
    outcome.delete()
    task.state, task.closed_at, task.closed_why = Task.State.OPEN, None, ""
    task.version += 1
    task.save(update_fields=["state", "closed_at", "closed_why", "version"])
    record(
        who,
        at=now,
        action="outcome.undone",
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: took back the outcome",
        before=before,
    )
    return Undone(task, resume_runs(who, task.customer_id, key, now))


def values_of(outcome: Outcome) -> dict[str, str | None]:
    """What the audit log keeps of an outcome."""
    on = outcome.follow_up_on
    return {
        "contact": outcome.contact,
        "issue": outcome.issue,
        "result": outcome.result,
        "note": outcome.note,
        "follow_up_on": on.isoformat() if on else None,
    }


def outcome_words(outcome: Outcome) -> str:
    """An outcome in one line: Reached · Payment · Resolved."""
    return f"{outcome.get_contact_display()} · {outcome.get_issue_display()} · {outcome.get_result_display()}"


def _check(said: _Said, today: date) -> None:
    problems = {
        name: f"Choose {what}."
        for name, what, choices in (
            ("contact", "what happened", Outcome.Contact),
            ("issue", "what the issue was", Outcome.Issue),
            ("result", "what came of it", Outcome.Result),
        )
        if getattr(said, name) not in choices.values
    }
    if said.result == Outcome.Result.FOLLOW_UP:
        problems |= _date_problem(said.follow_up_on, today)
    if len(said.note) > NOTE_LONGEST:
        problems["note"] = f"A note has at most {NOTE_LONGEST:,} characters."
    if problems:
        raise OutcomeInvalid(problems)


def _date_problem(chosen: date | None, today: date) -> dict[str, str]:
    if chosen is None:
        return {"follow_up_on": "Choose the day of the follow-up."}
    if chosen <= today:
        return {"follow_up_on": "The follow-up must be after today."}
    if (chosen - today).days > FARTHEST_DAYS:
        return {"follow_up_on": "The follow-up must be within a year."}
    return {}


def _known(task_id: int) -> Known:
    """What is true of the customer at this moment; read before the transaction, which then is short."""
    task = Task.objects.filter(pk=task_id).only("customer_id", "conditions").first()
    if task is None:
        return Known(None, ())
    here = workspace()
    try:
        model, situation = published_model(here), situation_now(here, task.customer_id)
    except NothingPublished:
        return Known(None, tuple(task.conditions))
    true = situation.true if situation is not None else frozenset()
    return Known(model, tuple(sorted({*true, *task.conditions})))


def _claimed(task_id: int, version: int, now: datetime) -> Task:
    """The task, closed by this transaction alone: the conditional update lets one of two win."""
    unchanged = Task.objects.filter(pk=task_id, version=version, state__in=OPEN_STATES)
    won = unchanged.update(
        state=Task.State.DONE, closed_at=now, closed_why="Outcome logged", snoozed_until=None, version=F("version") + 1
    )
    if won:
        return Task.objects.get(pk=task_id)
    task = Task.objects.select_related("outcome__logged_by", "assignee").filter(pk=task_id).first()
    if task is None:
        raise OutcomeInvalid({"task": "This task is not there any more."})
    raise OutcomeConflict(conflict_words(task), task)


def conflict_words(task: Task) -> str:
    """Who did what to a task that is not as somebody saw it."""
    outcome = getattr(task, "outcome", None)
    if outcome is not None:
        by = outcome.logged_by.shown_name if outcome.logged_by else "Somebody"
        return f"{by} has logged an outcome for this task already: {outcome_words(outcome)}. Yours was not saved."
    last = AuditEntry.objects.filter(object_kind="task", object_id=str(task.pk)).first()
    if last is None:
        return "This task has changed since you opened it. Look at it again; your outcome was not saved."
    return f"This task has changed since you opened it ({last.actor_name}: {last.summary}). Your outcome was not saved."


def _record(who: Actor, outcome: Outcome, now: datetime) -> None:
    record(
        who,
        at=now,
        action="outcome.logged",
        kind="task",
        object_id=outcome.task.pk,
        customer_id=outcome.customer_id,
        summary=f"{outcome.task.title}: {outcome_words(outcome)}",
        after=values_of(outcome),
    )
