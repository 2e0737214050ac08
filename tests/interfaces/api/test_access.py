"""Who gets in, with what, and to which customers."""

import re
from typing import Any

import pytest
from django.test import Client

from keepwell.services.team.access import may_see_customer
from keepwell.services.team.audit import actor
from keepwell.services.team.people import revoke_token
from keepwell.store.models import ApiToken, Outcome, Task
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import ROOT, Program, address, operations, problem, told
from tests.web import LAST, NOW, MakeClient

pytestmark = pytest.mark.django_db

BODIES: dict[str, Any] = {
    "create_note": {"text": "hello"},
    "update_note": {"text": "hello"},
    "create_task": {"title": "Call", "due_on": LAST.isoformat()},
    "snooze_task": {"until": "2026-07-10", "reason": "away"},
    "wake_task": {},
    "assign_task": {"person_id": None},
    "close_task": {},
    "tick_task_point": {"done": True},
    "log_task_outcome": {"version": 1, "contact": "reached", "issue": "usage", "result": "resolved"},
}


def task_of(customer_id: str, **fields: Any) -> Task:
    told_of = {
        "company": "Acme", "kind": "segment", "play": f"play{Task.objects.count()}", "title": "Call Acme",
        "opened_on": LAST, "opened_at": NOW, "due_at": NOW,
    }  # fmt: skip
    return Task.objects.create(customer_id=customer_id, **{**told_of, **fields})


def test_without_a_token_nothing_but_the_document_is_answered(client: Client, published: object) -> None:
    open_to_all = []
    for method, path, _ in operations():
        found = client.generic(method, re.sub(r"\{\w+\}", "1", path), "{}", content_type="application/json")
        if found.status_code != 401:
            open_to_all.append(path)
        else:
            assert found["WWW-Authenticate"] == "Bearer"
            problem(found, 401)
    assert open_to_all == []
    assert told(client.get(f"{ROOT}/openapi.json"))["info"]["title"] == "Keepwell"


def test_a_session_is_no_token(client_of: MakeClient) -> None:
    problem(client_of("admin").get(f"{ROOT}/customers"), 401)


def test_tokens_that_were_revoked_or_never_were_do_not_work(program: MakeProgram) -> None:
    mine = program("csm", "read")
    told(mine.send("GET", "/me"))
    revoke_token(actor(mine.person), ApiToken.objects.get(person=mine.person), now=NOW)
    problem(mine.send("GET", "/me"), 401)
    problem(Program("kw_nobody", mine.person).send("GET", "/me"), 401)


def test_a_person_who_left_has_no_working_token(program: MakeProgram) -> None:
    mine = program("admin")
    mine.person.is_active = False
    mine.person.save()
    problem(mine.send("GET", "/me"), 401)


def test_every_operation_asks_for_its_scope(program: MakeProgram) -> None:
    """A token with one scope is let in by exactly the operations of that scope, whoever's it is."""
    read_only, others = program("admin", "read"), program("admin", "work", "segments", "model", "data", "admin")
    refused_to_read, refused_to_others = set(), set()
    for method, path, described in operations():
        where = re.sub(r"\{\w+\}", "999999", path).removeprefix(ROOT)
        if read_only.send(method, where, {}).status_code == 403:
            refused_to_read.add(described["operationId"])
        if others.send(method, where, {}).status_code == 403:
            refused_to_others.add(described["operationId"])
    names = {described["operationId"] for _, _, described in operations()}
    assert refused_to_read | refused_to_others == names
    assert refused_to_read & refused_to_others == set()
    assert {"create_note", "log_task_outcome", "start_job", "apply_model", "update_person"} <= refused_to_read
    assert {"list_customers", "get_customer", "list_tasks", "get_model"} <= refused_to_others


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("viewer", "/customers", 200),
        ("viewer", "/jobs", 403),
        ("csm", "/jobs", 403),
        ("ops", "/jobs", 200),
        ("ops", "/people", 403),
        ("admin", "/people", 200),
        ("manager", "/audit", 403),
        ("ops", "/audit", 200),
        ("ops", "/settings", 403),
        ("admin", "/settings", 200),
        ("manager", "/model/draft", 403),
        ("ops", "/model/draft", 200),
    ],
)
def test_scopes_give_no_more_than_the_role(program: MakeProgram, role: str, path: str, status: int) -> None:
    assert program(role).send("GET", path).status_code == status


def test_a_viewer_changes_nothing_of_a_customer(program: MakeProgram, owned: tuple[str, str]) -> None:
    problem(program("viewer").post(f"/customers/{owned[0]}/notes", {"text": "x"}), 403)


def test_a_stranger_learns_nothing_of_a_customer(program: MakeProgram, owned: tuple[str, str]) -> None:
    """Every operation with a customer or a task in its address or body: as if there were none."""
    customer_id, owner = owned
    stranger, known = program("csm", email="stranger@example.com"), program("csm", email=owner)
    task = task_of(customer_id, owner_email=owner)
    assert not may_see_customer(stranger.person, customer_id)
    asked = 0
    for method, path, described in operations():
        name, values = (
            described["operationId"],
            {"customer_id": customer_id, "task_id": task.pk, "note_id": 1, "place": 0},
        )
        if not {"{customer_id}", "{task_id}"} & set(re.findall(r"\{\w+\}", path)) and name != "create_task":
            continue
        if path.startswith(f"{ROOT}/model"):
            continue  # CS-ops see all customers
        body = BODIES.get(name, {})
        body = body | {"customer_id": customer_id} if name == "create_task" else body
        query = {"since": "2026-06-01"} if name == "get_customer_changes" else {}
        where = address(path, **values)
        problem(stranger.send(method, where, body, **query), 404)
        missing = address(path, **{**values, "customer_id": "nobody", "task_id": 10**9})
        if name != "create_task":
            same = problem(stranger.send(method, missing, body, **query), 404)
            assert same == problem(stranger.send(method, where, body, **query), 404)
        asked += 1
        if method == "GET":
            told(known.send(method, where, **query))
    assert asked >= 20
    assert Task.objects.get().version == 1
    assert not Outcome.objects.exists()


def test_lists_hold_only_what_the_person_sees(program: MakeProgram, owned: tuple[str, str]) -> None:
    customer_id, owner = owned
    everybody = program("ops").get("/customers", limit=500)
    mine = program("csm", email=owner).get("/customers", limit=500)
    assert 0 < mine["total"] < everybody["total"]
    assert {row["owner_email"] for row in mine["items"]} <= {owner, None}
    task = task_of(customer_id, owner_email=owner)
    assert [line["task"]["id"] for line in program("ops").get("/tasks")["items"]] == [task.pk]
    assert program("csm", email="other@example.com").get("/tasks")["items"] == []


def test_bulk_changes_of_a_strangers_task_change_none(program: MakeProgram, owned: tuple[str, str]) -> None:
    customer_id, owner = owned
    task = task_of(customer_id, owner_email=owner)
    stranger = program("csm", email="stranger@example.com")
    problem(stranger.post("/tasks/bulk", {"tasks": [{"id": task.pk}], "change": "done"}), 404)
    assert Task.objects.get().state == "open"
