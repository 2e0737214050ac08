"""A model evaluated on a frame: every metric, score, segment and signal of every row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from keepwell.evaluation.compiled import CompiledModel, compile_model, required_lags
from keepwell.evaluation.conditions import Judge
from keepwell.evaluation.given import normalised
from keepwell.evaluation.history import HistoryRows
from keepwell.evaluation.lags import band_owner
from keepwell.metrics.evaluate import Context, compare, evaluate
from keepwell.metrics.frame import Column, Frame, Quality, constant_column, unknown_column
from keepwell.model.condition_definitions import Condition
from keepwell.model.expressions import ExpressionError
from keepwell.model.graph import SEGMENTS, derived_names, segment_key
from keepwell.model.metric_definitions import MetricType
from keepwell.scoring.inputs import Inputs
from keepwell.scoring.scorecards import ScoreColumns, evaluate_score
from keepwell.segments.membership import Membership, SegmentsColumns, SegmentWork
from keepwell.signals.detection import SignalColumns, evaluate_signals

__all__ = ["CompiledModel", "Evaluation", "compile_model", "evaluate_model", "required_lags"]


@dataclass(frozen=True)
class Evaluation:
    """Everything a model says about the rows of a frame. `columns` has every name that expressions may use."""

    compiled: CompiledModel
    frame: Frame
    columns: Mapping[str, Column]
    scores: Mapping[str, ScoreColumns]
    segments: SegmentsColumns
    signals: tuple[SignalColumns, ...]

    def judge(self) -> Judge:
        """Judges further conditions on the same rows."""
        history = HistoryRows(self.frame)
        context = Context(
            self.columns.__getitem__, self.frame.days, lambda name, days: history.before(self.columns[name], days)
        )
        member = _member_or_band(self.compiled, context, self.segments.member)
        return Judge(context, member, history, self.compiled.signals())

    def take(self, rows: npt.NDArray[Any] | slice) -> "Evaluation":
        """The evaluation at the given rows (indices or mask)."""
        return Evaluation(
            self.compiled,
            self.frame.take(rows),
            {name: column.take(rows) for name, column in self.columns.items()},
            {name: score.take(rows) for name, score in self.scores.items()},
            self.segments.take(rows),
            tuple(signal.take(rows) for signal in self.signals),
        )


def evaluate_model(
    compiled: CompiledModel, frame: Frame, *, history: HistoryRows | None = None, lean: bool = True
) -> Evaluation:
    """Evaluate a model on every row.

    A column of the frame that is named like a metric is that metric's value, whatever its definition says; metrics
    without a column are computed from their `expr`, and are otherwise unknown. Rows of one customer lie together in
    rising order of days; `history` may be passed when it was made from the same frame before. `lean` keeps memory
    small by dropping the points of single measures.
    """
    run = _Run(compiled, frame, history or HistoryRows(frame), lean)
    for name in compiled.metrics():
        run.column(name)
    for name in compiled.model.scores:
        run.score(name)
    segments = run.work.all()
    for name in ("segment", *compiled.signals()):
        run.column(name)
    signals = evaluate_signals(compiled.model.signals, run.signal, run.formula)
    return Evaluation(compiled, frame, run.columns, run.scores, segments, signals)


class _Run:
    """One evaluation: definitions asked for by name, each computed once, whatever the order of asking."""

    def __init__(self, compiled: CompiledModel, frame: Frame, history: HistoryRows, lean: bool) -> None:
        self.compiled, self.frame, self.history, self.lean = compiled, frame, history, lean
        self.model = compiled.model
        self.columns: dict[str, Column] = {}
        self.scores: dict[str, ScoreColumns] = {}
        self._signals: dict[str, Column] = {}
        self._open: list[str] = []
        self._givers = derived_names(self.model)
        self.context = Context(self.column, frame.days, lambda name, days: history.before(self.column(name), days))
        self.work = SegmentWork(self.model.segments, frame.rows, self.column, self.truth)
        self._judge = Judge(self.context, _member_or_band(compiled, self.context, self.work.member), history)

    def column(self, name: str) -> Column:
        """The column of a metric, a score's part, a signal, or `segment`."""
        if name in self.columns:
            return self.columns[name]
        kind, _, giver = ("" if name in self.model.metrics else self._givers.get(name, "")).partition(":")
        if kind == "score":
            self.score(giver)
        elif kind == "signal":
            self.columns[name] = self.signal(name)
        elif kind == SEGMENTS:
            self.columns[name] = self.work.primary()
        else:
            self._enter(f"metric {name}")
            self.columns[name] = self._metric(name)
            self._open.pop()
        return self.columns[name]

    def score(self, name: str) -> ScoreColumns:
        """A score, with its parts added to the columns."""
        if name not in self.scores:
            self._enter(f"score {name}")
            inputs = Inputs(self.frame.rows, self.column, self.truth, self.history.carried)
            minimum = self.model.settings.minimum_coverage
            self.scores[name] = evaluate_score(name, self.model.scores[name], inputs, minimum, lean=self.lean)
            self.columns.update(self.scores[name].names())
            self._open.pop()
        return self.scores[name]

    def signal(self, name: str) -> Column:
        """Whether a signal is on."""
        if name not in self._signals:
            self._enter(f"signal {name}")
            self._signals[name] = self.truth(self.model.signals[name].when)
            self._open.pop()
        return self._signals[name]

    def truth(self, condition: Condition) -> Column:
        """The truth of a condition of the model."""
        return self._judge.truth(self.compiled.conditions[condition])

    def formula(self, text: str) -> Column:
        """The value of an expression of the model."""
        return evaluate(self.compiled.formulas[text], self.context)

    def _metric(self, name: str) -> Column:
        metric = self.model.metrics.get(name)
        if name in self.frame.columns:
            return normalised(self.frame.columns[name], metric.values if metric else ())
        if metric is not None and metric.expr is not None:
            return normalised(self.formula(metric.expr), metric.values)
        return unknown_column(self.frame.rows, Quality.NO_SOURCE, self.compiled.types.get(name, MetricType.NUMBER))

    def _enter(self, what: str) -> None:
        if what in self._open:
            raise ExpressionError(f"a circle: {' -> '.join([*self._open[self._open.index(what) :], what])}")
        self._open.append(what)


def _member_or_band(compiled: CompiledModel, context: Context, member: Membership) -> Membership:
    """Membership in a segment by name, or being in a band where no segment has the name."""

    def find(name: str) -> Column:
        owner = band_owner(compiled.model, name)
        if segment_key(compiled.model, name) is not None or owner is None:
            return member(name)
        return compare("=", context.lookup(f"{owner}_band"), constant_column(context.rows, name))

    return find
