"""What a mail provider tells: news of messages that left, and mail that came in. Plain words in, events out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any, Final

from keepwell.playbooks.messages import one_line
from keepwell.services.ingest.values import sound
from keepwell.services.team.outbox import tracking
from keepwell.services.team.outbox.email import KEY
from keepwell.services.team.outbox.tracking import answered, record_event
from keepwell.store.models import Outgoing, OutgoingEvent

_KINDS: Final = {
    "delivered": tracking.DELIVERED,
    "bounced": tracking.BOUNCED,
    "rejected": tracking.REFUSED,
    "failed": tracking.REFUSED,
    "complained": tracking.COMPLAINED,
    "unsubscribed": tracking.UNSUBSCRIBED,
    "opened": tracking.OPENED,
    "clicked": tracking.CLICKED,
    "autoresponded": tracking.AUTO_REPLY,
}
_PASSING: Final = frozenset({"softbounce", "transient", "soft", "soft_bounce"})
_LONGEST: Final = 4000


@dataclass(frozen=True)
class News:
    """What a provider says of one message; `raw` is its own words, `reason` why it was refused."""

    kind: str
    key: str
    provider_id: str = ""
    said: str = ""
    reason: str = ""
    url: str = ""
    metadata: Mapping[str, Any] | None = None
    raw: Any = None


def heard(news: News, now: datetime) -> OutgoingEvent | None:
    """Write down what a provider tells; None for what is of no message of ours, or known."""
    kind = _KINDS.get(news.kind)
    sure = {name: sound(getattr(news, name)) for name in ("key", "provider_id", "reason", "url")}
    news = News(**{**news.__dict__, **sure})
    row = _row(news) if kind else None
    if row is None or kind is None:
        return None
    said = {"said": one_line(news.said)[:_LONGEST], "reason": news.reason, "url": news.url, "provider": True}
    data: dict[str, Any] = {name: value for name, value in said.items() if value}
    if kind == tracking.BOUNCED and _passing(news.raw):
        data["passing"] = True
    if kind == tracking.CLICKED and row.sent_at is not None and now < row.sent_at + tracking.EARLY:
        data["early"] = True
    return record_event(row, kind, f"provider:{kind}:{row.pk}:{news.key}", now, data)


def came_in(mail: EmailMessage, recipients: list[str], key: str, now: datetime) -> OutgoingEvent | None:
    """Mail that arrived: a reply to a message of ours stops what waits for one; a program's answer does not."""
    addresses = [*recipients, *(_header(mail, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To"))]
    references = f"{_header(mail, 'In-Reply-To')} {_header(mail, 'References')}"
    row = answered(addresses, references)
    if row is None:
        return None
    data = {"from": _header(mail, "From")[:320], "subject": _header(mail, "Subject")[:500], "text": _text(mail)}
    kind = tracking.AUTO_REPLY if _by_program(mail) else tracking.REPLIED
    known = _header(mail, "Message-ID") or key
    return record_event(row, kind, f"reply:{row.pk}:{known}", now, data)


def _row(news: News) -> Outgoing | None:
    known = (news.metadata or {}).get(KEY)
    if isinstance(known, str) and (found := Outgoing.objects.filter(key=known).first()):
        return found
    name = news.provider_id
    return Outgoing.objects.filter(provider_id__in={name, f"<{name}>", name.strip("<>")}).first() if name else None


def _passing(raw: Any) -> bool:
    """Whether a bounce is one of those that pass by, such as a full mailbox; each provider has a word for it."""
    if not isinstance(raw, Mapping):
        return False
    said = [raw.get(name) for name in ("Type", "bounceType", "type", "severity", "bounce_class")]
    return any(str(word).replace(" ", "").lower() in _PASSING | {"temporary"} for word in said if word)


def _header(mail: EmailMessage, name: str) -> str:
    """A header on one line; as it came where it is so wrong that it cannot be read."""
    try:
        found = str(mail.get(name, ""))
    except Exception:  # noqa: BLE001 - the library fails on wrong headers in many ways, and the reply is one all the same
        found = next((str(value) for other, value in mail.raw_items() if other.lower() == name.lower()), "")
    return one_line(sound(found))


def _text(mail: EmailMessage) -> str:
    """What somebody wrote; the bytes as they came where nobody knows their letters."""
    try:
        body = mail.get_body(("plain", "html"))
    except Exception:  # noqa: BLE001 - as with headers
        return ""
    if not isinstance(body, EmailMessage):
        return ""
    try:
        found = str(body.get_content())
    except Exception:  # noqa: BLE001 - as with headers
        raw = body.get_payload(decode=True)
        found = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    return sound(found)[:_LONGEST]


def _by_program(mail: EmailMessage) -> bool:
    """An answer while somebody is away, or that mail could not be delivered (RFC 3834)."""
    submitted = _header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    precedence = _header(mail, "Precedence").lower()
    report = _header(mail, "Content-Type").partition(";")[0].strip().lower() == "multipart/report"
    bounced = report or _header(mail, "Return-Path") == "<>"
    marked = any(_header(mail, name) for name in ("X-Autoreply", "X-Autorespond"))
    return submitted not in ("", "no") or precedence in ("auto_reply", "bulk", "junk") or bounced or marked
