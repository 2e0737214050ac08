"""What is read from the daily state of a fact table: totals, days, last days and so on, over windows of days.

A reading is one number per entity and date. It is computed either by one statement per date (`read_date`) or, for
many dates at once, by sweeps over dense day-by-entity arrays (`read_dates`); both give the same numbers exactly.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from keepwell.metrics.day_words import masks_between
from keepwell.metrics.frame import Floats, Ints
from keepwell.metrics.plan import Atom

Function = Literal["total", "days", "last_day", "minimum", "maximum", "latest", "first", "moment"]
NOTHING: Final = np.iinfo(np.int64).min
"""Stands for "no row" in readings that can be absent."""
Places = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Reading:
    """`function` of an atom over the days [as_of - start, as_of - end]; `start` None: since the beginning."""

    function: Function
    atom: Atom
    start: int | None
    end: int = 0

    def sql(self, column: str, day: int, first: int) -> str:
        """The aggregate for one as-of day over the daily rows from `first` to that day; null stands for `empty`."""
        within = self._within(day, first)
        match self.function:
            case "total":
                return f"CAST(sum({column}){_only(*within)} AS BIGINT)"
            case "days":
                return f"count(*){_only(*within, f'{column} > 0')}"
            case "last_day":
                return f"max(day){_only(*within, f'{column} > 0')}"
            case "minimum" | "maximum":
                return f"{self.function[:3]}({column}){_only(*within)}"
            case "latest" | "first":
                pick = "arg_max" if self.function == "latest" else "arg_min"
                return f"{pick}({column}, day){_only(*within, f'{column} IS NOT NULL')}"
            case "moment":
                base = day - (self.start or 0)
                return f"CAST(sum({column} * (day - {base})){_only(*within)} AS BIGINT)"

    def _within(self, day: int, first: int) -> tuple[str, ...]:
        """What has to be asked of a row's day, given that it lies between `first` and `day`."""
        low = first if self.start is None else day - self.start
        above = (f"day >= {low}",) if low > first else ()
        return (*above, f"day <= {day - self.end}") if self.end else above

    @property
    def empty(self) -> int:
        """What it is for an entity without rows."""
        return 0 if self.function in ("total", "days", "moment") else NOTHING

    def over_months(self, column: str) -> str:
        """The aggregate over rows of whole months, each holding this reading of its month; null stands for `empty`."""
        match self.function:
            case "total" | "days" | "moment":
                return f"CAST(sum({column}) AS BIGINT)"
            case "last_day" | "maximum":
                return f"max({column})"
            case "minimum":
                return f"min({column})"
            case "latest" | "first":
                pick = "arg_max" if self.function == "latest" else "arg_min"
                return f"{pick}({column}, day) FILTER (WHERE {column} IS NOT NULL)"

    def join(self, earlier: Ints, later: Ints) -> Ints:
        """Put what lies before the daily rows and what is in them together."""
        match self.function:
            case "total" | "days" | "moment":
                return earlier + later
            case "first":
                return np.where(earlier == NOTHING, later, earlier)
            case "latest" | "last_day":
                return np.where(later == NOTHING, earlier, later)
            case "maximum":
                return np.maximum(earlier, later)
            case "minimum":
                smaller = np.minimum(earlier, later)
                return np.where(earlier == NOTHING, later, np.where(later == NOTHING, earlier, smaller))


def _only(*tests: str) -> str:
    """The filter of an aggregate; none at all is cheaper than one that always holds."""
    return f" FILTER (WHERE {' AND '.join(tests)})" if tests else ""


def read_dates(grid_of: Callable[[Atom], "Grid"], readings: Sequence[Reading], dates: Ints) -> dict[Reading, Ints]:
    """All readings for all dates by sweeps, one atom in memory at a time.

    Arrays are [date, entity], NOTHING where there is no row.
    """
    out: dict[Reading, Ints] = {}
    for atom in dict.fromkeys(reading.atom for reading in readings):
        grid = grid_of(atom)
        out |= {reading: grid.read(reading, dates) for reading in readings if reading.atom == atom}
    return out


class Grid:
    """One atom as a dense array of days (from `first` on) by entities, with its running sums made when first needed.

    `places` are the positions in that array that have a value.
    """

    def __init__(self, places: Ints, values: Ints, first: int, shape: tuple[int, int]) -> None:
        self.values, self.first = np.zeros(shape, np.int64), first
        self.values.reshape(-1)[places] = values
        self._places = places
        self._sums: dict[str, Ints] = {}

    @cached_property
    def present(self) -> npt.NDArray[np.bool_]:
        """Where there is a value: it may be 0."""
        found = np.zeros(self.values.shape, np.bool_)
        found.reshape(-1)[self._places] = True
        return found

    def read(self, reading: Reading, dates: Ints) -> Ints:
        high = dates - reading.end - self.first
        low = np.zeros_like(high) if reading.start is None else np.maximum(dates - reading.start - self.first, 0)
        match reading.function:
            case "total":
                return self._window("total", self.values, low, high)
            case "days":
                return self._window("days", self.values > 0, low, high)
            case "moment":
                weighted = self.values * np.arange(len(self.values), dtype=np.int64)[:, None]
                moment = self._window("moment", weighted, low, high)
                return (
                    moment
                    - self._window("total", self.values, low, high)
                    * (dates - (reading.start or 0) - self.first)[:, None]
                )
            case "last_day":
                found = self._last(self.values > 0, low, high)
                return np.where(found < 0, NOTHING, found.astype(np.int64) + self.first)
            case "latest":
                return self._pick(self._last(self.present, low, high))
            case "first":
                return self._pick(self._next(self.present, low, high))
            case "minimum" | "maximum":
                return self._extreme(reading.function, low, high)

    def _window(self, name: str, values: Ints | npt.NDArray[np.bool_], low: Ints, high: Ints) -> Ints:
        if name not in self._sums:
            padded = np.zeros((len(values) + 1, values.shape[1]), np.int64)
            for day, row in enumerate(values):
                np.add(padded[day], row, out=padded[day + 1])
            self._sums[name] = padded
        ends = np.maximum(high, -1) + 1
        return np.subtract(_rows(self._sums[name], ends), _rows(self._sums[name], np.minimum(low, ends)))

    def _last(self, present: npt.NDArray[np.bool_], low: Ints, high: Ints) -> Places:
        marked = np.where(present, np.arange(len(present), dtype=np.int32)[:, None], np.int32(-1))
        latest = np.maximum.accumulate(marked, axis=0)
        found = np.where((high >= 0)[:, None], latest[np.maximum(high, 0)], np.int32(-1))
        return np.where(found >= low[:, None], found, np.int32(-1))

    def _next(self, present: npt.NDArray[np.bool_], low: Ints, high: Ints) -> Places:
        far = len(present)
        marked = np.where(present, np.arange(far, dtype=np.int32)[:, None], np.int32(far))
        nearest = np.minimum.accumulate(marked[::-1], axis=0)[::-1]
        found = nearest[np.minimum(low, far - 1)]
        return np.where(found <= high[:, None], found, np.int32(-1))

    def _pick(self, found: Places) -> Ints:
        picked = np.take_along_axis(self.values, np.maximum(found, 0), axis=0)
        return np.where(found < 0, NOTHING, picked)

    def _extreme(self, function: str, low: Ints, high: Ints) -> Ints:
        worst = np.iinfo(np.int64).max if function == "minimum" else NOTHING
        marked = np.where(self.present, self.values, worst)
        reduce = np.minimum.reduce if function == "minimum" else np.maximum.reduce
        out = np.stack(
            [reduce(marked[a : max(b, -1) + 1], axis=0, initial=worst) for a, b in zip(low, high, strict=True)]
        )
        return np.where(out == worst, NOTHING, out)


def _rows(values: Ints, places: Ints) -> Ints:
    """The rows at some places; those that follow each other are not copied."""
    first = int(places[0]) if len(places) else 0
    if np.array_equal(places, np.arange(first, first + len(places))):
        return values[first : first + len(places)]
    return np.asarray(values[places])


@dataclass(frozen=True)
class Presences:
    """On which days each distinct thing of each entity was seen, sorted by entity.

    `words` are days as bits (see `day_words`) from day `first` on; `before` says whether it was seen on any earlier
    day.
    """

    entities: Ints
    words: Mapping[int, Ints]
    before: npt.NDArray[np.bool_]
    first: int

    def within(self, low: int, high: int) -> npt.NDArray[np.bool_]:
        """Which things were seen from day `low` to day `high`; what lies before the first day is not asked."""
        found = np.zeros(len(self.entities), np.int64)
        for word, mask in masks_between(max(low, self.first), high):
            if word in self.words:
                found |= self.words[word] & mask
        seen: npt.NDArray[np.bool_] = found != 0
        return seen


def count_present(presences: Presences, window: int | None, offset: int, dates: Ints, size: int) -> Ints:
    """Exact distinct counts over a trailing window (None: since the beginning) for all dates: [date, entity]."""
    out = np.zeros((len(dates), size), np.int64)
    if not len(presences.entities):
        return out
    starts = np.flatnonzero(np.r_[True, presences.entities[1:] != presences.entities[:-1]])
    entities = presences.entities[starts]
    # Date by date: arrays of all dates would be so large that most of the time went into getting memory for them.
    for row, last in zip(out, (dates - offset).tolist(), strict=True):
        present = presences.within(presences.first if window is None else last - window + 1, last)
        if window is None:
            present |= presences.before
        row[entities] = np.add.reduceat(present, starts, dtype=np.int64)
    return out


def as_floats(values: Ints) -> Floats:
    """Readings as floats, nan where there is no row."""
    return np.where(values == NOTHING, np.nan, values.astype(np.float64))
