"""What a published day starts and ends: by its difference to the day before, and the same when it is repeated."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from keepwell.playbooks.facts import Facts, Value
from keepwell.services.planning.sources import current_model
from keepwell.services.team.playing.days import start_from_day
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.playing.turn import playing_turn
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Happening, Outgoing, PlaybookRun, PlaybookTimer, Task, WorkspaceSetting
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import WHO
from tests.web import LAST, NOW

pytestmark = pytest.mark.django_db
DAY = MONDAY.date()


def facts(day: int = 0, *, signals: tuple[str, ...] = (), active: bool = True, **values: Value) -> Facts:
    return Facts(DAY + timedelta(days=day), {"company": "Acme", **values}, frozenset(), frozenset(signals), (), active)


def test_a_signal_that_turns_on_starts_what_it_triggers_once(stage: MakeStage) -> None:
    here = stage("p: {label: P, trigger: {signal: quiet}, steps: [{wait: 9d}]}")
    off, on = {"c1": facts()}, {"c1": facts(1, signals=("quiet",))}
    for starts in (1, 0):
        assert here.day(DAY + timedelta(days=1), on, off).starts == starts
        here.turn()
    assert [run.started_by for run in PlaybookRun.objects.all()] == ["signal “quiet”"]
    here.now += timedelta(days=1)
    assert here.day(DAY + timedelta(days=2), on, on).starts == 0, "still on is nothing new"


def test_the_first_day_starts_nothing_but_dates(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, steps: [{task: A}]}")
    assert here.day(DAY, {"c1": facts(signals=("quiet",))}).starts == 0


@pytest.mark.parametrize(
    ("newcomers", "days_ago", "starts"),
    [("true", 0, 1), ("true", 30, 1), ("true", 31, 0), ("true", 2000, 0), ("false", 0, 0)],
)
def test_who_has_just_become_a_customer_enters_on_the_first_day(
    stage: MakeStage, newcomers: str, days_ago: int, starts: int
) -> None:
    here = stage(
        f"p: {{trigger: {{segment_entered: danger, newcomers: {newcomers}}}, steps: [{{task: A}}]}}\n"
        "other: {trigger: {signal: quiet}, steps: [{task: B}]}"
    )
    tomorrow = DAY + timedelta(days=1)
    new = facts(1, signals=("quiet",), customer_since=tomorrow - timedelta(days=days_ago))
    new = replace(new, segments=frozenset({"danger"}))
    assert here.day(tomorrow, {"c1": new}, {"c2": facts()}).starts == starts
    assert here.day(tomorrow + timedelta(days=1), {"c1": new}, {"c1": new}).starts == 0


def test_what_is_off_is_not_started(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, steps: [{task: A}]}", on=False)
    assert here.day(DAY + timedelta(days=1), {"c1": facts(1, signals=("quiet",))}, {"c1": facts()}).starts == 0


def test_dates_start_playbooks_so_many_days_before(stage: MakeStage) -> None:
    here = stage("p: {trigger: {date: renewal, days_before: 90}, steps: [{task: A}]}")
    renewal = DAY + timedelta(days=91)
    assert here.day(DAY + timedelta(days=1), {"c1": facts(1, renewal=renewal)}, {"c1": facts(renewal=renewal)}).starts
    here.turn()
    assert PlaybookRun.objects.get().started_by == "90 days before renewal"


def test_a_signal_that_turns_off_stops_the_run(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, stop_on: [signal_off], steps: [{wait: 9d}, {task: A}]}")
    on = {"c1": facts(1, signals=("quiet",))}
    here.day(DAY + timedelta(days=1), on, {"c1": facts()})
    here.turn()
    assert here.day(DAY + timedelta(days=2), on, on).heard == 0, "nothing changed for it"
    here.now += timedelta(days=2)
    assert here.day(DAY + timedelta(days=3), {"c1": facts(3)}, on).heard == 1
    here.turn()
    assert PlaybookRun.objects.get().reason == "signal off"
    here.after(days=30)
    assert not Task.objects.exists()


@pytest.mark.parametrize("gone", [{}, {"c1": facts(2, active=False)}])
def test_customers_who_leave_end_their_runs(stage: MakeStage, gone: dict[str, Facts]) -> None:
    here = stage("p: {trigger: {signal: quiet}, steps: [{email: hello}, {wait: 9d}, {task: A}]}")
    here.day(DAY + timedelta(days=1), {"c1": facts(1, signals=("quiet",))}, {"c1": facts()})
    here.turn()
    here.day(DAY + timedelta(days=2), gone, {"c1": facts(1)})
    here.turn()
    assert PlaybookRun.objects.get().reason == "customer left"
    assert Outgoing.objects.get().state == "cancelled"
    assert not PlaybookTimer.objects.exists()


def test_a_goal_that_is_reached_ends_the_run_well(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, goal: logins > 2, steps: [{wait: 9d}]}")
    here.day(DAY + timedelta(days=1), {"c1": facts(1, signals=("quiet",), logins=0.0)}, {"c1": facts()})
    here.turn()
    here.day(DAY + timedelta(days=2), {"c1": facts(2, logins=3.0)}, {"c1": facts(1)})
    here.turn()
    run = PlaybookRun.objects.get()
    assert (run.success, run.reason) == (True, "goal reached")


def test_a_login_is_an_answer(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, stop_on: [login], steps: [{wait: 9d}]}")
    quiet = {"c1": facts(1, signals=("quiet",), days_since_login=8.0)}
    here.day(DAY + timedelta(days=1), quiet, {"c1": facts(days_since_login=7.0)})
    here.turn()
    here.now += timedelta(days=1)
    here.day(DAY + timedelta(days=2), {"c1": facts(2, days_since_login=0.0)}, quiet)
    here.turn()
    assert PlaybookRun.objects.get().reason == "login"


def test_a_login_of_before_the_start_is_none(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, stop_on: [login], steps: [{wait: 9d}]}")
    here.now += timedelta(days=2)
    before, after = {"c1": facts(days_since_login=7.0)}, {"c1": facts(1, signals=("quiet",), days_since_login=0.0)}
    here.day(DAY + timedelta(days=1), after, before)
    here.turn()
    here.day(DAY + timedelta(days=1), after, before)
    here.turn()
    assert PlaybookRun.objects.get().ended_at is None


def test_a_real_day_is_compared_with_the_last_that_was_seen(published: Workspace) -> None:
    WorkspaceSetting.objects.create(name="playbook_day", value={"as_of": "2026-06-26", "before": None})
    _all_on(published)
    found = start_from_day(published, LAST, NOW)
    assert found.starts > 0
    assert WorkspaceSetting.objects.get(name="playbook_day").value == {"as_of": "2026-06-30", "before": "2026-06-26"}
    before = Happening.objects.count()
    assert start_from_day(published, LAST, NOW).starts == found.starts
    assert Happening.objects.count() == before, "a repeated day asks for nothing new"
    assert start_from_day(published, date(2026, 6, 29), NOW).starts == 0, "older than what was seen"


def test_real_runs_are_moved_with_what_was_published(published: Workspace) -> None:
    WorkspaceSetting.objects.create(name="playbook_day", value={"as_of": "2026-06-20", "before": None})
    _all_on(published)
    start_from_day(published, LAST, NOW)
    while playing_turn(published, NOW, worker="w"):
        pass
    runs = PlaybookRun.objects.all()
    assert runs
    assert all(run.company != run.customer_id for run in runs)
    assert AuditEntry.objects.filter(action="playbook.started").count() == len(runs)
    assert not Happening.objects.filter(heard_at=None).exists()


def _all_on(workspace: Workspace) -> None:
    for name in current_model(workspace).model.playbooks:
        switch(WHO, workspace, name, True, NOW)
