"""The pipeline through the API."""

import pytest

from keepwell.services.workspace import Workspace
from keepwell.store.models import Opportunity
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import problem, told
from tests.interfaces.workspace.test_opportunities import add

pytestmark = pytest.mark.django_db


def test_a_pipeline_is_listed_moved_and_told_apart(program: MakeProgram, published: Workspace) -> None:
    one, api = add(published), program("ops", "read", "work")
    found = told(api.send("GET", "/opportunities"))
    assert [item["id"] for item in found["items"]] == [one.pk]
    won = told(api.send("POST", f"/opportunities/{one.pk}/won", {"version": 1, "value": "120.50"}))
    assert (won["state"], won["won_value"]) == ("won", "120.50")
    problem(api.send("POST", f"/opportunities/{one.pk}/lost", {"version": 1, "note": "no"}), 409)
    stages = told(api.send("GET", "/opportunities/stages"))
    assert {stage["state"]: stage["count"] for stage in stages}["won"] == 1
    assert told(api.send("GET", "/opportunities"))["total"] == 0


def test_a_stranger_finds_nothing(program: MakeProgram, published: Workspace) -> None:
    one, api = add(published), program("csm", "read", "work")
    assert told(api.send("GET", "/opportunities"))["total"] == 0
    problem(api.send("GET", f"/opportunities/{one.pk}"), 404)
    problem(api.send("POST", f"/opportunities/{one.pk}/lost", {"version": 1, "note": "no"}), 404)
    assert Opportunity.objects.get().state == "identified"
