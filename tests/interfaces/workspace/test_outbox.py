"""Pages of the outbox, the channels and webhooks."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from keepwell.model.playbook_parts import step_names
from keepwell.services.published import PortfolioRow
from keepwell.services.team.outbox import senders
from keepwell.services.team.outbox.texts import model_now
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Channel, Outgoing, OutgoingEvent, WebhookTarget
from tests.connectors.channels.hostile import listening, status
from tests.playbook_rows import run_of
from tests.web import NOW, MakeClient

from .page_world import someones

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]
HTML = '<html><head><title>x</title></head><body><a href="/x" target="_top">Go</a><img src="https://t.example/o.gif"></body></html>'


@pytest.fixture
def row(published: Workspace) -> PortfolioRow:
    return someones(published)


def outgoing(customer_id: str = "", **fields: Any) -> Outgoing:
    about = {
        "key": f"o-{Outgoing.objects.count()}", "channel": "email", "audience": "customer", "subject": "Hello Ada",
        "text": "Hello Ada, as text", "html": HTML, "address": "ada@acme.example", "to_name": "Ada", "state": "dead",
        "company": "Acme" if customer_id else "", "made_at": NOW, "due_at": NOW,
    }  # fmt: skip
    return Outgoing.objects.create(customer_id=customer_id, **{**about, **fields})


def test_the_outbox_says_how_it_begins(client_of: MakeClient) -> None:
    page = client_of("csm").get("/outbox").content.decode()
    assert "Nothing has been written yet" in page
    assert "No such message" in client_of("csm").get("/outbox?state=dead").content.decode()


def test_a_csm_sees_messages_of_own_customers_and_to_oneself(client_of: MakeClient, row: PortfolioRow) -> None:
    theirs = outgoing(row.customer_id, subject="About theirs")
    outgoing(subject="About nobody")
    to_me = outgoing(row.customer_id, audience="internal", address="Me@example.com", subject="Word to me")
    owner = client_of("csm", email="o@example.com", owner_aliases=[row.owner_email])
    me = client_of("csm", email="me@example.com")
    assert "About theirs" in (seen := owner.get("/outbox").content.decode())
    assert "About nobody" not in seen
    seen = me.get("/outbox").content.decode()
    assert "Word to me" in seen
    assert "About theirs" not in seen
    assert me.get(f"/outbox/{to_me.pk}").status_code == 200
    for path in ("", "/html"):
        assert me.get(f"/outbox/{theirs.pk}{path}").status_code == 404
    for verb in ("again", "leave"):
        assert me.post(f"/outbox/{theirs.pk}/{verb}").status_code == 404
    assert Outgoing.objects.get(pk=theirs.pk).state == "dead"
    assert "About nobody" in client_of("admin").get("/outbox").content.decode()


def test_filters_and_words(client_of: MakeClient, row: PortfolioRow) -> None:
    outgoing(row.customer_id, subject="Dead letter")
    outgoing(row.customer_id, subject="Slack word", channel="slack", audience="internal", state="waiting")
    ops = client_of("ops")
    for query, there, gone in (
        ("state=dead", "Dead letter", "Slack word"), ("channel=slack", "Slack word", "Dead letter"),
        ("state=open", "Slack word", "Dead letter"), ("q=dead+acme", "Dead letter", "Slack word"),
        (f"customer={row.customer_id}&audience=internal", "Slack word", "Dead letter"),
    ):  # fmt: skip
        seen = ops.get(f"/outbox?{query}", headers={"hx-request": "true"}).content.decode()
        assert there in seen, query
        assert gone not in seen, query
        assert "<html" not in seen
    assert ops.get("/outbox?state=nonsense&run=x&page=zz").status_code == 200


def test_names_of_the_model_are_words(published: Workspace, client_of: MakeClient, row: PortfolioRow) -> None:
    run = run_of(model_now(published), "revenue_at_risk", row)
    step = step_names(model_now(published).playbooks["revenue_at_risk"])[0]
    sent = outgoing(row.customer_id, run=run, step=step, message="executive_letter", purpose="personal")
    outgoing(row.customer_id, message="champion_story", purpose="marketing")
    ops = client_of("ops")
    seen, one = (ops.get(path).content.decode() for path in ("/outbox", f"/outbox/{sent.pk}"))
    assert "Personal · Revenue at risk" in seen
    assert "Marketing · Champion story" in seen
    assert f'href="/playbooks/runs/{run.pk}">Revenue at risk</a>, step 1, ' in one
    assert "<dd>Executive letter</dd>" in one
    for raw in ("revenue_at_risk", "champion_story", "executive_letter"):
        assert raw not in seen + one


def test_a_message_is_shown_as_it_leaves_and_can_do_nothing(client_of: MakeClient, row: PortfolioRow) -> None:
    one = outgoing(row.customer_id, subject="<b>Hi</b>")
    OutgoingEvent.objects.create(key="e", outgoing=one, kind="clicked", at=NOW, data={"url": "https://x.example"})
    csm = client_of("ops")
    page = csm.get(f"/outbox/{one.pk}")
    text = page.content.decode()
    assert "&lt;b&gt;Hi" in text
    assert "Link followed" in text
    assert re.search(r'<iframe[^>]* sandbox=""', text)
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    letter = csm.get(f"/outbox/{one.pk}/html")
    policy = letter["Content-Security-Policy"]
    assert {part.strip() for part in policy.split(";")} == {
        "sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "base-uri 'none'",
        "form-action 'none'", "frame-ancestors 'self'",
    }  # fmt: skip
    assert letter["X-Frame-Options"] == "SAMEORIGIN"
    shown = letter.content.decode()
    assert '<head><base target="_blank">' in shown
    assert "_top" not in shown
    assert csm.get(f"/outbox/{outgoing(row.customer_id, html='').pk}/html").status_code == 404


def test_sending_again_and_leaving(client_of: MakeClient, row: PortfolioRow) -> None:
    one, csm = outgoing(row.customer_id), client_of("csm", email="o@example.com", owner_aliases=[row.owner_email])
    assert csm.post(f"/outbox/{one.pk}/again")["Location"] == f"/outbox/{one.pk}"
    one.refresh_from_db()
    assert one.state == "waiting"
    csm.post(f"/outbox/{one.pk}/leave", {"why": "They called"})
    one.refresh_from_db()
    assert (one.state, one.error) == ("cancelled", "They called")
    assert "was cancelled already" in csm.post(f"/outbox/{one.pk}/leave", follow=True).content.decode()
    assert client_of("viewer").post(f"/outbox/{one.pk}/again").status_code == 403


def test_a_webhook_shows_its_body(client_of: MakeClient) -> None:
    one = outgoing(channel="webhook", html="", payload={"body": '{"type":"task.done"}', "target": 1})
    assert "&quot;type&quot;: &quot;task.done&quot;" in client_of("admin").get(f"/outbox/{one.pk}").content.decode()


@pytest.mark.parametrize("role", ["viewer", "csm", "manager", "ops"])
@pytest.mark.parametrize("path", ["/settings/channels", "/settings/webhooks"])
def test_channels_are_for_admins(client_of: MakeClient, role: str, path: str) -> None:
    assert client_of(role).get(path).status_code == 403


def test_a_channel_goes_live_step_by_step(client_of: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = client_of("admin")
    monkeypatch.delenv("KEEPWELL_CHAT_SLACK", raising=False)
    assert "Set KEEPWELL_CHAT_SLACK" in admin.get("/settings/channels").content.decode()
    refused = admin.post("/settings/channels/slack-internal/switch", {"live": "1"}, follow=True)
    assert "cannot go live yet" in refused.content.decode()
    with listening(status(200)) as server:
        monkeypatch.setenv("KEEPWELL_CHAT_SLACK", f"json://127.0.0.1:{server.port}/")
        early = admin.post("/settings/channels/slack-internal/switch", {"live": "1"}, follow=True)
        assert "Send yourself a test" in early.content.decode()
        tested = admin.post("/settings/channels/slack-internal/test", follow=True)
        assert "the test was sent" in tested.content.decode()
    admin.post("/settings/channels/slack-internal/switch", {"live": "1"})
    assert Channel.objects.get(live=True).name == "slack"
    assert AuditEntry.objects.filter(action="channel.live", actor=admin.person).exists()  # type: ignore[attr-defined]
    admin.post("/settings/channels/slack-internal/switch")
    assert not Channel.objects.filter(live=True).exists()
    assert "no such channel" in admin.post("/settings/channels/x-y/switch", follow=True).content.decode()
    assert "no such channel" in admin.post("/settings/channels/x-y/test", follow=True).content.decode()


def test_messages_in_the_product_say_where_and_to_whom(client_of: MakeClient) -> None:
    admin = client_of("admin")
    assert admin.post("/settings/channels/pages", {"origins": "https://app.example.com/path"}).status_code == 422
    assert admin.post("/settings/channels/pages", {"origins": "https://app.example.com"}).status_code == 302
    unnamed = admin.post("/settings/channels/in_app-customer/test", follow=True)
    assert "Say as whom" in unnamed.content.decode()
    admin.post("/settings/channels/in_app-customer/test", {"customer": "c-1", "user": "u-1"})
    sent = Outgoing.objects.get()
    assert (sent.state, sent.customer_id, sent.person_id, sent.purpose) == ("sent", "c-1", "u-1", "test")


def test_a_target_is_made_tested_changed_and_deleted(client_of: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEEPWELL_WEBHOOKS_ALLOW_PRIVATE", "1")
    senders._FAILED_AT.clear()
    admin = client_of("admin")
    assert "No targets" in admin.get("/settings/webhooks").content.decode()
    with listening(status(200)) as server:
        given = {"name": "Warehouse", "url": server.url, "events": ["task.done"]}
        made = admin.post("/settings/webhooks/new", given)
        target = WebhookTarget.objects.get()
        assert target.secret in made.content.decode()
        assert "no-store" in made["Cache-Control"]
        for path in ("/settings/webhooks", f"/settings/webhooks/{target.pk}", "/audit"):
            assert target.secret not in admin.get(path).content.decode(), path
        assert admin.post("/settings/webhooks/new", given).status_code == 422
        took = admin.post(f"/settings/webhooks/{target.pk}/test", follow=True)
        assert "The target took the test" in took.content.decode()
    assert "The test failed" in admin.post(f"/settings/webhooks/{target.pk}/test", follow=True).content.decode()
    assert "webhook.test" in admin.get(f"/settings/webhooks/{target.pk}").content.decode()
    changed = admin.post(f"/settings/webhooks/{target.pk}", {**given, "name": "DWH", "events": ["alert.opened"]})
    assert changed.status_code == 302
    target.refresh_from_db()
    assert (target.name, target.events, target.on) == ("DWH", ["alert.opened"], False)
    assert admin.post(f"/settings/webhooks/{target.pk}", {**given, "url": "nonsense"}).status_code == 422
    fresh = admin.post(f"/settings/webhooks/{target.pk}/secret").content.decode()
    assert target.secret not in fresh
    assert "whsec_" in fresh
    admin.post(f"/settings/webhooks/{target.pk}/delete")
    assert not WebhookTarget.objects.exists()


def test_private_addresses_say_why(client_of: MakeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEEPWELL_WEBHOOKS_ALLOW_PRIVATE", raising=False)
    admin = client_of("admin")
    admin.post("/settings/webhooks/new", {"name": "a", "url": "https://127.0.0.1/x", "events": ["task.done"]})
    failed = admin.post(f"/settings/webhooks/{WebhookTarget.objects.get().pk}/test", follow=True).content.decode()
    assert "public addresses only" in failed


def test_a_dead_delivery_is_replayed_from_its_target(client_of: MakeClient) -> None:
    target = WebhookTarget.objects.create(name="a", url="https://x.example/", secret="whsec_x", made_at=NOW)  # noqa: S106
    row = outgoing(
        channel="webhook", key=f"webhook-{target.pk}-1", html="", payload={"target": target.pk, "body": "{}"}
    )
    again = client_of("admin").post(f"/outbox/{row.pk}/again", {"back": "target"})
    assert again["Location"] == f"/settings/webhooks/{target.pk}"


def test_queries_do_not_grow_with_messages(client_of: MakeClient, row: PortfolioRow) -> None:
    owner = client_of("csm", email="o@example.com", owner_aliases=[row.owner_email])
    outgoing(row.customer_id)
    counted = _queries(owner)
    for _ in range(60):
        outgoing(row.customer_id, company="")
    assert _queries(owner) == counted <= 9


def _queries(client: Client) -> int:
    client.get("/outbox")
    with CaptureQueriesContext(connection) as found:
        client.get("/outbox")
    return len(found)
