"""Where a score comes from: lines that add up to the shown score, exactly."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from keepwell.evaluation.history import HistoryRows
from keepwell.evaluation.model_run import Evaluation
from keepwell.evaluation.words import column_words, quality_words
from keepwell.metrics.frame import Quality
from keepwell.model.score_definitions import CarryForward
from keepwell.scoring.components import ComponentColumns, MeasureColumns
from keepwell.scoring.curves import reachable_points
from keepwell.scoring.scorecards import ScoreColumns, component_weight

PLACES: Final = Decimal("0.0001")
Kind = Literal["measure", "start", "override", "limit", "rounding"]


@dataclass(frozen=True)
class Contribution:
    """One line of a score. `amount` is in points of the score; `open` is what a better value could add.

    `kind` says what it is: a measure, the start of a component, an override of a component, what a limit cut off or
    filled up, and rounding, which also holds what is lost by showing four places.
    """

    kind: Kind
    amount: Decimal
    component: str = ""
    measure: str = ""
    metric: str = ""
    value: str = ""
    quality: str = ""
    points: float | None = None
    weight: float | None = None
    open: Decimal = Decimal(0)
    reason: str = ""


def contributions(evaluation: Evaluation, score: ScoreColumns, row: int) -> tuple[Contribution, ...]:
    """Every line of one row's score; none where there is no score. The evaluation must hold single measures."""
    shown = score.shown[row]
    if shown != shown:
        return ()
    lines = [line for part in score.components for line in _component(evaluation, score, part, row)]
    exact = sum(_exact_amounts(score, row))
    cut = decimal(float(score.computed[row]) - exact)
    if cut:
        lines.append(Contribution("limit", cut, reason="a score stays within 0 and 100"))
    rest = Decimal(int(shown)) - sum((line.amount for line in lines), Decimal(0))
    return (*lines, Contribution("rounding", rest.quantize(PLACES)))


def decimal(amount: float) -> Decimal:
    """An amount with four places, without a negative zero."""
    return Decimal(repr(amount)).quantize(PLACES) + Decimal(0)


def _factor(score: ScoreColumns, part: ComponentColumns, row: int) -> float:
    """How many points of the score one point of the component is."""
    definition = score.definition
    present = [c for c in score.components if c.value[row] == c.value[row]]
    weights = [component_weight(definition, c.definition) for c in present]
    bottom = sum(w * float(c.present[row]) for w, c in zip(weights, present, strict=True))
    if definition.method == "mean":
        return component_weight(definition, part.definition) * float(part.present[row]) / bottom
    total = sum(component_weight(definition, c.definition) for c in score.components)
    return float(part.present[row]) * total / bottom


def _exact_amounts(score: ScoreColumns, row: int) -> Iterator[float]:
    for part in score.components:
        value = float(part.value[row])
        if value == value:
            yield _factor(score, part, row) * value


def _component(evaluation: Evaluation, score: ScoreColumns, part: ComponentColumns, row: int) -> Iterator[Contribution]:
    value = float(part.value[row])
    if value != value:
        yield from (_measure(evaluation, score, part, measure, row, 0.0) for measure in part.measures)
        return
    factor = _factor(score, part, row)
    if part.override[row] == part.override[row]:
        reason = f"an override sets {part.definition.label or part.name} to {value:g}"
        yield Contribution("override", decimal(factor * value), part.name, points=value, reason=reason)
        return
    summed = part.definition.method == "sum"
    if summed and part.definition.start:
        start = part.definition.start
        yield Contribution("start", decimal(factor * start), part.name, points=start)
    for measure in part.measures:
        yield _measure(evaluation, score, part, measure, row, factor)
    cut = decimal(factor * (value - float(part.uncapped[row])))
    if cut:
        reason = f"stays within {part.definition.floor:g} and {part.definition.maximum:g}"
        yield Contribution("limit", cut, part.name, reason=reason)


def _measure(
    evaluation: Evaluation,
    score: ScoreColumns,
    part: ComponentColumns,
    measure: MeasureColumns,
    row: int,
    factor: float,
) -> Contribution:
    definition = measure.definition
    kept = bool(measure.kept[row])
    points = float(measure.points[row]) if kept else 0.0
    best = max(reachable_points(definition, part.definition))
    # A reason says what is wrong: points that a health score lacks, or that a risk score has.
    speaks = points > 0 if score.definition.kind == "risk" else points < best
    value, said = _value(evaluation, measure, row), _value(evaluation, measure, row, units=False)
    room = decimal(max(best - points, 0.0) * _scale(part, measure, best, row) * factor) if kept else Decimal(0)
    return Contribution(
        kind="measure",
        amount=decimal(points * _scale(part, measure, points, row) * factor),
        component=part.name,
        measure=measure.name,
        metric=definition.metric or "",
        value=value,
        quality=_quality(evaluation, measure, row),
        points=points if kept else None,
        weight=measure.weight,
        open=room,
        reason=definition.reason.replace("{value}", said) if measure.covered[row] and speaks else "",
    )


def _scale(part: ComponentColumns, measure: MeasureColumns, points: float, row: int) -> float:
    if part.definition.method == "mean":
        scale = float(part.scale[row])
        return measure.weight * scale if scale == scale else 0.0
    return float(part.scale[row]) if points > 0 else 1.0


def _value(evaluation: Evaluation, measure: MeasureColumns, row: int, *, units: bool = True) -> str:
    metric = measure.definition.metric
    if metric is None:
        return ""
    known = evaluation.compiled.model.metrics.get(metric)
    column, policy = evaluation.columns[metric], measure.definition.missing
    if isinstance(policy, CarryForward):
        column = HistoryRows(evaluation.frame).carried(column, policy.carry_forward)
    return column_words(column, row, known.unit if known else "", units=units)


def _quality(evaluation: Evaluation, measure: MeasureColumns, row: int) -> str:
    words = Quality(int(measure.quality[row])).words
    if measure.covered[row] and measure.definition.metric and measure.quality[row] != Quality.CARRIED:
        return quality_words(evaluation.columns[measure.definition.metric], row)
    return words
