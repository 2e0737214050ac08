"""The alerts of a workspace as its model has them now, and what is known of the customers they are about."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from pathlib import Path
from string import Formatter
from typing import Any, Final

from keepwell.model.alert_definitions import AlertRule
from keepwell.model.definitions import Model
from keepwell.model.expression_tree import names_in
from keepwell.model.expressions import parse_expression
from keepwell.model.playbook_definitions import EventTrigger
from keepwell.model.problems import DefinitionError
from keepwell.model.usages import condition_usages
from keepwell.playbooks.calendars import WorkCalendar, work_calendar
from keepwell.playbooks.facts import Facts, Value
from keepwell.playbooks.facts import Rules as Conditions
from keepwell.playbooks.play import amounts_of
from keepwell.playbooks.texts import Amounts, filled
from keepwell.services.ingest.values import sound
from keepwell.services.planning.sources import current_model
from keepwell.services.team.moments import moment_words
from keepwell.services.team.surveys.events import asking_events
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Rules

EVENT: Final = "event."
NOT_SAID: Final = "none given"
_MOST_VALUES: Final = 12
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})")
_LONGEST: Final = 200
_REVENUE: Final = ("mrr", "arr", "mrr_before", "mrr_after")
_LARGEST: Final = Decimal(10) ** 13


@dataclass(frozen=True)
class Ruling:
    """The rules of one model. Conditions and texts are those of the model on disk, as with playbooks."""

    model: Model
    zone: str
    currency: str = ""

    @cached_property
    def amounts(self) -> Amounts:
        """Which values of customers are money."""
        return amounts_of(self.model, self.currency)

    @cached_property
    def rules(self) -> Rules:
        """What hears which event or signal."""
        return Rules(self.model.alerts)

    @cached_property
    def calendar(self) -> WorkCalendar:
        """When people work."""
        return work_calendar(self.model.calendar, self.zone)

    @cached_property
    def starting(self) -> frozenset[str]:
        """Events that start playbooks."""
        triggers = (playbook.trigger for playbook in self.model.playbooks.values())
        return frozenset(trigger.event for trigger in triggers if isinstance(trigger, EventTrigger))

    @cached_property
    def asking(self) -> frozenset[str]:
        """Events after which surveys are sent."""
        return asking_events(self.model)

    @cached_property
    def of_the_day(self) -> frozenset[str]:
        """Events after which something follows that has to know the customer from a published day."""
        return self.starting | self.asking

    @cached_property
    def names(self) -> frozenset[str]:
        """The values of customers that any rule shows or counts with."""
        return frozenset().union(*(self.names_of(name) for name in self.model.alerts))

    def names_of(self, rule: str) -> tuple[str, ...]:
        """The values of a customer that a rule shows or counts with."""
        definition = self.model.alerts.get(rule)
        if definition is None:
            return ()
        found = dict.fromkeys(_placeholders((definition.what, definition.title, definition.action)))
        for signal in self.rules.signals.get(rule, ()):
            if signal in self.model.signals:
                uses = condition_usages(("signals", signal, "when"), self.model.signals[signal].when)
                found |= dict.fromkeys(name for use in uses for name in names_in(use.expression))
        if definition.money is not None:
            found |= dict.fromkeys(names_in(parse_expression(definition.money)))
        always = ("company", "customer_id")
        return tuple(n for n in found if not n.startswith(("setting.", EVENT)) and n not in always)

    def label(self, rule: str) -> str:
        """What people call a rule."""
        definition = self.model.alerts.get(rule)
        return (definition.label if definition else "") or rule.replace("_", " ").capitalize()

    def money(self, rule: AlertRule, facts: Facts) -> Decimal | None:
        """Money at stake; None when the rule names none or it is unknown."""
        if rule.money is None:
            return None
        found = Conditions(self.model.settings, frozenset(self.model.signals)).amount(rule.money, facts)
        amount = None if found is None else Decimal(str(round(found, 2)))
        return amount if amount is not None and abs(amount) < _LARGEST else None

    def text(self, text: str, customer: str, facts: Facts, properties: Mapping[str, Any]) -> str:
        """A text of a rule, filled in."""
        said = {name: _said(properties, name) for name in _event_names(text)}
        whole = Facts(facts.as_of, {**facts.values, **said}, facts.segments, facts.signals, active=facts.active)
        return sound(filled(text, customer, whole, self.amounts))

    def values(self, rule: str, facts: Facts, properties: Mapping[str, Any]) -> list[list[str]]:
        """The values that belong to it, label and value: of the event first, then of the customer."""
        said = _with_currency(properties, self.currency)
        shown = [[_words(key), text] for key in list(said)[:_MOST_VALUES] if (text := _plain(said[key]))]
        for name in self.names_of(rule):
            if name in facts.values:
                metric = self.model.metrics.get(name)
                label = metric.label if metric and metric.label else _words(name)
                shown.append([label, filled(f"{{{name}}}", "", facts, self.amounts)])
        return [[sound(label)[:_LONGEST], sound(text)[:_LONGEST]] for label, text in shown]


def ruling_of(workspace: Workspace) -> Ruling:
    """The rules as the files say now, read again when one of them changed.

    While the files are broken, the rules that this process read last hold. Raises DefinitionError before the first.
    """
    try:
        found = _read(workspace.model_dir, _signature(workspace.model_dir), _Same(workspace))
    except DefinitionError:
        if workspace.model_dir not in _last_good:
            raise
        return _last_good[workspace.model_dir]
    _last_good[workspace.model_dir] = found
    return found


_last_good: dict[Path, Ruling] = {}


class _Same:
    """A workspace as a part of a key that is about its model alone."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._key = workspace.zone, workspace.currency

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._key == self._key


@lru_cache(maxsize=4)
def _read(_directory: Path, _signature: frozenset[tuple[str, int, int]], same: _Same) -> Ruling:
    return Ruling(current_model(same.workspace).model, same.workspace.zone, same.workspace.currency)


def _signature(directory: Path) -> frozenset[tuple[str, int, int]]:
    found = set()
    for folder, _, names in os.walk(directory):
        for name in names:
            path = os.path.join(folder, name)
            try:
                about = os.stat(path)
            except FileNotFoundError:
                continue
            found.add((path, about.st_mtime_ns, about.st_size))
    return frozenset(found)


def nobody_s_facts(customer: str, company: str, now: datetime) -> Facts:
    """What is known of a customer whom the last published day did not know."""
    return Facts(now.date(), {"company": company or customer})


def _placeholders(texts: Iterable[str]) -> Collection[str]:
    return [name for text in texts for _, name, _, _ in Formatter().parse(text) if name]


def _event_names(text: str) -> list[str]:
    return [name for name in _placeholders((text,)) if name.startswith(EVENT)]


def _said(properties: Mapping[str, Any], name: str) -> Value:
    return _plain(properties.get(name.removeprefix(EVENT))) or NOT_SAID


def _with_currency(properties: Mapping[str, Any], otherwise: str) -> dict[str, Any]:
    """Properties with amounts in the event's currency, which is no value of its own then; revenue else in ours."""
    own = _plain(properties.get("currency"))
    found = dict(properties)
    for name, value in properties.items():
        currency = own or (otherwise if name in _REVENUE else "")
        if currency and name in (*_REVENUE, "amount") and (text := _plain(value)):
            found[name] = f"{text} {currency}"
            found.pop("currency", None)
    return found


def _plain(value: Any) -> str:
    """A property as people read it; nothing for what is nested or empty."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value == int(value) and abs(value) < _LARGEST:
        return f"{int(value)}"
    if isinstance(value, str) and _MOMENT.fullmatch(value.strip()):
        return _moment_words(value.strip())
    return str(value).strip()[:_LONGEST] if isinstance(value, str | int | float) else ""


def _moment_words(text: str) -> str:
    """A moment as programs write it, in the words of the other moments of an alert."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment_words(found)


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", " ").strip().capitalize()
