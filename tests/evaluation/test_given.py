"""Values as people and programs give them."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.evaluation.given import ValueProblem, read_column
from keepwell.model.metric_definitions import MetricType


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (MetricType.NUMBER, " 12.5 ", 12.5),
        (MetricType.NUMBER, "-.5e1", -5),
        (MetricType.NUMBER, Decimal("0.1"), 0.1),
        (MetricType.NUMBER, np.int64(3), 3),
        (MetricType.NUMBER, True, 1),
        (MetricType.BOOLEAN, "TRUE", True),
        (MetricType.BOOLEAN, "no", False),
        (MetricType.BOOLEAN, 0, False),
        (MetricType.DATE, "2026-02-28", date(2026, 2, 28)),
        (MetricType.DATE, "2026-02-28T23:00:00Z", date(2026, 2, 28)),
        (MetricType.DATE, datetime(2026, 2, 28, 5), date(2026, 2, 28)),  # noqa: DTZ001
        (MetricType.TEXT, " free ", "free"),
        (MetricType.TEXT, 7, "7"),
        (MetricType.TEXT, True, "true"),
    ],
)
def test_what_is_read(kind: MetricType, value: object, expected: object) -> None:
    column, unreadable = read_column([value], kind)
    assert (column.item(0), unreadable) == (expected, [])


@pytest.mark.parametrize("value", [None, "", "  ", float("nan")])
@pytest.mark.parametrize("kind", list(MetricType))
def test_what_says_nothing_is_unknown_without_complaint(kind: MetricType, value: object) -> None:
    column, unreadable = read_column([value], kind)
    assert (column.item(0), unreadable) == (None, [])


@pytest.mark.parametrize(
    ("kind", "value", "allowed"),
    [
        (MetricType.NUMBER, "12,5", "a number"),
        (MetricType.NUMBER, "1_000", "a number"),
        (MetricType.NUMBER, "inf", "a number"),
        (MetricType.NUMBER, "1e999", "a number"),
        (MetricType.NUMBER, "٣", "a number"),
        (MetricType.NUMBER, [1], "a number"),
        (MetricType.BOOLEAN, "maybe", "true or false"),
        (MetricType.BOOLEAN, 2, "true or false"),
        (MetricType.DATE, "2026-02-30", "a date such as 2026-01-31"),
        (MetricType.DATE, 20_000, "a date such as 2026-01-31"),
    ],
)
def test_what_is_not_understood_is_unknown_and_said(kind: MetricType, value: object, allowed: str) -> None:
    column, unreadable = read_column([value], kind)
    assert column.item(0) is None
    assert [(u.row, u.allowed) for u in unreadable] == [(0, allowed)]


def test_declared_texts_are_matched_whatever_their_case() -> None:
    column, unreadable = read_column(["PRO", "basic", "prro"], MetricType.TEXT, ("Basic", "Pro"))
    assert column.objects().tolist() == ["Pro", "Basic", None]
    assert unreadable[0].allowed == "one of Basic, Pro; did you mean 'Pro'?"


def test_a_problem_says_where_what_and_what_is_allowed() -> None:
    problem = ValueProblem(3, "acme", "mrr", "x" * 100, "a number")
    assert str(problem) == f"row 3, customer 'acme', mrr: '{'x' * 60}…' is not a number; unknown now"


@given(st.lists(st.text() | st.floats() | st.integers() | st.booleans() | st.none() | st.binary()))
def test_nothing_that_is_given_breaks_the_reading(values: list[object]) -> None:
    for kind in MetricType:
        column, unreadable = read_column(values, kind)
        assert len(column) == len(values)
        assert not any(column.known[u.row] for u in unreadable)
