"""Exchange rates: what one unit of a currency is worth in the workspace's, on any day."""

import csv
import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from keepwell.warehouse.lock import WarehouseError

COLUMNS: Final = ("currency", "date", "rate")
EPOCH: Final = date(1970, 1, 1)
_CODE: Final = re.compile(r"[A-Z]{3}")


class RatesError(WarehouseError):
    """Rates that cannot be used; the message says where and what to do."""


@dataclass(frozen=True)
class Steps:
    """Dated rates of one currency: each holds from its day (since 1970) until the next, days ascending."""

    days: tuple[int, ...]
    rates: tuple[float, ...]

    def last(self, day: int) -> int:
        """The place of the rate that holds on a day; -1 before the first."""
        return bisect_right(self.days, day) - 1


@dataclass(frozen=True)
class Rates:
    """Rates into `currency`: those of `dated` hold from their first day on, those of `constant` before and without."""

    currency: str
    constant: Mapping[str, float]
    dated: Mapping[str, Steps]

    def on(self, currency: str, day: int) -> float | None:
        """The rate of a currency on a day: the latest dated one on or before it; None when there is none."""
        code = currency.strip().upper()
        if code == self.currency:
            return 1.0
        steps, place = self._held(code, day)
        return self.constant.get(code) if place < 0 else steps.rates[place]

    def since(self, currency: str, day: int) -> date | None:
        """From when the dated rate is that holds on a day; None when none does."""
        steps, place = self._held(currency.strip().upper(), day)
        return None if place < 0 else EPOCH + timedelta(days=steps.days[place])

    def table(self, currencies: Sequence[str], days: Sequence[int]) -> npt.NDArray[np.float64]:
        """The rates of currencies on days, as [currency, day]; nan where there is none."""
        found = [[self.on(currency, day) for day in days] for currency in currencies]
        return np.array(found, np.float64).reshape(len(currencies), len(days))

    @property
    def currencies(self) -> tuple[str, ...]:
        """The other currencies that have a rate on some day."""
        return tuple(sorted({*self.constant, *self.dated} - {self.currency}))

    def _held(self, code: str, day: int) -> tuple[Steps, int]:
        steps = self.dated.get(code, _NONE)
        return steps, steps.last(day)


_NONE: Final = Steps((), ())


def read_rates(currency: str, constant: Mapping[str, object], path: Path, *, said: str) -> Rates | None:
    """The rates of a workspace: `constant` as its configuration (`said`) has them, and the dated ones in a file.

    None when there are neither; raises RatesError for what is no rate.
    """
    own = currency.strip().upper()
    checked = {code: _rate(value, f"{said}: {code}") for code, value in constant.items()}
    for code in checked:
        _require_code(code, said)
    dated = _dated(path) if path.is_file() else {}
    if not checked and not dated:
        return None
    if any(rate != 1.0 for rate in (checked.get(own, 1.0), *dated.get(own, _NONE).rates)):
        raise RatesError(f"{said}, {path.name}: {own} is the workspace's own currency: its rate is 1")
    return Rates(own, checked, dated)


def _dated(path: Path) -> dict[str, Steps]:
    found: dict[str, dict[int, float]] = {}
    for place, code, day, rate in _rows(path):
        rates = found.setdefault(code, {})
        if rates.setdefault(day, rate) != rate:
            raise RatesError(f"{place}: {code} has another rate for the same day further up; keep one of them")
    return {code: Steps(*zip(*sorted(rates.items()), strict=True)) for code, rates in found.items()}


def _rows(path: Path) -> Iterator[tuple[str, str, int, float]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise RatesError(f"{path}: not UTF-8 text: {error.reason}") from None
    reader = csv.DictReader(lines)
    reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in COLUMNS if name not in reader.fieldnames]:
        raise RatesError(f"{path}:1: no column '{missing[0]}'; the first line is {','.join(COLUMNS)}")
    for row in reader:
        place = f"{path}:{reader.line_num}"
        code, day, rate = ((row[name] or "").strip() for name in COLUMNS)
        _require_code(code.upper(), place)
        yield place, code.upper(), _day(day, place), _rate(_number(rate), place)


def _require_code(code: str, place: str) -> None:
    if not _CODE.fullmatch(code):
        raise RatesError(f"{place}: '{code}' is no currency; it looks like USD")


def _day(text: str, place: str) -> int:
    try:
        return (date.fromisoformat(text) - EPOCH).days
    except ValueError:
        raise RatesError(f"{place}: '{text}' is no date; it looks like 2026-01-31") from None


def _number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _rate(value: object, place: str) -> float:
    """What one unit is worth: a number above 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise RatesError(f"{place}: a rate is a number above 0, not {value!r}; it says what one unit is worth")
    return float(value)
