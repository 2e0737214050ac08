"""A playbook made ready: its steps by name, where each goes on, and a version that changes when it does."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from keepwell.model.definitions import Model
from keepwell.model.message_definitions import Calendar
from keepwell.model.playbook_definitions import Playbook
from keepwell.model.playbook_parts import message_of, step_names
from keepwell.model.step_definitions import END, AnyStep
from keepwell.playbooks.calendars import WorkCalendar, work_calendar
from keepwell.playbooks.facts import Rules
from keepwell.playbooks.texts import NO_AMOUNTS, Amounts


@dataclass(frozen=True)
class Play:
    """One playbook with everything that it needs to go on: calendar, rules for conditions, version."""

    name: str
    playbook: Playbook
    version: str
    calendar: WorkCalendar
    workspace: Calendar
    rules: Rules
    amounts: Amounts = NO_AMOUNTS

    @cached_property
    def steps(self) -> Mapping[str, AnyStep]:
        """The steps by name, in order."""
        return dict(zip(step_names(self.playbook), self.playbook.steps, strict=True))

    @cached_property
    def _following(self) -> Mapping[str, str]:
        names = tuple(self.steps)
        return dict(zip(names, (*names[1:], END), strict=True))

    @property
    def first(self) -> str:
        """Where it begins."""
        return next(iter(self.steps))

    def onwards(self, name: str) -> str:
        """The step after a step, or `end`."""
        return self.steps[name].then or self._following[name]


def ready_play(model: Model, name: str, zone: str, currency: str = "") -> Play:
    """Make a playbook of a model ready, with amounts in a currency; raises KeyError when there is none of that name."""
    playbook = model.playbooks[name]
    calendar = work_calendar(model.calendar, zone)
    rules = Rules(model.settings, frozenset(model.signals))
    amounts = amounts_of(model, currency)
    return Play(name, playbook, playbook_version(model, name), calendar, model.calendar, rules, amounts)


def amounts_of(model: Model, currency: str) -> Amounts:
    """The metrics of a model that are money."""
    return Amounts(frozenset(name for name, metric in model.metrics.items() if metric.unit == "money"), currency)


def playbook_version(model: Model, name: str) -> str:
    """A short hash of a playbook and of the messages that it sends: a run keeps to the version it began with."""
    playbook = model.playbooks[name]
    sent = {found[1] for step in playbook.steps if (found := message_of(step))}
    messages = {key: model.messages[key].model_dump(mode="json") for key in sorted(sent) if key in model.messages}
    content = [playbook.model_dump(mode="json", by_alias=True, exclude_defaults=True), messages]
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
