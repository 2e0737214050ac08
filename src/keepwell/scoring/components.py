"""Components: measures gathered into one value, with what missing data does to it."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepwell.metrics.frame import Bools, Codes, Floats
from keepwell.model.score_definitions import CarryForward, Component, Measure, Neutral
from keepwell.scoring.curves import gives_gains, measure_weight, points_of
from keepwell.scoring.inputs import Inputs

_MEASURE_ARRAYS: Final = ("points", "quality", "kept", "covered")
_COMPONENT_ARRAYS: Final = ("value", "present", "covered", "uncapped", "scale", "override")


@dataclass(frozen=True)
class MeasureColumns:
    """One measure. `points` is nan where it left (`kept` false); `covered` says where it rests on data."""

    name: str
    definition: Measure
    weight: float
    gains: bool
    points: Floats
    quality: Codes
    kept: Bools
    covered: Bools

    def take(self, rows: npt.NDArray[Any] | slice) -> "MeasureColumns":
        """The measure at the given rows."""
        return replace(self, **{key: getattr(self, key)[rows] for key in _MEASURE_ARRAYS})


@dataclass(frozen=True)
class ComponentColumns:
    """One component. `value` is nan where nothing of it is left; `present` and `covered` are shares of its weight."""

    name: str
    definition: Component
    value: Floats
    present: Floats
    covered: Floats
    uncapped: Floats
    scale: Floats
    override: Floats
    measures: tuple[MeasureColumns, ...]

    def take(self, rows: npt.NDArray[Any] | slice) -> "ComponentColumns":
        """The component at the given rows."""
        arrays = {key: getattr(self, key)[rows] for key in _COMPONENT_ARRAYS}
        return replace(self, **arrays, measures=tuple(m.take(rows) for m in self.measures))


@dataclass(frozen=True)
class _Gathered:
    value: Floats
    uncapped: Floats
    scale: Floats


def evaluate_component(name: str, component: Component, inputs: Inputs) -> ComponentColumns:
    """Evaluate one component on every row."""
    measures = tuple(_measure(key, measure, component, inputs) for key, measure in component.measures.items())
    gathered = _mean(measures) if component.method == "mean" else _sum(component, measures)
    stands = _stands(component, measures)
    override = _overrides(component, inputs)
    overridden = ~np.isnan(override)
    return ComponentColumns(
        name=name,
        definition=component,
        value=np.where(overridden, override, np.where(stands, gathered.value, np.nan)),
        present=np.where(overridden, 1.0, np.where(stands, _share(measures, [m.kept for m in measures]), 0.0)),
        covered=np.where(overridden, 1.0, _share(measures, [m.covered for m in measures])),
        uncapped=gathered.uncapped,
        scale=gathered.scale,
        override=override,
        measures=measures,
    )


def _stands(component: Component, measures: tuple[MeasureColumns, ...]) -> Bools:
    """Where a component says something: any measure is left, and a head start is not all there is.

    Points that a component starts with are kept by data that takes none away, not by the lack of data.
    """
    if component.start <= component.floor:
        return _any([m.kept for m in measures])
    return _any([m.kept if isinstance(m.definition.missing, Neutral) else m.covered for m in measures])


def _any(masks: list[Bools]) -> Bools:
    return np.asarray(np.logical_or.reduce(masks), dtype=np.bool_)


def _measure(name: str, measure: Measure, component: Component, inputs: Inputs) -> MeasureColumns:
    points = points_of(measure, inputs)
    if isinstance(measure.missing, CarryForward):
        points = inputs.carry(points, measure.missing.carry_forward)
    covered = points.known
    fill = _fill(measure)
    return MeasureColumns(
        name=name,
        definition=measure,
        weight=measure_weight(measure, component),
        gains=gives_gains(measure, component),
        points=points.values if fill is None else np.where(covered, points.values, fill),
        quality=points.quality,
        kept=covered if fill is None else np.ones(inputs.rows, np.bool_),
        covered=covered,
    )


def _fill(measure: Measure) -> float | None:
    """The points of a measure without data; None when it leaves."""
    if isinstance(measure.missing, Neutral):
        return measure.missing.neutral
    return 0.0 if measure.missing == "zero" else None


def _mean(measures: tuple[MeasureColumns, ...]) -> _Gathered:
    top = np.zeros(len(measures[0].points))
    weights = np.zeros(len(top))
    for measure in measures:
        top += np.where(measure.kept, measure.points * measure.weight, 0.0)
        weights += np.where(measure.kept, measure.weight, 0.0)
    value = top / np.where(weights > 0, weights, np.nan)
    return _Gathered(value, value, 1.0 / np.where(weights > 0, weights, np.nan))


def _sum(component: Component, measures: tuple[MeasureColumns, ...]) -> _Gathered:
    """Gains are scaled up for the gains that left; deductions that left simply fall away."""
    scale = _gain_scale(measures)
    total = np.full(len(scale), component.start)
    for measure in measures:
        points = np.where(measure.points > 0, measure.points * scale, measure.points)
        total += np.where(measure.kept, points, 0.0)
    return _Gathered(np.clip(total, component.floor, component.maximum), total, scale)


def _gain_scale(measures: tuple[MeasureColumns, ...]) -> Floats:
    everything, kept = 0.0, np.zeros(len(measures[0].points))
    for measure in measures:
        if measure.gains:
            everything += measure.weight
            kept += np.where(measure.kept, measure.weight, 0.0)
    return np.where(kept > 0, everything / np.where(kept > 0, kept, 1.0), 1.0)


def _share(measures: tuple[MeasureColumns, ...], counted: list[Bools]) -> Floats:
    """The counted part of all weight; when nothing weighs anything, whether any measure counts."""
    everything, part = 0.0, np.zeros(len(counted[0]))
    for measure, counts in zip(measures, counted, strict=True):
        everything += measure.weight
        part += np.where(counts, measure.weight, 0.0)
    return part / everything if everything > 0 else np.logical_or.reduce(counted).astype(np.float64)


def _overrides(component: Component, inputs: Inputs) -> Floats:
    values = np.full(inputs.rows, np.nan)
    for override in reversed(component.override):
        when = inputs.truth(override.when)
        values[when.known & (when.values != 0.0)] = override.score
    return values
