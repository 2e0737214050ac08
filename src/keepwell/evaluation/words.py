"""Values in words, as explanations show them."""

from datetime import date
from typing import Final

from keepwell.metrics.frame import Column, Quality

_DECIMALS: Final = 4


def value_words(value: bool | float | str | date | None, unit: str = "") -> str:
    """One value: `yes`, `12`, `0.75`, `2026-01-31`, `unknown`; with its unit when it has one."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        number = f"{value:,.{_DECIMALS}f}".rstrip("0").rstrip(".")
        number = "0" if number == "-0" else number
        return f"{number} {unit}".rstrip()
    return value.isoformat() if isinstance(value, date) else value


def column_words(column: Column, row: int, unit: str = "") -> str:
    """The value of one row in words."""
    return value_words(column.item(row), unit)


def quality_words(column: Column, row: int) -> str:
    """How far the value of one row can be trusted."""
    return Quality(int(column.quality[row])).words
