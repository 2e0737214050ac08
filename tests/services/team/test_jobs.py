"""Jobs: claimed by one, kept alive, taken over, tried again, cancelled; and what a lost claim may no longer do."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.job_requests import JobRefused, backfill_ask, job_again, run_ask
from keepwell.services.team.jobs import (
    BACKOFF,
    HEART_STOPPED,
    MOST_ATTEMPTS,
    Claim,
    Done,
    job_beat,
    job_cancel,
    job_cancelled,
    job_claim,
    job_enqueue,
    job_fail,
    job_finish,
    job_release,
    job_step,
)
from keepwell.store.models import AuditEntry, Job
from tests.web import LAST, NOW, MakePerson

pytestmark = pytest.mark.django_db
WORKER = Actor("worker")
SILENT = HEART_STOPPED + timedelta(seconds=1)


def queued(kind: Job.Kind = Job.Kind.DAILY, key: str = "2026-06-30") -> Job:
    return job_enqueue(WORKER, kind=kind, key=key, now=NOW, as_of=LAST)[0]


def claimed(worker: str = "one", now=NOW) -> tuple[Job, Claim]:  # type: ignore[no-untyped-def]
    job = job_claim(worker, now)
    assert job is not None
    return job, Claim(job.pk, job.attempts)


def test_a_kind_and_key_happen_once() -> None:
    first, made = job_enqueue(WORKER, kind=Job.Kind.DAILY, key="2026-06-30", now=NOW)
    again, made_again = job_enqueue(WORKER, kind=Job.Kind.DAILY, key="2026-06-30", now=NOW)
    assert (made, made_again) == (True, False)
    assert first.pk == again.pk
    assert queued(Job.Kind.LOAD).pk != first.pk


def test_one_worker_has_a_job_and_nobody_else_begins_another() -> None:
    queued()
    queued(Job.Kind.LOAD, "inbox")
    job, claim = claimed()
    assert (job.kind, job.state, job.attempts, job.claimed_by) == (Job.Kind.DAILY, Job.State.RUNNING, 1, "one")
    assert job_claim("two", NOW) is None
    assert job_finish(claim, Done({"customers": 3}), NOW)
    following, _ = claimed("two")
    assert following.kind == Job.Kind.LOAD


def test_a_job_waits_for_its_time() -> None:
    job_enqueue(WORKER, kind=Job.Kind.LOAD, key="later", now=NOW, due_at=NOW + timedelta(minutes=1))
    assert job_claim("one", NOW) is None
    assert job_claim("one", NOW + timedelta(minutes=1)) is not None


def test_a_job_whose_heart_stopped_is_taken_over_and_the_old_claim_writes_nothing() -> None:
    queued()
    _, old = claimed()
    assert job_beat(old, NOW + timedelta(seconds=30))
    assert job_claim("two", NOW + SILENT) is None, "it was heard of thirty seconds ago"
    later = NOW + timedelta(seconds=30) + SILENT
    job, new = claimed("two", later)
    assert (job.claimed_by, job.attempts) == ("two", 2)
    assert not job_beat(old, later)
    assert not job_step(old, "late", 0.5)
    assert not job_finish(old, Done({"customers": 0}), later)
    assert not job_fail(old, "too late", later)
    assert job_finish(new, Done({"customers": 9}), later)
    job.refresh_from_db()
    assert (job.state, job.counts, job.progress) == (Job.State.DONE, {"customers": 9}, 1)


def test_a_job_that_ends_its_workers_is_given_up() -> None:
    job, now = queued(), NOW
    for _ in range(MOST_ATTEMPTS):
        claimed("one", now)
        now += SILENT
    assert job_claim("one", now) is None
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "memory" in job.error


def test_a_failed_daily_run_is_tried_three_times_with_growing_pauses() -> None:
    job, now = queued(), NOW
    for pause in BACKOFF:
        _, claim = claimed("one", now)
        assert job_fail(claim, "the source was away", now)
        job.refresh_from_db()
        assert (job.state, job.error, job.due_at) == (Job.State.QUEUED, "the source was away", now + pause)
        assert job_claim("one", now) is None
        now += pause
    _, claim = claimed("one", now)
    assert job_fail(claim, "still away", now)
    job.refresh_from_db()
    assert (job.state, job.error, job.attempts) == (Job.State.FAILED, "still away", MOST_ATTEMPTS)


def test_other_work_fails_at_once_but_waits_for_a_busy_warehouse() -> None:
    job = queued(Job.Kind.BACKFILL, "a")
    _, claim = claimed()
    assert job_fail(claim, "in use by another process", NOW, again=True)
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    _, claim = claimed("one", NOW + BACKOFF[0])
    assert job_fail(claim, "no such column", NOW)
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_work_that_is_given_back_begins_at_once_and_loses_no_attempt() -> None:
    queued()
    _, claim = claimed()
    assert job_release(claim, NOW)
    job, _ = claimed("two")
    assert job.attempts == 1


def test_waiting_work_is_cancelled_at_once_and_running_work_soon(person: MakePerson) -> None:
    who = actor(person("ops"))
    waiting, running = queued(), queued(Job.Kind.LOAD, "inbox")
    assert job_cancel(who, waiting.pk, NOW)
    assert not job_cancel(who, waiting.pk, NOW), "there is nothing more to do"
    _, claim = claimed()
    assert job_cancel(who, running.pk, NOW)
    assert not job_beat(claim, NOW), "the worker learns of it with its next beat"
    assert job_cancelled(claim, NOW)
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.CANCELLED}
    assert AuditEntry.objects.filter(action="job.cancelled").count() == 2


def test_a_cancelled_job_of_a_dead_worker_is_not_begun_again() -> None:
    job = queued()
    claimed()
    job_cancel(WORKER, job.pk, NOW)
    assert job_claim("two", NOW + SILENT) is None
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_people_ask_for_a_run_again(person: MakePerson) -> None:
    who = actor(person("ops"))
    first = run_ask(who, day=LAST, today=LAST, now=NOW)
    assert run_ask(who, day=LAST, today=LAST, now=NOW).pk == first.pk, "it waits already"
    _, claim = claimed()
    job_finish(claim, Done(problems=True), NOW)
    again = run_ask(who, day=LAST, today=LAST, now=NOW)
    assert again.pk != first.pk
    first.refresh_from_db()
    assert job_again(who, first, today=LAST, now=NOW).pk == again.pk
    with pytest.raises(JobRefused, match="has not come yet"):
        run_ask(who, day=LAST + timedelta(days=1), today=LAST, now=NOW)


@pytest.mark.parametrize(("first", "last"), [(0, -1), (0, 1), (-5000, 0)])
def test_ranges_that_make_no_sense_are_refused(first: int, last: int) -> None:
    days = [LAST + timedelta(days=number) for number in (first, last)]
    with pytest.raises(JobRefused):
        backfill_ask(WORKER, first=days[0], last=days[1], today=LAST, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_workers_that_claim_at_once_never_share_a_job() -> None:
    for number in range(6):
        queued(Job.Kind.LOAD, str(number))
    worked: list[tuple[int, int]] = []
    start = threading.Barrier(4)

    def work(name: str) -> None:
        start.wait()
        for _ in range(60):
            job = job_claim(name, NOW)
            if job is not None:
                worked.append((job.pk, job.attempts))
                job_finish(Claim(job.pk, job.attempts), Done(), NOW)
        connection.close()

    threads = [threading.Thread(target=work, args=(f"worker {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(worked) == [(pk, 1) for pk in sorted(Job.objects.values_list("pk", flat=True))]


def test_people_do_not_read_when_a_job_was_asked_for() -> None:
    backfill_ask(WORKER, first=LAST, last=LAST, today=LAST, now=NOW)
    job = Job.objects.get(kind=Job.Kind.BACKFILL)
    assert str(job) == f"{job.get_kind_display()} {LAST} to {LAST}"
