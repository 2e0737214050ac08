"""What happens to a playbook, and what it wants done: both plain data, so that both can be kept and replayed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from keepwell.playbooks.facts import Facts, facts_from


class Happened(StrEnum):
    """The kinds of events."""

    TIMER = "timer"
    RESPONSE = "response"
    OUTCOME = "outcome"
    SIGNAL_ON = "signal_on"
    SIGNAL_OFF = "signal_off"
    SEGMENT_ENTERED = "segment_entered"
    SEGMENT_LEFT = "segment_left"
    FACTS = "facts"
    CHURNED = "churned"
    APPROVAL_GIVEN = "approval_given"
    APPROVAL_REFUSED = "approval_refused"
    CANCELLED = "cancelled"


class Wanted(StrEnum):
    """The kinds of effects."""

    TASK = "task"
    MESSAGE = "message"
    NOTIFY = "notify"
    OFFER = "offer"
    ASSIGN = "assign"
    UPDATE_FIELD = "update_field"
    TIMER = "timer"
    APPROVAL = "approval"
    START = "start"
    END = "end"


TO_CUSTOMER = frozenset({Wanted.MESSAGE, Wanted.OFFER})


@dataclass(frozen=True)
class Event:
    """Something that happened. `name` says which response, outcome, signal or segment, or who decided;
    `timer` is the number of the timer, `asked` the key of the approval; `facts` is the customer at that moment."""

    kind: Happened
    name: str = ""
    timer: int = 0
    asked: str = ""
    facts: Facts | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        said = {"kind": str(self.kind), "name": self.name, "timer": self.timer, "asked": self.asked}
        return said | {"facts": None if self.facts is None else self.facts.as_dict()}


def event_from(data: Mapping[str, Any]) -> Event:
    """Read what `as_dict` wrote."""
    facts = None if data["facts"] is None else facts_from(data["facts"])
    return Event(Happened(data["kind"]), data["name"], data["timer"], data["asked"], facts)


@dataclass(frozen=True)
class Effect:
    """Something to be done, once: whoever finds `key` done already leaves it."""

    kind: Wanted
    key: str
    step: str
    at: datetime
    due: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "kind": str(self.kind),
            "key": self.key,
            "step": self.step,
            "at": self.at.isoformat(),
            "due": None if self.due is None else self.due.isoformat(),
            "details": dict(self.details),
        }


def effect_from(data: Mapping[str, Any]) -> Effect:
    """Read what `as_dict` wrote."""
    due = None if data["due"] is None else datetime.fromisoformat(data["due"])
    at = datetime.fromisoformat(data["at"])
    return Effect(Wanted(data["kind"]), data["key"], data["step"], at, due, data["details"])


def effect_key(playbook: str, customer: str, entry: int, step: str, attempt: int, kind: str) -> str:
    """The idempotency key: the same step of the same entry asks for the same thing under the same key."""
    said = json.dumps([playbook, customer, entry, step, attempt, kind], ensure_ascii=False, separators=(",", ":"))
    return f"pb-{hashlib.sha256(said.encode()).hexdigest()[:40]}"
