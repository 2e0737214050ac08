"""The days of a world: day numbers (0 is the first of the window) as dates, months and UTC moments."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.arrays import Ints

BEFORE: Final = 4400
AFTER: Final = 800


@dataclass(frozen=True, eq=False)
class Timeline:
    """`days` whole local days that end with `end`; times are given as day number and second of the local day."""

    start: date
    days: int
    dates: NDArray[np.datetime64]
    midnights: NDArray[np.datetime64]
    month: Ints
    day_of_month: Ints

    def date_of(self, day: NDArray[Any]) -> NDArray[Any]:
        """Dates of day numbers; numbers outside the calendar have none."""
        inside = (day >= -BEFORE) & (day < self.days + AFTER)
        dates = self.dates[np.where(inside, day, 0) + BEFORE]
        return np.where(inside, dates, np.datetime64("NaT", "D"))

    def moment(self, day: NDArray[Any], second: Any = 0) -> NDArray[Any]:
        """UTC moments; not-a-time for what has not happened by the end of the window."""
        seconds = np.broadcast_to(np.asarray(second), np.shape(day)).astype("timedelta64[s]")
        moments = self.midnights[np.clip(day, -BEFORE, self.days + AFTER - 1) + BEFORE] + seconds
        return np.where(moments < self.closes, moments, np.datetime64("NaT", "s"))

    @property
    def closes(self) -> np.datetime64:
        """The first moment after the window."""
        return np.datetime64(self.midnights[self.days + BEFORE])

    def months_of(self, day: NDArray[Any]) -> Ints:
        """Months since 1970 of day numbers."""
        return np.asarray(self.month[day + BEFORE])

    def add_months(self, day: NDArray[Any], months: NDArray[Any] | int) -> Ints:
        """The same day of the month, `months` later; the day of the month must be at most 28."""
        target = (self.months_of(day) + months).astype("datetime64[M]").astype("datetime64[D]")
        shifted = target + (self.day_of_month[day + BEFORE] - 1).astype("timedelta64[D]")
        return np.asarray((shifted - np.datetime64(self.start, "D")).astype(np.int64))

    def weekdays(self) -> Ints:
        """Weekday of each day of the window, Monday is 0."""
        return (np.arange(self.days) + self.start.weekday()) % 7


def timeline(end: date, days: int, zone: str) -> Timeline:
    """The window of `days` days up to and with `end`, in the time zone `zone`."""
    start = end - timedelta(days=days - 1)
    first = start - timedelta(days=BEFORE)
    dates = np.datetime64(first, "D") + np.arange(BEFORE + days + AFTER)
    months = dates.astype("datetime64[M]")
    return Timeline(
        start=start,
        days=days,
        dates=dates,
        midnights=dates.astype("datetime64[s]") - _offsets(first, len(dates), ZoneInfo(zone)),
        month=months.astype(np.int64),
        day_of_month=(dates - months.astype("datetime64[D]")).astype(np.int64) + 1,
    )


def _offsets(first: date, count: int, zone: ZoneInfo) -> NDArray[Any]:
    """How far the zone is ahead of UTC at each local midnight."""
    midnight = datetime.combine(first, time.min, tzinfo=zone)
    offsets = ((midnight + timedelta(days=i)).utcoffset() or timedelta() for i in range(count))
    return np.array([int(o.total_seconds()) for o in offsets]).astype("timedelta64[s]")
