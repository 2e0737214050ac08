"""The change ledger: parts that add up to the difference of two shown scores."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.evaluation.ledger import Ledger, change_ledger, take_snapshot
from keepwell.metrics.frame import number_day
from tests.evaluation.models import compiled, evaluated, score_of

METRICS: dict[str, Any] = {"a": "number", "b": "number", "d": "date", "unread": "number"}
SCORES = score_of(
    {
        "one": {"weight": 2, "measures": {"m": {"metric": "a", "value": True}}},
        "two": {"measures": {"m": {"metric": "b", "value": True, "missing": {"carry_forward": 3}}}},
        "three": {"measures": {"m": {"bonus": {"when": "days_since(d) < 30", "points": 100}}}},
    }
)
MODEL = compiled(METRICS, scores=SCORES)
HEAVIER = compiled(
    METRICS,
    scores=score_of(
        {**SCORES["health"]["components"], "one": {"weight": 7, "measures": {"m": {"metric": "a", "value": True}}}}
    ),
)


def ledger(before: dict[str, Any], after: dict[str, Any], *, new: Any = MODEL, later: int = 0) -> Ledger:
    """The ledger between two single days."""
    old_run = evaluated(MODEL, {k: [v] for k, v in before.items()})
    new_run = evaluated(new, {k: [v] for k, v in after.items()}, days=[later])
    return change_ledger(take_snapshot(old_run, 0), take_snapshot(new_run, 0))


def parts(found: Ledger) -> list[tuple[str, str, float]]:
    return [(e.part, e.metric, float(e.difference)) for e in found.entries]


def test_data_metric_by_metric() -> None:
    found = ledger({"a": 80, "b": 40, "d": "2026-01-30"}, {"a": 60, "b": 50, "d": "2026-01-30", "unread": 3})
    assert (found.before, found.after, found.difference) == (75, 68, -7)
    assert parts(found) == [("data", "a", -10.0), ("data", "b", 2.5), ("rounding", "", 0.5)]
    assert (found.entries[0].before, found.entries[0].after) == ("80", "60")


def test_missing_data_is_told_apart() -> None:
    found = ledger({"a": 80, "b": 40, "d": "2026-01-30"}, {"a": 80, "b": None, "d": "2026-01-30"})
    assert parts(found)[0] == ("missing data", "b", pytest.approx(11.6667))
    assert (found.entries[0].before, found.entries[0].after) == ("40", "unknown")


def test_time_alone_can_change_a_score() -> None:
    values = {"a": 80, "b": 40, "d": "2026-01-30"}
    assert parts(ledger(values, values, later=60)) == [("data", "time", -25.0)]


def test_the_model_has_its_own_part() -> None:
    values = {"a": 80, "b": 0, "d": "2020-01-30"}
    found = ledger(values, values, new=HEAVIER)
    assert parts(found) == [("model", "", pytest.approx(22.2222)), ("rounding", "", pytest.approx(-0.2222))]


def test_carried_values_count_as_data() -> None:
    run = evaluated(MODEL, {"a": [80, 80], "b": [40, None]}, customers=["x", "x"], days=[0, 1])
    found = change_ledger(take_snapshot(run, 0), take_snapshot(run, 1))
    assert (found.difference, found.entries) == (0, ())


def test_without_a_score_there_is_no_difference_but_entries() -> None:
    strict = compiled(METRICS, scores=score_of(SCORES["health"]["components"], minimum_coverage=0.9))
    old, new = (
        take_snapshot(evaluated(strict, {k: [v] for k, v in values.items()}), 0)
        for values in ({"a": 80, "b": 40, "d": "2026-01-30"}, {"a": 80, "b": 40, "d": None})
    )
    found = change_ledger(old, new)
    assert (found.before, found.after, found.difference) == (75, None, None)
    assert parts(found) == [("missing data", "d", pytest.approx(-8.3333))]


def test_what_the_values_do_not_explain_is_called_history() -> None:
    run = evaluated(MODEL, {"a": [80]})
    old = take_snapshot(run, 0)
    found = change_ledger(old, replace(old, score=70, day=number_day(20_500)))
    assert parts(found) == [("history", "", -10.0)]


VALUES = st.fixed_dictionaries(
    {
        "a": st.none() | st.floats(0, 100),
        "b": st.none() | st.floats(0, 100),
        "d": st.none() | st.sampled_from(["2026-01-30", "2020-01-01"]),
    }
)


@settings(max_examples=50)
@given(VALUES, VALUES, st.booleans(), st.integers(0, 90))
def test_parts_add_up_to_the_difference_exactly(
    before: dict[str, Any], after: dict[str, Any], changed: bool, later: int
) -> None:
    found = ledger(before, after, new=HEAVIER if changed else MODEL, later=later)
    if found.difference is not None:
        assert sum((e.difference for e in found.entries), Decimal(0)) == found.difference
        assert not any(e.part == "history" for e in found.entries)
