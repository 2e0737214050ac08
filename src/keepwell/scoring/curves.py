"""Curves: how the value of a metric becomes points, and how many points a measure can give at all."""

from collections.abc import Callable
from typing import Final

import numpy as np

from keepwell.metrics.frame import Bools, Column, Floats, Quality, constant_column, number_column
from keepwell.model.expressions import ExpressionError
from keepwell.model.metric_definitions import MetricType
from keepwell.model.score_definitions import Case, Component, Measure, Step
from keepwell.scoring.inputs import Inputs

Curve = Callable[[Measure, Column], Floats]


def points_of(measure: Measure, inputs: Inputs) -> Column:
    """Points of every row before any missing-data policy; unknown where the data is."""
    if measure.bonus is not None:
        return _chosen(inputs.truth(measure.bonus.when), measure.bonus.points, _constant(inputs, measure.otherwise))
    if measure.cases is not None:
        return _cases(measure.cases, _constant(inputs, measure.otherwise), inputs)
    column = inputs.column(measure.metric or "")
    if column.type is MetricType.TEXT and measure.lookup is None and column.known.any():
        raise ExpressionError(f"'{measure.metric}' is a text; the curve '{measure.curve}' takes numbers")
    with np.errstate(invalid="ignore"):
        values = _CURVES[measure.curve](measure, column)
    return number_column(np.where(column.known, values, np.nan), column.quality)


def reachable_points(measure: Measure, component: Component) -> tuple[float, ...]:
    """The points at the corners of a measure's curve; the largest and smallest are among them."""
    if measure.value is not None:
        return (0.0, 100.0)
    if measure.linear is not None:
        return (0.0, measure.linear.points)
    if measure.interpolate is not None:
        return tuple(points for _, points in measure.interpolate)
    if measure.per_unit is not None:
        limit = abs(measure.per_unit.limit if measure.per_unit.limit is not None else component.maximum)
        return (0.0, limit if measure.per_unit.points > 0 else -limit)
    return (*_listed_points(measure), measure.otherwise)


def measure_weight(measure: Measure, component: Component) -> float:
    """The share of a measure in its component, in the component's own unit."""
    if measure.weight is not None:
        return measure.weight
    if component.method == "mean":
        return 1.0
    return max(abs(points) for points in reachable_points(measure, component))


def gives_gains(measure: Measure, component: Component) -> bool:
    """Whether a measure can add points; the others only deduct."""
    return max(reachable_points(measure, component)) > 0


def _listed_points(measure: Measure) -> tuple[float, ...]:
    entries = measure.steps or measure.cases or ()
    listed = tuple(entry.points for entry in entries)
    if measure.bonus is not None:
        return (measure.bonus.points,)
    if measure.flag is not None:
        return (measure.flag,)
    return (*listed, *(measure.lookup or {}).values())


def _constant(inputs: Inputs, points: float) -> Column:
    return constant_column(inputs.rows, points)


def _chosen(condition: Column, points: float, otherwise: Column) -> Column:
    """Points where the condition holds, else `otherwise`; an unknown condition matters only if they differ."""
    true = condition.known & (condition.values != 0.0)
    unsure = ~condition.known & ~(otherwise.known & (otherwise.values == points))
    values = np.where(true, points, otherwise.values)
    values[unsure] = np.nan
    quality = np.where(true, condition.quality, np.maximum(otherwise.quality, condition.quality))
    quality = np.where(~condition.known & ~unsure, Quality.KNOWN, quality)
    return Column(MetricType.NUMBER, values, quality.astype(np.uint8))


def _cases(cases: tuple[Case, ...], otherwise: Column, inputs: Inputs) -> Column:
    result = otherwise
    for case in reversed(cases):
        result = _chosen(inputs.truth(case.when), case.points, result)
    return result


def _linear(measure: Measure, column: Column) -> Floats:
    curve = measure.linear
    assert curve is not None  # noqa: S101 - chosen by the curve's name
    share = (column.values - curve.start) / (curve.end - curve.start)
    return np.clip(share, 0.0, 1.0) * curve.points


def _interpolate(measure: Measure, column: Column) -> Floats:
    pairs = np.array(measure.interpolate, dtype=np.float64)
    return np.interp(column.values, pairs[:, 0], pairs[:, 1])


def _steps(measure: Measure, column: Column) -> Floats:
    points = np.full(len(column), measure.otherwise)
    for step in reversed(measure.steps or ()):
        points[_holds(step, column.values)] = step.points
    return points


def _holds(step: Step, values: Floats) -> Bools:
    if step.at_least is not None:
        return values >= step.at_least
    if step.above is not None:
        return values > step.above
    if step.at_most is not None:
        return values <= step.at_most
    return values < (step.below if step.below is not None else -np.inf)


def _per_unit(measure: Measure, column: Column) -> Floats:
    unit = measure.per_unit
    assert unit is not None  # noqa: S101 - chosen by the curve's name
    limit = np.inf if unit.limit is None else abs(unit.limit)
    return np.clip(column.values * unit.points, -limit, limit)


def _flag(measure: Measure, column: Column) -> Floats:
    return np.where(column.values != 0.0, measure.flag or 0.0, measure.otherwise)


def _lookup(measure: Measure, column: Column) -> Floats:
    table = {key.strip().casefold(): points for key, points in (measure.lookup or {}).items()}
    if column.type is MetricType.TEXT:
        points = np.array([table.get(text.strip().casefold(), measure.otherwise) for text in column.texts])
        codes = np.where(column.known, column.values, 0).astype(np.int64)
        return points[codes] if len(points) else np.full(len(column), np.nan)
    points = np.full(len(column), measure.otherwise)
    for key, given in table.items():
        points[column.values == _as_number(key)] = given
    return points


def _as_number(key: str) -> float:
    try:
        return {"true": 1.0, "false": 0.0}[key] if key in ("true", "false") else float(key)
    except ValueError:
        return float("nan")


_CURVES: Final[dict[str, Curve]] = {
    "value": lambda measure, column: np.clip(column.values, 0.0, 100.0),
    "linear": _linear,
    "interpolate": _interpolate,
    "steps": _steps,
    "per_unit": _per_unit,
    "flag": _flag,
    "lookup": _lookup,
}
