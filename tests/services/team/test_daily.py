"""The daily run as a job: what it counts, what it catches up, and what it does when there is nothing to do."""

from datetime import date, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest
from django.conf import settings

from keepwell.services.loading import load_files
from keepwell.services.playbook_facts import day_facts
from keepwell.services.published import copies_current
from keepwell.services.reading import read_published
from keepwell.services.team.audit import Actor
from keepwell.services.team.jobs import job_claim, job_enqueue
from keepwell.services.team.perform import perform
from keepwell.services.team.playing.happenings import START
from keepwell.services.team.playing.switches import switch
from keepwell.services.workspace import Workspace, workspace_init, workspace_open
from keepwell.store.models import Alert, Happening, Job, Task
from keepwell.warehouse.lock import lock_acquire, lock_release
from tests.web import LAST, NOW, signals_workspace

pytestmark = pytest.mark.django_db
WHO = Actor("worker")


@pytest.fixture
def mine(tmp_path: Path, published: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the signals workspace to run in, published up to the last day."""
    root = tmp_path / "mine"
    copytree(signals_workspace().root, root)
    monkeypatch.setattr(settings, "KEEPWELL_WORKSPACE", str(root))
    return workspace_open(root)


def run(workspace: Workspace, kind: Job.Kind, *, as_of: date = LAST, now: datetime = NOW, **arguments: str) -> Job:
    key = f"{as_of} {Job.objects.count()}"
    job_enqueue(WHO, kind=kind, key=key, as_of=as_of, arguments=arguments, now=now)
    job = job_claim("one", now)
    assert job is not None
    perform(workspace, job, now=lambda: now)
    job.refresh_from_db()
    return job


def test_a_run_counts_what_it_did_and_opens_no_task_twice(mine: Workspace) -> None:
    first = run(mine, Job.Kind.DAILY)
    assert first.state == Job.State.DONE, first.error
    assert first.counts["customers"] > 40
    assert first.counts["tasks opened"] == Task.objects.count() > 10
    assert first.result["segments"]["revenue_at_risk"] >= 1
    again = run(mine, Job.Kind.DAILY)
    assert again.counts["tasks opened"] == 0
    assert again.counts["tasks kept"] == first.counts["tasks opened"]
    assert Task.objects.count() == first.counts["tasks opened"]


def test_missed_days_are_computed_and_only_the_newest_opens_tasks(mine: Workspace) -> None:
    later = LAST + timedelta(days=3)
    job = run(mine, Job.Kind.DAILY, as_of=later, now=NOW + timedelta(days=3))
    assert job.counts["days caught up"] == 2
    assert mine.snapshots.dates()[-3:] == tuple(LAST + timedelta(days=n) for n in (1, 2, 3))
    copies = copies_current(mine)
    assert copies is not None
    assert copies.as_of == mine.snapshots.latest() == later
    assert set(Task.objects.values_list("opened_on", flat=True)) == {later}


def test_what_happens_after_a_run_is_news_for_the_next_one(mine: Workspace) -> None:
    switch(WHO, mine, "payment_failed", True, NOW)
    run(mine, Job.Kind.DAILY)
    customer, name = paying(mine)
    at_noon = NOW + timedelta(hours=3)
    row = f"{customer},{name},failed,{at_noon.isoformat()}"
    (mine.root / "customers.csv").write_text(f"customer_id,name,payment_status,updated_at\n{row}\n")
    assert not load_files(mine, paths=[mine.root / "customers.csv"], now=at_noon).problems
    tomorrow = LAST + timedelta(days=1)
    job = run(mine, Job.Kind.DAILY, as_of=tomorrow, now=NOW + timedelta(days=1))
    assert customer in signalled(mine, LAST), "the day before is computed once more, with what came in later"
    assert Happening.objects.filter(customer_id=customer, kind=START, name="payment_failed").count() == 1
    assert Alert.objects.filter(customer_id=customer, rule="payment_failed").count() == 1
    assert job.counts["alerts opened"] >= 1

    again = run(mine, Job.Kind.DAILY, as_of=tomorrow, now=NOW + timedelta(days=1, hours=1))
    assert again.counts["alerts opened"] == 0
    assert Happening.objects.filter(customer_id=customer, kind=START, name="payment_failed").count() == 1


def test_another_model_starts_nothing_by_itself(mine: Workspace) -> None:
    """Days of two models are compared by the model of today, so that a renamed segment is nobody's news."""
    run(mine, Job.Kind.DAILY)
    segments = mine.model_dir / "segments.yaml"
    segments.write_text(segments.read_text().replace("healthy_stable:", "healthy:"))
    playbooks = mine.model_dir / "playbooks.yaml"
    playbooks.write_text(playbooks.read_text().replace("healthy_stable", "healthy"))
    switch(WHO, mine, "quarterly_check_in", True, NOW)
    job = run(mine, Job.Kind.DAILY, as_of=LAST + timedelta(days=1), now=NOW + timedelta(days=1))
    assert job.counts["playbooks called for"] < 5 < job.result["segments"]["healthy"]


def paying(workspace: Workspace) -> tuple[str, str]:
    """Somebody who stays, and has paid."""
    rows = read_published(workspace).rows(["customer_id", "name", "status", "m.payment_status"])
    return next((r["customer_id"], r["name"]) for r in rows if r["m.payment_status"] == "current")


def signalled(workspace: Workspace, day: date) -> set[str]:
    """Whose payment failed on a day."""
    facts = day_facts(workspace.snapshots, day, ())
    return {one for one, signals in zip(facts.customers(), facts.signals, strict=True) if "payment_failed" in signals}


def test_an_earlier_day_is_published_without_becoming_the_current_one(mine: Workspace) -> None:
    job = run(mine, Job.Kind.DAILY, as_of=LAST - timedelta(days=5))
    assert job.state in (Job.State.DONE, Job.State.PROBLEMS)
    assert LAST - timedelta(days=5) in mine.snapshots.dates()
    assert mine.snapshots.latest() == LAST
    assert not Task.objects.exists()


def test_a_range_is_computed_without_tasks(mine: Workspace) -> None:
    job = run(mine, Job.Kind.BACKFILL, first="2026-06-20", last="2026-06-22")
    assert (job.state, job.counts["days"]) == (Job.State.DONE, 3)
    copies = copies_current(mine)
    assert copies is not None
    assert date(2026, 6, 21) in copies.dates
    assert not Task.objects.exists()


def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    empty = workspace_init(tmp_path / "empty", pack="agency-signals")
    job = run(empty, Job.Kind.DAILY)
    assert job.state == Job.State.PROBLEMS
    assert "no customers yet" in job.warnings[0]


def test_a_busy_warehouse_is_waited_for_later(mine: Workspace) -> None:
    config = mine.root / "keepwell.toml"
    config.write_text(config.read_text().replace("wait_seconds = 60", "wait_seconds = 0"))
    held = lock_acquire(mine.data_dir / "warehouse.lock", doing="a long load", wait_seconds=0, on_wait=None)
    try:
        job = run(workspace_open(mine.root), Job.Kind.PUBLISH)
    finally:
        lock_release(held)
    assert job.state == Job.State.QUEUED
    assert "a long load" in job.error


def test_a_broken_model_fails_with_every_problem_and_place(mine: Workspace) -> None:
    (mine.model_dir / "model.yaml").write_text("model: {")
    job = run(mine, Job.Kind.DAILY)
    assert job.state == Job.State.QUEUED, "somebody may correct it meanwhile"
    assert "model.yaml:1:" in job.error
