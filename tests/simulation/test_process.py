"""The hidden process by its formulas: what moves the hazard, and that its parts are what they are called."""

from datetime import date

import numpy as np
import pytest

from keepwell.simulation.arrays import Floats, pick, stream
from keepwell.simulation.process import (
    PROCESS,
    Circumstances,
    hazard_logit,
    monthly_hazard,
    over_months,
    usage_gate,
)
from keepwell.simulation.timeline import timeline
from keepwell.simulation.words import agency_name, domain_of, person_name


def ordinary(**changes: object) -> Circumstances:
    """One customer of the standard plan in its first days, nothing special."""
    usual: dict[str, object] = {
        "health": np.zeros(1),
        "payment": np.zeros(1),
        "tenure_years": np.zeros(1),
        "plan": np.ones(1, np.int64),
        "onboarding_late": np.zeros(1, np.bool_),
        "treatment": np.zeros(1),
    }
    return Circumstances(**{**usual, **changes})  # type: ignore[arg-type]


def test_an_ordinary_customer_has_the_intercept() -> None:
    assert hazard_logit(ordinary())[0] == pytest.approx(PROCESS.intercept)
    assert monthly_hazard(ordinary())[0] == pytest.approx(1 / (1 + np.exp(-PROCESS.intercept)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"health": np.ones(1)}, PROCESS.health),
        ({"payment": np.ones(1)}, PROCESS.payment),
        ({"tenure_years": np.full(1, np.e - 1)}, PROCESS.tenure),
        ({"plan": np.zeros(1, np.int64)}, PROCESS.basic),
        ({"plan": np.full(1, 2)}, PROCESS.enterprise),
        ({"onboarding_late": np.ones(1, np.bool_)}, PROCESS.onboarding),
        ({"treatment": np.full(1, -1.1)}, -1.1),
    ],
)
def test_each_circumstance_adds_its_coefficient(changes: dict[str, object], expected: float) -> None:
    assert hazard_logit(ordinary(**changes))[0] - PROCESS.intercept == pytest.approx(expected)


def test_hazards_add_up_over_time() -> None:
    monthly: Floats = np.array([0.0, 0.02, 0.3])
    daily = over_months(monthly, 1 / 30)
    assert 1 - (1 - daily) ** 30 == pytest.approx(monthly)


def test_use_falls_with_health_and_is_nearly_whole_when_ordinary() -> None:
    shares = usage_gate(np.array([-3.0, PROCESS.gate_middle, 0.0, 2.0]))
    assert np.all(np.diff(shares) > 0)
    assert shares[1] == pytest.approx(0.5)
    assert shares[2] > 0.9


def test_streams_are_apart_and_repeatable() -> None:
    assert stream(1, 0, "a").random() == stream(1, 0, "a").random()
    draws = {stream(*key).random() for key in ((1, 0, "a"), (2, 0, "a"), (1, 1, "a"), (1, 0, "b"))}
    assert len(draws) == 4


def test_codes_are_drawn_by_share_and_never_without_one() -> None:
    codes = pick(np.random.default_rng(1), [3.0, 0.0, 1.0], 4000)
    assert np.bincount(codes, minlength=3) == pytest.approx([3000, 0, 1000], abs=100)


def test_names_and_domains_are_never_used_twice() -> None:
    names = {agency_name(n, 17) for n in range(1, 70_001)}
    assert len(names) == 70_000
    assert len({domain_of(name) for name in names}) == 70_000
    assert len({person_name(3, position) for position in range(61)}) == 61


def test_midnights_follow_the_zone_through_the_change_of_clocks() -> None:
    time = timeline(date(2025, 3, 31), 3, "Europe/Berlin")
    moments = time.moment(np.arange(3), 0).astype(str).tolist()
    assert moments == ["2025-03-28T23:00:00", "2025-03-29T23:00:00", "2025-03-30T22:00:00"]
    assert np.isnat(time.moment(np.array([3]), 0))[0]


def test_anniversaries_keep_the_day_of_the_month() -> None:
    time = timeline(date(2025, 1, 31), 31, "UTC")
    later = time.add_months(np.array([27, 0]), np.array([1, 12]))
    assert time.date_of(later).astype(str).tolist() == ["2025-02-28", "2026-01-01"]
