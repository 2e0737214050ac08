"""Values in words, as explanations show them."""

from datetime import date
from typing import Final

from keepwell.metrics.frame import Column, Quality
from keepwell.model.words import with_unit

_DECIMALS: Final = 2
_SHARES: Final = frozenset({"share", "ratio - 1"})
_MONEY: Final = "money"


def value_words(value: bool | float | str | date | None, unit: str = "", *, units: bool = True) -> str:
    """One value: `yes`, `12 days`, `56 %`, `2026-01-31`, `unknown`.

    Shares are percentages, and the limits of a scale (`0 to 10`) are no unit. Without `units` only the number is
    said, for sentences that name the unit themselves.
    """
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number_words(value, unit, units)
    return value.isoformat() if isinstance(value, date) else value


def _number_words(value: float, unit: str, units: bool) -> str:
    share = unit in _SHARES
    number = f"{value * 100 if share else value:,.{1 if share else _DECIMALS}f}".rstrip("0").rstrip(".")
    number = "0" if number == "-0" else number
    if share or unit == "percent":
        return f"{number} %"
    plain = not units or unit == _MONEY or " to " in unit
    return number if plain else with_unit(number, unit)


def column_words(column: Column, row: int, unit: str = "", *, units: bool = True) -> str:
    """The value of one row in words."""
    return value_words(column.item(row), unit, units=units)


def quality_words(column: Column, row: int) -> str:
    """How far the value of one row can be trusted."""
    return Quality(int(column.quality[row])).words
