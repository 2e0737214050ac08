"""NPS against the answers of another implementation's tests."""

import json
from pathlib import Path
from typing import Any

import pytest

from keepwell.reporting.nps import Nps, nps_of_counts, nps_of_scores

CASES = json.loads((Path(__file__).parent / "cases" / "nps.json").read_text(encoding="utf-8"))


def _nps(case: dict[str, Any]) -> Nps:
    return nps_of_counts(**case["counts"]) if "counts" in case else nps_of_scores(case["scores"])


@pytest.mark.parametrize("case", CASES["nps"], ids=str)
def test_published_answers(case: dict[str, Any]) -> None:
    found = _nps(case)
    assert found.nps == pytest.approx(case["nps"])
    if "variance_of_category" in case:
        assert found.variance == pytest.approx(case["variance_of_category"])
    if "standard_error" in case:
        assert found.standard_error == pytest.approx(case["standard_error"], abs=case.get("se_tolerance", 0.001))


def test_every_whole_score_has_its_category() -> None:
    for score in range(11):
        found = nps_of_scores([score])
        expected = (score >= 9, 7 <= score <= 8, score <= 6)
        assert (found.promoters, found.passives, found.detractors) == expected


@pytest.mark.parametrize("wrong", [-1, 11, 7.5, float("inf")])
def test_invalid_answers_are_left_out_with_a_warning(wrong: float) -> None:
    found = nps_of_scores([9, 10, 3, wrong])
    assert (found.answers, found.nps) == (3, pytest.approx(100 / 3))
    assert found.warnings == (f"1 answer is not a whole number from 0 to 10 and left out: {wrong:g}",)


@pytest.mark.parametrize("scores", [[], [None], [float("nan")], [12]])
def test_without_answers_there_is_no_score(scores: list[float | None]) -> None:
    found = nps_of_scores(scores)
    assert (found.nps, found.standard_error, found.margin) == (None, None, None)


def test_the_margin_is_in_points_of_the_score() -> None:
    assert nps_of_scores([1, 9]).margin == pytest.approx(196 * 0.7071, abs=0.05)
