"""Every curve at its corners, and what is unknown."""

from typing import Any

import numpy as np
import pytest

from keepwell.model.expressions import ExpressionError
from keepwell.model.score_definitions import Component, Measure
from keepwell.scoring.curves import gives_gains, measure_weight
from tests.evaluation.models import compiled, evaluated, score_of


def points(curve: dict[str, Any], values: list[object], kind: Any = "number") -> list[float | None]:
    """The points of one measure over values of the metric x."""
    measure = {"metric": "x", **curve}
    scores = score_of({"c": {"measures": {"m": measure}, "maximum": 1000, "floor": -1000}})
    model = compiled({"x": kind}, scores=scores)
    found = evaluated(model, {"x": values}).scores["health"].components[0].measures[0].points
    return [None if np.isnan(p) else float(p) for p in found]


CASES: list[tuple[dict[str, Any], list[object], list[float | None]]] = [
    ({"value": True}, [-5, 0, 42.5, 100, 130, None], [0, 0, 42.5, 100, 100, None]),
    ({"linear": {"points": 50, "to": 4}}, [-1, 0, 1, 3, 4, 9, None], [0, 0, 12.5, 37.5, 50, 50, None]),
    ({"linear": {"points": 10, "from": 30, "to": 0}}, [40, 30, 15, 0, -1], [0, 0, 5, 10, 10]),
    ({"interpolate": [[-0.5, 0], [0, 60], [0.2, 100]]}, [-1, -0.25, 0, 0.1, 0.2, 5], [0, 30, 60, 80, 100, 100]),
    (
        {"steps": [{"at_least": 20, "points": 10}, {"at_least": 4, "points": 7}]},
        [20, 19.9, 4, 3, None],
        [10, 7, 7, 0, None],
    ),
    ({"steps": [{"above": 0, "points": 1}], "else": -2}, [0, 0.1], [-2, 1]),
    ({"steps": [{"at_most": -0.2, "points": -5}]}, [-0.2, -0.19], [-5, 0]),
    ({"steps": [{"below": 1, "points": 3}]}, [0.99, 1], [3, 0]),
    ({"per_unit": {"points": -5}}, [0, 1, 3], [0, -5, -15]),
    ({"per_unit": {"points": -15, "limit": 30}}, [1, 2, 3], [-15, -30, -30]),
    ({"per_unit": {"points": 2, "limit": 5}}, [1, 4], [2, 5]),
]


@pytest.mark.parametrize(("curve", "values", "expected"), CASES)
def test_curves_of_numbers(curve: dict[str, Any], values: list[object], expected: list[float | None]) -> None:
    assert points(curve, values) == pytest.approx(expected)


def test_flag_gives_points_when_true() -> None:
    assert points({"flag": 5}, [True, False, None], "boolean") == [5, 0, None]


def test_lookup_ignores_case_and_falls_back() -> None:
    plans = {"given": True, "type": "text"}
    assert points({"lookup": {"Pro": 8, "basic": 3}, "else": 1}, ["PRO", "Basic", "x", None], plans) == [8, 3, 1, None]


def test_lookup_reads_numbers_and_truth() -> None:
    assert points({"lookup": {"1": 8, "2.0": 3}}, [1, 2, 3]) == [8, 3, 0]
    assert points({"lookup": {"true": 8, "false": 3}}, [True, False], "boolean") == [8, 3]


def case_points(values: dict[str, list[object]], measure: dict[str, Any]) -> list[float | None]:
    scores = score_of({"c": {"measures": {"m": measure}}})
    model = compiled(dict.fromkeys(values, "number"), scores=scores)
    found = evaluated(model, values).scores["health"].components[0].measures[0].points
    return [None if np.isnan(p) else float(p) for p in found]


def test_bonus_is_unknown_only_where_its_condition_is() -> None:
    values: dict[str, list[object]] = {"a": [1, 0, None, None], "b": [0, 0, 1, 0]}
    assert case_points(values, {"bonus": {"when": "a = 1 or b = 1", "points": 4}}) == [4, 0, 4, None]


def test_cases_take_the_first_that_holds() -> None:
    measure = {"cases": [{"when": "a > 5", "points": 10}, {"when": "a > 1", "points": 6}], "else": 2}
    assert case_points({"a": [9, 3, 0, None]}, measure) == [10, 6, 2, None]


def test_an_unknown_case_does_not_matter_when_all_further_outcomes_agree() -> None:
    measure = {"cases": [{"when": "a > 5", "points": 6}, {"when": "b > 1", "points": 6}], "else": 0}
    assert case_points({"a": [None, None, 9], "b": [3, 0, None]}, measure) == [6, None, 6]


def test_an_unknown_later_case_does_not_matter_after_a_true_one() -> None:
    measure = {"cases": [{"when": "a > 5", "points": 6}, {"when": "b > 1", "points": 3}], "else": 0}
    assert case_points({"a": [9, 0], "b": [None, None]}, measure) == [6, None]


def test_a_text_on_a_curve_of_numbers_is_refused() -> None:
    with pytest.raises(ExpressionError, match="is a text"):
        points({"value": True}, ["much"], "text")


def test_weights_are_the_largest_points_in_size() -> None:
    component = Component.model_validate({"maximum": 30, "measures": {"m": {"metric": "x", "value": True}}})
    curves: list[tuple[dict[str, Any], float, bool]] = [
        ({"value": True}, 100, True),
        ({"linear": {"points": -20, "to": 1}}, 20, False),
        ({"steps": [{"at_least": 1, "points": 3}, {"at_least": 0, "points": 9}], "else": -4}, 9, True),
        ({"per_unit": {"points": -2}}, 30, False),
        ({"per_unit": {"points": 2, "limit": 8}}, 8, True),
        ({"flag": -7}, 7, False),
        ({"lookup": {"a": 1, "b": 5}}, 5, True),
        ({"value": True, "weight": 2.5}, 2.5, True),
    ]
    for curve, weight, gains in curves:
        measure = Measure.model_validate({"metric": "x", **curve})
        assert (measure_weight(measure, component), gives_gains(measure, component)) == (weight, gains)


def test_weights_in_a_mean_are_one_unless_given() -> None:
    component = Component.model_validate({"method": "mean", "measures": {"m": {"metric": "x", "value": True}}})
    assert measure_weight(component.measures["m"], component) == 1
