"""Checklists: periods, ticks of people and of data, and what data say."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from keepwell.model.checklist_definitions import ChecklistItem
from keepwell.services.team.audit import actor
from keepwell.services.team.checklist_turns import checklist_turn
from keepwell.services.team.checklists import (
    TickRefused,
    checklists_shown,
    period_of,
    tick,
    tick_from_data,
    untick,
)
from keepwell.services.team.checks import said_by_data
from keepwell.services.workspace import Workspace
from keepwell.store.models import (
    Alert,
    Approval,
    AuditEntry,
    ChecklistTick,
    Escalation,
    Outcome,
    SurveyInvitation,
    Task,
)
from tests.web import LAST, NOW, MakePerson

pytestmark = pytest.mark.django_db
DAY, WEEK = period_of("day", LAST), period_of("week", LAST)


@pytest.mark.parametrize(
    ("every", "day", "name", "first", "last"),
    [
        ("day", date(2026, 6, 30), "2026-06-30", date(2026, 6, 30), date(2026, 6, 30)),
        ("week", date(2026, 6, 30), "2026-W27", date(2026, 6, 29), date(2026, 7, 5)),
        ("week", date(2027, 1, 1), "2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("month", date(2028, 2, 10), "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_periods_are_days_iso_weeks_and_months(every: str, day: date, name: str, first: date, last: date) -> None:
    found = period_of(every, day)
    assert (found.name, found.first, found.last) == (name, first, last)


def test_a_tick_is_somebody_s_once_a_period_and_can_be_taken_back(published: Workspace, person: MakePerson) -> None:
    first, second = actor(person("csm")), actor(person("csm"))
    tick(first, published, "daily", "queue", LAST, NOW, " done ")
    tick(second, published, "daily", "queue", LAST, NOW)
    made = ChecklistTick.objects.get()
    assert (made.person, made.period, made.note) == (first.person, "2026-06-30", "done")
    tick(first, published, "daily", "queue", LAST + timedelta(days=1), NOW)
    untick(second, published, "daily", "queue", LAST, NOW)
    assert [one.period for one in ChecklistTick.objects.all()] == ["2026-07-01"]
    actions = AuditEntry.objects.filter(object_kind="checklist").order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["checklist.ticked", "checklist.ticked", "checklist.taken_back"]


@pytest.mark.parametrize(("name", "item"), [("nope", "queue"), ("daily", "nope")])
def test_what_is_not_in_the_model_is_refused(published: Workspace, person: MakePerson, name: str, item: str) -> None:
    with pytest.raises(TickRefused, match="no longer in the model"):
        tick(actor(person("csm")), published, name, item, LAST, NOW)


def test_data_tick_what_they_can_once_and_their_ticks_stay(published: Workspace, person: MakePerson) -> None:
    done = tick_from_data(published, LAST, NOW)
    assert done > 0
    assert tick_from_data(published, LAST, NOW) == 0
    mine = {(one.checklist, one.item) for one in ChecklistTick.objects.all()}
    assert ("daily", "queue") in mine, "nothing is overdue in an empty workspace"
    assert ("weekly", "calls") not in mine
    assert ("weekly", "movement") not in mine, "data cannot tell"
    with pytest.raises(TickRefused, match="data ticked this"):
        untick(actor(person("ops")), published, "daily", "queue", LAST, NOW)


def test_a_page_shows_this_period_and_the_ones_before(published: Workspace, person: MakePerson) -> None:
    tick(actor(person("csm")), published, "daily", "run", LAST - timedelta(days=2), NOW)
    daily = next(one for one in checklists_shown(published, LAST, NOW) if one.name == "daily")
    assert [went.name for went in daily.past[:3]] == ["2026-06-29", "2026-06-28", "2026-06-27"]
    assert [(went.done, went.of) for went in daily.past[:3]] == [(0, 5), (1, 5), (0, 5)]


def test_the_turn_looks_every_five_minutes(published: Workspace) -> None:
    moment = datetime(2031, 1, 1, tzinfo=NOW.tzinfo)
    first = checklist_turn(published, moment)
    assert first > 0
    ChecklistTick.objects.all().delete()
    assert checklist_turn(published, moment + timedelta(minutes=4)) == 0
    assert checklist_turn(published, moment + timedelta(minutes=5)) == first


def says(workspace: Workspace, check: str, period: Any = DAY, **fields: Any) -> tuple[bool, str] | None:
    item = ChecklistItem.model_validate({"text": "x", "done_when": check, **fields})
    found = said_by_data(workspace, {("l", "i"): (item, period)}, LAST, NOW).get(("l", "i"))
    return None if found is None else (found.done, found.words)


def task(**fields: Any) -> Task:
    about: dict[str, Any] = {
        "customer_id": "c-1",
        "company": "Acme",
        "kind": "segment",
        "play": "p",
        "title": "Call",
        "opened_on": LAST,
        "opened_at": NOW,
        "due_at": NOW + timedelta(days=3),
    }
    return Task.objects.create(**about | fields)


def test_overdue_tasks_are_not_done(published: Workspace) -> None:
    task()
    assert says(published, "no_overdue_tasks") == (True, "No task is overdue")
    task(play="late", due_at=NOW - timedelta(hours=1))
    assert says(published, "no_overdue_tasks") == (False, "1 overdue task")


def test_urgent_tasks_count_until_the_end_of_the_day(published: Workspace) -> None:
    task(play="later", priority=1)
    task(play="slow", priority=5, due_at=NOW)
    assert says(published, "urgent_tasks_done") == (True, "No urgent task is due")
    task(play="now", priority=2, due_at=NOW + timedelta(hours=2))
    assert says(published, "urgent_tasks_done") == (False, "1 urgent task left")


def test_detractors_are_the_tasks_of_low_answers(published: Workspace) -> None:
    assert says(published, "detractors_answered") == (True, "Every detractor was answered")
    one = task(play="survey:quarterly_nps:low")
    task(play="survey:quarterly_nps:high")
    of_signal = task(play="detractor_answer")
    assert says(published, "detractors_answered") == (False, "2 detractors to be answered")
    of_signal.state = "done"
    of_signal.save()
    assert says(published, "detractors_answered") == (False, "1 detractor to be answered")
    one.state = "done"
    one.save()
    assert says(published, "detractors_answered") == (True, "Every detractor was answered")


def test_the_run_of_today_is_published(published: Workspace) -> None:
    assert says(published, "run_published") == (True, "The last run published 2026-06-30")
    item = ChecklistItem.model_validate({"text": "x", "done_when": "run_published"})
    (later,) = said_by_data(published, {("l", "i"): (item, DAY)}, LAST + timedelta(days=1), NOW).values()
    assert not later.done


def test_alerts_approvals_and_escalations_wait_for_somebody(published: Workspace) -> None:
    for check in ("alerts_taken", "approvals_answered", "escalations_filed"):
        found = says(published, check)
        assert found is not None
        assert found[0]
    moments = {"since": NOW, "opened_at": NOW, "last_at": NOW}
    Alert.objects.create(customer_id="c", company="A", rule="r", severity="high", title="t", what="w", **moments)
    about = {"question": "May we?", "asked_role": "manager", "asked_by": "x", "asked_at": NOW}
    Approval.objects.create(key="k", kind="offer", customer_id="c", company="A", **about)
    said = {"title": "t", "document": "d", "opened_at": NOW, "changed_at": NOW}
    Escalation.objects.create(pattern="p", subject="s", **said)
    assert says(published, "alerts_taken") == (False, "1 alert to be taken up")
    assert says(published, "approvals_answered") == (False, "1 open approval")
    assert says(published, "escalations_filed") == (False, "1 escalation to be filed")


def test_contacts_are_counted_within_the_period(published: Workspace) -> None:
    moments = (NOW, NOW - timedelta(days=1), NOW - timedelta(days=8))
    for number, at in enumerate(moments):
        of = {"contact": "reached", "issue": "usage", "result": "resolved"}
        Outcome.objects.create(task=task(play=f"p{number}"), customer_id="c", logged_at=at, **of)
    assert says(published, "contacts_logged", WEEK, count=2) == (True, "2 contacts logged, 2 wanted")
    assert says(published, "contacts_logged", WEEK, count=3) == (False, "2 contacts logged, 3 wanted")


def test_an_nps_survey_was_sent_this_month(published: Workspace) -> None:
    month = period_of("month", LAST)
    about = {"customer_id": "c", "company": "A", "address": "a@x.example", "expires_at": NOW}
    SurveyInvitation.objects.create(key="1", survey="ticket_csat", kind="csat", sent_at=NOW, **about)
    SurveyInvitation.objects.create(
        key="2", survey="quarterly_nps", kind="nps", sent_at=NOW - timedelta(days=40), **about
    )
    assert says(published, "survey_sent", month) == (False, "Nobody was asked for NPS")
    SurveyInvitation.objects.create(key="3", survey="quarterly_nps", kind="nps", sent_at=NOW, **about)
    assert says(published, "survey_sent", month) == (True, "1 asked for NPS")


def test_changes_of_playbooks_are_told_from_those_of_the_figures(published: Workspace) -> None:
    def applied(*changes: str) -> None:
        about = {"object_kind": "model", "object_id": "1", "actor_name": "x", "summary": "s"}
        AuditEntry.objects.create(at=NOW, action="model.applied", after={"changes": list(changes)}, **about)

    assert says(published, "model_changed", WEEK) == (False, "0 changes of the model")
    applied("playbook win_back: title changed from a to b", "survey x added: y")
    assert says(published, "playbooks_changed", WEEK) == (True, "1 change of playbooks")
    assert says(published, "model_changed", WEEK) == (False, "0 changes of the model")
    applied("score health: weights changed from 1 to 2")
    assert says(published, "model_changed", WEEK) == (True, "1 change of the model")


def test_critical_tickets_wait_for_their_first_answer(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def ticket(priority: str, answered: bool) -> Any:
        return SimpleNamespace(
            priority=priority, open=True, row=SimpleNamespace(first_response_at=NOW if answered else None)
        )

    def found(*_: Any, open_only: bool) -> list[Any]:
        assert open_only
        return tickets

    monkeypatch.setattr("keepwell.services.team.checks.desk_tickets", found)
    tickets = [ticket("P0", True), ticket("P2", False)]
    assert says(published, "urgent_tickets_answered") == (True, "Every P0 and P1 ticket was answered")
    tickets = [*tickets, ticket("P1", False)]
    assert says(published, "urgent_tickets_answered") == (False, "1 P0 or P1 ticket waits for its first answer")


def test_what_data_cannot_tell_is_left_out(published: Workspace) -> None:
    assert says(published, "quarantine_empty") is not None
