"""The last days of a demo, lived through: daily runs as jobs, and what the demo's people did about their tasks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from keepwell.services.reading import read_published
from keepwell.services.team.actions import DELIVERIES, TURNS, actions_turn
from keepwell.services.team.alerting import alerts as alerting
from keepwell.services.team.audit import actor
from keepwell.services.team.demo_people import BUILDER, DemoPerson, demo_people_make
from keepwell.services.team.jobs import job_claim, job_enqueue
from keepwell.services.team.outcomes import log_outcome
from keepwell.services.team.perform import perform
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.schedule import run_moment
from keepwell.services.team.settings import RUN_TIME
from keepwell.services.team.task_changes import Seen, snooze
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Alert, Job, Outcome, Person, Role, Task

Clock = Callable[[datetime], Callable[[], datetime]]
"""Given a moment, a clock that goes on from it."""

A_DAY: Final = 12
"""How many outcomes a CSM logs on a day."""
BEGINS: Final = time(9, 20)
APART: Final = timedelta(minutes=24)
AT_ONCE: Final = (time(9, 5),)
HOUR: Final = timedelta(hours=1)
LATER: Final = (time(13), time(17, 30), time(20))
"""When the demo's playbooks move: right after a run, and on what people and timers did later in the day."""
FOLLOWS_AFTER: Final = (1, 2, 3, 7)
SETTLED: Final = "Talked to them; they know what to do next."
SNOOZED: Final = "Waits for their quarterly planning"


@dataclass(frozen=True)
class Said:
    """What comes of a task in the demo."""

    contact: str
    issue: str
    result: str
    note: str


_C, _I, _R = Outcome.Contact, Outcome.Issue, Outcome.Result
STORY: Final = (
    Said(_C.REACHED, _I.USAGE, _R.RESOLVED, "New office manager. Walked her through lead routing."),
    Said(_C.VOICEMAIL, _I.PAYMENT, _R.FOLLOW_UP, "Card expired. Left a message with the billing link."),
    Said(_C.EMAIL, _I.USAGE, _R.FOLLOW_UP, "Sent the re-engagement mail with two listings templates."),
    Said(_C.REACHED, _I.TECHNICAL, _R.RESOLVED, "Portal sync was off since their move. Switched it on together."),
    Said(_C.REACHED, _I.PAYMENT, _R.RESOLVED, "Invoice went to the old address; corrected, they paid on the phone."),
    Said(_C.REACHED, _I.USAGE, _R.FOLLOW_UP, "Wants to see campaigns. Demo with both partners is booked."),
    Said(_C.VOICEMAIL, _I.USAGE, _R.FOLLOW_UP, "No answer twice. Trying again after their fair."),
    Said(_C.EMAIL, _I.TECHNICAL, _R.RESOLVED, "Calendar bug is fixed in their version; they confirmed."),
    Said(_C.REACHED, _I.USAGE, _R.RESOLVED, "Happy. Asked for a second seat package next quarter."),
    Said(_C.VOICEMAIL, _I.PAYMENT, _R.FOLLOW_UP, "Accounting is on holiday until next week."),
    Said(_C.REACHED, _I.USAGE, _R.LOST, "Closing the branch at the end of the month. Nothing to be done."),
)  # fmt: skip


def demo_days(
    workspace: Workspace, days: Sequence[date], *, clock: Clock, until: datetime | None = None
) -> dict[str, Any]:
    """Make the demo's people and live through some days: the run at nine, then calls; on the last day the run alone.

    The last day goes on `until` the moment at which somebody looks, so that nothing is overdue then. Returns what the
    last run said. Raises WorkspaceError when a run fails.
    """
    began = run_moment(days[0], RUN_TIME, workspace.zone) - timedelta(days=1)
    cast = demo_people_make(_owners(workspace), now=began)
    _switch_on(workspace, began)
    story, last = count(), Job()
    for day in days:
        last = _run(workspace, day, clock)
        _act(workspace, day, AT_ONCE)
        if day != days[-1]:
            _work(cast, day, workspace.zone, story)
            _act(workspace, day, LATER)
    for moment in hours_until(datetime.combine(days[-1], AT_ONCE[-1], ZoneInfo(workspace.zone)), until):
        _turns(workspace, moment)
    return {**(last.result or {}), **last.counts}


def _owners(workspace: Workspace) -> list[str]:
    rows = read_published(workspace).rows(["owner_email"])
    return sorted({row["owner_email"] for row in rows if row["owner_email"]})


def _run(workspace: Workspace, day: date, clock: Clock) -> Job:
    now = clock(run_moment(day, RUN_TIME, workspace.zone))
    job_enqueue(BUILDER, kind=Job.Kind.DAILY, key=day.isoformat(), as_of=day, now=now())
    job = job_claim("demo", now())
    if job is None or job.as_of != day:
        raise WorkspaceError(f"{workspace.root}: another worker is busy here; the demo cannot run {day}")
    perform(workspace, job, now=now)
    job.refresh_from_db()
    if job.state not in (Job.State.DONE, Job.State.PROBLEMS):
        raise WorkspaceError(f"{workspace.root}: {job}: {job.error}")
    return job


def _switch_on(workspace: Workspace, now: datetime) -> None:
    """CS-ops switches on what the model has; channels stay dry runs, so nothing leaves."""
    ops = Person.objects.filter(role=Role.OPS).order_by("pk").first()
    who = BUILDER if ops is None else actor(ops)
    for name in sorted(workspace.model().model.playbooks):
        switch(who, workspace, name, True, now)


def _act(workspace: Workspace, day: date, moments: Sequence[time]) -> None:
    """What the worker does between runs: playbooks move, alerts run, the outbox is rehearsed."""
    for moment in moments:
        _turns(workspace, datetime.combine(day, moment, ZoneInfo(workspace.zone)))


def _turns(workspace: Workspace, now: datetime) -> None:
    while actions_turn(workspace, now, "demo", turns=(*TURNS, *DELIVERIES)):
        pass


def hours_until(begin: datetime, until: datetime | None) -> Iterator[datetime]:
    """Every hour after a moment, and the last one: what is due meanwhile happens about when it should."""
    moment = begin + HOUR
    while until is not None and moment < until:
        yield moment
        moment += HOUR
    if until is not None and until > begin:
        yield until


def _work(cast: Sequence[DemoPerson], day: date, zone: str, story: Iterator[int]) -> None:
    """Each CSM works down the own queue from the top, and puts one task away."""
    for one in cast:
        if one.role != Role.CSM:
            continue
        person = Person.objects.get(email=one.email)
        moment = datetime.combine(day, BEGINS, ZoneInfo(zone))
        _alerts(person, one.owner, moment - APART / 2)
        for task in _queue(one.owner)[:A_DAY]:
            _log(person, task, STORY[next(story) % len(STORY)], moment, day)
            moment += APART
        for task in _queue(one.owner)[:1]:
            until = day + timedelta(days=10)
            snooze(actor(person), [Seen(task.pk, task.version)], until=until, reason=SNOOZED, now=moment, today=day)


def _alerts(person: Person, owner: str, now: datetime) -> None:
    """What was taken up the day before is settled, what is new is taken up."""
    mine = Alert.objects.filter(owner_email=owner).order_by("pk")
    for state, settle in ((Alert.State.ACKNOWLEDGED, True), (Alert.State.OPEN, False)):
        seen = [alerting.Seen(alert.pk, alert.version) for alert in mine.filter(state=state)]
        if settle and seen:
            alerting.resolve(actor(person), seen, why=SETTLED, now=now)
        elif seen:
            alerting.acknowledge(actor(person), seen, now=now)


def _queue(owner: str) -> list[Task]:
    mine = Task.objects.filter(owner_email=owner, state=Task.State.OPEN)
    return list(mine.order_by("priority", "-money", "renewal_on", "pk")[: A_DAY * 2])


def _log(person: Person, task: Task, said: Said, now: datetime, day: date) -> None:
    # An outcome of an earlier task of the same customer may have closed this one.
    task = Task.objects.get(pk=task.pk)
    if task.state != Task.State.OPEN:
        return
    later = day + timedelta(days=FOLLOWS_AFTER[task.pk % len(FOLLOWS_AFTER)])
    log_outcome(
        actor(person),
        task.pk,
        version=task.version,
        contact=said.contact,
        issue=said.issue,
        result=said.result,
        note=said.note,
        follow_up_on=later if said.result == Outcome.Result.FOLLOW_UP else None,
        now=now,
        today=day,
    )
