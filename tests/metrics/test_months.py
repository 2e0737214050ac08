"""Months by the calendar: anniversaries are whole, a day more is never less."""

from datetime import date

import numpy as np
import pytest

from keepwell.metrics.frame import day_number
from keepwell.metrics.months import months_between


def months(start: date | None, end: date) -> float:
    first = np.nan if start is None else float(day_number(start))
    return float(months_between(np.array([first]), np.array([day_number(end)]))[0])


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-06-30", "2026-06-30", 24),
        ("2025-06-30", "2026-06-30", 12),
        ("2023-06-30", "2024-06-30", 12),
        ("2024-02-29", "2025-02-28", 12),
        ("2026-01-31", "2026-02-28", 1),
        ("2026-01-31", "2026-03-01", 1 + 1 / 31),
        ("2026-06-30", "2026-06-30", 0),
        ("2026-06-15", "2026-06-30", 15 / 30),
        ("2026-05-31", "2026-06-29", 29 / 30),
        ("2026-07-15", "2026-06-30", -1 + 15 / 30),
        ("1900-01-01", "2026-01-01", 126 * 12),
    ],
)
def test_months_are_those_of_the_calendar(start: str, end: str, expected: float) -> None:
    assert months(date.fromisoformat(start), date.fromisoformat(end)) == pytest.approx(expected, abs=1e-12)


def test_an_unknown_day_has_no_months() -> None:
    assert np.isnan(months(None, date(2026, 6, 30)))


def test_a_day_more_is_never_less_and_the_day_before_an_anniversary_is_not_there_yet() -> None:
    starts = np.arange(day_number(date(2019, 12, 1)), day_number(date(2020, 4, 1))).astype(np.float64)
    ends = np.arange(day_number(date(2020, 1, 1)), day_number(date(2025, 1, 1)))
    for start in starts:
        found = months_between(np.full(len(ends), start), ends)
        assert (np.diff(found) > 0).all()
        whole = np.flatnonzero(found == np.round(found))
        assert (np.diff(found[whole]) == 1).all(), "each month is over once"
