"""Customers of a published day as playbooks see them: values, segments and signals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from string import Formatter
from typing import Any

import numpy as np

from keepwell.model.definitions import Model
from keepwell.model.expression_tree import names_in
from keepwell.model.message_text import FIELDS
from keepwell.model.playbook_definitions import DateTrigger, ScoreTrigger
from keepwell.model.playbook_parts import playbook_conditions, playbook_texts
from keepwell.model.usages import condition_usages
from keepwell.playbooks.entries import SINCE
from keepwell.playbooks.facts import Facts, Value
from keepwell.reporting.reading import CHURNED, Day, read_columns
from keepwell.warehouse.snapshots import Snapshots

_ALWAYS = ("name", "status", "owner_email", "segment", "segments", "signals", SINCE)


@dataclass(frozen=True)
class DayFacts:
    """One published day; `values` are columns of Python values by the names that playbooks use."""

    as_of: date
    place: Mapping[str, int]
    values: Mapping[str, Sequence[Value]]
    segments: Sequence[tuple[str, ...]]
    signals: Sequence[tuple[str, ...]]
    status: Sequence[str]

    @cached_property
    def _sets(self) -> dict[tuple[str, ...], frozenset[str]]:
        return {}

    def customers(self) -> Sequence[str]:
        """Everybody on that day, sorted."""
        return tuple(self.place)

    def facts(self, customer: str) -> Facts | None:
        """A customer on that day; None for whom it does not know."""
        row = self.place.get(customer)
        if row is None:
            return None
        values = {name: column[row] for name, column in self.values.items()}
        active = self.status[row] != CHURNED
        segments, signals = self._set(self.segments[row]), self._set(self.signals[row])
        return Facts(self.as_of, values, segments, signals, active=active)

    def _set(self, names: tuple[str, ...]) -> frozenset[str]:
        """The few combinations that occur, each once."""
        return self._sets.setdefault(names, frozenset(names))


def day_facts(snapshots: Snapshots, as_of: date, names: Collection[str]) -> DayFacts:
    """Read a published day with the values that are asked for."""
    columns = {column for name in names for column in (f"m.{name}", name)}
    day = read_columns(snapshots, as_of, {*columns, *_ALWAYS})
    values = {name: _column(day, name) for name in (*names, SINCE)}
    values |= {"company": day.text("name").tolist(), "owner_email": day.text("owner_email").tolist()}
    place, status = day.place(), day.text("status").tolist()
    return DayFacts(as_of, place, values, day.lists("segments"), day.lists("signals"), status)


def playbook_names(model: Model, playbook: str | None = None) -> frozenset[str]:
    """The values that a playbook reads, or all of them do: conditions, texts and triggers."""
    path = ("playbooks", playbook)
    found: set[str] = set()
    for where, condition in playbook_conditions(model):
        if playbook is None or where[:2] == path:
            found.update(n for use in condition_usages(where, condition) for n in names_in(use.expression))
    for where, text in playbook_texts(model):
        if playbook is None or where[:2] == path:
            found.update(name for _, name, _, _ in Formatter().parse(text) if name)
    for name, one in model.playbooks.items():
        if playbook in (None, name):
            found.update(_of_trigger(one.trigger))
    return frozenset(n for n in found if not n.startswith("setting.") and n not in model.signals) - {"company"}


def message_names(model: Model) -> frozenset[str]:
    """Columns that every message may name, whatever the model."""
    return frozenset(FIELDS["customer"]) - {"company", "customer_id"} | frozenset(model.metrics)


def _of_trigger(trigger: object) -> tuple[str, ...]:
    match trigger:
        case ScoreTrigger(score=score):
            return (f"{score}_score",)
        case DateTrigger(date=name):
            return (name,)
    return ()


def _column(day: Day, name: str) -> list[Value]:
    found = day.columns.get(f"m.{name}", day.columns.get(name))
    return [None] * day.rows if found is None else [_value(value) for value in found.tolist()]


def _value(value: Any) -> Value:
    if isinstance(value, float):
        return None if np.isnan(value) else value
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, bool | int | str | date) else None
