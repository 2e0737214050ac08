"""Days as bits of whole numbers: which days something was seen takes one number for two months, not a row a day."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

WORD_DAYS: Final = 62
"""Days in one word: two months in a number of 64 bits, whose sign stays out of it."""
ALL_DAYS: Final = (1 << WORD_DAYS) - 1
BEFORE: Final = -1_000_000
"""Stands for the word of all days before the first one that is kept."""


def word_of(day: int) -> int:
    """The word that holds a day (since 1970)."""
    return day // WORD_DAYS


def bit_of(day: int) -> int:
    """The day's bit in its word."""
    return 1 << day % WORD_DAYS


def by_word(days: Iterable[int]) -> dict[int, list[int]]:
    """Days by the word that holds them, in the order given."""
    found: dict[int, list[int]] = {}
    for day in days:
        found.setdefault(word_of(day), []).append(day)
    return found


def mask_of(days: Iterable[int]) -> int:
    """The bits of some days of one word."""
    return sum(bit_of(day) for day in days)


def masks_between(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Every word that holds days from `first` to `last`, with their bits."""
    for word in range(word_of(first), word_of(last) + 1):
        low, high = max(first - word * WORD_DAYS, 0), min(last - word * WORD_DAYS, WORD_DAYS - 1)
        if low <= high:
            yield word, (1 << high + 1) - (1 << low)


def moved_text(column: str, days: Sequence[int]) -> str:
    """SQL that puts bits by position in a list of ascending days of one word at the places of those days."""
    runs: dict[int, int] = {}
    for i, day in enumerate(days):
        shift = day % WORD_DAYS - i
        runs[shift] = runs.get(shift, 0) | 1 << i
    if len(runs) == 1:
        return _shifted(column, next(iter(runs)))
    return " | ".join(_shifted(f"({column} & {bits})", shift) for shift, bits in runs.items())


def _shifted(text: str, shift: int) -> str:
    return f"({text} << {shift})" if shift else text
