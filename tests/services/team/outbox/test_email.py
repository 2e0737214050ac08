"""E-mail on the wire: an SMTP server and a provider get exactly what the outbox says."""

import smtplib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from anymail.exceptions import AnymailRecipientsRefused, AnymailRequestsAPIError
from django.conf import settings
from django.core import mail as django_mail

from keepwell.connectors.channels.results import GiveUp, Retry, Sent
from keepwell.interfaces.site.mail import MailConfig
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.outbox.email import message_id, send_email
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing
from tests.services.team.outbox.world import NOON, fresh, go_live, waiting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("mail")]
State = Outgoing.State


@dataclass
class Server:
    """Takes mail, or refuses it as it is told."""

    port: int = 0
    mails: list[tuple[str, list[str], EmailMessage]] = field(default_factory=list)
    at_recipient: str = "250 OK"
    at_data: str = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if self.at_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.at_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.at_data == "hang up":
            server.transport.abort()
        if self.at_data.startswith("250"):
            content = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(content, EmailMessage)
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, content))
        return self.at_data


@pytest.fixture
def smtp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as free:
        server.port = free.getsockname()[1]
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    about = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
    for name, value in (about | {"EMAIL_PORT": server.port, "EMAIL_USE_TLS": False, "EMAIL_TIMEOUT": 5}).items():
        monkeypatch.setattr(settings, name, value, raising=False)
    yield server
    controller.stop()


def part(content: EmailMessage, kind: str) -> str:
    found = content.get_body((kind,))
    assert isinstance(found, EmailMessage)
    return str(found.get_content()).replace("\r\n", "\n").strip()


def test_the_server_gets_exactly_what_the_outbox_says(here: Workspace, smtp: Server) -> None:
    go_live()
    text = "Zeile mit Umlaut ä, שלום und 😀\n\n.\nA dot alone on a line"
    row = waiting(to_name='Ada "The" Byron, שלום', subject="Größe 😀", text=text, html="<p>Größe</p>")
    delivery_turn(here, NOON, worker="w")
    ((sender, to, content),) = smtp.mails
    assert fresh(row).state == State.SENT
    assert (sender, to) == ("hello@keepwell.example", [row.address])
    assert content["Subject"] == row.subject
    assert content["To"].addresses[0].display_name == row.to_name
    assert content["To"].addresses[0].addr_spec == row.address
    assert (content["From"].addresses[0].display_name, content["From"].addresses[0].addr_spec) == (
        "Maya", "hello@keepwell.example",
    )  # fmt: skip
    assert [one.addr_spec for one in content["Reply-To"].addresses] == [
        "maya@keepwell.example", f"reply+{tokens.reply_mark(row.pk)}@reply.keepwell.example",
    ]  # fmt: skip
    assert part(content, "plain") == text
    assert part(content, "html") == row.html
    assert content["Message-ID"] == message_id(row) == row.provider_id
    assert content["List-Unsubscribe"] is None


def test_marketing_can_be_unsubscribed_from_with_one_click(here: Workspace, smtp: Server) -> None:
    go_live()
    row = waiting(purpose="marketing")
    delivery_turn(here, NOON, worker="w")
    content = smtp.mails[0][2]
    assert content["List-Unsubscribe"].strip() == f"<{tokens.unsubscribe_url(row.key)}>"
    assert content["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_dry_run_reaches_no_server(here: Workspace, smtp: Server) -> None:
    row = waiting()
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == State.REHEARSED
    assert smtp.mails == []


@pytest.mark.parametrize(
    ("at_recipient", "at_data", "state"),
    [
        ("450 Try later", "250 OK", State.FAILED),
        ("550 No such user", "250 OK", State.DEAD),
        ("250 OK", "451 Try later", State.FAILED),
        ("250 OK", "554 Looks like spam", State.DEAD),
        ("250 OK", "hang up", State.DEAD),
    ],
)
def test_what_a_server_says_is_believed(
    here: Workspace, smtp: Server, at_recipient: str, at_data: str, state: str
) -> None:
    go_live()
    row = waiting()
    smtp.at_recipient, smtp.at_data = at_recipient, at_data
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == state
    assert row.error
    assert ("may have arrived" in row.error) == (at_data == "hang up")


def test_a_server_that_is_away_is_waited_for(here: Workspace, smtp: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    row = waiting()
    monkeypatch.setattr(settings, "EMAIL_PORT", 1)
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == State.FAILED
    monkeypatch.setattr(settings, "EMAIL_PORT", smtp.port)
    delivery_turn(here, row.due_at, worker="w")
    assert fresh(row).state == State.SENT
    assert len(smtp.mails) == 1


def test_without_a_server_nothing_is_called_sent(here: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
    go_live()
    row = waiting()
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == State.FAILED
    assert "KEEPWELL_EMAIL_URL" in row.error


@pytest.mark.parametrize("field", ["subject", "to_name"])
def test_no_value_makes_a_header(here: Workspace, smtp: Server, field: str) -> None:
    go_live()
    waiting(**{field: "Hi\r\nBcc: all@evil.example\n\n<b>body</b>"})
    forced = waiting()
    Outgoing.objects.filter(pk=forced.pk).update(**{field: "Hi\r\nBcc: all@evil.example"})
    delivery_turn(here, NOON, worker="w")
    for _, to, content in smtp.mails:
        assert content["Bcc"] is None
        assert len(to) == 1
    if field == "subject":
        assert fresh(forced).state == State.DEAD


def test_a_message_without_text_is_not_sent(here: Workspace, smtp: Server) -> None:
    assert isinstance(send_email(waiting(text=" "), NOON), GiveUp)
    assert smtp.mails == []


# --- a provider -------------------------------------------------------------------------------------------------------
@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch, mail: MailConfig) -> None:
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "anymail.backends.test.EmailBackend")
    monkeypatch.setattr(settings, "MAIL", replace(mail, provider="postmark"))
    django_mail.outbox = []


@pytest.mark.usefixtures("provider")
def test_a_provider_carries_the_key(here: Workspace) -> None:
    go_live()
    row = waiting(message="welcome", purpose="marketing")
    delivery_turn(here, NOON, worker="w")
    (sent,) = django_mail.outbox
    said: dict[str, Any] = vars(sent)["anymail_test_params"]
    assert said["metadata"] == {"keepwell": row.key}
    assert said["tags"] == ["welcome"]
    assert said["subject"] == row.subject
    assert said["text_body"] == row.text
    assert said["html_body"] == row.html
    assert said["to"][0].addr_spec == row.address
    assert "List-Unsubscribe" in said["extra_headers"]
    assert (fresh(row).state, row.provider_id) == (State.SENT, str(vars(sent)["anymail_status"].message_id))


def answer(code: int, **headers: str) -> AnymailRequestsAPIError:
    response = requests.Response()
    response.status_code = code
    response.headers.update(headers)
    return AnymailRequestsAPIError("no", response=response)


def broken(cause: str) -> AnymailRequestsAPIError:
    error = AnymailRequestsAPIError("Error posting")
    error.__cause__ = requests.ConnectionError(cause)
    return error


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize(
    ("error", "result"),
    [
        (answer(429, **{"Retry-After": "30"}), Retry),
        (answer(503), Retry),
        (answer(401), Retry),
        (answer(422), GiveUp),
        (answer(500), GiveUp),
        (broken("NewConnectionError: refused"), Retry),
        (broken("Read timed out"), GiveUp),
        (AnymailRecipientsRefused(), GiveUp),
        (smtplib.SMTPServerDisconnected("gone"), GiveUp),
    ],
)
def test_what_a_provider_says_is_believed(error: Exception, result: type, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise error

    monkeypatch.setattr("anymail.backends.test.EmailBackend.send_messages", fail)
    found = send_email(waiting(), NOON)
    assert isinstance(found, result)
    if isinstance(found, Retry) and "429" in str(error):
        assert found.after == 30


@pytest.mark.usefixtures("provider")
def test_colleagues_are_told_again_where_customers_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> int:
        raise answer(500)

    monkeypatch.setattr("anymail.backends.test.EmailBackend.send_messages", fail)
    assert isinstance(send_email(waiting(audience="internal"), NOON), Retry)


@pytest.mark.usefixtures("provider")
def test_a_provider_that_takes_it_is_named(here: Workspace) -> None:
    assert isinstance(send_email(waiting(), NOON), Sent)


def test_a_domain_in_letters_of_its_own_is_written_to(here: Workspace, smtp: Server) -> None:
    go_live()
    row = waiting(address="ada@m\u00fcnchen.example", sender={"name": "Maya", "email": "maya@b\u00fccher.example"})
    delivery_turn(here, NOON, worker="w")
    assert fresh(row).state == State.SENT, fresh(row).error
    ((_, to, content),) = smtp.mails
    assert to == ["ada@xn--mnchen-3ya.example"]
    assert "maya@xn--bcher-kva.example" in content["Reply-To"]
