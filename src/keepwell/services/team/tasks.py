"""The day's tasks: what a published day calls for is opened, what it no longer calls for is closed. Repeatable."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.holds import record_end, why_ended
from keepwell.services.team.reasons import Situation
from keepwell.services.team.task_days import TaskCustomer, TaskDay, read_task_day
from keepwell.services.team.task_records import OPEN_STATES, TaskBook, read_book
from keepwell.services.team.wanted import Wanted, wanted_for_new, wanted_tasks
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Hold, Job, Task

QUIET_DAYS: Final = 7
"""For so long a play that was done stays quiet when nothing new is true and the model sets no time."""
WORKER: Final = "Keepwell"
NEW: Final = "New: "


@dataclass(frozen=True)
class TasksOpened:
    """What a run did to the queue; `kept` are the tasks that were open before and still are."""

    opened: int
    kept: int
    closed: int
    holds_ended: int


def open_tasks_from_run(workspace: Workspace, *, as_of: date, now: datetime, job: Job | None) -> TasksOpened:
    """Bring the queue up to date with a published day, in one transaction; running a day again changes nothing."""
    day = read_task_day(workspace, as_of)
    # Looked at before the transaction begins: whoever logs an outcome meanwhile does not wait for arithmetic.
    looked_at = [(customer, day.situation(customer)) for customer in day.customers.values()]
    calls = {s.customer_id: wanted_tasks(day.model, s) for _, s in looked_at if s is not None}
    with transaction.atomic():
        run = _Run(day, calls, read_book(now), now, ZoneInfo(workspace.zone), job)
        for customer, situation in looked_at:
            run.customer(customer, situation)
        run.vanished()
        return run.written()


@dataclass
class _Run:
    """One run over all customers: decides in memory, writes at the end."""

    day: TaskDay
    calls: Mapping[str, list[Wanted]]
    book: TaskBook
    now: datetime
    zone: ZoneInfo
    job: Job | None
    opened: list[Task] = field(default_factory=list)
    changed: dict[int, Task] = field(default_factory=dict)
    closed: dict[int, Task] = field(default_factory=dict)
    ended: list[tuple[Hold, str]] = field(default_factory=list)
    said: list[AuditEntry] = field(default_factory=list)

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def customer(self, customer: TaskCustomer, situation: Situation | None) -> None:
        """Decide for one customer; without a situation it has left."""
        tasks, hold = self.book.open_of(customer.customer_id), self.book.holds.get(customer.customer_id)
        lost = hold is not None and hold.kind == Hold.Kind.LOST
        if situation is None or lost:
            self.close(tasks, "The customer left" if situation is None else "Marked as lost")
            return
        self.refresh(customer, tasks)
        reopened = hold is not None and self.hold_ends(hold, situation)
        if hold is None or reopened:
            wanted, pending = self.wanted(situation, tasks)
            for one in wanted:
                self.want(customer, one, pending, situation, reopened=reopened)
            tasks = [task for task in tasks if task.pk not in self.closed]
            self.close_what_passed(situation, tasks, wanted)

    def hold_ends(self, hold: Hold, situation: Situation) -> bool:
        """Whether somebody's word that all is resolved ends today."""
        why = why_ended(hold, situation, self.today)
        if why:
            self.ended.append((hold, why))
        return bool(why)

    def wanted(self, situation: Situation, tasks: Sequence[Task]) -> tuple[list[Wanted], Task | None]:
        """What to open: while a follow-up is pending only what is new since it was arranged."""
        wanted = self.calls[situation.customer_id]
        pending = [task for task in tasks if task.kind == Task.Kind.FOLLOW_UP]
        if not pending:
            return wanted, None
        known = frozenset().union(*(task.conditions for task in pending))
        new = frozenset(reason.condition for reason in situation.new_since(known))
        about = [one for one in wanted if one.conditions & new]
        return about or wanted_for_new(situation, new), min(pending, key=lambda task: (task.due_at, task.pk))

    def want(
        self, customer: TaskCustomer, wanted: Wanted, pending: Task | None, situation: Situation, *, reopened: bool
    ) -> None:
        """Open a task, unless one is open (then it learns what is new) or it was done lately."""
        there = self.book.open_task(customer.customer_id, wanted.play)
        if there is not None:
            self.escalate(there, wanted, situation)
        elif not self.done_lately(customer, wanted, reopened=reopened):
            self.opened.append(self.task(customer, wanted, pending))

    def done_lately(self, customer: TaskCustomer, wanted: Wanted, *, reopened: bool) -> bool:
        """Whether the play had its turn: within the model's time, or just now and nothing new is true."""
        done = self.book.done.get((customer.customer_id, wanted.play))
        if done is None or done.closed_at is None:
            return False
        ago = self.now - done.closed_at
        if wanted.at_most_once_per_days is not None:
            return ago < timedelta(days=wanted.at_most_once_per_days)
        return not reopened and ago < timedelta(days=QUIET_DAYS) and wanted.conditions <= set(done.conditions)

    def task(self, customer: TaskCustomer, wanted: Wanted, pending: Task | None) -> Task:
        """The task as it is opened."""
        row = customer.row if customer.row is not None else 0
        return Task(
            customer_id=customer.customer_id,
            company=customer.company,
            owner_email=customer.owner_email,
            kind=wanted.kind,
            play=wanted.play,
            title=self.day.situations.title(wanted.title, row, customer.company)[:255],
            action=wanted.action[:255],
            segment=wanted.segment[:120],
            reasons=list(wanted.reasons),
            conditions=sorted(wanted.conditions),
            priority=wanted.priority,
            money=customer.money,
            renewal_on=customer.renewal_on,
            opened_on=self.today,
            opened_at=self.now,
            due_at=wanted.due(self.now, self.zone),
            linked_to=pending,
            opened_by_job=self.job,
        )

    def refresh(self, customer: TaskCustomer, tasks: Iterable[Task]) -> None:
        """Keep what orders the queue up to date, and wake what slept long enough. No version moves: nobody acted."""
        for task in tasks:
            new = (customer.company, customer.owner_email, customer.money, customer.renewal_on)
            if (task.company, task.owner_email, task.money, task.renewal_on) != new:
                task.company, task.owner_email, task.money, task.renewal_on = new
                self.changed[task.pk] = task
            if task.state == Task.State.SNOOZED and task.snoozed_until and task.snoozed_until <= self.today:
                self.wake(task)

    def wake(self, task: Task) -> None:
        """Put a snoozed task back into the queue."""
        task.state, task.snoozed_until = Task.State.OPEN, None
        self.changed[task.pk] = task

    def escalate(self, task: Task, wanted: Wanted, situation: Situation) -> None:
        """An open task says today's values, and learns of conditions that came true; then a snoozed one comes back."""
        new = [reason for reason in situation.new_since(task.conditions) if reason.condition in wanted.conditions]
        first = [reason.words for reason in new if reason.words]
        reasons = [*(f"{NEW}{words}" for words in first), *(words for words in wanted.reasons if words not in first)]
        # The same words keep their mark of being new: a run that is repeated says nothing else.
        if sorted(reasons) != sorted(text.removeprefix(NEW) for text in task.reasons):
            task.reasons = reasons
            self.changed[task.pk] = task
        if not new:
            return
        task.conditions = sorted({*task.conditions, *(reason.condition for reason in new)})
        task.due_at = min(task.due_at, wanted.due(self.now, self.zone))
        if task.state == Task.State.SNOOZED:
            self.wake(task)
        self.changed[task.pk] = task
        self.say(task, "task.escalated", "; ".join(f"{NEW}{words}" for words in first) or "new conditions are true")

    def close_what_passed(self, situation: Situation, tasks: Iterable[Task], wanted: Sequence[Wanted]) -> None:
        """Close tasks whose reason is gone, when nobody has touched them."""
        plays = {one.play: one for one in wanted}
        for task in tasks:
            if task.version > 1 or task.play in plays:
                continue
            why = _passed(task, situation, wanted)
            if why:
                self.close([task], why)

    def vanished(self) -> None:
        """Close tasks of customers that are in the data no longer."""
        gone = [task for task in self.book.open.values() if task.customer_id not in self.day.customers]
        self.close(gone, "The customer is in the data no longer")

    def close(self, tasks: Iterable[Task], why: str) -> None:
        """Cancel tasks that nobody needs to do any more."""
        for task in tasks:
            task.state, task.closed_at, task.closed_why = Task.State.CANCELLED, self.now, why
            task.version += 1
            self.closed[task.pk] = task
            self.changed.pop(task.pk, None)
            self.say(task, "task.cancelled", why)

    def say(self, task: Task, action: str, why: str) -> None:
        """An audit row for what happened to one task."""
        self.said.append(
            AuditEntry(
                at=self.now,
                actor_name=WORKER,
                action=action,
                object_kind="task",
                object_id=str(task.pk),
                customer_id=task.customer_id,
                summary=f"{task.title}: {why}"[:500],
            )
        )

    def written(self) -> TasksOpened:
        """Write everything down."""
        before = Task.objects.filter(state__in=OPEN_STATES).count()
        _update(self.changed.values(), _REFRESHED)
        _update(self.closed.values(), _CLOSED)
        # What another run opened meanwhile stays: one open task per customer and play is the table's own rule.
        Task.objects.bulk_create(self.opened, batch_size=200, ignore_conflicts=True)
        after = Task.objects.filter(state__in=OPEN_STATES).count()
        for hold, why in self.ended:
            Hold.objects.filter(pk=hold.pk, ended_on=None).update(ended_on=self.today, ended_why=why[:255])
            record_end(Actor(WORKER), hold, why, self.now)
        AuditEntry.objects.bulk_create(self.said, batch_size=200)
        counts = TasksOpened(
            after - before + len(self.closed), before - len(self.closed), len(self.closed), len(self.ended)
        )
        self.tell(counts)
        return counts

    def tell(self, counts: TasksOpened) -> None:
        """One audit row for the whole run, when it changed something."""
        if not (counts.opened or counts.closed or counts.holds_ended):
            return
        record(
            Actor(WORKER),
            at=self.now,
            action="tasks.opened",
            kind="job" if self.job else "run",
            object_id=self.job.pk if self.job else self.day.as_of.isoformat(),
            summary=f"{counts.opened} tasks opened, {counts.closed} closed by the day of {self.day.as_of}",
            after=vars(counts),
        )


_REFRESHED: Final = (
    "company", "owner_email", "money", "renewal_on", "state", "snoozed_until", "reasons", "conditions", "due_at",
)  # fmt: skip
_CLOSED: Final = ("state", "closed_at", "closed_why", "version")


def _update(tasks: Iterable[Task], fields: Sequence[str]) -> None:
    """Write some columns of tasks that are there; laying rows over rows is many times as fast as `bulk_update`."""
    Task.objects.bulk_create(
        list(tasks), batch_size=200, update_conflicts=True, unique_fields=["id"], update_fields=fields
    )


def _passed(task: Task, situation: Situation, wanted: Sequence[Wanted]) -> str:
    """Why a task is needed no longer; empty while it is."""
    if task.kind == Task.Kind.SEGMENT and (situation.primary is None or situation.primary.name != task.segment):
        return f"No longer in the segment ({situation.primary.label if situation.primary else 'none'} now)"
    if task.kind != Task.Kind.SIGNAL:
        return ""
    if task.play not in {signal.name for signal in situation.signals}:
        return "The signal is off again"
    over = next((one for one in wanted if set(task.conditions) <= one.conditions), None)
    return f"Now part of: {over.action or over.play}" if over else ""
