"""Where a customer stands in a playbook: small, frozen, and the same after a trip through JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from keepwell.model.base import Scalar

Phase = Literal["waiting", "asking", "ended"]
_MOMENTS: Final = ("started_at", "at", "since", "begun", "waits_until", "ended_at")


@dataclass(frozen=True)
class Mark:
    """One line of a run's history."""

    at: datetime
    step: str
    what: str


@dataclass(frozen=True)
class State:
    """A run of a playbook for one customer.

    `entry` counts the customer's runs of this playbook. `since` is when the current step was reached and `begun` when
    it began after its delay; `timer` is the number of the timer that counts, `asked` the key of the open approval.
    """

    playbook: str
    version: str
    customer: str
    entry: int
    started_at: datetime
    at: datetime
    step: str
    since: datetime
    phase: Phase = "waiting"
    begun: datetime | None = None
    waits_until: datetime | None = None
    timer: int = 0
    asked: str = ""
    visits: Mapping[str, int] = field(default_factory=dict)
    sent: tuple[datetime, ...] = ()
    variables: Mapping[str, Scalar] = field(default_factory=dict)
    history: tuple[Mark, ...] = ()
    ended_at: datetime | None = None
    reason: str = ""
    success: bool = False
    # Asked for although what the trigger is about was not so: then its being gone ends nothing.
    anyway: bool = False

    @property
    def ended(self) -> bool:
        return self.phase == "ended"

    def marked(self, step: str, what: str) -> "State":
        """The state with one more line of history."""
        return replace(self, history=(*self.history, Mark(self.at, step, what)))

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        data = dict(self.__dict__)
        data |= {name: _text(data[name]) for name in _MOMENTS}
        data |= {"visits": dict(self.visits), "variables": dict(self.variables)}
        data["sent"] = [moment.isoformat() for moment in self.sent]
        data["history"] = [[mark.at.isoformat(), mark.step, mark.what] for mark in self.history]
        return data


def state_from(data: Mapping[str, Any]) -> State:
    """Read what `as_dict` wrote."""
    read = dict(data) | {name: _moment(data[name]) for name in _MOMENTS}
    read["sent"] = tuple(datetime.fromisoformat(text) for text in data["sent"])
    read["history"] = tuple(Mark(datetime.fromisoformat(at), step, what) for at, step, what in data["history"])
    return State(**read)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
