"""Which alerts an event sets off or makes good, and which a signal does: decisions without a clock or a database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from keepwell.model.alert_definitions import AlertRule, OnEvent, causes_of, signals_of
from keepwell.model.criteria_reading import criteria
from keepwell.model.criteria_tree import Criteria
from keepwell.signals.properties import holds


@dataclass(frozen=True)
class Incident:
    """Something that happened to a customer. `key` names it, so that it counts once; an event has several names.

    `shown` are the properties that people read; all of them when it is left out. `users` are the ids of who did it.
    """

    customer_id: str
    names: tuple[str, ...]
    at: datetime
    key: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[str, ...] | None = None
    users: tuple[str, ...] = ()

    @property
    def about(self) -> dict[str, Any]:
        """The properties that people read."""
        return {name: self.properties.get(name) for name in (self.properties if self.shown is None else self.shown)}


@dataclass(frozen=True)
class Hit:
    """A rule that an incident is about; `good` when it makes the matter good, `cause` the event's name there."""

    rule: str
    cause: str
    good: bool = False


@dataclass(frozen=True)
class _Ear:
    rule: str
    event: str
    where: Criteria | None
    good: bool


@dataclass(frozen=True)
class Rules:
    """The alerts of a model, by what they hear."""

    alerts: Mapping[str, AlertRule]

    @cached_property
    def events(self) -> frozenset[str]:
        """The names of events that any rule hears."""
        return frozenset(cause.event for rule in self.alerts.values() for cause in causes_of(rule))

    @cached_property
    def signals(self) -> Mapping[str, tuple[str, ...]]:
        """The signals that set each rule off."""
        return {name: found for name, rule in self.alerts.items() if (found := signals_of(rule))}

    @cached_property
    def _ears(self) -> Sequence[_Ear]:
        return tuple(_ears(self.alerts))

    def hits(self, incident: Incident) -> list[Hit]:
        """What an incident is about, each rule once."""
        if not self.events.intersection(incident.names):
            return []
        found: dict[tuple[str, bool], Hit] = {}
        for ear in self._ears:
            if ear.event in incident.names and (
                ear.where is None or holds(ear.where, incident.properties, incident.at)
            ):
                found.setdefault((ear.rule, ear.good), Hit(ear.rule, ear.event, ear.good))
        return list(found.values())


def _ears(alerts: Mapping[str, AlertRule]) -> Iterator[_Ear]:
    for name, rule in alerts.items():
        for cause in rule.on:
            if isinstance(cause, OnEvent):
                yield _ear(name, cause, good=False)
        if rule.resolved_by is not None:
            yield _ear(name, rule.resolved_by, good=True)


def _ear(name: str, cause: OnEvent, *, good: bool) -> _Ear:
    return _Ear(name, cause.event, None if cause.where is None else criteria(cause.where), good)


def off_long_enough(on: Sequence[bool], days: int) -> bool:
    """Whether a signal was off on each of the last days, the newest last; fewer days on record are not enough."""
    return len(on) >= days and not any(on[-days:])
