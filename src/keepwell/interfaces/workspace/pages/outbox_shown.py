"""A message of the outbox in the words of its page."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keepwell.services.team.outbox.listing import CHANNELS
from keepwell.store.models import AuditEntry, Outgoing

STATE_COLORS: Final[Mapping[str, str]] = {
    "waiting": "yellow",
    "sending": "yellow",
    "sent": "green",
    "rehearsed": "secondary",
    "failed": "orange",
    "dead": "red",
    "suppressed": "secondary",
    "cancelled": "secondary",
}
_EVENT_WORDS: Final[Mapping[str, str]] = {
    "seen": "Seen in the product",
    "dismissed": "Put away in the product",
    "clicked": "Link followed",
    "opened": "Opened",
    "delivered": "Delivered",
    "replied": "Answered",
    "bounced": "Came back",
    "complained": "Marked as spam",
    "unsubscribed": "Unsubscribed",
}
_AGAIN: Final = frozenset({Outgoing.State.DEAD})
_LEAVES: Final = frozenset({Outgoing.State.WAITING, Outgoing.State.FAILED})


@dataclass(frozen=True)
class Line:
    """Something that happened to a message."""

    at: datetime
    words: str
    detail: str


@dataclass(frozen=True)
class Message:
    """What the page shows; `body` is what programs are sent."""

    row: Outgoing
    channel: str
    color: str
    sender: str
    body: str
    button: str
    link: str
    lines: tuple[Line, ...]
    can_repeat: bool
    can_leave: bool


def shown_message(row: Outgoing) -> Message:
    """A message with its history, the oldest first."""
    said = row.payload
    return Message(
        row=row,
        channel=CHANNELS.get(row.channel, row.channel),
        color=STATE_COLORS.get(row.state, "secondary"),
        sender=_sender(row.sender),
        body=_pretty(said.get("body")) if row.channel == "webhook" else "",
        button=str(said.get("button") or ""),
        link=str(said.get("link") or ""),
        lines=tuple(sorted(_lines(row), key=lambda line: line.at)),
        can_repeat=row.state in _AGAIN and row.purpose != "test",
        can_leave=row.state in _LEAVES,
    )


def _lines(row: Outgoing) -> Iterator[Line]:
    for event in row.events.order_by("at", "pk"):
        yield Line(event.at, _EVENT_WORDS.get(event.kind, event.kind.capitalize()), _detail(event.data))
    entries = AuditEntry.objects.filter(object_kind="outgoing", object_id=str(row.pk)).order_by("at", "pk")
    for entry in entries:
        yield Line(entry.at, entry.summary.removesuffix(str(row)).rstrip(": ") or entry.summary, entry.actor_name)


def _detail(data: Mapping[str, Any]) -> str:
    return ", ".join(f"{value}" for value in data.values() if isinstance(value, str | int) and value)[:300]


def _sender(sender: Mapping[str, str]) -> str:
    name, address = sender.get("name", ""), sender.get("email", "")
    return f"{name} <{address}>" if name and address else name or address


def _pretty(body: object) -> str:
    try:
        return json.dumps(json.loads(str(body or "{}")), indent=2, ensure_ascii=False)
    except ValueError:
        return str(body)
