"""Webhooks: events come from changes, go to those who want them, and targets of any manner harm nothing."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from standardwebhooks import Webhook

from keepwell.services.team.audit import Actor, actor, record
from keepwell.services.team.outbox import senders
from keepwell.services.team.outbox.announcing import EVENTS
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.outbox.queue import send_again
from keepwell.services.team.outbox.targets import (
    TargetError,
    deliveries,
    target_change,
    target_delete,
    target_make,
    target_secret,
)
from keepwell.services.team.outbox.trying import try_target
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Outgoing, WebhookTarget
from tests.connectors.channels.hostile import Hostile, listening, status
from tests.services.team.outbox.world import NOON, fresh, go_live, waiting
from tests.web import MakePerson

pytestmark = pytest.mark.django_db
WHO = Actor("somebody")


@pytest.fixture(autouse=True)
def _inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Targets of these tests are on this machine; what one test saw fail is forgotten."""
    monkeypatch.setenv("KEEPWELL_WEBHOOKS_ALLOW_PRIVATE", "1")
    senders._FAILED_AT.clear()
    yield
    senders._FAILED_AT.clear()


def target_of(server: Hostile | None = None, name: str = "Warehouse", events: Any = ("task.done",)) -> WebhookTarget:
    return target_make(WHO, name=name, url=server.url if server else "https://x.example/a", events=events, now=NOON)


def happens(action: str = "task.done", **fields: Any) -> AuditEntry:
    said = {"kind": "task", "object_id": 7, "summary": "Called Acme", "customer_id": "c-1"}
    return record(WHO, at=NOON, action=action, **{**said, **fields})


def test_a_change_is_announced_to_those_who_want_it() -> None:
    wants, other = target_of(), target_of(name="Other", events=["alert.opened"])
    off = target_of(name="Off")
    WebhookTarget.objects.filter(pk=off.pk).update(on=False)
    happens(after={"state": "done"})
    happens("note.added")
    row = deliveries(wants).get()
    assert not deliveries(other).exists()
    assert not deliveries(off).exists()
    body = json.loads(row.payload["body"])
    assert (body["type"], body["timestamp"]) == ("task.done", NOON.isoformat())
    assert body["data"]["customer_id"] == "c-1"
    assert body["data"]["customer_url"].endswith("/customers/c-1")
    assert body["data"]["after"] == {"state": "done"}
    assert (row.customer_id, row.address, row.audience) == ("c-1", "x.example", "internal")


def test_what_is_rolled_back_is_not_announced() -> None:
    target = target_of()
    with transaction.atomic():
        happens()
        assert deliveries(target).exists()
        transaction.set_rollback(True)
    assert not deliveries(target).exists()


def test_a_change_that_nobody_wants_costs_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        happens()
    with django_assert_num_queries(1):
        happens("note.added")


def test_every_event_says_what_it_is_and_none_is_announced_twice() -> None:
    actions = [action for one in EVENTS.values() for action in one.actions]
    assert len(actions) == len(set(actions))
    assert all(one.words for one in EVENTS.values())


def test_it_arrives_signed_once_live(here: Workspace) -> None:
    go_live("webhook", "internal")
    with listening(status(200)) as server:
        target = target_of(server)
        happens(summary="Ärger <b>{{ x }}</b>")
        assert delivery_turn(here, NOON, worker="w") == 1
        assert delivery_turn(here, NOON, worker="w") == 0
    headers, body = server.requests[0]
    said = Webhook(target.secret).verify(body, dict(headers.items()))  # by the real clock, whatever day NOON is
    assert said["data"]["summary"] == "Ärger <b>{{ x }}</b>"
    assert deliveries(target).get().state == Outgoing.State.SENT


def test_a_dry_run_sends_nothing(here: Workspace) -> None:
    with listening(status(200)) as server:
        target = target_of(server)
        happens()
        delivery_turn(here, NOON, worker="w")
    assert server.connections == 0
    assert deliveries(target).get().state == Outgoing.State.REHEARSED


def test_retries_are_the_same_message_and_the_dead_can_be_replayed(here: Workspace) -> None:
    go_live("webhook", "internal")
    with listening(status(500)) as broken:
        target = target_of(broken)
        happens()
        now = NOON
        for _ in range(20):
            delivery_turn(here, now, worker="w")
            row = deliveries(target).get()
            if row.state == Outgoing.State.DEAD:
                break
            assert row.due_at > now
            now = row.due_at
    assert row.state == Outgoing.State.DEAD
    assert broken.connections == row.attempts > 5
    assert len({headers["webhook-id"] for headers, _ in broken.requests}) == 1
    assert len({body for _, body in broken.requests}) == 1
    with listening(status(204)) as mended:
        WebhookTarget.objects.filter(pk=target.pk).update(url=mended.url)
        send_again(WHO, row.pk, now)
        delivery_turn(here, now, worker="w")
    assert fresh(row).state == Outgoing.State.SENT
    assert mended.requests[0][0]["webhook-id"] == broken.requests[0][0]["webhook-id"]


def test_a_broken_target_holds_up_no_other(here: Workspace) -> None:
    go_live("webhook", "internal")
    with listening(status(500)) as broken, listening(status(200)) as well:
        bad, good = target_of(broken, "Bad"), target_of(well, "Good")
        for _ in range(5):
            happens()
        for number in range(6):
            delivery_turn(here, NOON + timedelta(seconds=number), worker="w")
    assert broken.connections == 1, "it is left alone for a minute"
    assert well.connections == 5
    assert set(deliveries(good).values_list("state", flat=True)) == {"sent"}
    assert sum(deliveries(bad).values_list("attempts", flat=True)) == 1, "what was not tried is no attempt"
    assert all(row.due_at > NOON + timedelta(seconds=50) for row in deliveries(bad))


def test_who_is_gone_is_switched_off(here: Workspace) -> None:
    go_live("webhook", "internal")
    with listening(status(410)) as server:
        target = target_of(server)
        happens()
        delivery_turn(here, NOON, worker="w")
    assert not WebhookTarget.objects.get(pk=target.pk).on
    assert AuditEntry.objects.filter(action="webhook.off").exists()
    assert deliveries(target).get().state == Outgoing.State.DEAD


def test_private_addresses_are_refused_when_it_is_sent(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    go_live("webhook", "internal")
    with listening(status(200)) as server:
        target = target_of()
        WebhookTarget.objects.filter(pk=target.pk).update(url=server.url.replace("http://", "https://"))
        happens()
        monkeypatch.delenv("KEEPWELL_WEBHOOKS_ALLOW_PRIVATE")
        delivery_turn(here, NOON, worker="w")
    assert server.connections == 0
    row = deliveries(target).get()
    assert row.state == Outgoing.State.DEAD
    assert "public addresses only" in row.error


def test_a_playbooks_word_goes_to_all_that_want_it(here: Workspace) -> None:
    go_live("webhook", "internal")
    with listening(status(200)) as server:
        target_of(server, "One", ["playbook.notice"])
        target_of(server, "Two", ["playbook.notice", "task.done"])
        target_of(server, "Three", ["task.done"])
        word = waiting(channel="webhook", audience="internal", purpose="notice", text="Acme is at risk", html="")
        delivery_turn(here, NOON, worker="w")
        delivery_turn(here, NOON, worker="w")
    assert fresh(word).state == Outgoing.State.SENT
    assert [json.loads(body)["data"]["summary"] for _, body in server.requests] == ["Acme is at risk"] * 2


def test_a_word_that_nobody_wants_says_so(here: Workspace) -> None:
    go_live("webhook", "internal")
    word = waiting(channel="webhook", audience="internal", text="x")
    delivery_turn(here, NOON, worker="w")
    assert "No target wants" in fresh(word).error


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"url": "ftp://x.example"}, "url"),
        ({"url": "https://x.example/" + "a" * 500}, "url"),
        ({"events": []}, "events"),
        ({"events": ["task.done", "nonsense"]}, "events"),
    ],
)
def test_a_target_that_cannot_be(fields: dict[str, Any], where: str) -> None:
    good = {"name": "a", "url": "https://x.example/", "events": ["task.done"]}
    with pytest.raises(TargetError) as refused:
        target_make(WHO, now=NOON, **{**good, **fields})
    assert refused.value.field == where


def test_names_are_taken_once() -> None:
    target_of()
    other = target_of(name="Other")
    with pytest.raises(TargetError):
        target_of()
    with pytest.raises(TargetError):
        target_change(WHO, other.pk, name="Warehouse", url=other.url, events=other.events, on=True, now=NOON)


def test_changes_are_written_down_without_the_secret() -> None:
    target = target_of()
    first = target.secret
    target_change(
        WHO, target.pk, name="DWH", url="https://y.example/secret-path", events=["task.done"], on=False, now=NOON
    )
    target_change(
        WHO, target.pk, name="DWH", url="https://y.example/secret-path", events=["task.done"], on=False, now=NOON
    )
    assert target_secret(WHO, target.pk, NOON).secret != first
    target_delete(WHO, target.pk, NOON)
    entries = AuditEntry.objects.filter(object_kind="webhook").order_by("pk")
    assert [one.action for one in entries] == ["webhook.made", "webhook.changed", "webhook.secret", "webhook.deleted"]
    said = json.dumps([[one.summary, one.before, one.after] for one in entries])
    assert "whsec" not in said
    assert "secret-path" not in said


def test_deleting_a_target_cancels_what_waits() -> None:
    target = target_of()
    happens()
    row = deliveries(target).get()
    target_delete(WHO, target.pk, NOON)
    assert fresh(row).state == Outgoing.State.CANCELLED


def test_a_test_is_sent_though_the_channel_rehearses(person: MakePerson) -> None:
    admin = person("admin")
    with listening(status(200)) as server:
        row = try_target(actor(admin), admin, target_of(server), NOON)
    assert (row.state, row.purpose) == (Outgoing.State.SENT, "test")
    assert json.loads(server.requests[0][1])["type"] == "webhook.test"
    with listening(status(500)) as server:
        WebhookTarget.objects.update(url=server.url)
        assert try_target(actor(admin), admin, WebhookTarget.objects.get(), NOON).state == Outgoing.State.DEAD
