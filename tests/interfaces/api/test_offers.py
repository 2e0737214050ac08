"""Offers through the API."""

import pytest

from keepwell.services.workspace import Workspace
from keepwell.store.models import Offer
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import problem, told
from tests.interfaces.workspace.test_offers import made, owned

pytestmark = pytest.mark.django_db


def test_an_offer_is_made_once_listed_and_accepted_once(program: MakeProgram, published: Workspace) -> None:
    row, api = owned(published), program("ops", "read", "work")
    body = {"customer_id": row.customer_id, "kind": "trial", "title": "Try it", "days": 30}
    first = told(api.send("POST", "/offers", body, key="k"), 201)
    assert told(api.send("POST", "/offers", body, key="k"), 201) == first
    assert (first["state"], first["terms"]) == ("open", {"days": 30})
    assert "/o/" in first["url"]
    assert [one["id"] for one in told(api.send("GET", "/offers"))["items"]] == [first["id"]]
    done = told(api.send("POST", f"/offers/{first['id']}/accepted", {"name": "Ada"}))
    assert (done["state"], done["url"]) == ("accepted", "")
    assert done["task_id"]
    point = told(api.send("POST", f"/tasks/{done['task_id']}/points/0", {"done": True}))["checklist"][0]
    assert point == {"text": "Switch the trial on", "done": True}
    problem(api.send("POST", f"/tasks/{done['task_id']}/points/9", {"done": True}), 409)
    problem(api.send("POST", f"/offers/{first['id']}/declined", {}), 409)
    problem(api.send("POST", f"/offers/{first['id']}/withdrawn", {"version": done["version"], "why": "x"}), 409)


def test_limits_and_approvals_hold_for_programs(program: MakeProgram, published: Workspace) -> None:
    row, api = owned(published), program("admin", "read", "work")
    body = {"customer_id": row.customer_id, "kind": "pause", "title": "A pause", "months": 4}
    assert "3 months are the most" in problem(api.send("POST", "/offers", body), 409)["detail"]
    waits = told(api.send("POST", "/offers", {**body, "months": 2}), 201)
    assert (waits["state"], waits["url"]) == ("asked", "")
    problem(api.send("POST", f"/offers/{waits['id']}/accepted", {"name": "Ada"}), 409)
    gone = told(api.send("POST", f"/offers/{waits['id']}/withdrawn", {"version": waits["version"], "why": "no"}))
    assert gone["state"] == "withdrawn"
    problem(api.send("POST", "/offers", {**body, "kind": "gold"}), 422)


def test_a_stranger_finds_nothing(program: MakeProgram, published: Workspace) -> None:
    one, api = made(published), program("csm", "read", "work")
    assert told(api.send("GET", "/offers"))["total"] == 0
    problem(api.send("GET", f"/offers/{one.pk}"), 404)
    problem(api.send("POST", f"/offers/{one.pk}/accepted", {"name": "Eve"}), 404)
    body = {"customer_id": one.customer_id, "kind": "trial", "title": "x", "days": 1}
    problem(api.send("POST", "/offers", body), 404)
    assert Offer.objects.get().state == "open"
