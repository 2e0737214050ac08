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
