"""Support through the API."""

import pytest

from keepwell.services.workspace import Workspace
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import problem, told
from tests.interfaces.workspace.test_support import escalated, owned

pytestmark = pytest.mark.django_db


def test_tickets_are_listed_seen_and_judged(program: MakeProgram, published: Workspace) -> None:
    one, api = owned(published), program("ops", "read", "work")
    found = told(api.send("GET", "/support/tickets", search=one.ticket_id))
    assert [item["id"] for item in found["items"]] == [one.ticket_id]
    assert {clock["kind"] for clock in found["items"][0]["clocks"]} == {"response", "resolution"}
    said = told(api.send("PUT", f"/support/tickets/{one.ticket_id}", {"category": "Mobile"}))
    assert (said["category"], said["judged_by"], said["priority"]) == ("Mobile", "person", one.priority)
    problem(api.send("PUT", f"/support/tickets/{one.ticket_id}", {"category": "Gardening"}), 409)
    figures = told(api.send("GET", "/support/figures"))
    assert figures["open"] == told(api.send("GET", "/support/tickets"))["total"]


def test_an_escalation_is_filed_and_closed(program: MakeProgram) -> None:
    one, api = escalated(), program("manager", "read", "work")
    assert told(api.send("GET", "/support/escalations"))["total"] == 1
    assert told(api.send("GET", f"/support/escalations/{one.pk}"))["document"] == one.document
    filed = told(
        api.send("POST", f"/support/escalations/{one.pk}/filed", {"version": 1, "link": "https://t.example/1"})
    )
    assert (filed["state"], filed["link"]) == ("filed", "https://t.example/1")
    problem(api.send("POST", f"/support/escalations/{one.pk}/closed", {"version": 1, "why": "Fixed"}), 409)
    closed = told(api.send("POST", f"/support/escalations/{one.pk}/closed", {"version": 2, "why": "Fixed"}))
    assert closed["state"] == "closed"
    assert told(api.send("POST", f"/support/escalations/{one.pk}/reopen", {"version": 3}))["state"] == "open"


def test_a_stranger_finds_nothing(program: MakeProgram, published: Workspace) -> None:
    one, found, api = owned(published), escalated(), program("csm", "read", "work")
    problem(api.send("GET", f"/support/tickets/{one.ticket_id}"), 404)
    problem(api.send("PUT", f"/support/tickets/{one.ticket_id}", {"category": "Mobile"}), 404)
    problem(api.send("GET", "/support/escalations"), 403)
    problem(api.send("GET", f"/support/escalations/{found.pk}"), 403)
    problem(api.send("POST", f"/support/escalations/{found.pk}/closed", {"version": 1, "why": "x"}), 403)
