"""Switches: rehearsed by default, live after a test by the admin who moves them, each audience by itself."""

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail as outgoing_mail

from keepwell.connectors.channels import chat
from keepwell.connectors.channels.results import Sent
from keepwell.services.team.audit import actor
from keepwell.services.team.outbox.channels import (
    WAYS,
    ChannelError,
    go_dry,
    go_live,
    origins_change,
    switches,
)
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.outbox.in_app import Reader, feed, origins
from keepwell.services.team.outbox.senders import SENDERS
from keepwell.services.team.outbox.switches import live
from keepwell.services.team.outbox.trying import try_channel
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Channel, Outgoing, Person
from tests.connectors.channels.hostile import listening, status
from tests.services.team.outbox.world import NOON, fresh, waiting
from tests.services.team.outbox.world import go_live as switched_on
from tests.web import MakePerson

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(person: MakePerson) -> Person:
    return person("admin")


@pytest.fixture
def own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose settings somebody has filled in."""
    values = {"product_name": "Homes", "product_link": "https://homes.example.com/", "weekly_capacity": 9}
    model = SimpleNamespace(model=SimpleNamespace(settings=SimpleNamespace(values=values)))
    monkeypatch.setattr(Workspace, "model", lambda _: model)


def tried(admin: Person, name: str, audience: str, now: Any = NOON) -> Outgoing:
    return try_channel(actor(admin), admin, name, audience, now, None)


def test_everything_that_leaves_has_a_sender_and_a_switch() -> None:
    assert {way.name for way in WAYS} | {"workspace"} == set(SENDERS)
    assert len({way.key for way in WAYS}) == len(WAYS)


def test_nothing_is_live_by_itself(admin: Person) -> None:
    assert not any(one.live or one.can_go_live for one in switches(admin.pk, NOON))
    assert not any(live(way.name, way.audience) for way in WAYS)


@pytest.mark.usefixtures("mail")
def test_no_customer_reads_the_made_up_names_of_a_pack(admin: Person) -> None:
    tried(admin, "email", "customer")
    with pytest.raises(ChannelError, match=r"product_name \(Our product\), product_link \(https://app\.example/\)"):
        go_live(actor(admin), "email", "customer", NOON)
    tried(admin, "email", "internal")
    go_live(actor(admin), "email", "internal", NOON)
    assert live("email", "internal")


@pytest.mark.usefixtures("own_names")
def test_it_goes_live_after_a_test_and_for_one_audience_alone(admin: Person, person: MakePerson, mail: Any) -> None:
    with pytest.raises(ChannelError, match="test"):
        go_live(actor(admin), "email", "customer", NOON)
    row = tried(admin, "email", "customer")
    assert (row.state, row.address) == (Outgoing.State.SENT, admin.email)
    assert [one.to for one in outgoing_mail.outbox] == [[f"{admin.shown_name} <{admin.email}>"]]
    with pytest.raises(ChannelError):
        go_live(actor(person("admin")), "email", "customer", NOON)
    with pytest.raises(ChannelError):
        go_live(actor(admin), "email", "customer", NOON + timedelta(hours=25))
    go_live(actor(admin), "email", "customer", NOON)
    assert live("email", "customer")
    assert not live("email", "internal")
    go_dry(actor(admin), "email", "customer", NOON)
    assert not live("email", "customer")
    entries = AuditEntry.objects.filter(object_kind="channel").order_by("pk")
    assert [one.action for one in entries] == ["channel.tested", "channel.live", "channel.dry_run"]
    assert {one.actor for one in entries} == {admin}


def test_an_incomplete_channel_stays_a_dry_run(admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEEPWELL_CHAT_SLACK", raising=False)
    with pytest.raises(ChannelError, match="KEEPWELL_CHAT_SLACK"):
        go_live(actor(admin), "slack", "internal", NOON)
    assert tried(admin, "slack", "internal").state == Outgoing.State.DEAD
    monkeypatch.setenv("KEEPWELL_CHAT_SLACK", "nonsense")
    shown = next(one for one in switches(admin.pk, NOON) if one.way.name == "slack")
    assert "cannot be used" in shown.missing[0]
    assert not shown.can_go_live


@pytest.mark.parametrize(("name", "audience"), [("slack", "customer"), ("workspace", "internal"), ("x", "customer")])
def test_there_are_no_other_channels(admin: Person, name: str, audience: str) -> None:
    with pytest.raises(ChannelError):
        go_dry(actor(admin), name, audience, NOON)
    assert not Channel.objects.exists()


def test_a_failing_test_opens_nothing(admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Sent:
        raise OSError("no network")

    monkeypatch.setenv("KEEPWELL_CHAT_SLACK", "json://127.0.0.1:9/")
    monkeypatch.setattr(chat, "say", fails)
    row = tried(admin, "slack", "internal")
    assert (row.state, row.error) == (Outgoing.State.DEAD, "OSError: no network")
    with pytest.raises(ChannelError):
        go_live(actor(admin), "slack", "internal", NOON)


def test_words_arrive_in_the_chat(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    switched_on("slack", "internal")
    with listening(status(200)) as main, listening(status(200)) as other:
        monkeypatch.setenv("KEEPWELL_CHAT_SLACK", f"json://127.0.0.1:{main.port}/")
        monkeypatch.setenv("KEEPWELL_CHAT_SLACK_EXECUTIVE", f"json://127.0.0.1:{other.port}/")
        waiting(channel="slack", audience="internal", subject="Save: Acme", text="Acme fell", html="")
        waiting(channel="slack", audience="internal", text="For the boss", html="", payload={"role": "executive"})
        assert delivery_turn(here, NOON, worker="w") == 2
    said = [json.loads(body) for _, body in main.requests]
    assert [(one["title"], one["message"]) for one in said] == [("Save: Acme", "Acme fell")]
    assert json.loads(other.requests[0][1])["message"] == "For the boss"


def test_the_workspace_itself_needs_no_switch(here: Workspace) -> None:
    row = waiting(channel="workspace", audience="internal", address="maya@example.com")
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == Outgoing.State.SENT


def test_messages_in_the_product_are_in_the_feed_once_live(here: Workspace) -> None:
    reader = Reader("c-1", "u-1")
    row = waiting(channel="in_app", customer_id="c-1", person_id="u-1", address="")
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == Outgoing.State.REHEARSED
    assert feed(reader, NOON) == []
    switched_on("in_app", "customer")
    waiting(channel="in_app", customer_id="c-1", person_id="u-1", address="", payload={"contact": row.key})
    delivery_turn(here, NOON, worker="w")
    assert len(feed(reader, NOON)) == 1
    assert feed(reader, NOON + timedelta(days=31)) == []


def test_pages_are_origins(admin: Person) -> None:
    who = actor(admin)
    lines = [
        "https://App.example.com/",
        "",
        "https://app.example.com",
        "http://localhost:3000",
        "https://b.example:443",
    ]
    assert origins_change(who, lines, NOON) == [
        "https://app.example.com", "http://localhost:3000", "https://b.example",
    ]  # fmt: skip
    assert "http://localhost:3000" in origins()
    for bad in ("https://x.example/path", "http://x.example", "*", "https://*.x.example", "x.example", "https://a@b.c"):
        with pytest.raises(ChannelError):
            origins_change(who, [bad], NOON)
    with pytest.raises(ChannelError):
        origins_change(who, [f"https://x{number}.example" for number in range(21)], NOON)
    assert not live("in_app", "customer")
