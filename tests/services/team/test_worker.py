"""The worker: one process per job, kept alive, ended when asked, and never without a word in the job."""

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError

from keepwell.services.team import worker as worker_module
from keepwell.services.team.audit import Actor
from keepwell.services.team.jobs import Claim, Done, job_cancel, job_enqueue, job_finish
from keepwell.services.team.settings import settings_change
from keepwell.services.team.worker import Worker, schedule, work, worker_seen
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job
from tests.web import LAST, NOW

pytestmark = pytest.mark.django_db
SLEEPS = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]
WHO = Actor("somebody")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, published: Workspace) -> None:
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(worker_module, "END_SECONDS", 0.3)


def queued(kind: Job.Kind = Job.Kind.LOAD) -> Job:
    return job_enqueue(WHO, kind=kind, key="a", now=NOW - timedelta(days=1))[0]


def ticking(then: Callable[[], object], after: int = 12) -> Callable[[], datetime]:
    """A clock a second faster at every look; at one of them something happens."""
    moments: Iterator[int] = iter(range(1, 100_000))

    def now() -> datetime:
        number = next(moments)
        if number == after:
            then()
        return NOW + timedelta(seconds=number)

    return now


def idle(now: Callable[[], datetime], command: list[str]) -> Worker:
    """A worker that has looked at the schedule already."""
    made = Worker("one", now, lambda job: command)
    made._looked = NOW
    return made


@pytest.mark.parametrize("command", [SLEEPS, STUBBORN])
def test_a_running_job_is_cancelled_and_its_process_ends(command: list[str]) -> None:
    job = queued()
    now = ticking(lambda: job_cancel(WHO, job.pk, NOW))
    began = datetime.now(UTC)
    assert idle(now, command).turn(threading.Event())
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.CANCELLED, "")
    assert job.finished_at is not None
    assert datetime.now(UTC) - began < timedelta(seconds=20)


def test_a_worker_that_stops_gives_its_job_back() -> None:
    job, stop = queued(), threading.Event()
    idle(ticking(stop.set), SLEEPS).turn(stop)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.heartbeat_at) == (Job.State.QUEUED, 0, None)


@pytest.mark.parametrize(
    ("code", "words"), [("raise SystemExit(3)", "code 3"), ("import os; os.kill(os.getpid(), 9)", "signal 9")]
)
def test_a_process_that_says_nothing_fails_its_job(code: str, words: str) -> None:
    job = queued()
    idle(lambda: NOW, [sys.executable, "-c", code]).turn(threading.Event())
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert words in job.error


def test_a_killed_daily_run_is_tried_again() -> None:
    job = queued(Job.Kind.DAILY)
    idle(lambda: NOW, [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]).turn(threading.Event())
    job.refresh_from_db()
    assert (job.state, job.attempts) == (Job.State.QUEUED, 1)
    assert job.due_at > NOW


def test_a_program_that_is_not_there_fails_its_job() -> None:
    job = queued()
    idle(lambda: NOW, ["/there/is/no/such/program"]).turn(threading.Event())
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "could not be started" in job.error


def test_a_job_that_somebody_else_finished_is_left_alone() -> None:
    job = queued()
    now = ticking(lambda: job_finish(Claim(job.pk, 1), Done({"rows": 1}), NOW))
    idle(now, SLEEPS).turn(threading.Event())
    job.refresh_from_db()
    assert (job.state, job.counts) == (Job.State.DONE, {"rows": 1})


def test_the_run_of_a_day_is_put_into_the_queue_once(published: Workspace) -> None:
    later = NOW + timedelta(days=1)
    job = schedule(later)
    assert job is not None
    assert (job.key, job.as_of) == ("2026-07-01", date(2026, 7, 1))
    assert schedule(later + timedelta(hours=3)) is None
    assert schedule(NOW - timedelta(hours=1)) is None, "the day after is published already"
    assert Job.objects.count() == 1


def test_daily_runs_can_be_switched_off_and_moved(published: Workspace) -> None:
    given = {"weekly_touchpoints": 100, "upload_mb": 10}
    settings_change(WHO, published, run_time="09:00", daily_runs=False, now=NOW, **given)
    assert schedule(NOW + timedelta(days=1)) is None
    settings_change(WHO, published, run_time="10:30", daily_runs=True, now=NOW, **given)
    early = schedule(NOW + timedelta(days=1, hours=1))
    late = schedule(NOW + timedelta(days=1, hours=2))
    assert early is not None
    assert early.as_of == LAST
    assert late is not None
    assert late.as_of == date(2026, 7, 1)


def test_the_loop_survives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, looks = threading.Event(), iter(range(3))

    def turn(self: Worker, stop: threading.Event) -> bool:
        if next(looks, None) is None:
            stop.set()
            return False
        raise DatabaseError("connection refused")

    monkeypatch.setattr(Worker, "turn", turn)
    monkeypatch.setattr(worker_module.connections, "close_all", lambda: None)
    monkeypatch.setattr(worker_module, "close_old_connections", lambda: None)
    work(stop, now=lambda: NOW, command=lambda job: SLEEPS)
    assert stop.is_set()


def test_a_worker_is_heard_of() -> None:
    assert worker_seen(NOW) is None
    early = NOW - timedelta(hours=1)
    Worker("host 7", lambda: early, lambda job: SLEEPS).turn(threading.Event())
    seen = worker_seen(early + timedelta(seconds=30))
    assert seen is not None
    assert (seen.name, seen.alive) == ("host 7", True)
    gone = worker_seen(early + timedelta(minutes=5))
    assert gone is not None
    assert not gone.alive
