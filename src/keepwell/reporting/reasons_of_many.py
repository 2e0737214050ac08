"""The strongest reasons of many customers at once: the same words as one by one, with amounts and truths by column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from keepwell.evaluation.conditions import Judge
from keepwell.evaluation.contributions import Contribution
from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.frame import Bools, Column, Floats, Ints
from keepwell.model.conditions import ConditionTree, Group, Leaf
from keepwell.model.expressions import names_in
from keepwell.reporting.reasons import WORST_FIRST, WORTH_SAYING, Reason, Reasons
from keepwell.reporting.scores import AT_RISK_COLORS
from keepwell.scoring.components import ComponentColumns, MeasureColumns
from keepwell.scoring.curves import reachable_points
from keepwell.scoring.scorecards import ScoreColumns, component_weight

PLACES: Final = 4


@dataclass(frozen=True)
class _Signal:
    name: str
    metrics: frozenset[str]
    on: Bools


@dataclass(frozen=True)
class _Points:
    """The measures of a score, and for every row which of them cost most, the worst first."""

    score: str
    measures: tuple[tuple[str, MeasureColumns], ...]
    amounts: Floats
    order: Ints


class ReasonsOfMany:
    """Reasons for all rows of an evaluation that was made with `lean=False`."""

    def __init__(self, reasons: Reasons) -> None:
        self.reasons, self.evaluation = reasons, reasons.evaluation
        self._judge = self.evaluation.judge()
        signals = tuple(self._signals())
        self._wrong = [s for s in signals if not s.metrics <= reasons.parts]
        self._scored = [s for s in signals if s.metrics <= reasons.parts]
        self._tests = [(matches, tuple(tests)) for matches, tests in self._segments()]
        self._points = [_points(self.evaluation, score) for score in self.evaluation.scores.values()]

    def of(self, row: int, limit: int) -> tuple[str, ...]:
        """The strongest reasons of one row, each metric spoken of once."""
        found: list[str] = []
        spoken: set[str] = set()
        for text, metrics in self._all(row):
            if text not in found and not (metrics and metrics <= spoken):
                found.append(text)
                spoken |= metrics
                if len(found) == limit:
                    break
        return tuple(found)

    def _all(self, row: int) -> Iterator[Reason]:
        yield from ((self.reasons.signal(s.name, row), s.metrics) for s in self._wrong if s.on[row])
        for matches, tests in self._tests:
            if matches[row]:
                yield from self._held(tests, row)
        for points in self._points:
            yield from self._lost(points, row)
        yield from ((self.reasons.signal(s.name, row), s.metrics) for s in self._scored if s.on[row])

    def _signals(self) -> Iterator[_Signal]:
        wrong = [s for s in self.evaluation.signals if s.definition.kind != "expansion"]
        for signal in sorted(wrong, key=lambda s: WORST_FIRST.index(s.definition.severity)):
            yield _Signal(signal.name, self.reasons.read_by(signal.name), signal.matches)

    def _segments(self) -> Iterator[tuple[Bools, Iterator[tuple[Bools, tuple[str, ...]]]]]:
        for segment in self.evaluation.segments.segments:
            when = segment.definition.when
            # One by one, a segment per value is looked up by the name of the value, which no definition has.
            if when is not None and segment.values is None and segment.definition.color in AT_RISK_COLORS:
                yield segment.matches, _tests(self._judge, self.evaluation.compiled.conditions[when])

    def _held(self, tests: Sequence[tuple[Bools, tuple[str, ...]]], row: int) -> Iterator[Reason]:
        for held, names in tests:
            if held[row]:
                text = self.reasons.said_all(names, row)
                if text:
                    yield text, frozenset(names)

    def _lost(self, points: _Points, row: int) -> Iterator[Reason]:
        for place in points.order[row]:
            if points.amounts[row, place] < WORTH_SAYING:
                return
            component, measure = points.measures[place]
            metric = measure.definition.metric or ""
            known = not metric or self.evaluation.columns[metric].known[row]
            if known and metric not in self.reasons.parts:
                line = Contribution("measure", Decimal(0), component, measure.name, metric)
                yield self.reasons.measure(points.score, line, row)


def _tests(judge: Judge, tree: ConditionTree, under: Bools | None = None) -> Iterator[tuple[Bools, tuple[str, ...]]]:
    """Where each test of a condition is true and carries it, and the metrics that it reads."""
    held = _true(judge.truth(tree))
    held = held if under is None else held & under
    if isinstance(tree, Group):
        if tree.kind != "not":
            for item in tree.items:
                yield from _tests(judge, item, held)
        return
    yield held, tuple(names_in(tree.expression)) if isinstance(tree, Leaf) else ()


def _true(column: Column) -> Bools:
    found: Bools = column.known & (column.values != 0.0)
    return found


def _points(evaluation: Evaluation, score: ScoreColumns) -> _Points:
    """What every measure costs: open points of a health score, points of a risk score; -1 where it says nothing."""
    parts = [(part, measure) for part in score.components for measure in part.measures]
    named = sorted(parts, key=lambda pair: pair[1].name)
    amounts = np.full((evaluation.frame.rows, len(named)), -1.0)
    for place, (part, measure) in enumerate(named):
        amounts[:, place] = _amount(score, part, measure)
    order = np.argsort(-amounts, axis=1, kind="stable")
    return _Points(score.name, tuple((part.name, measure) for part, measure in named), amounts, order)


def _amount(score: ScoreColumns, part: ComponentColumns, measure: MeasureColumns) -> Floats:
    says = measure.kept & ~np.isnan(score.shown) & ~np.isnan(part.value) & np.isnan(part.override)
    points = np.where(measure.kept, measure.points, 0.0)
    if score.definition.kind != "risk":
        best = max(reachable_points(measure.definition, part.definition))
        points = np.maximum(best - points, 0.0) * _scale(part, measure, np.full(len(points), best))
    else:
        points = points * _scale(part, measure, points)
    return np.where(says, np.round(points * _factor(score, part), PLACES), -1.0)


def _scale(part: ComponentColumns, measure: MeasureColumns, points: Floats) -> Floats:
    if part.definition.method == "mean":
        return measure.weight * np.nan_to_num(part.scale)
    return np.where(points > 0, part.scale, 1.0)


def _factor(score: ScoreColumns, part: ComponentColumns) -> Floats:
    """How many points of the score one point of the component is, for every row."""
    definition = score.definition
    weights = [component_weight(definition, c.definition) for c in score.components]
    bottom = np.zeros(len(score.shown))
    for weight, other in zip(weights, score.components, strict=True):
        bottom += np.where(np.isnan(other.value), 0.0, weight * other.present)
    own = component_weight(definition, part.definition) if definition.method == "mean" else sum(weights)
    return part.present * own / np.where(bottom > 0, bottom, np.nan)
