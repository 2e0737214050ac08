"""What is known of a customer at one moment, and whether a condition holds for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Final

import numpy as np

from keepwell.evaluation.conditions import Judge
from keepwell.evaluation.history import HistoryRows
from keepwell.metrics.evaluate import Context, evaluate
from keepwell.metrics.frame import EPOCH, Column, Frame, Quality, constant_column, day_number, unknown_column
from keepwell.model.condition_definitions import Condition
from keepwell.model.conditions import ConditionTree, change_expressions, condition_expression
from keepwell.model.definitions import Settings
from keepwell.model.expressions import parse_expression
from keepwell.model.graph import substitute_settings
from keepwell.model.metric_definitions import MetricType

Value = bool | int | float | str | date | None
_ONE: Final = 1


@dataclass(frozen=True)
class Facts:
    """One customer at one moment. `values` are metrics, scores and columns by name; a missing one is unknown.

    `contacts` are the moments of the messages that went to the customer lately, those of the run itself left out.
    """

    as_of: date = EPOCH
    values: Mapping[str, Value] = field(default_factory=dict)
    segments: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()
    contacts: tuple[datetime, ...] = ()
    active: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return {
            "as_of": self.as_of.isoformat(),
            "values": {name: _plain(value) for name, value in sorted(self.values.items())},
            "segments": sorted(self.segments),
            "signals": sorted(self.signals),
            "contacts": [moment.isoformat() for moment in self.contacts],
            "active": self.active,
        }


def facts_from(data: Mapping[str, Any]) -> Facts:
    """Read what `as_dict` wrote."""
    return Facts(
        date.fromisoformat(data["as_of"]),
        {name: date.fromisoformat(v["date"]) if isinstance(v, dict) else v for name, v in data["values"].items()},
        frozenset(data["segments"]),
        frozenset(data["signals"]),
        tuple(datetime.fromisoformat(moment).astimezone(UTC) for moment in data["contacts"]),
        data["active"],
    )


def _plain(value: Value) -> Any:
    return {"date": value.isoformat()} if isinstance(value, date) else value


@dataclass(frozen=True)
class Rules:
    """Conditions of playbooks with the settings that they read and the signals that they may name."""

    settings: Settings
    signals: frozenset[str]

    def holds(self, condition: Condition | None, facts: Facts) -> bool:
        """Whether a condition is true; what is unknown does not hold, and no condition always does."""
        return condition is None or self.truth(condition, facts) is True

    def truth(self, condition: Condition, facts: Facts) -> bool | None:
        """True, false, or None for unknown."""
        found = _judge(facts, self.signals).truth(_tree(condition, _Same(self.settings))).item(0)
        return None if found is None else bool(found)

    def amount(self, expression: str, facts: Facts) -> float | None:
        """The number that an expression comes to; None for unknown."""
        context = Context(_look_up(facts, self.signals), np.array([day_number(facts.as_of)], np.int64))
        found = evaluate(substitute_settings(parse_expression(expression), self.settings), context)
        value = found.item(0) if found.type is MetricType.NUMBER else None
        return None if value is None else float(value)  # type: ignore[arg-type]


class _Same:
    """Settings as a key: the same object, for they hold a mapping and cannot be hashed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def __hash__(self) -> int:
        return id(self.settings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.settings is self.settings


@lru_cache(maxsize=4096)
def _tree(condition: Condition, key: _Same) -> ConditionTree:
    return change_expressions(condition_expression(condition), lambda part: substitute_settings(part, key.settings))


def _judge(facts: Facts, signals: frozenset[str]) -> Judge:
    days, look_up = np.array([day_number(facts.as_of)], np.int64), _look_up(facts, signals)
    history = HistoryRows(Frame(np.array([""], dtype=object), days))
    return Judge(Context(look_up, days), lambda name: constant_column(_ONE, name in facts.segments), history)


def _look_up(facts: Facts, signals: frozenset[str]) -> Callable[[str], Column]:
    def look_up(name: str) -> Column:
        if name in facts.values:
            return _column(facts.values[name])
        return constant_column(_ONE, name in facts.signals) if name in signals else _column(None)

    return look_up


def _column(value: Value) -> Column:
    if value is None:
        return unknown_column(_ONE, Quality.NO_SOURCE)
    if isinstance(value, date):
        return Column(MetricType.DATE, np.array([float(day_number(value))]), np.zeros(_ONE, np.uint8))
    return constant_column(_ONE, value)
