"""What people ask the worker for: a run now, a range of days, a load, something once more."""

from datetime import date, datetime
from typing import Any, Final

from keepwell.services.team.audit import Actor
from keepwell.services.team.jobs import WAITING, job_enqueue
from keepwell.store.models import Job

MOST_DAYS: Final = 1100
AGAIN: Final = (Job.State.FAILED, Job.State.CANCELLED, Job.State.PROBLEMS)


class JobRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """Work that cannot be asked for; the message says why."""


def run_ask(who: Actor, *, day: date, today: date, now: datetime) -> Job:
    """A run of a day now; the one that waits or runs already, where there is one."""
    if day > today:
        raise JobRefused(f"{day} has not come yet; today is {today}.")
    standing = Job.objects.filter(kind=Job.Kind.DAILY, as_of=day, state__in=WAITING).first()
    if standing is not None:
        return standing
    job, made = job_enqueue(who, kind=Job.Kind.DAILY, key=day.isoformat(), as_of=day, now=now)
    return job if made else job_enqueue(who, kind=Job.Kind.DAILY, key=_once(str(day), now), as_of=day, now=now)[0]


def backfill_ask(who: Actor, *, first: date, last: date, today: date, now: datetime) -> Job:
    """Every day of a range, computed and published; tasks are opened by daily runs alone."""
    if last < first:
        raise JobRefused(f"The range ends ({last}) before it begins ({first}).")
    if last > today:
        raise JobRefused(f"{last} has not come yet; today is {today}.")
    if (last - first).days >= MOST_DAYS:
        raise JobRefused(f"At most {MOST_DAYS:,} days at once; ask for the rest afterwards.")
    arguments = {"first": first.isoformat(), "last": last.isoformat()}
    return _ask(who, Job.Kind.BACKFILL, f"{first} to {last}", arguments, now, as_of=last)


def load_ask(who: Actor, *, now: datetime) -> Job:
    """Load what lies in the inbox and show it, without computing a day."""
    return _ask(who, Job.Kind.LOAD, "inbox", {}, now)


def publish_ask(who: Actor, *, now: datetime) -> Job:
    """Write the copies that pages read anew."""
    return _ask(who, Job.Kind.PUBLISH, "pages", {}, now)


def job_again(who: Actor, job: Job, *, today: date, now: datetime) -> Job:
    """The same work once more, as a job of its own."""
    if job.state not in AGAIN:
        raise JobRefused("Only work that failed, was cancelled or met problems is done again.")
    if job.kind == Job.Kind.DAILY and job.as_of is not None:
        return run_ask(who, day=job.as_of, today=today, now=now)
    return _ask(who, Job.Kind(job.kind), job.key.split(" · ")[0], job.arguments, now, as_of=job.as_of)


def _ask(
    who: Actor, kind: Job.Kind, name: str, arguments: dict[str, Any], now: datetime, as_of: date | None = None
) -> Job:
    standing = Job.objects.filter(kind=kind, arguments=arguments, state=Job.State.QUEUED).first()
    if standing is not None:
        return standing
    return job_enqueue(who, kind=kind, key=_once(name, now), as_of=as_of, arguments=arguments, now=now)[0]


def _once(name: str, now: datetime) -> str:
    """A key for work that is wanted as often as it is asked for."""
    return f"{name} · asked {now:%Y-%m-%d %H:%M:%S.%f}"
