"""The worker: asks what is due, claims one job at a time, keeps it alive, stops it when somebody asks."""

import logging
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import DatabaseError, close_old_connections, connections

from keepwell.services.team.audit import Actor
from keepwell.services.team.here import workspace
from keepwell.services.team.jobs import (
    Claim,
    job_beat,
    job_cancelled,
    job_claim,
    job_enqueue,
    job_fail,
    job_release,
    job_wanted,
)
from keepwell.services.team.named_values import remember, remembered
from keepwell.services.team.schedule import due_run
from keepwell.services.team.settings import team_settings
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import Job

LOG: Final = logging.getLogger("keepwell.worker")
HEARTBEAT: Final = "worker.heartbeat"
LOOK_SECONDS: Final = 1.0
BEAT_EVERY: Final = timedelta(seconds=5)
SCHEDULE_EVERY: Final = timedelta(seconds=15)
END_SECONDS: Final = 10.0
SILENT: Final = timedelta(minutes=2)
"""A worker that was not heard of for so long is taken for gone."""

Now = Callable[[], datetime]
Command = Callable[[Job], Sequence[str]]


def worker_name() -> str:
    """What tells this worker from others."""
    return f"{socket.gethostname()} {os.getpid()}"


def work(stop: threading.Event, *, now: Now, command: Command) -> None:
    """Work until `stop` is set. `command` starts a job's process; a database that is away is waited for."""
    worker = Worker(worker_name(), now, command)
    LOG.info("worker %s started", worker.name)
    try:
        while not stop.is_set():
            try:
                close_old_connections()
                worker.turn(stop)
            except DatabaseError as error:
                LOG.error("the application database does not answer: %s", str(error).strip())
            except (WorkspaceError, OSError) as error:
                LOG.error("%s", error)
            stop.wait(LOOK_SECONDS)
    finally:
        connections.close_all()
        LOG.info("worker %s stopped", worker.name)


@dataclass
class Worker:
    """One worker: its name, its clock, and when it last looked at the schedule."""

    name: str
    now: Now
    command: Command
    _looked: datetime | None = field(default=None, init=False)

    def turn(self, stop: threading.Event) -> bool:
        """Look once: put what is due into the queue, and work on the next job; returns whether there was one."""
        now = self.now()
        if self._looked is None or abs(now - self._looked) >= SCHEDULE_EVERY:
            beat(self.name, now)
            schedule(now)
            self._looked = now
        job = job_claim(self.name, now)
        if job is None:
            return False
        LOG.info("%s begins (attempt %s)", job, job.attempts)
        self._run(job, stop)
        return True

    def _run(self, job: Job, stop: threading.Event) -> None:
        claim = Claim(job.pk, job.attempts)
        try:
            process = subprocess.Popen(self.command(job), start_new_session=True)  # noqa: S603 - our own program
        except OSError as error:
            job_fail(claim, f"The job's process could not be started: {error}", self.now())
            return
        try:
            self._attend(process, claim, stop)
        finally:
            end(process)
        self._settle(process, claim, stop)

    def _attend(self, process: "subprocess.Popen[bytes]", claim: Claim, stop: threading.Event) -> None:
        """Keep the job alive until its process ends, or has to."""
        beaten: datetime | None = None
        while not stop.is_set():
            try:
                process.wait(timeout=LOOK_SECONDS)
                return
            except subprocess.TimeoutExpired:
                pass
            try:
                now = self.now()
                due = beaten is None or abs(now - beaten) >= BEAT_EVERY
                if not (job_beat(claim, now) if due else job_wanted(claim)):
                    return
                if due:
                    beat(self.name, now)
                    beaten = now
            except DatabaseError as error:
                LOG.error("the application database does not answer: %s", str(error).strip())
                close_old_connections()

    def _settle(self, process: "subprocess.Popen[bytes]", claim: Claim, stop: threading.Event) -> None:
        """What the process did not write down itself, because it was ended or ended badly."""
        now = self.now()
        if job_cancelled(claim, now):
            LOG.info("job %s was cancelled", claim.job_id)
        elif stop.is_set():
            job_release(claim, now)
        elif job_fail(claim, _ended(process.returncode), now):
            LOG.error("job %s: %s", claim.job_id, _ended(process.returncode))


def schedule(now: datetime) -> Job | None:
    """Put the daily run that is due into the queue, once; returns it when it is new."""
    here = workspace()
    settings = team_settings(here)
    if not settings.daily_runs:
        return None
    due = due_run(run_time=settings.run_time, zone=here.zone, last_published=here.snapshots.latest(), now=now)
    if due is None:
        return None
    job, made = job_enqueue(Actor("worker"), kind=Job.Kind.DAILY, key=due.key, as_of=due.day, now=now)
    return job if made else None


def beat(name: str, now: datetime) -> None:
    """Say that a worker is there."""
    value = {"at": now.isoformat(), "worker": name}
    remember(HEARTBEAT, value)


@dataclass(frozen=True)
class WorkerSeen:
    """When the last worker was heard of."""

    name: str
    at: datetime
    alive: bool


def worker_seen(now: datetime) -> WorkerSeen | None:
    """The worker that was heard of last; None when none ever was."""
    seen = remembered(HEARTBEAT)
    if not seen:
        return None
    at = datetime.fromisoformat(seen["at"])
    return WorkerSeen(seen["worker"], at, abs(now - at) <= SILENT)


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process: politely, then for certain."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"The job's process was ended by signal {-code}; memory may be short. The worker's log has the details."
    return f"The job's process ended with code {code} and wrote no result. The worker's log has the details."
