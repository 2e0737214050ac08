"""Segment's calls over HTTP: what is taken, what is refused and how that is said."""

import gzip
import json
import os
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepwell.interfaces.api.ingest import keys
from keepwell.store.models import ApiToken, Role
from tests.interfaces.api.ingest.conftest import MakeSender
from tests.interfaces.api.ingest.programs import Sender, problem, written

pytestmark = pytest.mark.django_db

BODIES = {
    "track": {"userId": "u", "event": "login"},
    "identify": {"userId": "u", "traits": {"email": "a@b.c"}},
    "group": {"userId": "u", "groupId": "acme"},
    "page": {"anonymousId": "a", "name": "Home"},
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_message_is_on_disk_when_it_is_answered_and_once(sender: MakeSender, kind: str) -> None:
    program = sender()
    body = {**BODIES[kind], "messageId": "m1"}
    assert program.send(kind, body).json() == {"success": True, "accepted": 1, "repeated": 0}
    assert written() == ["m1"]
    assert program.send(kind, body).json() == {"success": True, "accepted": 0, "repeated": 1}
    assert written() == ["m1"]


def test_a_batch_names_what_it_did_not_take_and_takes_the_rest(sender: MakeSender) -> None:
    program = sender()
    good = {"type": "track", "userId": "u", "event": "e"}
    items = [{**good, "messageId": "a"}, {**good, "event": ""}, 7, {**good, "messageId": "b"}, {**good, "type": "x"}]
    said = problem(program.send("batch", {"batch": items, "sentAt": "2026-06-30T09:00:00Z"}), 400)
    assert [error["where"] for error in said["errors"]] == ["batch.1.event", "batch.2", "batch.4.type"]
    assert "3 of 5" in said["detail"]
    assert written() == ["a", "b"]
    corrected = [{**good, "messageId": name} for name in ("a", "c", "b", "c")]
    assert program.send("batch", {"batch": corrected}).json() == {"success": True, "accepted": 1, "repeated": 3}
    assert program.send("import", {"batch": []}).json() == {"success": True, "accepted": 0, "repeated": 0}


def test_the_key_may_come_as_bearer_and_must_be_a_write_key(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(keys, "KNOWN", keys.KnownKeys(clock=lambda: now[0]))
    program, body = sender(), BODIES["track"]
    assert program.send("track", body, Authorization=f"Bearer {program.secret}").status_code == 200
    for header in (
        "",
        "Basic",
        "Basic !!",
        "Basic /////w==",
        "Basic \xe9",
        "Bearer \xe9",
        "Bearer kw_nobody",
        f"Digest {program.secret}",
    ):
        answer = program.send("track", body, Authorization=header)
        problem(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Basic")
    assert "'ingest'" in problem(sender(Role.OPS, "read", "data").send("track", body), 403)["detail"]
    assert "may not send data" in problem(sender(Role.CSM).send("track", body), 403)["detail"]
    ApiToken.objects.update(revoked_at=ApiToken.objects.first().made_at)  # type: ignore[union-attr]
    assert program.send("track", body).status_code == 200, "it is known for a moment"
    now[0] += 5
    problem(program.send("track", body), 401)
    assert len(written()) == 2


def test_what_is_too_large_is_refused(sender: MakeSender) -> None:
    program = sender()
    large = {**BODIES["track"], "properties": {"x": "y" * 32_768}}
    assert "32 kB" in problem(program.send("track", large), 413)["detail"]
    said = problem(program.send("batch", {"batch": [{"type": "track", **large}]}), 400)
    assert "32 kB" in said["errors"][0]["message"]
    medium = {"type": "track", **BODIES["track"], "properties": {"x": "y" * 30_000}}
    assert "500 kB" in problem(program.send("batch", {"batch": [medium] * 18}), 413)["detail"]
    assert program.send("batch", {"batch": [medium] * 16}).status_code == 200
    bomb = gzip.compress(b" " * 50_000_000)
    assert "500 kB" in problem(program.send("batch", bomb, Content_Encoding="gzip"), 413)["detail"]
    problem(program.send("batch", b"x" * 9_000_000), 413)


def test_a_packed_body_is_unpacked(sender: MakeSender) -> None:
    program = sender()
    packed = gzip.compress(json.dumps({**BODIES["track"], "messageId": "z"}).encode())
    assert program.send("track", packed, Content_Encoding="gzip").status_code == 200
    assert written() == ["z"]
    problem(program.send("track", b"no gzip", Content_Encoding="gzip"), 400)


def test_a_key_has_an_allowance(sender: MakeSender, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(keys, "ALLOWANCE", keys.Allowance(a_second=2, burst=3, clock=lambda: now[0]))
    program, other = sender(), sender()
    items = [{"type": "track", **BODIES["track"]}] * 3
    assert program.send("batch", {"batch": items}).status_code == 200
    refused = program.send("batch", {"batch": items})
    problem(refused, 429)
    assert refused["Retry-After"] == "2"
    assert other.send("track", BODIES["track"]).status_code == 200
    now[0] += 2
    assert program.send("batch", {"batch": items}).status_code == 200


def test_a_disk_that_is_full_is_said_and_can_be_tried_again(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = sender()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        refused = program.send("track", {**BODIES["track"], "messageId": "a"})
    assert problem(refused, 503)["title"] == "Busy"
    assert refused["Retry-After"]
    assert program.send("track", {**BODIES["track"], "messageId": "a"}).json()["accepted"] == 1
    assert written() == ["a"]


def test_other_methods_and_addresses_are_problems() -> None:
    client = Client()
    assert client.get("/v1/track")["Allow"] == "POST"
    problem(client.get("/v1/track"), 405)
    problem(client.get("/hooks/stripe"), 405)
    for address in ("/v1/", "/v1/trak", "/v1/batch/x"):
        assert address in problem(client.post(address), 404)["detail"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)
ITEM = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.sampled_from(["track", "u", "2026-06-30"])
        for name in ("type", "userId", "anonymousId", "event", "messageId", "timestamp", "traits", "groupId", "context")
    },
)
BODY = (
    JSON | ITEM | st.fixed_dictionaries({"batch": JSON | st.lists(ITEM | JSON, max_size=4)}, optional={"context": JSON})
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from([*BODIES, "batch"]), body=BODY.map(lambda one: json.dumps(one).encode()) | st.binary())
def test_nothing_that_is_sent_breaks_it(senders: Sender, kind: str, body: bytes) -> None:
    answer: Any = senders.send(kind, body)
    assert answer.status_code in (200, 400), answer.content
    if answer.status_code == 400:
        problem(answer, 400)


@pytest.fixture
def senders(sender: MakeSender) -> Sender:
    return sender()


def test_a_batch_that_no_pause_makes_small_enough_is_too_large(
    sender: MakeSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "ALLOWANCE", keys.Allowance(burst=5, clock=lambda: 0.0))
    program, one = sender(), {"type": "track", "userId": "u", "event": "e"}
    assert "5 events" in problem(program.send("batch", {"batch": [one] * 6}), 413)["detail"]
    assert program.send("batch", {"batch": [one] * 5}).status_code == 200
    assert problem(program.send("batch", {"batch": [one] * 5}), 429)
