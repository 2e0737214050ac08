"""Every place of a model that says something about metrics, columns or segments."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from keepwell.model.behaviour_definitions import BehaviourDefinition
from keepwell.model.condition_definitions import Condition, HeldFor, InSegment, Moved, Test
from keepwell.model.conditions import behaviour_expression, held_expression, simple_conditions, test_expression
from keepwell.model.definitions import Model
from keepwell.model.expressions import Expression, parse_expression
from keepwell.model.metric_definitions import PEOPLE_METRICS, Metric
from keepwell.model.score_definitions import Measure, Score
from keepwell.model.yaml_source import KeyPath

Scope = Literal["customer", "person", "rows"]
ROW_TEXTS = ("of", "per", "where", "matching")


@dataclass(frozen=True)
class Usage:
    """An expression at its place. `text` is None when the place is a test and not a text."""

    path: KeyPath
    expression: Expression
    scope: Scope = "customer"
    table: str | None = None
    text: str | None = None

    @property
    def owner(self) -> KeyPath:
        """The definition that it belongs to."""
        return self.path[:2]


@dataclass(frozen=True)
class SegmentUse:
    """A segment (or, for movement, a band) named at a place."""

    path: KeyPath
    name: str
    moved: bool = False
    within_days: int = 0

    @property
    def owner(self) -> KeyPath:
        """The definition that it belongs to."""
        return self.path[:2]


def usages(model: Model) -> Iterator[Usage]:
    """Every expression of a model: texts, tests, and the metrics that measures name."""
    for name, metric in model.metrics.items():
        yield from metric_usages(metric, ("metrics", name))
    for name, score in model.scores.items():
        yield from _score_usages(score, ("scores", name))
    for path, condition in conditions(model):
        yield from condition_usages(path, condition)
    for name, segment in model.segments.items():
        if segment.by is not None:
            yield Usage(("segments", name, "by"), parse_expression(_quoted(segment.by)))
    for name, signal in model.signals.items():
        if signal.value is not None:
            yield Usage(("signals", name, "value"), parse_expression(signal.value), text=signal.value)


def condition_usages(path: KeyPath, condition: Condition) -> Iterator[Usage]:
    """The expressions of one condition."""
    for place, part in simple_conditions(condition, path):
        if isinstance(part, str):
            yield Usage(place, parse_expression(part), text=part)
        elif isinstance(part, Test):
            yield Usage((*place, "attribute"), test_expression(part))
        elif isinstance(part, HeldFor):
            yield Usage((*place, "attribute"), held_expression(part))
        elif isinstance(part, BehaviourDefinition):
            yield Usage(place, behaviour_expression(part))


def alert_usages(model: Model) -> Iterator[Usage]:
    """The money of alerts: no figure depends on it."""
    for name, rule in model.alerts.items():
        if rule.money is not None:
            yield Usage(("alerts", name, "money"), parse_expression(rule.money), text=rule.money)


def metric_usages(metric: Metric, path: KeyPath) -> Iterator[Usage]:
    """The expressions of one metric."""
    if metric.expr is not None:
        scope: Scope = "person" if metric.entity == "person" else "customer"
        yield Usage((*path, "expr"), parse_expression(metric.expr), scope, text=metric.expr)
    for key in ROW_TEXTS:
        text = getattr(metric, key)
        if text is not None:
            scope = "person" if metric.table == PEOPLE_METRICS else "rows"
            yield Usage((*path, key), parse_expression(text), scope, metric.table, text)


def _score_usages(score: Score, path: KeyPath) -> Iterator[Usage]:
    for component, place in ((c, (*path, "components", n)) for n, c in score.components.items()):
        for name, measure in component.measures.items():
            if measure.metric is not None:
                where = (*place, "measures", name, "metric")
                yield Usage(where, parse_expression(_quoted(measure.metric)))
    if score.target is not None:
        yield Usage((*path, "target"), parse_expression(score.target), text=score.target)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def conditions(model: Model) -> Iterator[tuple[KeyPath, Condition]]:
    """Every condition of a model with its place."""
    for name, score in model.scores.items():
        for component_name, component in score.components.items():
            path: KeyPath = ("scores", name, "components", component_name)
            for index, override in enumerate(component.override):
                yield (*path, "override", index, "when"), override.when
            for measure_name, measure in component.measures.items():
                yield from _measure_conditions(measure, (*path, "measures", measure_name))
    for name, segment in model.segments.items():
        if segment.when is not None:
            yield ("segments", name, "when"), segment.when
    for name, signal in model.signals.items():
        yield ("signals", name, "when"), signal.when


def _measure_conditions(measure: Measure, path: KeyPath) -> Iterator[tuple[KeyPath, Condition]]:
    if measure.bonus:
        yield (*path, "bonus", "when"), measure.bonus.when
    for index, case in enumerate(measure.cases or ()):
        yield (*path, "cases", index, "when"), case.when


def segment_uses(model: Model) -> Iterator[SegmentUse]:
    """Every place that names a segment: conditions, and parents."""
    for path, condition in conditions(model):
        for place, part in simple_conditions(condition, path):
            if isinstance(part, InSegment):
                yield SegmentUse((*place, "segment"), part.segment)
            elif isinstance(part, Moved):
                key = "entered" if part.entered is not None else "left"
                yield SegmentUse((*place, key), part.entered or part.left or "", True, part.within_days)
    for name, segment in model.segments.items():
        if segment.parent is not None:
            yield SegmentUse(("segments", name, "parent"), segment.parent)
