"""E-mail: through an SMTP server or any provider that anymail knows, with an answer to whether it left."""

import smtplib
from datetime import datetime
from email.utils import formataddr
from typing import Any, Final

from anymail.exceptions import (
    AnymailAPIError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import BadHeaderError, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.encoding import punycode

from keepwell.connectors.channels.results import GiveUp, Result, Retry, Sent
from keepwell.playbooks.messages import one_line
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.unclear import unclear
from keepwell.store.models import Outgoing

MARKETING: Final = "marketing"
KEY: Final = "keepwell"
"""The name under which a provider carries the message's key and gives it back."""
_CONSOLE: Final = "django.core.mail.backends.console.EmailBackend"
_NEVER_LEFT: Final = ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "SSLError", "ProxyError")
_REFUSED: Final = frozenset({"invalid", "rejected", "failed"})
_TELLS: Final = range(400, 500)


def mail_problem() -> str:
    """Why no e-mail can leave, with what to do; empty when it can."""
    if settings.EMAIL_BACKEND == _CONSOLE:
        return "No mail server is set: KEEPWELL_EMAIL_URL, or a provider in [email] of keepwell.toml."
    return ""


def send_email(row: Outgoing, now: datetime) -> Result:
    """Hand one message over; `now` is not sent: the mail's date is that of its sending."""
    if problem := mail_problem():
        return Retry(problem)
    if not row.text.strip() or not row.address:
        return GiveUp("There is no text or no address: this message cannot be sent.")
    try:
        connection = get_connection()
        connection.open()
    except (OSError, smtplib.SMTPException, ImproperlyConfigured) as error:
        return Retry(f"The mail server cannot be reached: {one_line(str(error))}")
    try:
        return _handed_over(row, mail_of(row, connection))
    finally:
        _close(connection)


def mail_of(row: Outgoing, connection: BaseEmailBackend | None = None) -> EmailMultiAlternatives:
    """The message as it leaves."""
    mail = EmailMultiAlternatives(
        subject=row.subject,
        body=row.text,
        from_email=formataddr((row.sender.get("name") or settings.MAIL.name, settings.MAIL.address)),
        to=[_named(row.to_name, row.address)],
        reply_to=_reply_to(row),
        headers=_headers(row),
        connection=connection,
    )
    if row.html:
        mail.attach_alternative(row.html, "text/html")
    carried: dict[str, Any] = {"metadata": {KEY: row.key}, "tags": [row.message or row.purpose or row.channel]}
    for name, value in carried.items():
        setattr(mail, name, value)
    return mail


def message_id(row: Outgoing) -> str:
    """The same for every try, so that a mailbox which gets it twice can tell."""
    return f"<kw.{tokens.reply_mark(row.pk)}@{settings.MAIL.address.rpartition('@')[2]}>"


def _headers(row: Outgoing) -> dict[str, str]:
    found = {"Message-ID": message_id(row)}
    if row.purpose == MARKETING:
        found["List-Unsubscribe"] = f"<{tokens.unsubscribe_url(row.key)}>"
        found["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return found


def _reply_to(row: Outgoing) -> list[str]:
    """The person who writes, and the address by which a reply is noticed: it goes to both."""
    person = row.sender.get("email", "")
    found = [_named(row.sender.get("name", ""), person)] if person else []
    domain = settings.MAIL.reply_domain
    return [*found, f"reply+{tokens.reply_mark(row.pk)}@{domain}"] if domain else found


def _named(name: str, address: str) -> str:
    """A name and an address as headers hold them: domains with letters of their own are written in ASCII."""
    user, at, domain = address.rpartition("@")
    return formataddr((name, f"{user}{at}{punycode(domain)}"))


def _handed_over(row: Outgoing, mail: EmailMultiAlternatives) -> Result:
    try:
        mail.send()
    except (
        BadHeaderError,
        UnicodeError,
        AnymailInvalidAddress,
        AnymailUnsupportedFeature,
        AnymailSerializationError,
    ) as e:
        return GiveUp(f"This message cannot be sent as it is: {_said(e)}")
    except AnymailRecipientsRefused as error:
        return GiveUp(f"The provider refuses the address {row.address}: {_said(error)}")
    except AnymailAPIError as error:
        return _answered(row, error)
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()), (550, b"refused"))
        return _by_code(code, f"The mail server refuses {row.address}: {code} {_text(words)}")
    except smtplib.SMTPResponseException as error:
        return _by_code(error.smtp_code, f"The mail server says {error.smtp_code} {_text(error.smtp_error)}")
    except (smtplib.SMTPException, OSError) as error:
        return unclear(row, f"The connection broke off while it was sent: {_said(error)}")
    return _accepted(row, mail)


def _accepted(row: Outgoing, mail: EmailMultiAlternatives) -> Result:
    status = getattr(mail, "anymail_status", None)
    if status is None or status.status is None:
        return Sent(message_id(row))
    if status.status and status.status <= _REFUSED:
        return GiveUp(f"The provider refuses it: {', '.join(sorted(status.status))}")
    known = status.message_id
    return Sent(message_id(row) if known is None or isinstance(known, set) else str(known))


def _answered(row: Outgoing, error: AnymailAPIError) -> Result:
    """A provider's refusal. Only what cannot have been taken is tried again."""
    response = error.response if isinstance(error, AnymailRequestsAPIError) else None
    code = response.status_code if response is not None else 0
    said = f"The provider says: {_said(error)}"
    if code in (401, 403, 408, 425, 429, 503):
        return Retry(said, _seconds(response.headers.get("Retry-After", "")) if response is not None else None)
    if code in _TELLS:
        return GiveUp(said)
    if any(word in f"{error!r} {error.__cause__!r}" for word in _NEVER_LEFT):
        return Retry(f"The provider cannot be reached: {_said(error)}")
    return unclear(row, said)


def _by_code(code: int, said: str) -> Result:
    """What an SMTP server says before it takes a message: 4xx passes by, 5xx does not. Of who may send, people can."""
    return Retry(said) if code in _TELLS or code in (530, 534, 535) else GiveUp(said)


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None


def _said(error: Exception) -> str:
    return one_line(str(error))[:500] or type(error).__name__


def _text(words: object) -> str:
    return one_line(words.decode(errors="replace") if isinstance(words, bytes) else str(words))[:300]


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        # What was taken stays taken, however the connection ends.
        return
