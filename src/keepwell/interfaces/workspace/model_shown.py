"""What the model's pages show of definitions: conditions as lines, charts of a change, matrices of moves."""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import yaml
from pydantic import BaseModel

from keepwell.evaluation.explain import ExplainedScore
from keepwell.model.condition_definitions import AllOf, AnyOf, Condition, InSegment, Moved, NoneOf, Test
from keepwell.model.definitions import Model
from keepwell.reporting.words import label_of

_GROUPS: Final[dict[type[Any], tuple[str, str]]] = {AllOf: ("all", "all of"), AnyOf: ("any", "any of")}
_WORDS: Final = {
    "equals": "is", "not_equals": "is not", "greater": ">", "greater_or_equal": "≥", "less": "<", "less_or_equal": "≤",
    "between": "is between", "in": "is one of", "not_in": "is none of", "contains": "contains",
    "starts_with": "starts with", "ends_with": "ends with", "is_unknown": "is unknown", "is_known": "is known",
}  # fmt: skip

_KINDS: Final = {"start": "start", "override": "set by a rule", "limit": "limit", "rounding": "rounding"}


def score_lines(model: Model, score: ExplainedScore) -> list[tuple[str, Decimal]]:
    """The lines of a score: what each is called, with its component, and its points."""
    definition = model.scores.get(score.name)
    found = []
    for line in score.lines:
        component = definition.components.get(line.component) if definition else None
        measure = component.measures.get(line.measure) if component else None
        own = (measure.label if measure else "") or label_of(line.metric, model.metrics.get(line.metric))
        words = own or _KINDS.get(line.kind, line.kind)
        whole = (component.label if component else "") or label_of(line.component, None)
        text = f"{whole}: {words}" if whole and whole != words else words
        found.append((text[:1].upper() + text[1:], line.amount))
    return found


def condition_lines(condition: Condition | None, depth: int = 0) -> Iterator[tuple[int, str]]:
    """A condition as lines of text, each with how deep it stands."""
    match condition:
        case None:
            return
        case AllOf() | AnyOf():
            field, words = _GROUPS[type(condition)]
            yield depth, words
            for part in getattr(condition, field):
                yield from condition_lines(part, depth + 1)
        case NoneOf():
            yield depth, "not"
            yield from condition_lines(condition.not_, depth + 1)
        case Test():
            compared = _WORDS.get(condition.operator, condition.operator)
            yield depth, f"{condition.attribute} {compared} {_value(condition.value)}".strip()
        case InSegment():
            yield depth, f"is in the segment {condition.segment}"
        case Moved():
            moved = f"entered {condition.entered}" if condition.entered else f"left {condition.left}"
            yield depth, f"{moved} within {condition.within_days} days"
        case _:
            yield depth, _other(condition)


def _value(value: Any) -> str:
    if value is None:
        return ""
    return " and ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _other(condition: Any) -> str:
    if isinstance(condition, BaseModel):
        content = condition.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return yaml.safe_dump(content, default_flow_style=True, width=10_000, sort_keys=False).strip().strip("{}")
    return str(condition)


def histogram_option(buckets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A score's distribution before and after."""
    labels = [f"{bucket['low']}–{bucket['high']}" for bucket in buckets]
    return _two_series(labels, [b["before"] for b in buckets], [b["after"] for b in buckets], "customers")


def weeks_option(weeks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tasks a week over the days that were replayed."""
    labels = [str(week["first"]) for week in weeks]
    return _two_series(labels, [w["tasks_before"] for w in weeks], [w["tasks_after"] for w in weeks], "tasks")


def _two_series(labels: list[str], before: list[float], after: list[float], unit: str) -> dict[str, Any]:
    def bars(name: str, values: list[float], color: str) -> dict[str, Any]:
        return {"name": name, "type": "bar", "data": values, "itemStyle": {"color": color}, "barGap": "10%"}

    return {
        "legend": {"top": 0},
        "tooltip": {"trigger": "axis"},
        "grid": {"left": 8, "right": 8, "top": 34, "bottom": 4, "containLabel": True},
        "xAxis": {"type": "category", "data": labels},
        "yAxis": {"type": "value", "name": unit, "minInterval": 1},
        "series": [bars("now", before, "var(--tblr-secondary)"), bars("with the change", after, "var(--tblr-primary)")],
    }


def field_name(path: Sequence[str | int]) -> str:
    """The name of the form field that edits a value of the model."""
    return "value:" + json.dumps(list(path))


def path_of(name: str) -> tuple[str | int, ...]:
    """The way to the value that a form field edits; empty for other fields."""
    if not name.startswith("value:"):
        return ()
    try:
        path = json.loads(name.removeprefix("value:"))
    except ValueError:
        return ()
    fits = isinstance(path, list) and all(isinstance(part, str | int) for part in path)
    return tuple(path) if fits else ()
