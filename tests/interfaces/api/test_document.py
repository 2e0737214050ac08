"""The OpenAPI document: complete, without two things of one name, and public."""

import re
from typing import Any, get_args

import pytest
from django.test import Client
from ninja.openapi.schema import OpenAPISchema

from keepwell.interfaces.api import task_bodies
from keepwell.interfaces.api.api import api
from keepwell.store.models import Job, Outcome, Task
from tests.interfaces.api.program import PROBLEM, ROOT, operations, problem


def test_no_two_schemas_share_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {}
    different: list[str] = []

    def add(self: OpenAPISchema, found: dict[str, Any]) -> None:
        different.extend(name for name, one in found.items() if kept.setdefault(name, one) != one)
        self.schemas.update(found)

    monkeypatch.setattr(OpenAPISchema, "add_schema_definitions", add)
    names = api.get_openapi_schema()["components"]["schemas"]
    assert different == []
    assert not [name for name in names if name.startswith("keepwell__")]


def test_operations_are_described() -> None:
    seen = set()
    for method, path, described in operations():
        name = described["operationId"]
        assert name not in seen
        seen.add(name)
        assert described["description"].endswith((".", "?")), name
        assert described["tags"], name
        assert described["security"] == [{"Token": []}], name
        statuses = set(described["responses"])
        assert statuses & {200, 201, 202, 204}, name
        assert {401, 403, 404, 409, 422, 429} <= statuses, name
        assert list(described["responses"][404]["content"]) == [PROBLEM]
        keyed = any(one["name"] == "Idempotency-Key" for one in described["parameters"])
        secret = name in {"create_token", "create_invitation", "create_password_link"}
        harmless = name in {"validate_model", "evaluate_definition", "upload_files"}
        if method in ("POST", "PUT", "PATCH"):
            assert keyed != (secret or harmless), f"{method} {path}"
    assert len(seen) > 80


def test_answers_have_types() -> None:
    """Only what models define freely is free of a type."""
    for _, path, described in operations():
        for status, found in described["responses"].items():
            content = found.get("content", {}).get("application/json")
            assert status == 204 or content is None or content["schema"], path


@pytest.mark.parametrize(
    ("named", "choices"),
    [
        (task_bodies.TaskKind, Task.Kind),
        (task_bodies.TaskState, Task.State),
        (task_bodies.ContactMade, Outcome.Contact),
        (task_bodies.IssueMet, Outcome.Issue),
        (task_bodies.ResultReached, Outcome.Result),
        (task_bodies.JobKind, Job.Kind),
        (task_bodies.JobState, Job.State),
    ],
)
def test_documented_choices_are_those_of_the_database(named: Any, choices: Any) -> None:
    assert list(get_args(named)) == choices.values


@pytest.mark.django_db
def test_what_is_not_there_is_a_problem_too(client: Client, published: object) -> None:
    for path in ("/api/", "/api/v2/customers", f"{ROOT}/nothing", f"{ROOT}/tasks/nothing", f"{ROOT}/openapi.jsonx"):
        problem(client.get(path), 404)
    problem(Client(enforce_csrf_checks=True).post(f"{ROOT}/tasks/nothing/done"), 404)
    refused = client.put(f"{ROOT}/customers")
    problem(refused, 405)
    assert refused["Allow"] == "GET"
    assert re.match("application/json", client.get(f"{ROOT}/openapi.json")["Content-Type"])
