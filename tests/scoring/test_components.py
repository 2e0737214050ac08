"""Components: sums within limits, means, and what missing data does to both."""

from typing import Any

import numpy as np
import pytest

from keepwell.scoring.components import ComponentColumns
from tests.evaluation.models import compiled, evaluated, score_of

GAIN: dict[str, Any] = {"metric": "a", "linear": {"points": 10, "to": 10}}
OTHER: dict[str, Any] = {"metric": "b", "linear": {"points": 30, "to": 30}}
FLAW: dict[str, Any] = {"metric": "d", "per_unit": {"points": -5, "limit": 20}}


def component(definition: dict[str, Any], **values: list[object]) -> ComponentColumns:
    """A component over the metrics a, b and d; those not given are unknown."""
    model = compiled(dict.fromkeys("abd", "number"), scores=score_of({"c": definition}))
    return evaluated(model, values).scores["health"].components[0]


def test_a_sum_stays_within_floor_and_maximum() -> None:
    definition = {"start": 5, "maximum": 20, "floor": 2, "measures": {"g": GAIN, "o": OTHER, "d": FLAW}}
    found = component(definition, a=[1, 10, 0], b=[2, 30, 0], d=[0, 0, 4])
    assert found.value.tolist() == [8, 20, 2]
    assert found.uncapped.tolist() == [8, 45, -15]


def test_excluded_gains_scale_up_the_others_and_excluded_deductions_fall_away() -> None:
    definition = {"maximum": 40, "measures": {"g": GAIN, "o": OTHER, "d": FLAW}}
    found = component(definition, a=[5, None, 5], b=[None, 15, 15], d=[None, 1, None])
    # 5 of 10 known of 40: x 4 = 20; 15 x 40/30 - 5 = 15; deduction unknown: 20.
    assert found.value.tolist() == pytest.approx([20, 15, 20])
    assert found.present.tolist() == pytest.approx([10 / 60, 50 / 60, 40 / 60])
    assert found.covered.tolist() == pytest.approx(found.present.tolist())


def test_zero_keeps_its_weight_without_scaling_and_without_coverage() -> None:
    definition = {"maximum": 40, "measures": {"g": {**GAIN, "missing": "zero"}, "o": OTHER}}
    found = component(definition, a=[None], b=[15])
    assert (found.value[0], found.present[0], found.covered[0]) == pytest.approx((15, 1, 0.75))


def test_neutral_counts_its_points_without_coverage() -> None:
    definition = {"maximum": 40, "measures": {"g": {**GAIN, "missing": {"neutral": 6}}, "o": OTHER}}
    found = component(definition, a=[None], b=[15])
    assert (found.value[0], found.present[0], found.covered[0]) == pytest.approx((21, 1, 0.75))


def test_nothing_known_is_no_component() -> None:
    found = component({"start": 10, "measures": {"g": GAIN, "d": FLAW}}, a=[None, 1], d=[None, None])
    assert np.isnan(found.value[0])
    assert not np.isnan(found.value[1])
    assert found.present[0] == 0


def test_a_mean_is_weighted_over_what_is_known() -> None:
    measures = {"g": {"metric": "a", "value": True, "weight": 3}, "o": {"metric": "b", "value": True}}
    found = component({"method": "mean", "measures": measures}, a=[80, None, 80, None], b=[40, 40, None, None])
    assert found.value[:3].tolist() == pytest.approx([70, 40, 80])
    assert np.isnan(found.value[3])
    assert found.present.tolist() == pytest.approx([1, 0.25, 0.75, 0])


def test_zero_and_neutral_in_a_mean() -> None:
    measures = {
        "g": {"metric": "a", "value": True, "missing": "zero"},
        "o": {"metric": "b", "value": True, "missing": {"neutral": 70}},
        "d": {"metric": "d", "value": True},
    }
    found = component({"method": "mean", "measures": measures}, a=[None], b=[None], d=[50])
    assert found.value[0] == pytest.approx(40)
    assert (found.present[0], found.covered[0]) == pytest.approx((1, 1 / 3))


def test_the_first_override_that_holds_wins_and_unknown_does_not() -> None:
    override = [{"when": "d > 3", "score": 0}, {"when": "d > 1", "score": 70}]
    found = component({"override": override, "measures": {"g": GAIN}}, a=[5, 5, 5, None], d=[4, 2, None, 2])
    assert found.value.tolist() == pytest.approx([0, 70, 5, 70])
    assert found.covered.tolist() == [1, 1, 1, 1]


def test_carry_forward_uses_the_nearest_known_day_and_counts_as_covered() -> None:
    definition = {"maximum": 10, "measures": {"g": {**GAIN, "missing": {"carry_forward": 2}}}}
    model = compiled({"a": "number"}, scores=score_of({"c": definition}))
    values: dict[str, Any] = {"a": [4, 8, None, None, None, None]}
    ran = evaluated(model, values, customers=list("xxxxxy"), days=[0, 1, 2, 3, 4, 2])
    part = ran.scores["health"].components[0]
    assert part.value[:4].tolist() == [4, 8, 8, 8]
    assert np.isnan(part.value[4:]).all()
    assert part.covered.tolist() == [1, 1, 1, 1, 0, 0]
