"""Work in the background: rows that one worker claims, keeps alive, and finishes; every change is a conditional one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from keepwell.services.team.audit import Actor, record
from keepwell.store.models import Job

State = Job.State
HEART_STOPPED: Final = timedelta(seconds=60)
"""After this long without a beat, a running job is taken over."""
MOST_ATTEMPTS: Final = 3
BACKOFF: Final = (timedelta(minutes=5), timedelta(minutes=15))
WAITING: Final = (State.QUEUED, State.RUNNING)
SHOWN_ERROR: Final = 4000


@dataclass(frozen=True)
class Claim:
    """One attempt at a job. Whoever was taken over holds an old one, with which nothing can be written any more."""

    job_id: int
    attempt: int

    def rows(self) -> "QuerySet[Job]":
        """The job while this attempt still counts, else nothing."""
        return Job.objects.filter(pk=self.job_id, attempts=self.attempt, state=State.RUNNING)


@dataclass(frozen=True)
class Done:
    """What a job did. With `problems` people should look at the warnings."""

    counts: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    problems: bool = False
    result: Any = None


@transaction.atomic
def job_enqueue(
    who: Actor,
    *,
    kind: Job.Kind | str,
    key: str,
    now: datetime,
    as_of: Any = None,
    arguments: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> tuple[Job, bool]:
    """A job that happens once for its kind and key, and whether it is new; the one that is there already otherwise.

    The worker takes it up within seconds. What a person asks for is written to the audit log.
    """
    fields = {
        "as_of": as_of,
        "arguments": arguments or {},
        "due_at": due_at or now,
        "requested_by": who.person,
        "step": "Waiting for the worker",
    }
    job, made = Job.objects.get_or_create(kind=kind, key=key[:120], defaults=fields)
    if made and who.person is not None:
        _recorded(who, job, "job.asked", f"Asked for: {job}", now)
    return job, made


def job_claim(worker: str, now: datetime) -> Job | None:
    """The next job for a worker, its own from now on; None when there is none, or another one is being worked on.

    Jobs write to one warehouse, so they are worked on one after the other, whatever the number of workers.
    """
    with transaction.atomic():
        _end_given_up(now)
        if Job.objects.filter(state=State.RUNNING).exclude(_stopped(now)).exists():
            return None
        job = _locked(Job.objects.filter(_stopped(now) | Q(state=State.QUEUED, due_at__lte=now))).first()
        if job is None:
            return None
        same = Job.objects.filter(pk=job.pk, state=job.state, attempts=job.attempts)
        taken = same.update(
            state=State.RUNNING,
            attempts=job.attempts + 1,
            claimed_by=worker[:120],
            claimed_at=now,
            heartbeat_at=now,
            finished_at=None,
            step="Starting",
            progress=0,
            error="",
        )
    return Job.objects.get(pk=job.pk) if taken else None


def job_beat(claim: Claim, now: datetime) -> bool:
    """Say that the attempt is alive; returns whether it should go on (not taken over, not to be cancelled)."""
    return bool(claim.rows().filter(cancel_requested=False).update(heartbeat_at=now))


def job_wanted(claim: Claim) -> bool:
    """Whether the attempt should go on."""
    return claim.rows().filter(cancel_requested=False).exists()


def job_step(claim: Claim, step: str, progress: float) -> bool:
    """Say what is being done and how much of it; returns whether the attempt still counts."""
    return bool(claim.rows().update(step=step[:160], progress=min(1.0, max(0.0, progress))))


def job_finish(claim: Claim, done: Done, now: datetime) -> bool:
    """Write down what a job did; returns whether the attempt still counted."""
    return _end(
        claim,
        now,
        state=State.PROBLEMS if done.problems else State.DONE,
        step="",
        progress=1,
        counts=done.counts,
        warnings=list(done.warnings),
        result=done.result,
    )


def job_fail(claim: Claim, error: str, now: datetime, *, again: bool = False) -> bool:
    """Write down a failure. A daily run, or with `again` any job, is tried again later, three times in all."""
    job = claim.rows().first()
    if job is None:
        return False
    text = error.strip()[:SHOWN_ERROR] or "It failed without a message."
    if (again or job.kind == Job.Kind.DAILY) and job.attempts < MOST_ATTEMPTS:
        due = now + BACKOFF[min(job.attempts, len(BACKOFF)) - 1]
        waits = {"state": State.QUEUED, "due_at": due, "step": "Will be tried again", "error": text}
        return bool(claim.rows().update(progress=0, heartbeat_at=None, **waits))
    return _end(claim, now, state=State.FAILED, step="", error=text)


def job_release(claim: Claim, now: datetime) -> bool:
    """Give a job back unfinished, because its worker stops: the next one begins at once, and no attempt is lost."""
    waits = {"state": State.QUEUED, "due_at": now, "step": "Waiting for the worker"}
    return bool(claim.rows().update(attempts=claim.attempt - 1, progress=0, heartbeat_at=None, **waits))


def job_cancelled(claim: Claim, now: datetime) -> bool:
    """Write down that a job was stopped because somebody asked for it."""
    wanted = claim.rows().filter(cancel_requested=True)
    return bool(wanted.update(state=State.CANCELLED, finished_at=now, step="", error=""))


@transaction.atomic
def job_cancel(who: Actor, job_id: int, now: datetime) -> bool:
    """Cancel a job: at once while it waits, within seconds while it runs; returns whether there was anything to do."""
    waiting = Job.objects.filter(pk=job_id, state=State.QUEUED)
    running = Job.objects.filter(pk=job_id, state=State.RUNNING, cancel_requested=False)
    stopped = waiting.update(state=State.CANCELLED, finished_at=now, step="", cancel_requested=True)
    asked = stopped or running.update(cancel_requested=True, step="Being cancelled")
    if asked:
        job = Job.objects.get(pk=job_id)
        _recorded(who, job, "job.cancelled", f"Cancelled: {job}", now)
    return bool(asked)


def _end(claim: Claim, now: datetime, **values: Any) -> bool:
    return bool(claim.rows().update(finished_at=now, **values))


def _stopped(now: datetime) -> Q:
    """Running, but nobody has heard of it for a while. A beat from the future is of a clock that was set back."""
    silent = Q(heartbeat_at__lt=now - HEART_STOPPED) | Q(heartbeat_at__gt=now + HEART_STOPPED)
    return Q(state=State.RUNNING) & (silent | Q(heartbeat_at__isnull=True))


def _end_given_up(now: datetime) -> None:
    """Jobs whose heart stopped and that nobody should begin again."""
    stopped = Job.objects.filter(_stopped(now))
    stopped.filter(cancel_requested=True).update(state=State.CANCELLED, finished_at=now, step="")
    stopped.filter(attempts__gte=MOST_ATTEMPTS).update(
        state=State.FAILED,
        finished_at=now,
        step="",
        error=f"The worker stopped in the middle of it {MOST_ATTEMPTS} times. Look at its log: memory may be short.",
    )


def _locked(jobs: "QuerySet[Job]") -> "QuerySet[Job]":
    """In the order of their due times; locked where the database can, so that two workers look at different rows."""
    ordered = jobs.order_by("due_at", "pk")
    return ordered.select_for_update(skip_locked=True) if connection.features.has_select_for_update else ordered


def _recorded(who: Actor, job: Job, action: str, summary: str, now: datetime) -> None:
    after = {"kind": job.kind, "key": job.key, **({"arguments": job.arguments} if job.arguments else {})}
    record(who, at=now, action=action, kind="job", object_id=job.pk, summary=summary, after=after)
