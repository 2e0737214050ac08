"""Retention against worked examples and against the mistakes that others made."""

import json
from math import nan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.reporting.retention import annualised, by_account, grr_of, monthly, nrr_of, retention_of

CASES = json.loads((Path(__file__).parent / "cases" / "retention.json").read_text(encoding="utf-8"))
BOOKS = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1e6), max_size=8)


@pytest.mark.parametrize("case", CASES["worked_examples"], ids=lambda case: case["source"])
def test_worked_examples(case: dict[str, Any]) -> None:
    nrr = nrr_of(case["start"], case["expansion"], case["contraction"], case["churn"])
    assert nrr == pytest.approx(case["nrr"])
    assert grr_of(case["start"], case["contraction"], case["churn"]) == pytest.approx(case["grr"])


@pytest.mark.parametrize("case", CASES["worked_examples"], ids=lambda case: case["source"])
def test_worked_examples_as_accounts(case: dict[str, Any]) -> None:
    steady = case["start"] - case["churn"] - 2 * case["contraction"] - 1000
    start = {"steady": steady, "smaller": 2 * case["contraction"], "gone": case["churn"], "larger": 1000}
    end = {"steady": steady, "smaller": case["contraction"], "larger": 1000 + case["expansion"], "new": 5000}
    found = retention_of(start, end)
    assert (found.nrr, found.grr) == (pytest.approx(case["nrr"]), pytest.approx(case["grr"]))
    assert found.logo_churn == pytest.approx(1 / 4)


@pytest.mark.parametrize("case", CASES["annualising"]["examples"], ids=str)
def test_annualising(case: dict[str, float]) -> None:
    assert annualised(case["measured"], case["period_days"]) == pytest.approx(case["annual"], rel=1e-12)
    if "monthly" in case:
        assert monthly(case["measured"], case["period_days"]) == pytest.approx(case["monthly"], rel=1e-12)


def test_expansion_of_one_never_offsets_the_loss_of_another() -> None:
    found = retention_of({"a": 100, "b": 100}, {"a": 300, "b": 40})
    assert (found.grr, found.nrr) == (pytest.approx(0.7), pytest.approx(1.7))


def test_new_customers_are_in_no_rate() -> None:
    assert retention_of({"a": 100}, {"a": 100, "b": 900}) == retention_of({"a": 100}, {"a": 100})


def test_who_comes_back_inside_the_period_is_retained() -> None:
    found = retention_of({"a": 100}, {"a": 100})
    assert (found.lost, found.logo_churn, found.nrr) == (0, 0, 1)


def test_subscriptions_are_summed_before_they_are_compared() -> None:
    start = by_account([("a", 60), ("a", 40)])
    end = by_account([("a", 100)])
    found = retention_of(start, end)
    assert (found.expansion, found.contraction, found.grr) == (0, 0, 1)


def test_without_revenue_at_the_start_rates_are_undefined() -> None:
    found = retention_of({"a": 0.0}, {"a": 50.0})
    assert (found.nrr, found.grr, found.revenue_churn, found.logo_churn) == (None, None, None, 0)
    assert found.why == "no revenue at the start of the period"
    assert retention_of({}, {"a": 50.0}).logo_churn is None


def test_without_churn_the_revenue_churn_is_zero_and_not_unknown() -> None:
    assert retention_of({"a": 10}, {"a": 10}).revenue_churn == 0


def test_contraction_counts_in_nrr_although_nobody_churned() -> None:
    assert retention_of({"a": 100}, {"a": 80}).nrr == pytest.approx(0.8)


def test_unknown_amounts_are_left_out_and_counted() -> None:
    found = retention_of({"a": 100, "b": nan, "c": 50}, {"a": 100, "b": 10, "c": nan})
    assert (found.unknown, found.start, found.nrr, found.customers) == (2, 100, 1, 3)


@given(BOOKS, BOOKS)
def test_gross_is_at_most_one_and_at_most_net(start: dict[str, float], end: dict[str, float]) -> None:
    found = retention_of(start, end)
    if found.grr is None:
        assert sum(start.values()) == 0
    else:
        assert found.grr <= 1 + 1e-9
        assert found.grr <= (found.nrr or 0) + 1e-9
        kept = sum(min(amount, end.get(name, 0)) for name, amount in start.items())
        assert found.grr == pytest.approx(kept / sum(start.values()), abs=1e-9)


@pytest.mark.parametrize(("measured", "days"), [(-0.1, 30), (1.1, 30), (0.5, 0)])
def test_no_rate_no_conversion(measured: float, days: float) -> None:
    with pytest.raises(ValueError, match="churn rate"):
        annualised(measured, days)
