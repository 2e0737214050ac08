"""Curves, conditions and missing-data policies of a scorecard in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from keepwell.evaluation.explained_conditions import tree_text
from keepwell.evaluation.words import value_words
from keepwell.model.condition_definitions import Condition
from keepwell.model.conditions import condition_expression
from keepwell.model.score_definitions import CarryForward, Measure, Neutral, Step
from keepwell.reporting.condition_words import ConditionWords

_BOUNDS = (("at_least", "at least"), ("above", "above"), ("at_most", "at most"), ("below", "below"))


@dataclass(frozen=True)
class Threshold:
    """One corner, step or case of a curve: from what value on there are how many points."""

    value: str
    points: float


def curve_words(measure: Measure, words: ConditionWords, unit: str = "") -> str:
    """How a measure turns its metric into points, in one line."""
    match measure.curve:
        case "value":
            return "the metric itself, from 0 to 100"
        case "linear":
            return _linear(measure, unit)
        case "interpolate":
            return f"straight between {_listed(measure, words, unit)}"
        case "per_unit":
            return _per_unit(measure)
        case _:
            return f"{_listed(measure, words, unit)}; else {points_words(measure.otherwise)}"


def thresholds(measure: Measure, words: ConditionWords, unit: str = "") -> tuple[Threshold, ...]:
    """The corners, steps or cases of a curve, in order."""
    return tuple(_thresholds(measure, words, unit))


def missing_words(measure: Measure) -> str:
    """What counts when there is no data."""
    match measure.missing:
        case Neutral(neutral=points):
            return f"counts as {points_words(points)}"
        case CarryForward(carry_forward=days):
            return f"the last known value of at most {days} days ago"
        case "zero":
            return f"counts as {points_words(0)}"
        case _:
            return "leaves; the others weigh more, coverage falls"


def condition_words(condition: Condition) -> str:
    """A condition as the model writes it, on one line."""
    return tree_text(condition_expression(condition))


def points_words(points: float) -> str:
    """`5 points`, `-1 point`."""
    return f"{points:g} point{'' if abs(points) == 1 else 's'}"


def _thresholds(measure: Measure, words: ConditionWords, unit: str) -> Iterator[Threshold]:
    if measure.linear is not None:
        yield Threshold(value_words(measure.linear.start, unit), 0.0)
        yield Threshold(value_words(measure.linear.end, unit), measure.linear.points)
    for value, points in measure.interpolate or ():
        yield Threshold(value_words(value, unit), points)
    for step in measure.steps or ():
        yield Threshold(_bound(step, unit), step.points)
    for text, points in (measure.lookup or {}).items():
        yield Threshold(text, points)
    for case in (*((measure.bonus,) if measure.bonus else ()), *(measure.cases or ())):
        yield Threshold(words.sentence(condition_expression(case.when)), case.points)
    if measure.flag is not None:
        yield Threshold("yes", measure.flag)


def _bound(step: Step, unit: str) -> str:
    key, words = next((key, words) for key, words in _BOUNDS if getattr(step, key) is not None)
    return f"{words} {value_words(float(getattr(step, key)), unit)}"


def _linear(measure: Measure, unit: str) -> str:
    curve = measure.linear
    assert curve is not None  # noqa: S101 - chosen by the curve's name
    low, high = (value_words(value, unit) for value in (curve.start, curve.end))
    return f"from {points_words(0)} at {low} straight to {points_words(curve.points)} at {high}"


def _per_unit(measure: Measure) -> str:
    unit = measure.per_unit
    assert unit is not None  # noqa: S101 - chosen by the curve's name
    limit = "" if unit.limit is None else f", at most {abs(unit.limit):g}"
    return f"{points_words(unit.points)} for each{limit}"


def _listed(measure: Measure, words: ConditionWords, unit: str) -> str:
    return ", ".join(f"{entry.value}: {entry.points:g}" for entry in thresholds(measure, words, unit))
