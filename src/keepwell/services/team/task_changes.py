"""What people do with tasks beside logging outcomes: snooze, reassign, take off the list, make by hand."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from keepwell.services.published import PortfolioRow
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.store.models import Person, Task

SNOOZE_FARTHEST: Final = 366
MANUAL: Final = "manual:"
MANUAL_PRIORITY: Final = 3
CLOSE_OF_DAY: Final = time(17)


class TaskRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """Something that cannot be done with a task; the message says why and what to do."""


@dataclass(frozen=True)
class Seen:
    """A task as a person saw it: a later version means that somebody changed it meanwhile."""

    pk: int
    version: int | None = None


def snooze(
    who: Actor, tasks: Sequence[Seen], *, until: date | None, reason: str, now: datetime, today: date
) -> list[Task]:
    """Put tasks away until a day, with a reason; new conditions bring them back earlier. All or none."""
    text = reason.strip()
    if until is None or until <= today:
        raise TaskRefused("Choose a day after today.")
    if (until - today).days > SNOOZE_FARTHEST:
        raise TaskRefused("A task can be snoozed for at most a year.")
    if not text:
        raise TaskRefused("Say why it can wait: whoever looks next wants to know.")

    def change(task: Task) -> str:
        task.state, task.snoozed_until, task.snooze_reason = Task.State.SNOOZED, until, text[:255]
        return f"snoozed until {until}: {text}"

    return _each(who, tasks, "task.snoozed", change, now)


def wake(who: Actor, tasks: Sequence[Seen], *, now: datetime) -> list[Task]:
    """Put snoozed tasks back into the queue."""

    def change(task: Task) -> str:
        task.state, task.snoozed_until, task.snooze_reason = Task.State.OPEN, None, ""
        return "back in the queue"

    return _each(who, tasks, "task.woken", change, now)


def reassign(who: Actor, tasks: Sequence[Seen], *, to: Person | None, now: datetime) -> list[Task]:
    """Give tasks to a person, or back to the owners of their customers."""
    if to is not None and not to.is_active:
        raise TaskRefused(f"{to.shown_name} has left; choose somebody else.")

    def change(task: Task) -> str:
        task.assignee = to
        return f"given to {to.shown_name}" if to else "given back to the customer's owner"

    return _each(who, tasks, "task.assigned", change, now)


def mark_done(who: Actor, tasks: Sequence[Seen], *, now: datetime, why: str = "") -> list[Task]:
    """Take tasks off the list without an outcome: nothing is said about the customer, no touchpoint is counted."""

    def change(task: Task) -> str:
        task.state, task.closed_at = Task.State.DONE, now
        task.closed_why = (why.strip() or "Done without an outcome")[:255]
        return task.closed_why

    return _each(who, tasks, "task.done", change, now)


@transaction.atomic
def add_manual(
    who: Actor,
    customer: PortfolioRow,
    *,
    title: str,
    due_on: date | None,
    to: Person | None,
    now: datetime,
    today: date,
) -> Task:
    """A task made by hand; the caller has checked that the actor may see the customer."""
    text = title.strip()
    if not text:
        raise TaskRefused("Say what is to be done.")
    if due_on is None or due_on < today:
        raise TaskRefused("Choose the day by which it should be done, today or later.")
    task = Task.objects.create(
        customer_id=customer.customer_id,
        company=customer.name[:255],
        owner_email=(customer.owner_email or "").strip().lower(),
        kind=Task.Kind.MANUAL,
        play=f"{MANUAL}{now:%Y%m%d%H%M%S%f}",
        title=text[:255],
        segment=(customer.segment or "")[:120],
        priority=MANUAL_PRIORITY,
        money=None if customer.mrr is None else Decimal(str(round(customer.mrr, 2))),
        renewal_on=customer.renewal_date,
        opened_on=today,
        opened_at=now,
        due_at=datetime.combine(due_on, CLOSE_OF_DAY, ZoneInfo(settings.TIME_ZONE)),
        assignee=to,
    )
    _record(who, task, "task.opened", f"made by hand, due {due_on}", now, None)
    return task


@transaction.atomic
def _each(who: Actor, tasks: Sequence[Seen], action: str, change: Callable[[Task], str], now: datetime) -> list[Task]:
    seen = {one.pk: one.version for one in tasks}
    found = list(Task.objects.select_for_update().filter(pk__in=seen).order_by("pk"))
    if len(found) < len(seen):
        raise TaskRefused("Some of these tasks are not there any more. Reload the page; nothing was changed.")
    for task in found:
        _still_open(task, seen[task.pk])
        before = _values(task)
        why = change(task)
        task.version += 1
        task.save()
        _record(who, task, action, why, now, before)
    return found


def _still_open(task: Task, version: int | None) -> None:
    if task.state not in OPEN_STATES:
        raise TaskRefused(f"“{task.title}” is {task.get_state_display().lower()} already. Nothing was changed.")
    if version is not None and version != task.version:
        raise TaskRefused(f"“{task.title}” was changed by somebody else meanwhile. Look at it again.")


def _values(task: Task) -> dict[str, Any]:
    return {
        "state": task.state,
        "assignee": task.assignee.email if task.assignee else None,
        "snoozed_until": task.snoozed_until.isoformat() if task.snoozed_until else None,
    }


def _record(who: Actor, task: Task, action: str, why: str, now: datetime, before: dict[str, Any] | None) -> None:
    record(
        who,
        at=now,
        action=action,
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: {why}",
        before=before,
        after=_values(task),
    )
