"""Months between days, by the calendar."""

import numpy as np
import numpy.typing as npt

from keepwell.metrics.frame import Floats, Ints


def months_between(start: Floats, end: Ints) -> Floats:
    """Whole months from day numbers `start` (NaN where unknown) to `end`, and the part of the month under way.

    A month is over on the same day of the next one, or on its last day where it is shorter, so that a year is exactly
    12 whatever days it has, and a day more is never less.
    """
    out = np.full(len(start), np.nan)
    known = ~np.isnan(start)
    first, last = start[known].astype(np.int64), np.asarray(end)[known].astype(np.int64)
    month, day_of_month = _month_and_day(first)
    whole = _month_and_day(last)[0] - month
    whole -= _in_month(month + whole, day_of_month) > last
    over, next_over = (_in_month(month + whole + more, day_of_month) for more in (0, 1))
    out[known] = whole + (last - over) / (next_over - over)
    return out


def _month_and_day(days: Ints) -> tuple[Ints, Ints]:
    """The number of each day's month, and how many days of it lie before the day."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    return months.astype(np.int64), (dates - months.astype("datetime64[D]")).astype(np.int64)


def _in_month(months: Ints, day_of_month: Ints) -> Ints:
    """The day of that number in each month, or the month's last one."""
    begins, ends = (_begin(months + more) for more in (0, 1))
    return np.asarray(begins + np.minimum(day_of_month, ends - begins - 1))


def _begin(months: npt.NDArray[np.int64]) -> Ints:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
