"""Values given directly: texts and Python objects read by the type of their metric, with what could not be read."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import numpy as np

from keepwell.metrics.frame import Column, Quality, coded_column, day_number
from keepwell.model.metric_definitions import MetricType
from keepwell.model.problems import did_you_mean

_NUMBER: Final = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?")
_TRUTH: Final = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "1": 1.0, "0": 0.0, "t": 1.0, "f": 0.0}
_SHOWN: Final = 60


@dataclass(frozen=True)
class ValueProblem:
    """A value that was not understood and counts as unknown. `row` counts from 1."""

    row: int
    customer: str
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        shown = self.value if len(self.value) <= _SHOWN else self.value[:_SHOWN] + "…"
        return (
            f"row {self.row}, customer '{self.customer}', {self.column}: '{shown}' is not {self.allowed}; unknown now"
        )


@dataclass(frozen=True)
class Unreadable:
    """The place of a value in its column, and what would have been read."""

    row: int
    value: str
    allowed: str


def read_column(
    values: Sequence[object], kind: MetricType, allowed: tuple[str, ...] = ()
) -> tuple[Column, list[Unreadable]]:
    """Read a column of Python values or texts; empty ones are unknown, unreadable ones are unknown and returned."""
    if kind is MetricType.TEXT:
        return _read_texts(values, allowed)
    read, expected = _READERS[kind]
    data = np.full(len(values), np.nan)
    unreadable = []
    for row, value in enumerate(values):
        if is_empty(value):
            continue
        found = read(value)
        if found is None:
            unreadable.append(Unreadable(row, str(value), expected))
        else:
            data[row] = found
    return Column(kind, data, _quality(data)), unreadable


def is_empty(value: object) -> bool:
    """Whether a value says nothing: None, a text of nothing but spaces, or not a number."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    return isinstance(value, float) and math.isnan(value)


def normalised(column: Column, allowed: tuple[str, ...]) -> Column:
    """A text column with every spelling brought to the declared one; other texts are unknown."""
    if not allowed or column.type is not MetricType.TEXT:
        return column
    places = {text.casefold(): float(i) for i, text in enumerate(allowed)}
    table = np.array([places.get(text.strip().casefold(), np.nan) for text in column.texts], dtype=np.float64)
    codes = np.full(len(column), np.nan)
    known = column.known
    if len(table):
        codes[known] = table[column.values[known].astype(np.int64)]
    return coded_column(codes, allowed, column.quality)


def _read_texts(values: Sequence[object], allowed: tuple[str, ...]) -> tuple[Column, list[Unreadable]]:
    spellings = {text.casefold(): text for text in allowed}
    places: dict[str, float] = {text: float(i) for i, text in enumerate(allowed)}
    codes = np.full(len(values), np.nan)
    unreadable = []
    for row, value in enumerate(values):
        if is_empty(value):
            continue
        text = str(value).lower() if isinstance(value, bool) else str(value).strip()
        text = spellings.get(text.casefold(), text)
        if allowed and text not in places:
            unreadable.append(Unreadable(row, text, _one_of(text, allowed)))
        else:
            codes[row] = places.setdefault(text, float(len(places)))
    return coded_column(codes, tuple(places)), unreadable


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    return f"one of {', '.join(allowed)}{did_you_mean(text, allowed)}"


def _quality(data: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.where(np.isnan(data), Quality.EMPTY, Quality.KNOWN).astype(np.uint8)


def _read_number(value: object) -> float | None:
    if isinstance(value, str):
        text = value.strip()
        found = float(text) if _NUMBER.fullmatch(text) else math.inf
    elif isinstance(value, int | float | Decimal | np.number | np.bool_):
        found = _as_float(value)
    else:
        return None
    return found if math.isfinite(found) else None


def _as_float(value: int | float | Decimal | np.number | np.bool_) -> float:
    try:
        return float(value)
    except (OverflowError, ValueError):
        return math.inf


def _read_truth(value: object) -> float | None:
    if isinstance(value, str):
        return _TRUTH.get(value.strip().casefold())
    number = _read_number(value)
    return number if number in (0.0, 1.0) else None


def _read_date(value: object) -> float | None:
    if isinstance(value, datetime):
        return float(day_number(value.date()))
    if isinstance(value, date):
        return float(day_number(value))
    if not isinstance(value, str):
        return None
    try:
        return float(day_number(datetime.fromisoformat(value.strip()).date()))
    except ValueError:
        return None


_READERS: Final[dict[MetricType, tuple[Callable[[object], float | None], str]]] = {
    MetricType.NUMBER: (_read_number, "a number"),
    MetricType.BOOLEAN: (_read_truth, "true or false"),
    MetricType.DATE: (_read_date, "a date such as 2026-01-31"),
}
