"""Scores: components weighed, coverage, rounding and bands."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.model.score_definitions import Band
from keepwell.scoring.scorecards import NOT_ENOUGH_DATA, ScoreColumns, band_column, round_half_up
from tests.evaluation.models import compiled, evaluated, score_of


def part(metric: str, maximum: float = 100, **more: Any) -> dict[str, Any]:
    """A component that is one metric, up to its maximum."""
    measure = {"metric": metric, "linear": {"points": maximum, "to": maximum}, **more.pop("measure", {})}
    return {"maximum": maximum, "measures": {"m": measure}, **more}


def health(components: dict[str, Any], values: dict[str, list[object]], **more: Any) -> ScoreColumns:
    model = compiled(dict.fromkeys("ab", "number"), scores=score_of(components, **more))
    return evaluated(model, values).scores["health"]


def test_a_mean_weighs_components_by_what_is_present() -> None:
    components = {"one": part("a", weight=0.6), "two": part("b", weight=0.4)}
    found = health(components, {"a": [50, None, 50, None], "b": [100, 80, None, None]})
    assert found.raw[:3].tolist() == pytest.approx([70, 80, 50])
    assert found.coverage.tolist() == pytest.approx([1, 0.4, 0.6, 0])
    assert np.isnan(found.raw[3])


def test_a_mean_uses_the_present_share_of_a_component() -> None:
    half = {"method": "mean", "measures": {k: {"metric": k, "value": True} for k in "ab"}}
    components = {"one": half, "two": part("b")}
    # One: a alone, share one half; two: b, unknown: so a alone decides. With b: (90 + 30) / 2 and 30.
    found = health(components, {"a": [90, 90], "b": [None, 30]})
    assert found.raw.tolist() == pytest.approx([90, 45])
    assert found.coverage.tolist() == pytest.approx([0.25, 1])


def test_a_sum_is_plain_when_all_is_there_and_renormalised_otherwise() -> None:
    components = {"one": part("a", 40), "two": part("b", 60)}
    found = health(components, {"a": [30, 30, None], "b": [45, None, 45]}, method="sum")
    assert found.raw.tolist() == pytest.approx([75, 75, 75])
    assert found.coverage.tolist() == pytest.approx([1, 0.4, 0.6])


def test_a_sum_stays_within_0_and_100() -> None:
    components = {"one": part("a", 90), "two": part("b", 60)}
    assert health(components, {"a": [90], "b": [60]}, method="sum").raw.tolist() == [100]


def test_below_the_minimum_coverage_there_is_no_score_but_a_band_that_says_so() -> None:
    components = {"one": part("a", weight=0.35), "two": part("b", weight=0.65)}
    found = health(components, {"a": [50, None], "b": [None, 50]}, minimum_coverage=0.5)
    assert np.isnan(found.raw[0])
    assert np.isnan(found.shown[0])
    assert found.computed[0] == 50
    assert found.band.objects().tolist() == [NOT_ENOUGH_DATA, "High"]


def test_coverage_equal_to_the_minimum_is_enough_whatever_the_binary_noise() -> None:
    components = {"one": part("a", weight=0.1), "two": part("a", weight=0.2), "three": part("b", weight=0.3)}
    assert health(components, {"a": [50], "b": [None]}, minimum_coverage=0.5).shown.tolist() == [50]


def test_the_setting_is_the_minimum_when_the_score_has_none() -> None:
    scores = score_of({"one": part("a"), "two": part("b")})
    del scores["health"]["minimum_coverage"]
    model = compiled(dict.fromkeys("ab", "number"), scores=scores, settings={"minimum_coverage": 0.6})
    assert np.isnan(evaluated(model, {"a": [50]}).scores["health"].raw[0])


def test_zero_filled_risk_is_scored_by_its_coverage() -> None:
    measure = {"missing": "zero"}
    found = health(
        {"one": part("a", 70, measure=measure), "two": part("b", 30, measure=measure)},
        {"a": [70, None], "b": [None, 30]},
        kind="risk",
        method="sum",
        minimum_coverage=0.5,
    )
    assert found.raw[0] == 70
    assert np.isnan(found.raw[1])


@pytest.mark.parametrize(("raw", "shown"), [(59.4999, 59), (59.5, 60), (59.49999999999999, 60), (0.0, 0), (100.0, 100)])
def test_rounding_is_half_up_and_safe_from_binary_noise(raw: float, shown: int) -> None:
    assert round_half_up(np.array([raw])).tolist() == [shown]


BANDS = tuple(Band.model_validate({"name": n, "from": s}) for n, s in [("A", 80), ("B", 60), ("C", 0)])


@given(st.integers(0, 100))
def test_bands_are_half_open(shown: int) -> None:
    expected = "A" if shown >= 80 else "B" if shown >= 60 else "C"
    assert band_column(BANDS, np.array([float(shown)])).item(0) == expected


def test_bands_and_other_scores_read_the_rounded_score() -> None:
    scores = score_of({"one": part("a")})
    scores["risk"] = {**scores["health"], "components": {"one": part("health_score")}}
    ran = evaluated(compiled(dict.fromkeys("ab", "number"), scores=scores), {"a": [49.5]})
    assert ran.scores["health"].band.item(0) == "High"
    assert ran.scores["risk"].raw.tolist() == [50]
