"""Why somebody is on a list, in words."""

import pytest

from keepwell.services.team.reasons import reasons_in_words
from keepwell.services.team.task_days import read_task_day
from tests.web import LAST, household_workspace

pytestmark = pytest.mark.django_db


def test_who_is_in_a_segment_by_its_score_is_told_the_score() -> None:
    day = read_task_day(household_workspace(), LAST)
    scores = day.situations.evaluation.columns["health_score"]
    low = [row for row in range(len(scores.values)) if scores.known[row] and scores.values[row] < 40]
    assert low, "the world has households whose health is below 40"
    for row in low:
        situation = day.situations.of(row)
        assert situation.primary is not None
        assert situation.primary.name == "Detractor"
        assert reasons_in_words(situation)[0] == f"Health is {scores.values[row]:.0f}"
