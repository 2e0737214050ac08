"""What readers of mail and mail providers come to, without signing in; and the list of those not written to."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from keepwell.interfaces.site import clock
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.outbox.suppression import suppressed
from keepwell.services.workspace import Workspace
from keepwell.store.models import Happening, Outgoing, OutgoingEvent, Suppression
from tests.web import MakeClient

pytestmark = pytest.mark.django_db
SECRET = "hooks:let me in"  # noqa: S105 - of a provider that lives in tests


@pytest.fixture
def row(published: Workspace) -> Outgoing:
    now = clock.now() - timedelta(hours=1)
    made = put(
        now,
        key="pb-1:abc",
        channel="email",
        audience="customer",
        purpose="marketing",
        customer_id="c-00001",
        address="ada@acme.example",
        subject="News",
        text="News",
    )
    Outgoing.objects.filter(pk=made.pk).update(state="sent", sent_at=now, provider_id="provider-id-1")
    made.refresh_from_db()
    return made


def path_of(url: str) -> str:
    return url.removeprefix(settings.WEB.url)


@pytest.fixture
def stranger() -> Client:
    """A browser that nobody signed in with, and that would be refused without a CSRF token."""
    return Client(enforce_csrf_checks=True)


def test_a_program_unsubscribes_with_one_post(row: Outgoing, stranger: Client) -> None:
    path = path_of(tokens.unsubscribe_url(row.key))
    answer = stranger.post(path, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 200
    assert not answer.cookies
    found = suppressed(row.address, "marketing")
    assert found is not None
    assert (found.scope, found.why) == ("marketing", "unsubscribed")


def test_following_the_link_only_asks(row: Outgoing, stranger: Client) -> None:
    answer = stranger.get(path_of(tokens.unsubscribe_url(row.key)))
    assert answer.status_code == 200
    assert b"ada@acme.example" in answer.content
    assert b"<form" in answer.content
    assert suppressed(row.address, "marketing") is None
    assert stranger.put(path_of(tokens.unsubscribe_url(row.key))).status_code == 405


def test_a_forged_link_does_nothing(row: Outgoing, stranger: Client) -> None:
    for path in ("/m/u/forged", f"/m/u/{tokens.open_url(row.key).rpartition('/')[2]}", "/m/c/forged"):
        assert stranger.get(path).status_code == 404
    assert stranger.post("/m/u/forged").status_code == 404
    assert Suppression.objects.count() == 0


def test_a_click_is_counted_and_leads_where_it_was_made_for(row: Outgoing, stranger: Client) -> None:
    target = "https://app.example/plan?a=1&b=ä"
    path = path_of(tokens.click_url(row.key, target))
    assert stranger.head(path).status_code == 302
    assert OutgoingEvent.objects.count() == 0, "programs look with HEAD"
    answer = stranger.get(path)
    assert (answer.status_code, answer["Referrer-Policy"]) == (302, "no-referrer")
    assert answer["Location"].startswith("https://app.example/plan?a=1")
    assert [one.name for one in Happening.objects.all()] == ["click"]


def test_a_picture_counts_an_opening(row: Outgoing, stranger: Client) -> None:
    answer = stranger.get(path_of(tokens.open_url(row.key)))
    assert answer["Content-Type"] == "image/gif"
    assert "no-store" in answer["Cache-Control"]
    assert [one.kind for one in OutgoingEvent.objects.all()] == ["opened"]
    assert stranger.get("/m/o/forged.gif").status_code == 200
    assert OutgoingEvent.objects.count() == 1


# --- providers --------------------------------------------------------------------------------------------------------
@pytest.fixture
def postmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAIL", replace(settings.MAIL, provider="postmark"))
    monkeypatch.setattr(settings, "ANYMAIL", {"WEBHOOK_SECRET": [SECRET]})


def call(client: Client, path: str, body: dict[str, Any], secret: str = SECRET) -> int:
    said = f"Basic {base64.b64encode(secret.encode()).decode()}"
    return client.post(path, body, content_type="application/json", headers={"Authorization": said}).status_code


BOUNCE = {
    "RecordType": "Bounce",
    "Type": "HardBounce",
    "ID": 1,
    "MessageID": "provider-id-1",
    "Email": "ada@acme.example",
    "BouncedAt": "2026-06-30T08:00:00Z",
    "Description": "The server was unable to deliver your message",
}


@pytest.mark.usefixtures("postmark")
def test_a_bounce_is_heard(row: Outgoing, stranger: Client) -> None:
    assert call(stranger, "/hooks/email/postmark", BOUNCE) == 200
    assert call(stranger, "/hooks/email/postmark", BOUNCE) == 200
    (event,) = OutgoingEvent.objects.all()
    assert (event.kind, event.outgoing_id) == ("bounced", row.pk)
    assert suppressed(row.address, "personal") is not None


@pytest.mark.usefixtures("postmark")
def test_a_reply_is_heard(row: Outgoing, stranger: Client) -> None:
    to = f"reply+{tokens.reply_mark(row.pk)}@reply.keepwell.example"
    body = {
        "From": "ada@acme.example",
        "FromFull": {"Email": "ada@acme.example", "Name": "Ada", "MailboxHash": ""},
        "To": to,
        "ToFull": [
            {"Email": f"reply+{tokens.reply_mark(row.pk)}@reply.keepwell.example", "Name": "", "MailboxHash": ""}
        ],
        "OriginalRecipient": to,
        "Subject": "Re: News",
        "MessageID": "in-1",
        "TextBody": "Tell me more",
        "Headers": [{"Name": "Message-ID", "Value": "<m1@acme.example>"}],
        "Attachments": [],
    }
    assert call(stranger, "/hooks/email/postmark/inbound", body) == 200
    assert [one.kind for one in OutgoingEvent.objects.all()] == ["replied"]
    assert [one.name for one in Happening.objects.all()] == ["reply"]


@pytest.mark.usefixtures("postmark")
def test_who_does_not_sign_is_refused(row: Outgoing, stranger: Client) -> None:
    assert call(stranger, "/hooks/email/postmark", BOUNCE, "hooks:wrong") == 400
    assert stranger.post("/hooks/email/postmark", BOUNCE, content_type="application/json").status_code == 400
    assert call(stranger, "/hooks/email/mailgun", BOUNCE) == 404, "not this workspace's provider"
    assert call(stranger, "/hooks/email/nobody", BOUNCE) == 404
    assert call(stranger, "/hooks/email/postmark", {"RecordType": []}) in (200, 400)
    assert stranger.post("/hooks/email/postmark", "{", content_type="application/json").status_code == 400
    assert OutgoingEvent.objects.count() == 0


def test_without_a_secret_nobody_is_heard(row: Outgoing, stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert call(stranger, "/hooks/email/postmark", BOUNCE) == 404
    monkeypatch.setattr(settings, "MAIL", replace(settings.MAIL, provider="postmark"))
    monkeypatch.setattr(settings, "ANYMAIL", {})
    assert call(stranger, "/hooks/email/postmark", BOUNCE) == 404
    assert OutgoingEvent.objects.count() == 0


def mailgun(key: str, **event: Any) -> str:
    mark = hmac.new(key.encode(), b"1782810000token", hashlib.sha256).hexdigest()
    signed = {"timestamp": "1782810000", "token": "token", "signature": mark}
    about = {"id": "event-1", "timestamp": 1782810000.0, "recipient": "ada@acme.example"}
    return json.dumps({"signature": signed, "event-data": about | event})


def test_a_provider_that_signs_is_checked(row: Outgoing, stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAIL", replace(settings.MAIL, provider="mailgun"))
    monkeypatch.setattr(settings, "ANYMAIL", {"MAILGUN_WEBHOOK_SIGNING_KEY": "key"})
    said = {"event": "complained", "user-variables": {"keepwell": row.key}}
    for key, status in (("forged", 400), ("key", 200)):
        body = mailgun(key, **said)
        assert stranger.post("/hooks/email/mailgun", body, content_type="application/json").status_code == status
    assert [one.kind for one in OutgoingEvent.objects.all()] == ["complained"]


def test_a_mail_with_a_file_is_read(row: Outgoing, stranger: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAIL", replace(settings.MAIL, provider="mailgun"))
    monkeypatch.setattr(settings, "ANYMAIL", {"MAILGUN_WEBHOOK_SIGNING_KEY": "key"})
    signed = json.loads(mailgun("key"))["signature"]
    raw = (
        f"From: ada@acme.example\r\nTo: reply+{tokens.reply_mark(row.pk)}@r.example\r\nSubject: Re\r\n"
        "Message-ID: <m2@acme.example>\r\n\r\nYes\r\n"
    )
    file = SimpleUploadedFile("a.pdf", b"%PDF" * 1000)
    about = {"sender": "ada@acme.example", "recipient": "x@r.example", "body-mime": raw, "attachment-1": file}
    assert stranger.post("/hooks/email/mailgun/inbound_mime", signed | about).status_code == 200
    assert [one.kind for one in OutgoingEvent.objects.all()] == ["replied"]


# --- the list ---------------------------------------------------------------------------------------------------------
def test_ops_keeps_the_list(client_of: MakeClient) -> None:
    client = client_of("ops")
    assert b"Everybody may be written to" in client.get("/outbox/suppressed").content
    given = {"address": "Bob@Acme.example", "scope": "all", "note": "by phone"}
    assert client.post("/outbox/suppressed/add", given).status_code == 302
    page = client.get("/outbox/suppressed", {"q": "bob"}).content.decode()
    assert "bob@acme.example" in page
    assert "by phone" in page
    assert client.post("/outbox/suppressed/add", {"address": "nonsense", "scope": "all"}).status_code == 422
    one = Suppression.objects.get()
    assert client.post(f"/outbox/suppressed/{one.pk}/remove").status_code == 302
    assert client.post(f"/outbox/suppressed/{one.pk}/remove").status_code == 302, "gone already: said, not failed"
    assert Suppression.objects.count() == 0


@pytest.mark.parametrize("role", ["viewer", "csm", "manager"])
def test_nobody_else_does(client_of: MakeClient, role: str) -> None:
    client = client_of(role)
    assert client.get("/outbox/suppressed").status_code == 403
    assert client.post("/outbox/suppressed/add", {"address": "a@b.example", "scope": "all"}).status_code == 403
