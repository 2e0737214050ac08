"""The rules that a model must keep, one per file: each takes the context and yields problems."""

from collections.abc import Callable, Iterable
from typing import Final

from keepwell.model.problems import Problem
from keepwell.model.validation import (
    alerts,
    bands,
    circles,
    clashes,
    curves,
    functions,
    measure_types,
    messages,
    metric_keys,
    names,
    placeholders,
    playbook_flow,
    playbook_names,
    segment_names,
    segments,
    settings,
    signals,
    steps,
    surveys,
    tables,
    types,
    weights,
)
from keepwell.model.validation.context import Context

Rule = Callable[[Context], Iterable[Problem]]

RULES: Final[tuple[Rule, ...]] = (
    names.check,
    clashes.check,
    functions.check,
    settings.check,
    circles.check,
    bands.check,
    weights.check,
    curves.check,
    steps.check,
    types.check,
    measure_types.check,
    metric_keys.check,
    tables.check,
    segments.check,
    segment_names.check,
    signals.check,
    placeholders.check,
    playbook_names.check,
    playbook_flow.check,
    messages.check,
    alerts.check,
    surveys.check,
)


def check_model(context: Context) -> list[Problem]:
    """Every problem that the rules find."""
    return [problem for rule in RULES for problem in rule(context)]
