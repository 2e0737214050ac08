"""Which of two bands or segments is better, and how figures are sorted into steps."""

import numpy as np
import pytest

from keepwell.evaluation.compiled import compile_model
from keepwell.model.packs import resolve_model
from keepwell.services.planning.comparing import histogram, shift_buckets, total
from keepwell.services.planning.sides import Ranks
from keepwell.warehouse.columns import TABLE_COLUMNS

MODEL = compile_model(resolve_model("b2b-saas", tables=TABLE_COLUMNS))
RANKS = Ranks(MODEL, MODEL)


@pytest.mark.parametrize(
    ("score", "before", "after", "direction"),
    [
        ("health", "Thriving", "Healthy", "down"),
        ("health", "Critical", "At Risk", "up"),
        ("health", "Not enough data", "Healthy", "lateral"),
        ("churn_risk", "High", "Low", "up"),
        ("churn_risk", "Low", "Medium", "down"),
        ("unheard_of", "Low", "Medium", "lateral"),
    ],
)
def test_bands(score: str, before: str, after: str, direction: str) -> None:
    assert RANKS.of_bands(score, before, after) == direction


def test_segments() -> None:
    assert RANKS.of_segments("healthy_stable", "revenue_at_risk") == "down"
    assert RANKS.of_segments("revenue_at_risk", "healthy_stable") == "up"
    assert RANKS.of_segments("healthy_stable", "of another model") == "lateral"


def test_scores_are_counted_in_steps_of_ten() -> None:
    counted = histogram(np.array([0, 9, 10, 99, 100, np.nan]), np.array([100.0]))
    assert [(b.low, b.high, b.before, b.after) for b in counted if b.before or b.after] == [
        (0, 9, 2, 0),
        (10, 19, 1, 0),
        (90, 100, 2, 1),
    ]


def test_every_shift_is_in_one_step() -> None:
    shifts = np.array([*range(-40, 41), np.nan], dtype=np.float64)
    counted = {(s.low, s.high): s.customers for s in shift_buckets(shifts)}
    assert sum(counted.values()) == 81
    assert counted[None, -20] == counted[20, None] == 21
    assert counted[0, 0] == 1
    assert counted[1, 4] == counted[-4, -1] == 4


def test_sums_do_not_depend_on_the_order() -> None:
    amounts = np.array([0.1, 0.2, 0.3, np.nan, 1e9, -1e9])
    assert total(amounts) == total(amounts[::-1]) == 0.6
