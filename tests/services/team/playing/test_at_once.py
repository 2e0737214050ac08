"""What turns read and write at once, and remember, changes nothing of what comes out."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from keepwell.services.published.reader import Row, rows_of
from keepwell.services.team.audit import record, written_together
from keepwell.services.team.playing import known as remembered
from keepwell.services.team.playing.desk import desk_of
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.known import look_up
from keepwell.services.team.playing.moving import Moving
from keepwell.services.team.playing.turn import playing_turn
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Happening, Outgoing, PlaybookRun, WebhookTarget
from tests.playbooks.plays import MONDAY
from tests.services.team.playing.conftest import MakeStage
from tests.services.team.playing.stage import WHO, known
from tests.services.team.playing.test_days import DAY, facts

pytestmark = pytest.mark.django_db

LOGINS = """
p: {trigger: {signal: quiet}, steps: [{wait: 9d}]}
q: {trigger: {signal: quiet}, steps: [{wait: 36h}, {wait_for: [login], at_most: 20d}]}
"""


def write_down(what: str) -> None:
    record(WHO, at=MONDAY, action="playbook.started", kind="test", object_id=what, summary=what)


def test_audit_rows_that_are_written_together_keep_their_order_and_are_announced() -> None:
    WebhookTarget.objects.create(name="t", url="https://example.com/t", events=["playbook.started"], made_at=MONDAY)
    with transaction.atomic(), written_together():
        for what in "abc":
            write_down(what)
        assert not AuditEntry.objects.exists()
    assert list(AuditEntry.objects.order_by("pk").values_list("summary", flat=True)) == ["a", "b", "c"]
    assert Outgoing.objects.filter(channel="webhook").count() == 3


def test_what_fails_leaves_no_audit_row_behind() -> None:
    def failing() -> None:
        with transaction.atomic(), written_together():
            write_down("a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    write_down("b")
    assert [entry.summary for entry in AuditEntry.objects.all()] == ["b"]


def test_a_start_takes_few_questions(stage: MakeStage, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    here = stage("p: {trigger: {manual: true}, steps: [{email: hello}, {task: Call}, {wait: 9d}]}")
    here.customers = {f"c{number}": known(f"Company {number}") for number in range(10)}
    here.turn()
    for customer in here.customers:
        happened(customer, "start", name="p", key=f"s{customer}", at=here.now, data={"by": "a test", "trigger": True})
    with django_assert_max_num_queries(10 + 22 * 10):
        assert playing_turn(here.workspace, here.now, worker="w", look=here.look, compose=here.compose) == 10
    assert PlaybookRun.objects.count() == Outgoing.objects.count() == 10


def test_what_another_worker_heard_since_it_was_read_is_left(stage: MakeStage) -> None:
    here = stage("p: {trigger: {manual: true}, steps: [{task: A}]}")
    for number in range(2):
        happened("c1", "start", name="p", key=f"s{number}", at=here.now, data={"by": "a test"})
    read = list(Happening.objects.all())
    Happening.objects.filter(pk=read[0].pk).update(heard_at=here.now)
    with transaction.atomic():
        assert Moving(desk_of(here.workspace, here.now, look=here.look), "c1", read).all() == 0
    assert not PlaybookRun.objects.exists()
    assert Happening.objects.filter(heard_at=None).count() == 1, "it waits for the next turn"


def test_a_run_hears_of_the_first_login_and_of_one_that_it_waits_for(stage: MakeStage) -> None:
    here = stage(LOGINS)
    before = {"c1": facts(days_since_login=9.0)}
    for day in range(1, 5):
        after = {"c1": facts(day, signals=("quiet",), days_since_login=0.0 if day > 1 else 10.0)}
        here.day(DAY + timedelta(days=day), after, before)
        here.turn()
        before = after
        here.after(days=1)
    logins = {run.playbook: [m for m in run.state["history"] if "login" in m[2]] for run in PlaybookRun.objects.all()}
    assert len(Happening.objects.filter(name="login")) == 2, "not of each of the three days"
    assert [len(found) for found in (logins["p"], logins["q"])] == [2, 2]
    assert PlaybookRun.objects.get(playbook="q").reason == "done"


def test_who_may_not_enter_again_is_not_asked_for(stage: MakeStage) -> None:
    here = stage("p: {trigger: {signal: quiet}, re_entry: {after: 30d}, steps: [{task: A}]}")
    off, on = facts(), facts(1, signals=("quiet",))
    assert here.day(DAY + timedelta(days=1), {"c1": on, "c2": off}, {"c1": off, "c2": off}).starts == 1
    here.turn()
    here.now += timedelta(days=2)
    assert here.day(DAY + timedelta(days=3), {"c1": on, "c2": on}, {"c1": off, "c2": off}).starts == 1
    here.now += timedelta(days=40)
    assert here.day(DAY + timedelta(days=43), {"c1": on, "c2": on}, {"c1": off, "c2": on}).starts == 1


def publish(workspace: Workspace, as_of: date, **mrr: float) -> None:
    path: Path = workspace.snapshots.path(as_of)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ", ".join(f"('{name}', '{name.upper()}', 'active', {amount})" for name, amount in mrr.items())
    found = f"SELECT * FROM (VALUES {rows}) AS t(customer_id, name, status, mrr)"
    fresh = path.with_suffix(".new")
    duckdb.sql(f"COPY ({found}) TO '{fresh}' (FORMAT parquet)")
    fresh.replace(path)
    workspace.snapshots.point(as_of)


def test_customers_are_remembered_until_the_day_is_published_anew(
    stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, asked = stage("p: {trigger: {manual: true}, steps: [{task: A}]}"), list[Sequence[Any]]()

    def counted(sql: str, values: Sequence[Any]) -> list[Row]:
        asked.append(values)
        return rows_of(sql, values)

    monkeypatch.setattr(remembered, "rows_of", counted)
    publish(here.workspace, DAY, a=1, b=2)
    look = look_up(here.workspace)
    assert look(["a", "c"], ["mrr"])["a"].facts.values["mrr"] == 1
    first = len(asked)
    assert set(look(["a", "c"], ["mrr"])) == {"a"}
    assert len(asked) == first, "not asked for again, known or not"
    assert set(look(["a", "b"], ["mrr"])) == {"a", "b"}
    assert asked[-1][1] == ["b"]
    publish(here.workspace, DAY, a=5, c=30)
    assert {name: one.money for name, one in look(["a", "b", "c"], ["mrr"]).items()} == {"a": 5, "c": 30}
    monkeypatch.setattr(remembered, "MOST_REMEMBERED", 1)
    publish(here.workspace, DAY + timedelta(days=1), a=6, b=7)
    assert set(look(["a"], ["mrr"])) | set(look(["b"], ["mrr"])) | set(look(["a", "b"], ["mrr"])) == {"a", "b"}
