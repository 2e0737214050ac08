"""Every measure of a model at its place, for the rules about curves."""

from collections.abc import Iterator
from dataclasses import dataclass

from keepwell.model.definitions import Model
from keepwell.model.score_definitions import Component, Measure
from keepwell.model.yaml_source import KeyPath


@dataclass(frozen=True)
class MeasurePlace:
    """A measure, its component, and where it stands."""

    path: KeyPath
    component: Component
    measure: Measure


def measures(model: Model) -> Iterator[MeasurePlace]:
    """All measures in the order they are written."""
    for score_name, score in model.scores.items():
        for component_name, component in score.components.items():
            for name, measure in component.measures.items():
                path: KeyPath = ("scores", score_name, "components", component_name, "measures", name)
                yield MeasurePlace(path, component, measure)


def points_given(measure: Measure) -> Iterator[tuple[KeyPath, float]]:
    """Every number of points that a curve may give, with its place below the measure."""
    if measure.linear is not None:
        yield ("linear", "points"), measure.linear.points
    for index, (_, points) in enumerate(measure.interpolate or ()):
        yield ("interpolate", index, 1), points
    for index, step in enumerate(measure.steps or ()):
        yield ("steps", index, "points"), step.points
    for index, case in enumerate(measure.cases or ()):
        yield ("cases", index, "points"), case.points
    for key, points in (measure.lookup or {}).items():
        yield ("lookup", key), points
    if measure.bonus is not None:
        yield ("bonus", "points"), measure.bonus.points
    if measure.flag is not None:
        yield ("flag",), measure.flag
    if measure.otherwise:
        yield ("else",), measure.otherwise
