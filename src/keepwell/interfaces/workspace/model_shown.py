"""What the model's pages show of definitions: conditions as lines, charts of a change, matrices of moves."""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.explain import ExplainedScore
from keepwell.model.condition_definitions import Condition
from keepwell.model.definitions import Model
from keepwell.model.expression_tree import ExpressionError
from keepwell.model.expressions import parse_expression
from keepwell.model.loader import LoadedModel
from keepwell.model.metric_definitions import Metric
from keepwell.reporting.condition_words import ConditionWords
from keepwell.reporting.words import label_of
from keepwell.services.planning.scorecard import SettingRow
from keepwell.services.published.kept_models import segment_shown

_AGGREGATES: Final = {
    "count": "number of",
    "count_distinct": "number of different",
    "sum": "sum of",
    "mean": "mean of",
    "min": "smallest",
    "max": "largest",
    "latest": "latest",
    "first": "first",
    "exists": "whether there are",
    "share": "share of",
    "change": "change of the number of",
    "days_since": "days since the last of",
    "slope": "trend of",
}
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


def condition_lines(loaded: LoadedModel, condition: Condition | None) -> list[tuple[int, str]]:
    """A condition as lines of text, each with how deep it stands."""
    if condition is None:
        return []
    return list(ConditionWords(loaded.model).lines(compile_model(loaded).conditions[condition]))


def metric_source(model: Model, metric: Metric) -> str:
    """Where a metric comes from, in words."""
    words = ConditionWords(model)
    if metric.expr is not None:
        return _said(words, metric.expr)
    if metric.attribute is not None:
        return f"the customer's {words.name(metric.attribute.removeprefix('traits.')).lower()}"
    if metric.table is None:
        return "given"
    what = f" {_said(words, metric.of)} of" if metric.of else ""
    counted = f"{_AGGREGATES.get(str(metric.aggregate), str(metric.aggregate))}{what} {metric.table.replace('_', ' ')}"
    if metric.per:
        counted = f"{_said(words, metric.of or '')} for each {_said(words, metric.per)}, of {metric.table}"
    parts = [
        counted,
        f"where {_said(words, metric.where)}" if metric.where else "",
        f"that meet: {_said(words, metric.matching)}" if metric.matching else "",
        f"in {metric.window} days" if metric.window else "",
        f"until {metric.offset} days before" if metric.offset else "",
    ]
    return " ".join(filter(None, parts))


def _said(words: ConditionWords, text: str) -> str:
    try:
        return words.expression(parse_expression(text))
    except ExpressionError:
        return text


def setting_lines(rows: Sequence[SettingRow]) -> list[tuple[SettingRow, str, str]]:
    """Settings with what they are called and their values as people read them."""
    return [(row, label_of(row.name, None), _listed(row.value)) for row in rows]


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


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


def segment_label(models: Iterable[Model], name: str) -> str:
    """What people call a segment by the first of some models that knows it: what a draft leaves out has a name, too."""
    known = (segment_shown(model, name)[0] for model in models)
    return next((label for label in known if label != name), label_of(name, None))


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
