"""Definitions of behaviour: events counted, first, stopped, restarted, regular, in sequence, and the last one."""

from collections.abc import Mapping
from typing import Final

from pydantic import Field, model_validator

from keepwell.model.base import Strict
from keepwell.model.property_definitions import Property
from keepwell.model.spans import Count, Length, Moment, length_us


class EventCount(Strict):
    """An event happened so often: in the last `within`, from `since` on, or ever."""

    event: str = Field(min_length=1)
    count: Count = ">= 1"
    within: Length | None = None
    since: Moment | None = None
    where: Property | None = None

    @model_validator(mode="after")
    def _one_span(self) -> "EventCount":
        if self.within is not None and self.since is not None:
            raise ValueError("takes one of within and since, not both")
        return self


class FirstTimeEvent(Strict):
    """An event happened for the first time ever in the last `within`."""

    first_time: str = Field(min_length=1)
    within: Length
    where: Property | None = None


class StoppedEvent(Strict):
    """An event has not happened `for` so long, and did before: in the last `within`, or ever."""

    stopped: str = Field(min_length=1)
    for_: Length = Field(alias="for")
    within: Length | None = None
    where: Property | None = None

    @model_validator(mode="after")
    def _longer(self) -> "StoppedEvent":
        if self.within is not None and length_us(self.within) <= length_us(self.for_):
            raise ValueError(
                f"'within' ({self.within}) reaches back from now and must be longer than 'for' ({self.for_})"
            )
        return self


class RestartedEvent(Strict):
    """An event happened in the last `within`, not in the `quiet` time before that, and earlier."""

    restarted: str = Field(min_length=1)
    within: Length
    quiet: Length
    where: Property | None = None


class RegularEvent(Strict):
    """An event happened in at least so many of the last `periods` periods, `count` times in each."""

    regularly: str = Field(min_length=1)
    every: Length
    periods: int = Field(ge=1, le=1000)
    at_least: int = Field(ge=1)
    count: Count = ">= 1"
    where: Property | None = None

    @model_validator(mode="after")
    def _possible(self) -> "RegularEvent":
        if self.at_least > self.periods:
            raise ValueError(f"at_least ({self.at_least}) is more than there are periods ({self.periods})")
        return self


class SequenceStep(Strict):
    """One event of a sequence."""

    event: str = Field(min_length=1)
    where: Property | None = None


class EventSequence(Strict):
    """Events one after the other, the first in the last `within`, each at most `gap` after the one before."""

    sequence: tuple[str | SequenceStep, ...] = Field(min_length=2, max_length=20)
    within: Length | None = None
    gap: Length | None = None


class LastEventHas(Strict):
    """The last event that `where` picks has these properties."""

    last_event: str = Field(min_length=1)
    where: Property | None = None
    has: Property
    within: Length | None = None


BehaviourDefinition = (
    EventCount | FirstTimeEvent | StoppedEvent | RestartedEvent | RegularEvent | EventSequence | LastEventHas
)
BEHAVIOURS: Final[Mapping[str, type[Strict]]] = {
    "event": EventCount,
    "first_time": FirstTimeEvent,
    "stopped": StoppedEvent,
    "restarted": RestartedEvent,
    "regularly": RegularEvent,
    "sequence": EventSequence,
    "last_event": LastEventHas,
}
"""The definitions by the key that tells them apart."""
