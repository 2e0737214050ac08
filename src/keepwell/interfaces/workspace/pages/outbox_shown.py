"""A message of the outbox in the words of its page."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keepwell.interfaces.workspace.playbook_steps import steps_shown
from keepwell.interfaces.workspace.playbook_words import COMPANY, playbook_label
from keepwell.model.definitions import Model
from keepwell.reporting.words import label_of
from keepwell.services.team.outbox.listing import CHANNELS
from keepwell.services.team.playing.definitions import definition_of
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.workspace import Workspace
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
    """What the page shows; `body` is what programs are sent, `playbook` and `step` say what asked for it."""

    row: Outgoing
    channel: str
    color: str
    sender: str
    body: str
    button: str
    link: str
    lines: tuple[Line, ...]
    playbook: str
    step: str
    can_repeat: bool
    can_leave: bool


def asked_by(workspace: Workspace, rows: Iterable[Outgoing]) -> dict[int, str]:
    """What asked for each message: the playbook as people call it, or what the model calls the message, in words."""
    model = plays_of(workspace).model
    return {row.pk: words for row in rows if (words := _asked_by(model, row))}


def _asked_by(model: Model | None, row: Outgoing) -> str:
    if row.run is None:
        return label_of(row.message, None)
    return label_of(row.run.playbook, None) if model is None else playbook_label(model, row.run.playbook)


def shown_message(workspace: Workspace, row: Outgoing) -> Message:
    """A message with its history, the oldest first."""
    said = row.payload
    playbook, step = _origin(workspace, row)
    return Message(
        row=row,
        channel=CHANNELS.get(row.channel, row.channel),
        color=STATE_COLORS.get(row.state, "secondary"),
        sender=_sender(row.sender),
        body=_pretty(said.get("body")) if row.channel == "webhook" else "",
        button=str(said.get("button") or ""),
        link=str(said.get("link") or ""),
        lines=tuple(sorted(_lines(row), key=lambda line: line.at)),
        playbook=playbook,
        step=step,
        can_repeat=row.state in _AGAIN and row.purpose != "test",
        can_leave=row.state in _LEAVES,
    )


def _origin(workspace: Workspace, row: Outgoing) -> tuple[str, str]:
    """The playbook and the step that asked for a message, as its run's page calls them."""
    if row.run is None:
        return "", ""
    defined = definition_of(workspace, row.run)
    if defined is None:
        return label_of(row.run.playbook, None), label_of(row.step, None)
    steps = {step.name: step for step in steps_shown(defined.model, defined.playbook)}
    found = steps.get(row.step)
    words = f"step {found.number}, {found.title}".replace(COMPANY, row.company) if found else label_of(row.step, None)
    return playbook_label(defined.model, row.run.playbook), words


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
