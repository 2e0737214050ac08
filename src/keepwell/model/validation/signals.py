"""Signals are told apart: no two fire on the same condition, and a period belongs to a value."""

from collections.abc import Iterable

from keepwell.model.conditions import condition_expression
from keepwell.model.problems import Problem
from keepwell.model.validation.context import Context


def check(context: Context) -> Iterable[Problem]:
    """Signals with the condition of an earlier one, and periods of no value."""
    seen: dict[object, str] = {}
    for name, signal in context.model.signals.items():
        first = seen.setdefault((condition_expression(signal.when), signal.kind), name)
        if first != name:
            message = f"signal '{name}' always comes together with '{first}': the condition is the same"
            yield context.warning(("signals", name, "when"), message)
        if signal.value is None and "value_period" in signal.model_fields_set:
            yield context.error(("signals", name, "value_period"), "'value_period' needs 'value'", key=True)
        hours = signal.respond_within_hours
        if isinstance(hours, float) and hours <= 0:
            yield context.error(("signals", name, "respond_within_hours"), "must be more than 0")
