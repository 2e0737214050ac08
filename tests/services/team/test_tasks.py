"""Which tasks a day opens, keeps, escalates and closes."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from keepwell.services.team.audit import Actor
from keepwell.services.team.task_changes import Seen, mark_done, snooze
from keepwell.services.team.tasks import TasksOpened, open_tasks_from_run
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Task
from tests.services.team.task_world import AT_RISK, DROPPING, HEALTHY, MONITOR, Agency, Days, days
from tests.web import LAST, NOW

__all__ = ["days"]
pytestmark = pytest.mark.django_db
ANNA = Actor("anna@example.com")


def run(world: Days, *customers: Agency, after: int = 0) -> TasksOpened:
    """The run of a day, so many days after the first."""
    world.publish(*customers, days=after)
    return open_tasks_from_run(world.workspace, as_of=world.day.as_of, now=moment(after), job=None)


def moment(after: int) -> datetime:
    return NOW + timedelta(days=after)


def opened(**wanted: Any) -> list[str]:
    return list(Task.objects.filter(state="open", **wanted).order_by("pk").values_list("play", flat=True))


def test_a_segment_with_a_play_opens_its_task_with_the_values(days: Days) -> None:
    assert run(days, Agency("acme", AT_RISK)).opened == 1
    task = Task.objects.get()
    assert (task.title, task.play, task.kind, task.priority) == ("URGENT: Call Acme", "urgent_call", "segment", 1)
    assert task.due_at == NOW + timedelta(hours=24)
    assert task.reasons == ["Renewal in 30 days", "Tickets in 30 days: 4"]
    assert task.conditions == ["days_to_renewal <= 60", "tickets_30d >= 3"]
    assert (task.money, task.owner_email) == (Decimal(100), "anna@example.com")


def test_a_day_run_twice_opens_nothing_twice(days: Days) -> None:
    everybody = (Agency("acme", AT_RISK), Agency("bolt", DROPPING), Agency("calm", HEALTHY), Agency("dusk", MONITOR))
    first = run(days, *everybody)
    assert first == TasksOpened(opened=3, kept=0, closed=0, holds_ended=0)
    assert run(days, *everybody) == TasksOpened(opened=0, kept=3, closed=0, holds_ended=0)
    assert AuditEntry.objects.filter(action="tasks.opened").count() == 1


def test_a_published_day_opens_tasks(signals: Workspace) -> None:
    first = open_tasks_from_run(signals, as_of=LAST, now=NOW, job=None)
    assert first.opened == Task.objects.count() > 0
    assert open_tasks_from_run(signals, as_of=LAST, now=NOW, job=None).opened == 0


def test_both_reasons_are_shown_when_two_segments_match(days: Days) -> None:
    run(days, Agency("acme", {**DROPPING, "account_age_days": 20}))
    task = Task.objects.get()
    assert task.play == "re_engagement_email"
    assert task.reasons[-1] == "Also Onboarding stuck: Account age: 20 days, Features used in 30 days: 2" or (
        task.reasons[-1] == "Also Onboarding stuck: Account age: 20 days"
    )


def test_unknown_values_open_nothing(days: Days) -> None:
    assert run(days, Agency("acme", {"mrr": 100})).opened == 0


def test_a_quarterly_check_in_comes_at_most_once_in_90_days(days: Days) -> None:
    run(days, Agency("acme"))
    mark_done(ANNA, [Seen(Task.objects.get().pk)], now=NOW)
    assert run(days, Agency("acme"), after=89).opened == 0
    assert run(days, Agency("acme"), after=90).opened == 1


def test_what_was_done_stays_quiet_for_a_week_unless_something_is_new(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    mark_done(ANNA, [Seen(Task.objects.get().pk)], now=NOW)
    assert run(days, Agency("acme", AT_RISK), after=3).opened == 0
    assert run(days, Agency("acme", {**AT_RISK, "payment_status": "failed"}), after=4).opened == 1


def test_what_was_done_comes_back_after_a_week(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    mark_done(ANNA, [Seen(Task.objects.get().pk)], now=NOW)
    assert run(days, Agency("acme", AT_RISK), after=7).opened == 1


def test_a_task_nobody_touched_closes_when_its_reason_is_gone(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    assert run(days, Agency("acme", MONITOR), after=1).closed == 1
    task = Task.objects.get()
    assert (task.state, task.closed_why) == ("cancelled", "No longer in the segment (Monitor now)")
    assert AuditEntry.objects.get(action="task.cancelled").customer_id == "acme"


def test_a_task_somebody_touched_stays_when_its_reason_is_gone(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    Task.objects.update(version=2)
    assert run(days, Agency("acme", MONITOR), after=1) == TasksOpened(opened=0, kept=1, closed=0, holds_ended=0)


def test_who_left_or_vanished_has_no_tasks(days: Days) -> None:
    run(days, Agency("acme", AT_RISK), Agency("bolt", AT_RISK))
    Task.objects.update(version=5)
    assert run(days, Agency("acme", left=True), after=1).closed == 2
    assert not Task.objects.filter(state__in=["open", "snoozed"]).exists()


def test_a_new_condition_is_added_to_the_open_task(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    run(days, Agency("acme", {**AT_RISK, "payment_status": "failed", "days_to_renewal": 29}), after=1)
    task = Task.objects.get()
    assert task.reasons[0] == "New: Payment status: failed"
    assert "Renewal in 29 days" in task.reasons
    assert "payment_status = 'failed'" in task.conditions
    assert task.version == 1
    assert AuditEntry.objects.filter(action="task.escalated").count() == 1


def test_a_snoozed_task_wakes_on_its_day_or_when_something_is_new(days: Days) -> None:
    run(days, Agency("acme", AT_RISK), Agency("bolt", AT_RISK))
    for task in Task.objects.all():
        snooze(ANNA, [Seen(task.pk)], until=LAST + timedelta(days=5), reason="away", now=NOW, today=LAST)
    run(days, Agency("acme", {**AT_RISK, "payment_status": "failed"}), Agency("bolt", AT_RISK), after=1)
    assert list(Task.objects.filter(state="open").values_list("customer_id", flat=True)) == ["acme"]
    run(days, Agency("acme", AT_RISK), Agency("bolt", AT_RISK), after=5)
    assert Task.objects.filter(state="open").count() == 2


def test_a_serious_signal_has_a_task_of_its_own_where_the_segment_has_none(days: Days) -> None:
    run(days, Agency("acme", {**MONITOR, "days_to_renewal": 90, "payment_status": "failed"}))
    task = Task.objects.get()
    assert (task.kind, task.play, task.title) == ("signal", "payment_failed", "Call about the payment: Acme")
    assert task.due_at == NOW + timedelta(hours=24)


def test_a_segment_in_trouble_answers_its_signals(days: Days) -> None:
    run(days, Agency("acme", {**DROPPING, "payment_status": "failed"}))
    task = Task.objects.get()
    assert task.play == "re_engagement_email"
    assert task.action == "Re-engagement email; Call about the payment"
    assert task.due_at == NOW + timedelta(hours=24)
    assert "The last payment failed" in task.reasons


def test_nobody_is_asked_to_sell_while_a_serious_signal_is_on(days: Days) -> None:
    growing = {**HEALTHY, "logins_30d": 30, "features_used_30d": 5, "plan": "basic"}
    run(days, Agency("acme", growing), Agency("bolt", {**growing, "payment_status": "failed"}))
    assert opened(customer_id="acme") == ["upsell_conversation"]
    assert opened(customer_id="bolt") == ["payment_failed"]


def test_a_signal_task_becomes_part_of_the_segments_task(days: Days) -> None:
    run(days, Agency("acme", {**MONITOR, "days_to_renewal": 90, "payment_status": "failed"}))
    run(days, Agency("acme", {**AT_RISK, "payment_status": "failed"}), after=1)
    assert opened() == ["urgent_call"]
    assert Task.objects.get(play="payment_failed").closed_why.startswith("Now part of:")


def test_money_owner_and_renewal_follow_the_data(days: Days) -> None:
    run(days, Agency("acme", AT_RISK))
    run(days, Agency("acme", {**AT_RISK, "mrr": 250}, owner="ben@example.com"), after=1)
    task = Task.objects.get()
    assert (task.money, task.owner_email, task.version) == (Decimal(250), "ben@example.com", 1)
