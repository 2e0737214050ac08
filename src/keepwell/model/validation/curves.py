"""Curves give points that their component can take, and their limits are the right way round."""

from collections.abc import Iterable, Iterator

from keepwell.model.problems import Problem
from keepwell.model.score_definitions import Component, Neutral
from keepwell.model.validation.context import Context
from keepwell.model.validation.measures import MeasurePlace, measures, points_given
from keepwell.model.yaml_source import KeyPath

WITHOUT_ELSE = frozenset({"value", "linear", "interpolate", "per_unit"})


def check(context: Context) -> Iterable[Problem]:
    """Points out of range, limits the wrong way round, `else` where everything fits, floors above maxima."""
    for place in measures(context.model):
        yield from _points(context, place)
        yield from _limits(context, place)
    for name, score in context.model.scores.items():
        for component_name, component in score.components.items():
            yield from _component(context, ("scores", name, "components", component_name), component)


def _points(context: Context, place: MeasurePlace) -> Iterator[Problem]:
    measure, component = place.measure, place.component
    given = list(points_given(measure))
    if isinstance(measure.missing, Neutral):
        given.append((("missing", "neutral"), measure.missing.neutral))
    for inner, points in given:
        if component.method == "mean" and not 0 <= points <= 100:
            message = f"{points:g} points: measures of a component that is a mean give 0 to 100"
            yield context.error((*place.path, *inner), message)
        elif component.method == "sum" and points > component.maximum:
            message = f"{points:g} points are more than the component's maximum of {component.maximum:g}"
            yield context.error((*place.path, *inner), message)


def _limits(context: Context, place: MeasurePlace) -> Iterator[Problem]:
    measure = place.measure
    unit = measure.per_unit
    if unit is not None and unit.points == 0:
        yield context.error((*place.path, "per_unit", "points"), "0 points for each unit never change anything")
    elif unit is not None and unit.limit is not None:
        path = (*place.path, "per_unit", "limit")
        if unit.limit == 0 or (unit.limit < 0 < unit.points):
            message = f"limit {unit.limit:g} is the wrong way: {unit.points:g} points for each unit never reach it"
            yield context.error(path, message)
        elif unit.points > 0 and unit.limit > place.component.maximum:
            message = f"limit {unit.limit:g} is more than the component's maximum of {place.component.maximum:g}"
            yield context.error(path, message)
    if measure.value is not None and place.component.method == "sum" and place.component.maximum < 100:
        message = f"the metric gives up to 100 points, the component's maximum is {place.component.maximum:g}"
        yield context.error((*place.path, "value"), message)
    if "otherwise" in measure.model_fields_set and measure.curve in WITHOUT_ELSE:
        message = f"'else' says nothing with the curve {measure.curve}: every value has points"
        yield context.warning((*place.path, "else"), message, key=True)


def _component(context: Context, path: KeyPath, component: Component) -> Iterator[Problem]:
    if component.floor >= component.maximum:
        message = f"floor {component.floor:g} is not below the maximum of {component.maximum:g}"
        yield context.error((*path, "floor"), message)
    elif not component.floor <= component.start <= component.maximum:
        message = f"start {component.start:g} is outside {component.floor:g} to {component.maximum:g}"
        yield context.error((*path, "start"), message)
    highest = 100.0 if component.method == "mean" else component.maximum
    for index, override in enumerate(component.override):
        if not component.floor <= override.score <= highest:
            message = f"score {override.score:g} is outside {component.floor:g} to {highest:g}"
            yield context.error((*path, "override", index, "score"), message)
