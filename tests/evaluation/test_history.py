"""Earlier days: before, carried forward, entered and left, each against a plain loop."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.evaluation.history import HistoryRows
from keepwell.metrics.frame import Column, Frame, Quality, number_column
from keepwell.model.metric_definitions import MetricType

Row = tuple[str, int, float | None]


@st.composite
def histories(draw: st.DrawFn) -> list[Row]:
    """Rows of a few customers, sorted by customer and day, with gaps and unknown values."""
    days = st.sets(st.integers(20_000, 20_012), max_size=9)
    values = st.sampled_from([0.0, 1.0, None])
    return [(c, day, draw(values)) for c in "abc" for day in sorted(draw(days))]


def parts(rows: list[Row]) -> tuple[HistoryRows, Column]:
    customers = np.array([c for c, _, _ in rows], dtype=object)
    frame = Frame(customers, np.array([d for _, d, _ in rows], dtype=np.int64))
    values = number_column([np.nan if v is None else v for _, _, v in rows])
    return HistoryRows(frame), Column(MetricType.BOOLEAN, values.values, values.quality)


def plain(column: Column) -> list[float | None]:
    return [None if v is None else float(v) for v in column.objects().tolist()]


@given(histories(), st.integers(1, 6))
def test_before_is_the_same_customer_so_many_days_earlier(rows: list[Row], lag: int) -> None:
    known = {(c, d): v for c, d, v in rows}
    history, column = parts(rows)
    assert plain(history.before(column, lag)) == [known.get((c, d - lag)) for c, d, _ in rows]


@given(histories(), st.integers(1, 6))
def test_carried_is_the_nearest_known_value_within_reach(rows: list[Row], reach: int) -> None:
    def expected(customer: str, day: int) -> float | None:
        near = [(d, v) for c, d, v in rows if c == customer and v is not None and day - reach <= d <= day]
        return max(near)[1] if near else None

    history, column = parts(rows)
    assert plain(history.carried(column, reach)) == [expected(c, d) for c, d, _ in rows]


@given(histories(), st.integers(1, 6), st.sampled_from(["entered", "left"]))
def test_moved_compares_with_every_day_before(
    rows: list[Row], reach: int, direction: Literal["entered", "left"]
) -> None:
    known = {(c, d): v for c, d, v in rows}
    there = 1.0 if direction == "entered" else 0.0

    def expected(customer: str, day: int, now: float | None) -> float | None:
        earlier = [known.get((customer, day - lag)) for lag in range(1, reach + 1)]
        differed = True if 1.0 - there in earlier else None if None in earlier else False
        if now == 1.0 - there or differed is False:
            return 0.0
        return None if now is None or differed is None else 1.0

    history, column = parts(rows)
    assert plain(history.moved(column, direction, reach)) == [expected(*row) for row in rows]


def test_a_carried_value_says_so() -> None:
    history, column = parts([("a", 20_000, 1.0), ("a", 20_001, None)])
    assert history.carried(column, 3).quality.tolist() == [Quality.KNOWN, Quality.CARRIED]


@pytest.mark.parametrize("rows", [[], [("a", 20_000, 1.0)], [("a", 20_000, 1.0), ("a", 20_000, 0.0)]])
def test_rows_without_a_past_know_nothing_earlier(rows: list[Row]) -> None:
    history, column = parts(rows)
    assert plain(history.before(column, 1)) == [None] * len(rows)
