"""Earlier days of the same customer within one frame: values before, values carried forward, members that moved."""

from functools import cached_property
from typing import Literal

import numpy as np

from keepwell.metrics.evaluate import all_of, negate
from keepwell.metrics.frame import Bools, Codes, Column, Frame, Ints, Quality
from keepwell.model.metric_definitions import MetricType

_SPAN = np.int64(1) << 22


class HistoryRows:
    """Finds rows of earlier days. The rows of a customer must lie together, in rising order of days.

    A row that repeats the day of the row before it, or lies before it, starts a customer of its own without history.
    """

    def __init__(self, frame: Frame) -> None:
        self.days = frame.days
        starts = np.ones(frame.rows, np.bool_)
        starts[1:] = (frame.customers[1:] != frame.customers[:-1]) | (np.diff(frame.days) <= 0)
        self._customer: Ints = np.cumsum(starts, dtype=np.int64)
        self._rows: dict[int, Ints] = {}

    @cached_property
    def _keys(self) -> Ints:
        first = self.days.min(initial=0)
        keys: Ints = self._customer * _SPAN + (self.days - first)
        return keys

    def _from(self, days: int) -> Ints:
        """For every row the first row of any customer that is not earlier than `days` before it."""
        if days not in self._rows:
            self._rows[days] = np.searchsorted(self._keys, self._keys - days).astype(np.int64)
        return self._rows[days]

    def before(self, column: Column, days: int) -> Column:
        """The value of the same customer so many days earlier; unknown when there is no such row."""
        rows = self._from(days)
        found = self._keys[rows] == self._keys - days
        return Column(
            column.type,
            np.where(found, column.values[rows], np.nan),
            np.where(found, column.quality[rows], np.uint8(Quality.NO_ROWS)).astype(np.uint8),
            column.texts,
        )

    def carried(self, column: Column, days: int) -> Column:
        """Unknown values filled with the nearest earlier known one of at most so many days ago."""
        last = self._last(column.known)
        usable = ~column.known & self._reaches(last, days)
        return Column(
            column.type,
            np.where(usable, column.values[last], column.values),
            np.where(usable, np.uint8(Quality.CARRIED), column.quality).astype(np.uint8),
            column.texts,
        )

    def moved(self, member: Column, direction: Literal["entered", "left"], days: int) -> Column:
        """Whether a membership that holds now (or no longer) was different on one of the days before."""
        now = member if direction == "entered" else negate(member)
        other = member.known & (member.values == (0.0 if direction == "entered" else 1.0))
        differed = self._reaches(self._shifted(self._last(other)), days)
        return all_of([now, _earlier(differed, self._complete(member.known, days))])

    def _last(self, hits: Bools) -> Ints:
        """The last row with a hit, the row itself included; -1 when there is none before."""
        return np.maximum.accumulate(np.where(hits, np.arange(len(hits)), -1))

    def _shifted(self, last: Ints) -> Ints:
        out = np.full(len(last), -1, np.int64)
        out[1:] = last[:-1]
        return out

    def _reaches(self, last: Ints, days: int) -> Bools:
        near: Bools = (last >= 0) & (self._customer[last] == self._customer) & (self.days - self.days[last] <= days)
        return near

    def _complete(self, known: Bools, days: int) -> Bools:
        """Whether every one of the days before has a row on which the membership is known."""
        counted = np.concatenate([[0], np.cumsum(known)])
        complete: Bools = counted[np.arange(len(known))] - counted[self._from(days)] == days
        return complete


def _earlier(differed: Bools, complete: Bools) -> Column:
    quality: Codes = np.where(differed | complete, Quality.KNOWN, Quality.NO_ROWS).astype(np.uint8)
    values = np.where(differed, 1.0, np.where(complete, 0.0, np.nan))
    return Column(MetricType.BOOLEAN, values, quality)
