"""Playbooks, runs and approvals through the API."""

from typing import Any

import pytest

from keepwell.model.definitions import Model
from keepwell.services.planning.sources import current_model
from keepwell.services.published import PortfolioRow, customers_named
from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.switches import switch
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, Happening, Job, PlaybookRun
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import problem, told
from tests.playbook_rows import question_of, run_of
from tests.web import NOW

pytestmark = pytest.mark.django_db
NAME = "revenue_at_risk"


@pytest.fixture
def model(published: Workspace) -> Model:
    return current_model(published).model


@pytest.fixture
def row(published: Workspace, owned: tuple[str, str]) -> PortfolioRow:
    return customers_named(published, [owned[0]])[owned[0]]


def test_playbooks_are_listed_with_their_figures(program: MakeProgram, row: PortfolioRow, model: Model) -> None:
    run_of(model, NAME, row)
    ops = program("ops")
    found = {one["name"]: one for one in ops.get("/playbooks")}
    assert list(found) == list(model.playbooks)
    assert (found[NAME]["running"], found[NAME]["on"], found[NAME]["response_rate"]) == (1, False, 0.0)
    one = ops.get(f"/playbooks/{NAME}")
    assert [step["kind"] for step in one["steps"]][:3] == ["task", "email", "wait"]
    assert one["steps"][7]["ways"][1]["to"] == "lead"
    problem(ops.send("GET", "/playbooks/nothing"), 404)


def test_a_switch_needs_a_budget(program: MakeProgram, model: Model) -> None:
    ops = program("ops")
    assert ops.get(f"/playbooks/{NAME}/budget")["state"] == "none"
    assert "budget" in problem(ops.post(f"/playbooks/{NAME}/switch", {"on": True}), 409)["detail"]
    assert told(ops.post(f"/playbooks/{NAME}/budget", None), 202)["state"] == "waiting"
    Job.objects.update(state=Job.State.DONE, result={"runs": 3})
    assert ops.get(f"/playbooks/{NAME}/budget")["budget"] == {"runs": 3}
    assert told(ops.post(f"/playbooks/{NAME}/switch", {"on": True}))["on"] is True
    assert told(ops.post(f"/playbooks/{NAME}/switch", {"on": False, "runs": "stop"}))["on"] is False
    problem(program("manager").post(f"/playbooks/{NAME}/switch", {"on": True}), 403)


def test_runs_are_started_read_and_stopped(
    program: MakeProgram, row: PortfolioRow, model: Model, owned: tuple[str, str]
) -> None:
    csm = program("csm", owner_aliases=[owned[1]])
    made = told(csm.post("/playbooks/champion_left/runs", {"customer_id": row.customer_id}, key="k"), 201)
    assert told(csm.post("/playbooks/champion_left/runs", {"customer_id": row.customer_id}, key="k"), 201) == made
    again = problem(csm.post("/playbooks/champion_left/runs", {"customer_id": row.customer_id}), 409)
    assert "Not started: the customer" in again["detail"]
    run = run_of(model, NAME, row, until="ask")
    shown = csm.get(f"/runs/{run.pk}")
    assert (shown["phase"], shown["step"]) == ("asking", "ask")
    assert [one["kind"] for one in shown["moments"]][:3] == ["", "task", "message"]
    assert told(csm.post(f"/runs/{run.pk}/stop", None))["reason"].startswith("cancelled by")
    problem(csm.post(f"/runs/{run.pk}/stop", None), 409)
    assert csm.get(f"/playbooks/{NAME}/runs", state="ended")["total"] == 1
    assert csm.get(f"/playbooks/{NAME}/runs", state="running")["total"] == 0


def test_questions_are_answered_once(program: MakeProgram, row: PortfolioRow, model: Model) -> None:
    one = question_of(run_of(model, NAME, row, until="ask"), row)
    admin = program("admin")
    assert [(item["id"], item["why_not"]) for item in admin.get("/approvals")["items"]] == [(one.pk, "")]
    assert "Managers" in program("viewer").get(f"/approvals/{one.pk}")["why_not"]
    answered = told(admin.post(f"/approvals/{one.pk}/decide", {"approve": True, "note": "Fine"}))
    assert (answered["state"], answered["note"], answered["decided_by"]["id"]) == ("given", "Fine", admin.person.pk)
    assert "was quicker" in problem(admin.post(f"/approvals/{one.pk}/decide", {"approve": False}), 409)["detail"]
    assert admin.get("/approvals", state="given")["total"] == 1
    assert admin.get(f"/approvals/{one.pk}")["state"] == "given"


@pytest.mark.parametrize("role", ["csm", "manager"])
def test_strangers_learn_nothing(program: MakeProgram, row: PortfolioRow, model: Model, role: str) -> None:
    one = question_of(run_of(model, NAME, row, until="ask"), row)
    stranger = program(role, email="stranger@example.com")
    assert stranger.get("/approvals")["total"] == stranger.get(f"/playbooks/{NAME}/runs")["total"] == 0
    for path in (f"/runs/{one.run_id}", f"/approvals/{one.pk}"):
        problem(stranger.send("GET", path), 404)
    asked: list[tuple[str, Any, int]] = [
        (f"/runs/{one.run_id}/stop", None, 404),
        (f"/approvals/{one.pk}/decide", {"approve": True}, 404 if role == "manager" else 403),
        (f"/playbooks/{NAME}/runs", {"customer_id": row.customer_id}, 404),
    ]
    for path, body, status in asked:
        problem(stranger.post(path, body), status)
    assert Approval.objects.get().state == "open"
    assert PlaybookRun.objects.get().ended_at is None
    assert PlaybookRun.objects.get().started_at == NOW


def test_a_playbook_is_started_for_many_by_those_who_may_approve(
    program: MakeProgram, row: PortfolioRow, published: Workspace, owned: tuple[str, str]
) -> None:
    address, ops = f"/playbooks/{NAME}/start-many", program("ops")
    assert "switched on" in problem(ops.post(address, {}), 409)["detail"]
    switch(Actor("ops@example.com"), published, NAME, True, NOW)
    assert told(ops.post(address, {"segment": "no such segment"}), 202) == {"customers": 0}
    asked = told(ops.post(address, {"segment": row.segment}, key="k"), 202)
    assert told(ops.post(address, {"segment": row.segment}, key="k"), 202) == asked
    assert Happening.objects.filter(kind="start", name=NAME).count() == asked["customers"] > 0
    problem(program("csm", owner_aliases=[owned[1]]).post(address, {}), 403)
