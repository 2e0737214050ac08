"""What follows from an outcome: for the segment, the follow-up, the queue and the canonical data."""

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.holds import end_hold, standing_holds
from keepwell.services.team.outcomes import OutcomeConflict, OutcomeInvalid, UndoRefused, log_outcome, undo_outcome
from keepwell.services.team.tasks import open_tasks_from_run
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, CanonicalWrite, Happening, Hold, Outcome, Task
from tests.services.team.task_world import AT_RISK, DROPPING, HEALTHY, Agency, Days, days
from tests.services.team.test_tasks import moment, opened, run
from tests.web import LAST, NOW, MakePerson

__all__ = ["days"]
pytestmark = pytest.mark.django_db
ANNA = Actor("anna@example.com")
SAID: dict[str, Any] = {"contact": "reached", "issue": "technical", "result": "resolved"}


def log(task: Task, who: Actor = ANNA, *, after: int = 0, **said: Any) -> Outcome:
    """Log an outcome, so many days after the first."""
    told = {"version": task.version, **SAID, **said}
    return log_outcome(who, task.pk, now=moment(after), today=LAST + timedelta(days=after), **told)


def the_task(**wanted: Any) -> Task:
    return Task.objects.get(state="open", **wanted)


def test_resolved_shows_the_customer_as_healthy_until_30_days_have_passed(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    log(the_task())
    hold = standing_holds()["acme"]
    assert (hold.segment, hold.since, hold.until) == ("healthy_stable", LAST, LAST + timedelta(days=30))
    assert run(days, Agency("acme", AT_RISK), after=29).opened == 0
    ended = run(days, Agency("acme", AT_RISK), after=30)
    assert (ended.opened, ended.holds_ended) == (1, 1)
    assert Hold.objects.get().ended_why == "30 days have passed"


def test_resolved_ends_when_a_condition_that_was_not_true_becomes_true(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    log(the_task())
    ended = run(days, Agency("acme", {**AT_RISK, "days_since_login": 14}), after=2)
    assert (ended.opened, ended.holds_ended) == (1, 1)
    assert Hold.objects.get().ended_why == "New: Days since the last login: 14 days"


def test_resolved_stays_when_conditions_only_end_or_were_true_already(days: Days) -> None:
    run(days, Agency("acme", {**AT_RISK, "payment_status": "failed"}))
    log(the_task())
    assert run(days, Agency("acme", {**AT_RISK, "tickets_30d": 9}), after=1).holds_ended == 0
    assert run(days, Agency("acme", HEALTHY), after=2).holds_ended == 0
    assert run(days, Agency("acme", AT_RISK), after=3).opened == 0


def test_resolved_closes_what_else_was_opened_by_the_run(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    Task.objects.create(
        customer_id="acme", company="Acme", kind="signal", play="other", title="x",
        opened_on=LAST, opened_at=NOW, due_at=NOW,
    )  # fmt: skip
    log(the_task(play="urgent_call"))
    assert opened() == []


@pytest.mark.parametrize(
    ("contact", "result", "heard"),
    [
        ("reached", "follow_up", "follow_up"),
        ("voicemail", "follow_up", "no answer"),
        ("email", "follow_up", "no answer"),
        ("voicemail", "resolved", "resolved"),
        ("email", "lost", "lost"),
    ],
)
def test_playbooks_hear_whether_somebody_was_reached(days: Days, contact: str, result: str, heard: str) -> None:
    run(days, Agency("acme", AT_RISK))
    log(
        the_task(),
        contact=contact,
        result=result,
        follow_up_on=LAST + timedelta(days=3) if "follow" in result else None,
    )
    assert Happening.objects.get(customer_id="acme", kind="outcome").name == heard


def test_a_follow_up_comes_on_its_day_to_who_promised_it(days: Days, person: MakePerson) -> None:
    run(days, Agency("acme", AT_RISK))
    who = person("csm")
    outcome = log(the_task(), actor(who), result="follow_up", follow_up_on=LAST + timedelta(days=3))
    task = Task.objects.get(kind="follow_up")
    assert (task.opened_on, task.assignee, task.linked_to_id) == (outcome.follow_up_on, who, outcome.task_id)
    assert task.title == "Follow up with Acme (technical)"


def test_monitoring_goes_on_and_something_new_opens_a_task_that_links_to_the_pending_one(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    log(the_task(), result="follow_up", follow_up_on=LAST + timedelta(days=9))
    pending = the_task()
    assert run(days, Agency("acme", AT_RISK), after=1).opened == 0
    worse = {**AT_RISK, "payment_status": "failed"}
    assert run(days, Agency("acme", worse), after=2).opened == 1
    new = the_task(play="urgent_call")
    assert new.linked_to == pending
    assert run(days, Agency("acme", worse), after=3).opened == 0


def test_a_medium_signal_is_enough_while_a_follow_up_is_pending(days: Days) -> None:
    run(days, Agency("acme", DROPPING))
    log(the_task(), result="follow_up", follow_up_on=LAST + timedelta(days=9))
    run(days, Agency("acme", {**HEALTHY, "logins_30d": 5, "tickets_30d": 3}), after=1)
    assert opened(kind="signal") == ["ticket_spike"]


def test_a_second_follow_up_replaces_the_first(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    log(the_task(), result="follow_up", follow_up_on=LAST + timedelta(days=9))
    run(days, Agency("acme", {**AT_RISK, "payment_status": "failed"}), after=1)
    log(the_task(play="urgent_call"), after=1, result="follow_up", follow_up_on=LAST + timedelta(days=4))
    assert the_task(kind="follow_up").opened_on == LAST + timedelta(days=4)


def test_lost_leaves_every_queue_and_stays_out(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    log(the_task(), result="follow_up", follow_up_on=LAST + timedelta(days=2))
    log(the_task(), after=1, result="lost", note="moved to a competitor")
    assert opened() == []
    assert standing_holds()["acme"].lost
    assert run(days, Agency("acme", {**AT_RISK, "payment_status": "failed"}), after=60).opened == 0
    row = CanonicalWrite.objects.get(table="customers").row
    assert (row["status"], row["churn_reason"]) == ("churned", "Technical: moved to a competitor")


def test_every_outcome_is_a_touch_in_the_canonical_data(days: Days, person: MakePerson) -> None:
    who = person("csm")
    run(days, Agency("acme", AT_RISK), Agency("bolt", AT_RISK))
    log(the_task(customer_id="acme"), actor(who), contact="voicemail")
    log(the_task(customer_id="bolt"), actor(who), contact="email")
    rows = [write.row for write in CanonicalWrite.objects.order_by("pk")]
    assert [(row["kind"], row["outcome"]) for row in rows] == [("call", "left_message"), ("email", "completed")]
    assert rows[0]["occurred_at"] == "2026-06-30T09:00:00Z"
    assert rows[0]["owner_email"] == who.email


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"contact": "pigeon"}, "contact"),
        ({"issue": ""}, "issue"),
        ({"result": "maybe"}, "result"),
        ({"result": "follow_up"}, "follow_up_on"),
        ({"result": "follow_up", "follow_up_on": LAST}, "follow_up_on"),
        ({"result": "follow_up", "follow_up_on": date(2030, 1, 1)}, "follow_up_on"),
        ({"note": "x" * 4001}, "note"),
    ],
)
def test_what_cannot_be_logged_says_why(days: Days, said: dict[str, Any], field: str) -> None:
    run(days, Agency("acme", AT_RISK))
    with pytest.raises(OutcomeInvalid) as raised:
        log(the_task(), **said)
    assert list(raised.value.problems) == [field]
    assert not Outcome.objects.exists()


def test_the_second_of_two_is_told_what_the_first_logged(days: Days, person: MakePerson) -> None:
    run(days, Agency("acme", AT_RISK))
    task = the_task()
    log(task, actor(person("csm", name="Anna")))
    with pytest.raises(OutcomeConflict, match=r"Anna has logged an outcome .* Reached · Technical · Resolved"):
        log(task)
    assert Outcome.objects.count() == 1


def test_who_saw_an_older_version_is_told_what_changed(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    task = the_task()
    Task.objects.update(version=2)
    with pytest.raises(OutcomeConflict, match="has changed since you opened it"):
        log(task)


@pytest.mark.django_db(transaction=True)
def test_two_log_at_once_and_one_wins(published: Workspace) -> None:
    task = Task.objects.create(
        customer_id="nobody", company="Nobody", kind="manual", play="call", title="Call",
        opened_on=LAST, opened_at=NOW, due_at=NOW,
    )  # fmt: skip
    start, ended = threading.Barrier(2), []

    def attempt() -> None:
        start.wait()
        try:
            ended.append(log(task).result)
        except OutcomeConflict as conflict:
            ended.append(type(conflict).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["OutcomeConflict", "resolved"]
    assert Outcome.objects.count() == Hold.objects.count() == 1


def test_a_wrong_outcome_is_taken_back_the_same_day_with_all_that_followed(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    manual = Task.objects.create(
        customer_id="acme", company="Acme", kind="manual", play="manual:1", title="Send contract",
        opened_on=LAST, opened_at=NOW, due_at=NOW,
    )  # fmt: skip
    task = the_task(play="urgent_call")
    outcome = log(task, result="lost")
    assert Happening.objects.filter(kind="outcome").count() == 1
    undone = undo_outcome(ANNA, outcome.pk, now=NOW, today=LAST)
    assert (undone.task, undone.runs.words) == (task, "")
    assert not Happening.objects.filter(kind="outcome").exists(), "playbooks never hear of it"
    assert sorted(opened()) == ["manual:1", "urgent_call"]
    assert not any(model.objects.exists() for model in (Outcome, Hold, CanonicalWrite))
    assert AuditEntry.objects.get(action="outcome.undone").before["result"] == "lost"
    manual.refresh_from_db()
    assert manual.closed_at is None


def test_an_outcome_stays_when_it_is_old_or_in_the_data(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    outcome = log(the_task())
    with pytest.raises(UndoRefused, match="of today"):
        undo_outcome(ANNA, outcome.pk, now=moment(1), today=LAST + timedelta(days=1))
    CanonicalWrite.objects.update(loaded_at=NOW)
    with pytest.raises(UndoRefused, match="in the data already"):
        undo_outcome(ANNA, outcome.pk, now=NOW, today=LAST)
    assert Outcome.objects.exists()


def test_a_hold_can_be_ended_by_hand(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    log(the_task())
    end_hold(ANNA, customer_id="acme", why="spoke too soon", now=NOW, today=LAST)
    assert standing_holds() == {}
    assert run(days, Agency("acme", AT_RISK), after=8).opened == 1


def test_a_run_reads_tasks_of_everybody(published: Workspace) -> None:
    assert open_tasks_from_run(published, as_of=LAST, now=NOW, job=None).opened > 0
