"""Mail and news of providers that are not as the standards say: heard all the same, and never an error of ours."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from keepwell.interfaces.site import clock
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.queue import put
from keepwell.store.models import Happening, Outgoing, OutgoingEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]
SECRET = "hooks:let me in"  # noqa: S105 - of a provider that lives in tests
PLAIN = b"Content-Type: text/plain\r\n"


@pytest.fixture
def row() -> Outgoing:
    now = clock.now()
    return put(
        now,
        key="pb-1:abc",
        channel="email",
        audience="customer",
        customer_id="c-00001",
        address="ada@acme.example",
        text="News",
        state="sent",
        sent_at=now,
        provider_id="provider-id-1",
    )


@pytest.fixture(autouse=True)
def _provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MAIL", replace(settings.MAIL, provider="postmark"))
    monkeypatch.setattr(settings, "ANYMAIL", {"WEBHOOK_SECRET": [SECRET]})


def call(path: str, body: Any) -> int:
    said = f"Basic {base64.b64encode(SECRET.encode()).decode()}"
    return (
        Client()
        .post(path, json.dumps(body), content_type="application/json", headers={"Authorization": said})
        .status_code
    )


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        (b"Content-Type: text/plain; charset=x-unknown\r\n", b"Tell me more"),
        (b'Content-Type: text/plain; charset="\r\n', b"Tell me more"),
        (PLAIN, b"Tell\x00 me more"),
        (PLAIN + b"Message-ID: <>\r\n", b"Tell me more"),
        (PLAIN + b"Message-ID: <[\r\n", b"Tell me more"),
        (PLAIN + b"Cc: [\r\n", b"Tell me more"),
        (PLAIN + b"Subject: \xff\xfe\r\n", b"Tell me \xff more"),
        (PLAIN + b"Subject: =?utf-8?B?AA==?=\r\n", b"Tell me more"),
        (b"Content-Type: multipart/mixed\r\n", b"Tell me more"),
    ],
)
@pytest.mark.parametrize("sender", [b"ada@acme.example", b"a@[", b'"', b",, ,:;<"])
def test_a_reply_is_heard_however_it_is_written(row: Outgoing, headers: bytes, text: bytes, sender: bytes) -> None:
    to = f"reply+{tokens.reply_mark(row.pk)}@reply.keepwell.example"
    raw = b"From: " + sender + b"\r\nTo: " + to.encode() + b"\r\n" + headers + b"\r\n" + text + b"\r\n"
    body = {
        "From": "ada@acme.example",
        "FromFull": {"Email": "ada@acme.example", "Name": "", "MailboxHash": ""},
        "ToFull": [{"Email": to, "Name": "", "MailboxHash": ""}],
        "OriginalRecipient": to,
        "MessageID": "in-1",
        "RawEmail": raw.decode("latin-1"),
        "Headers": [],
        "Attachments": [],
    }
    assert call("/hooks/email/postmark/inbound", body) == 200
    (event,) = OutgoingEvent.objects.all()
    kept = json.dumps(event.data, ensure_ascii=False)
    assert "\\u0000" not in kept
    kept.encode()
    assert event.kind == "replied"
    assert [one.name for one in Happening.objects.all()] == ["reply"]


NEWS = {"RecordType": "Bounce", "Type": "HardBounce", "ID": 1, "MessageID": "provider-id-1", "Email": "a@b.example"}


def test_news_keeps_nothing_that_a_database_cannot_hold(row: Outgoing) -> None:
    click = {"RecordType": "Click", "MessageID": "provider-id-1", "OriginalLink": "https://a.example/\x00\ud800"}
    assert call("/hooks/email/postmark", click) == 200
    (event,) = OutgoingEvent.objects.all()
    assert event.data["url"].encode()
    assert "\x00" not in event.data["url"]


@pytest.mark.parametrize("body", [[], 7, None, "x", {}, [NEWS], {**NEWS, "MessageID": {}}, {**NEWS, "BouncedAt": "x"}])
@pytest.mark.parametrize("what", ["", "/inbound"])
def test_what_is_no_news_is_refused(row: Outgoing, body: Any, what: str) -> None:
    assert call(f"/hooks/email/postmark{what}", body) in (200, 400)
