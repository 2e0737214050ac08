"""Columns of metric values with their quality: known, assumed and the ways of being unknown are kept apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepwell.model.metric_definitions import MetricType

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

EPOCH: Final = date(1970, 1, 1)


class Quality(IntEnum):
    """How far a value can be trusted. From NO_SOURCE on there is no value."""

    KNOWN = 0
    ASSUMED = 1
    CARRIED = 2
    NO_SOURCE = 10
    STALE = 11
    NO_ROWS = 12
    UNDEFINED = 13
    EMPTY = 14
    NO_RATE = 15

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS: Final[Mapping[Quality, str]] = {
    Quality.KNOWN: "known",
    Quality.ASSUMED: "assumed: the earliest value on record stands in for the time before it",
    Quality.CARRIED: "carried forward from an earlier day",
    Quality.NO_SOURCE: "no source has delivered this",
    Quality.STALE: "the source is out of date",
    Quality.NO_ROWS: "the source covers the customer but there is nothing to compute it from",
    Quality.UNDEFINED: "cannot be computed (division by zero)",
    Quality.EMPTY: "empty in the source",
    Quality.NO_RATE: "no exchange rate for the customer's currency",
}

UNKNOWN_FROM: Final = np.uint8(Quality.NO_SOURCE)


@dataclass(frozen=True)
class Column:
    """One value per row. Numbers, booleans (0/1) and dates (days since 1970) are float64; texts are codes into `texts`.

    Where `quality` says unknown, `values` holds nan.
    """

    type: MetricType
    values: Floats
    quality: Codes
    texts: tuple[str, ...] = ()

    @property
    def known(self) -> Bools:
        return self.quality < UNKNOWN_FROM

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[Any] | slice) -> "Column":
        """The column at the given rows (indices or mask)."""
        return replace(self, values=self.values[rows], quality=self.quality[rows])

    def item(self, row: int) -> bool | float | str | date | None:
        """The value of one row in Python's own types; None when unknown."""
        if self.quality[row] >= UNKNOWN_FROM:
            return None
        value = float(self.values[row])
        match self.type:
            case MetricType.BOOLEAN:
                return value != 0.0
            case MetricType.TEXT:
                return self.texts[int(value)]
            case MetricType.DATE:
                return EPOCH + timedelta(days=int(value))
            case _:
                return value

    def objects(self) -> npt.NDArray[np.object_]:
        """All values as Python objects, None where unknown."""
        known = self.known
        out = np.full(len(self), None, dtype=object)
        if self.type is MetricType.TEXT:
            if self.texts:
                out[known] = np.array(self.texts, dtype=object)[self.values[known].astype(np.int64)]
        elif self.type is MetricType.BOOLEAN:
            out[known] = (self.values[known] != 0.0).astype(object)
        elif self.type is MetricType.DATE:
            out[known] = (np.datetime64(EPOCH, "D") + self.values[known].astype("timedelta64[D]")).astype(object)
        else:
            out[known] = self.values[known].astype(object)
        return out


def number_column(values: npt.ArrayLike, quality: npt.ArrayLike | None = None) -> Column:
    """A number column; nan counts as unknown (no rows) unless `quality` says more."""
    data = np.array(values, dtype=np.float64)
    states = np.zeros(len(data), np.uint8) if quality is None else np.array(quality, dtype=np.uint8)
    lost = np.isnan(data) & (states < UNKNOWN_FROM)
    states[lost] = Quality.NO_ROWS
    data[states >= UNKNOWN_FROM] = np.nan
    return Column(MetricType.NUMBER, data, states)


def text_column(values: Sequence[str | None], quality: Codes | None = None) -> Column:
    """A text column from Python texts; None is unknown."""
    texts = tuple(sorted({v for v in values if v is not None}))
    codes = {text: float(i) for i, text in enumerate(texts)}
    data = np.array([np.nan if v is None else codes[v] for v in values], dtype=np.float64)
    return coded_column(data, texts, quality)


def coded_column(codes: Floats, texts: tuple[str, ...], quality: Codes | None = None) -> Column:
    """A text column from codes; nan is unknown."""
    states = np.zeros(len(codes), np.uint8) if quality is None else quality.copy()
    states[np.isnan(codes) & (states < UNKNOWN_FROM)] = Quality.EMPTY
    return Column(MetricType.TEXT, np.where(states >= UNKNOWN_FROM, np.nan, codes), states, texts)


def unknown_column(rows: int, quality: Quality, kind: MetricType = MetricType.NUMBER) -> Column:
    """A column of which nothing is known."""
    return Column(kind, np.full(rows, np.nan), np.full(rows, quality, np.uint8))


def constant_column(rows: int, value: bool | float | str) -> Column:
    """The same known value in every row."""
    quality = np.zeros(rows, np.uint8)
    if isinstance(value, str):
        return Column(MetricType.TEXT, np.zeros(rows), quality, (value,))
    kind = MetricType.BOOLEAN if isinstance(value, bool) else MetricType.NUMBER
    return Column(kind, np.full(rows, float(value)), quality)


@dataclass(frozen=True)
class Frame:
    """Rows of customers on dates. `customers` holds ids, `days` the as-of day of each row (days since 1970)."""

    customers: npt.NDArray[np.object_]
    days: Ints
    columns: Mapping[str, Column] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.days)

    def take(self, rows: npt.NDArray[Any] | slice) -> "Frame":
        """The frame at the given rows (indices or mask)."""
        columns = {name: column.take(rows) for name, column in self.columns.items()}
        return Frame(self.customers[rows], self.days[rows], columns)

    def with_columns(self, columns: Mapping[str, Column]) -> "Frame":
        """The frame with columns added or replaced."""
        return replace(self, columns={**self.columns, **columns})


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def number_day(number: int) -> date:
    """The date so many days after 1970-01-01."""
    return EPOCH + timedelta(days=int(number))


def stable_order(values: Ints) -> Ints:
    """The order that sorts, equal values in theirs; numpy sorts 16-bit numbers several times faster than others."""
    if not len(values):
        return np.zeros(0, np.int64)
    least = values.min()
    narrow = values.max() - least < 1 << 16
    return np.argsort((values - least).astype(np.uint16) if narrow else values, kind="stable")
