"""What a rule sees: the model, the files it came from, and the tables that exist."""

import re
from dataclasses import dataclass
from functools import cached_property

from keepwell.model.columns import Tables
from keepwell.model.definitions import Model
from keepwell.model.graph import SCORE_PARTS, SETTING
from keepwell.model.metric_definitions import PEOPLE_METRICS
from keepwell.model.playbook_parts import playbook_conditions
from keepwell.model.problems import Problem, Severity
from keepwell.model.source import Source
from keepwell.model.usages import Usage, alert_usages, condition_usages, usages
from keepwell.model.yaml_source import KeyPath


@dataclass(frozen=True)
class Context:
    """A model to check. `broken` are definitions that could not be read: they are left out of `model`."""

    model: Model
    source: Source
    tables: Tables | None = None
    broken: frozenset[KeyPath] = frozenset()

    def error(self, path: KeyPath, message: str, *, key: bool = False, shift: int | None = None) -> Problem:
        """A problem that stops the model."""
        return self.source.problem(path, message, key=key, shift=shift)

    def warning(self, path: KeyPath, message: str, *, key: bool = False, shift: int | None = None) -> Problem:
        """A problem that is only shown."""
        return self.source.problem(path, message, key=key, severity=Severity.WARNING, shift=shift)

    def error_at(self, usage: Usage, word: str, message: str) -> Problem:
        """A problem with a word inside an expression."""
        return self.error(usage.path, message, shift=place_in(usage.text, word))

    @cached_property
    def usages(self) -> tuple[Usage, ...]:
        """Every expression of what the model computes."""
        return tuple(usages(self.model))

    @cached_property
    def all_usages(self) -> tuple[Usage, ...]:
        """Every expression of the model, those of playbooks included."""
        played = (u for path, condition in playbook_conditions(self.model) for u in condition_usages(path, condition))
        return (*self.usages, *played, *alert_usages(self.model))

    def names(self, section: str) -> tuple[str, ...]:
        """The names of a section, those that could not be read included."""
        lost = (str(p[1]) for p in self.broken if len(p) == 2 and p[0] == section)
        return (*getattr(self.model, section), *lost)

    @cached_property
    def person_metrics(self) -> frozenset[str]:
        """Metrics with one value per person."""
        return frozenset(n for n, m in self.model.metrics.items() if m.entity == "person")

    @cached_property
    def derived(self) -> frozenset[str]:
        """Names that scores and segments give."""
        return frozenset(f"{s}_{part}" for s in self.names("scores") for part in SCORE_PARTS) | {"segment"}

    @cached_property
    def value_names(self) -> frozenset[str]:
        """Values of a customer: metrics, and what scores and segments give."""
        return (frozenset(self.names("metrics")) - self.person_metrics) | self.derived

    @cached_property
    def customer_names(self) -> frozenset[str]:
        """What an expression about a customer may use: values, and signals as true or false."""
        return self.value_names | frozenset(self.names("signals"))

    @cached_property
    def person_names(self) -> frozenset[str]:
        """What an expression about a person may use."""
        return self.person_metrics | {n for n in self.names("metrics") if n not in self.model.metrics}

    def known_names(self, usage: Usage) -> frozenset[str] | None:
        """The names an expression may use, settings aside; None when the table's columns are not known."""
        if usage.scope == "customer":
            return self.customer_names
        if usage.scope == "person" or usage.table == PEOPLE_METRICS:
            return self.person_names
        columns = None if self.tables is None else self.tables.get(usage.table or "")
        return None if columns is None else frozenset(columns)

    @cached_property
    def setting_names(self) -> frozenset[str]:
        """The settings that expressions may use."""
        lost = {str(p[2]) for p in self.broken if len(p) == 3 and p[:2] == ("settings", "values")}
        return frozenset(self.model.settings.values) | lost


def place_in(text: str | None, word: str) -> int | None:
    """Where a name stands in the text of an expression, quoted texts passed over; None when there is no text."""
    if text is None:
        return None
    blank = re.sub(r"'(?:[^']|'')*'", lambda found: " " * len(found.group()), text)
    match = re.search(rf'(?<![\w."]){re.escape(word)}(?!\w)', blank, re.IGNORECASE)
    return match.start() if match else max(0, blank.find(word))


def is_setting(name: str) -> bool:
    """Whether a name reads a setting."""
    return name.startswith(SETTING)
