"""One customer explained: where scores come from, why segments and signals hold or do not, and what is missing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from keepwell.evaluation.bands_ahead import BandAhead, band_ahead
from keepwell.evaluation.compiled import CompiledModel
from keepwell.evaluation.contributions import Contribution, contributions
from keepwell.evaluation.explained_conditions import ExplainedCondition, UnmetTest, explain_condition, unmet
from keepwell.evaluation.missing import inputs_asked_for
from keepwell.evaluation.model_run import Evaluation, evaluate_model
from keepwell.evaluation.words import column_words, quality_words
from keepwell.metrics.frame import Frame, number_day
from keepwell.segments.membership import SegmentColumns, primary_dimension

_LAST: Final = -1


@dataclass(frozen=True)
class ExplainedScore:
    """A score whose lines add up to it, exactly; without a score there are no lines."""

    name: str
    label: str
    kind: str
    score: int | None
    raw: float | None
    band: str
    coverage: float
    lines: tuple[Contribution, ...]
    ahead: BandAhead | None

    @property
    def total(self) -> Decimal:
        """The sum of all lines."""
        return sum((line.amount for line in self.lines), Decimal(0))


@dataclass(frozen=True)
class ExplainedSegment:
    """A segment: whether the customer is in it, and the tests behind that.

    `unmet` is what stands in the way, `unmet_tests` the same with the customer's values.
    """

    name: str
    label: str
    dimension: str
    member: bool
    primary: bool
    catch_all: bool
    condition: ExplainedCondition | None
    unmet: tuple[str, ...]
    unmet_tests: tuple[UnmetTest, ...]


@dataclass(frozen=True)
class ExplainedSignal:
    """A signal: whether it is on, its tests, and the money it is about."""

    name: str
    label: str
    kind: str
    severity: str
    on: bool
    condition: ExplainedCondition
    value: float | None
    value_period: str
    action: str


@dataclass(frozen=True)
class Nearest:
    """The segment that the fewest tests keep the customer out of; `unmet_tests` are those of `unmet` with values."""

    name: str
    unmet: tuple[str, ...]
    unmet_tests: tuple[UnmetTest, ...]


@dataclass(frozen=True)
class Explanation:
    """Everything a model says about one customer on one day, with the reasons."""

    customer_id: str
    as_of: date
    scores: tuple[ExplainedScore, ...]
    primary: str | None
    segments: tuple[ExplainedSegment, ...]
    nearest: Nearest | None
    signals: tuple[ExplainedSignal, ...]
    metrics: Mapping[str, str]
    missing: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON; amounts have four decimals."""
        data: dict[str, Any] = _plain(asdict(self))
        return data


def explain(
    compiled: CompiledModel, frame: Frame, row: int = _LAST, *, supplied: frozenset[str] | None = None
) -> Explanation:
    """Explain one row of a frame that holds the days its evaluation needs (see `required_lags`).

    `supplied` names the metrics that were given and not computed; all columns of the frame if left out.
    """
    evaluation = evaluate_model(compiled, frame, lean=False)
    return explain_row(evaluation, row % frame.rows, supplied=supplied)


def explain_row(evaluation: Evaluation, row: int, *, supplied: frozenset[str] | None = None) -> Explanation:
    """Explain one row of an evaluation that was made with `lean=False`."""
    frame = evaluation.frame
    segments = _segments(evaluation, row)
    primary = evaluation.segments.primary.item(row)
    asked = inputs_asked_for(evaluation.compiled, frozenset(frame.columns) if supplied is None else supplied)
    return Explanation(
        customer_id=str(frame.customers[row]),
        as_of=number_day(int(frame.days[row])),
        scores=tuple(_score(evaluation, name, row) for name in evaluation.scores),
        primary=None if primary is None else str(primary),
        segments=segments,
        nearest=_nearest(evaluation, segments),
        signals=_signals(evaluation, row),
        metrics=_metrics(evaluation, row),
        missing={
            name: quality_words(evaluation.columns[name], row)
            for name in asked
            if not evaluation.columns[name].known[row]
        },
    )


def _score(evaluation: Evaluation, name: str, row: int) -> ExplainedScore:
    score = evaluation.scores[name]
    shown, raw = float(score.shown[row]), float(score.raw[row])
    lines = contributions(evaluation, score, row)
    return ExplainedScore(
        name=name,
        label=score.definition.label or name,
        kind=score.definition.kind,
        score=int(shown) if shown == shown else None,
        raw=raw if raw == raw else None,
        band=str(score.band.item(row)),
        coverage=float(score.coverage[row]),
        lines=lines,
        ahead=band_ahead(score.definition, shown, lines),
    )


def _segments(evaluation: Evaluation, row: int) -> tuple[ExplainedSegment, ...]:
    judge = evaluation.judge()
    primary = evaluation.segments.primary.item(row)

    def explained(segment: SegmentColumns) -> ExplainedSegment:
        when, member = segment.definition.when, bool(segment.matches[row])
        condition = None
        if when is not None:
            condition = explain_condition(judge, evaluation.compiled.conditions[when], row)
        shown = segment.shown(row) if member else segment.name
        tests = () if member else _in_the_way(evaluation, segment, condition, row)
        return ExplainedSegment(
            name=shown,
            label=segment.definition.label or shown,
            dimension=segment.definition.dimension,
            member=member,
            primary=member and shown == primary,
            catch_all=segment.definition.catch_all,
            condition=condition,
            unmet=tuple(test.text for test in tests),
            unmet_tests=tests,
        )

    return tuple(map(explained, evaluation.segments.segments))


def _in_the_way(
    evaluation: Evaluation, segment: SegmentColumns, condition: ExplainedCondition | None, row: int
) -> tuple[UnmetTest, ...]:
    tests = unmet(condition) if condition is not None else ()
    if segment.values is not None and not segment.values.known[row]:
        by, why = str(segment.definition.by), quality_words(segment.values, row)
        tests = (UnmetTest(f"{by} is unknown", None, {by: f"unknown: {why}"}), *tests)
    parent = segment.definition.parent
    outside = parent is not None and not evaluation.segments.member(parent).item(row)
    return (UnmetTest(f"is in '{parent}'", False), *tests) if outside else tests


def _nearest(evaluation: Evaluation, segments: tuple[ExplainedSegment, ...]) -> Nearest | None:
    dimension = primary_dimension(s.definition for s in evaluation.segments.segments)
    others = [s for s in segments if s.dimension == dimension and not s.member and not s.catch_all and s.unmet]
    best = min(others, key=lambda segment: len(segment.unmet), default=None)
    return None if best is None else Nearest(best.name, best.unmet, best.unmet_tests)


def _signals(evaluation: Evaluation, row: int) -> tuple[ExplainedSignal, ...]:
    judge = evaluation.judge()
    return tuple(
        ExplainedSignal(
            name=signal.name,
            label=signal.definition.label or signal.name,
            kind=signal.definition.kind,
            severity=signal.definition.severity,
            on=bool(signal.matches[row]),
            condition=explain_condition(judge, evaluation.compiled.conditions[signal.definition.when], row),
            value=None if signal.value is None or not signal.value.known[row] else float(signal.value.values[row]),
            value_period=signal.definition.value_period,
            action=signal.definition.action,
        )
        for signal in evaluation.signals
    )


def _metrics(evaluation: Evaluation, row: int) -> dict[str, str]:
    metrics = evaluation.compiled.metrics()
    return {name: column_words(evaluation.columns[name], row, metric.unit) for name, metric in metrics.items()}


def _plain(data: Any) -> Any:
    if isinstance(data, Decimal):
        return float(data)
    if isinstance(data, date):
        return data.isoformat()
    if isinstance(data, Mapping):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(value) for value in data] if isinstance(data, list | tuple) else data
