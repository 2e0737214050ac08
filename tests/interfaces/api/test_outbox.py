"""The outbox and the channels for programs."""

from typing import Any

import pytest

from keepwell.store.models import AuditEntry, Outgoing
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import problem, told
from tests.web import NOW

pytestmark = pytest.mark.django_db


def outgoing(customer_id: str = "", **fields: Any) -> Outgoing:
    about = {
        "key": f"o-{Outgoing.objects.count()}", "channel": "email", "audience": "customer", "subject": "Hello",
        "text": "Hello Ada", "html": "<p>Hello Ada</p>", "address": "ada@acme.example", "state": "dead",
        "made_at": NOW, "due_at": NOW,
    }  # fmt: skip
    return Outgoing.objects.create(customer_id=customer_id, **{**about, **fields})


def test_programs_see_what_their_people_see(program: MakeProgram, owned: tuple[str, str]) -> None:
    row = outgoing(owned[0])
    outgoing(state="sent")
    known, stranger = program("csm", email=owned[1]), program("csm", email="stranger@example.com")
    assert [one["id"] for one in known.get("/outbox")["items"]] == [row.pk]
    assert stranger.get("/outbox")["items"] == []
    assert known.get(f"/outbox/{row.pk}")["text"] == "Hello Ada"
    gone = problem(stranger.send("GET", "/outbox/999999"), 404)
    assert problem(stranger.send("GET", f"/outbox/{row.pk}"), 404) == gone
    assert problem(stranger.post(f"/outbox/{row.pk}/retry", {}), 404) == gone
    assert problem(stranger.post(f"/outbox/{row.pk}/cancel", {"why": "x"}), 404) == gone
    assert program("admin").get("/outbox")["total"] == 2


def test_filters_narrow_the_list(program: MakeProgram, owned: tuple[str, str]) -> None:
    dead = outgoing(owned[0])
    slack = outgoing(owned[0], channel="slack", audience="internal", state="waiting", subject="Acme fell")
    ops = program("ops")
    for query, expected in (
        ({"state": "dead"}, [dead]), ({"state": "open"}, [slack]), ({"channel": "slack"}, [slack]),
        ({"audience": "customer"}, [dead]), ({"search": "acme fell"}, [slack]), ({"customer_id": "nobody"}, []),
        ({"run": 9}, []),
    ):  # fmt: skip
        assert [one["id"] for one in ops.get("/outbox", **query)["items"]] == [row.pk for row in expected], query
    problem(ops.send("GET", "/outbox", state="nonsense"), 422)


def test_sending_again_and_leaving(program: MakeProgram, owned: tuple[str, str]) -> None:
    row, csm = outgoing(owned[0], attempts=8), program("csm", email=owned[1])
    again = told(csm.post(f"/outbox/{row.pk}/retry", None, key="k"))
    assert (again["state"], again["attempts"]) == ("waiting", 0)
    problem(csm.post(f"/outbox/{row.pk}/retry", None), 409)
    left = told(csm.post(f"/outbox/{row.pk}/cancel", {"why": "They called."}))
    assert (left["state"], left["error"]) == ("cancelled", "They called.")
    problem(csm.post(f"/outbox/{row.pk}/cancel", {"why": "again"}), 409)
    assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"outgoing.replayed", "outgoing.cancelled"}
    problem(program("viewer").post(f"/outbox/{row.pk}/retry", None), 403)


def test_channels_are_for_admins(program: MakeProgram) -> None:
    found = program("admin").get("/channels")
    assert {(one["name"], one["audience"]) for one in found} >= {("email", "customer"), ("email", "internal")}
    assert not any(one["live"] for one in found)
    problem(program("ops").send("GET", "/channels"), 403)


def test_queries_do_not_grow_with_messages(
    program: MakeProgram, owned: tuple[str, str], django_assert_max_num_queries: Any
) -> None:
    csm = program("csm", email=owned[1])
    for _ in range(3):
        outgoing(owned[0])
    csm.get("/outbox")
    for _ in range(30):
        outgoing(owned[0])
    with django_assert_max_num_queries(8):
        csm.get("/outbox")


def test_addresses_are_added_found_and_taken_off(program: MakeProgram) -> None:
    ops = program("ops")
    ada = told(ops.post("/suppressions", {"address": " Ada@Acme.example ", "note": "by phone"}, key="a"), 201)
    again = told(ops.post("/suppressions", {"address": " Ada@Acme.example ", "note": "by phone"}, key="a"), 201)
    assert again == ada
    assert (ada["address"], ada["scope"], ada["why"], ada["note"]) == ("ada@acme.example", "all", "by_hand", "by phone")
    assert ada["added_by"]["email"] == ops.person.email
    bob = {"address": "bob@bolt.example", "scope": "marketing", "why": "bounced"}
    bob_id = told(ops.post("/suppressions", bob), 201)["id"]
    for query, expected in (
        ({}, [bob_id, ada["id"]]), ({"search": "ACME"}, [ada["id"]]), ({"why": "bounced"}, [bob_id]),
        ({"scope": "all"}, [ada["id"]]), ({"limit": 1}, [bob_id]), ({"limit": 1, "offset": 1}, [ada["id"]]),
    ):  # fmt: skip
        assert [one["id"] for one in ops.get("/suppressions", **query)["items"]] == expected, query
    problem(ops.post(f"/suppressions/{bob_id}/remove", {}), 422)
    for _ in range(2):
        told(ops.post(f"/suppressions/{bob_id}/remove", {"reason": "Their mailbox is back."}, key="r"), 204)
    problem(ops.post(f"/suppressions/{bob_id}/remove", {"reason": "again"}), 404)
    problem(ops.send("GET", f"/suppressions/{bob_id}"), 404)
    assert ops.get(f"/suppressions/{ada['id']}") == ada
    said = AuditEntry.objects.get(action="address.allowed")
    assert said.summary == "bob@bolt.example may be written to again (Their mailbox is back.)"
    assert said.after is not None
    assert said.after["reason"] == "Their mailbox is back."


def test_an_address_that_is_none_is_refused_and_strangers_see_no_list(program: MakeProgram) -> None:
    wrong = problem(program("ops").post("/suppressions", {"address": "nobody"}), 422)
    assert "ada@example.com" in wrong["detail"]
    row = told(program("ops").post("/suppressions", {"address": "ada@acme.example"}), 201)
    for role in ("viewer", "csm", "manager"):
        one = program(role)
        problem(one.send("GET", "/suppressions"), 403)
        problem(one.send("GET", f"/suppressions/{row['id']}"), 403)
        problem(one.post("/suppressions", {"address": "eve@acme.example"}), 403)
        problem(one.post(f"/suppressions/{row['id']}/remove", {"reason": "x"}), 403)
    assert program("admin").get("/suppressions")["total"] == 1
