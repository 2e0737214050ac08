"""The change of a customer between two published dates, ready for its template."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from keepwell.evaluation.ledger import TIME, Ledger, LedgerEntry
from keepwell.interfaces.workspace.pages.customer_shown import ZERO, tenths, with_minus
from keepwell.model.definitions import Model
from keepwell.reporting.words import day, label_of, listed
from keepwell.services.explaining import Changed
from keepwell.services.published.kept_models import segment_shown, signal_shown

DAYS: Final = 30
STEPS: Final = (7, 30, 90)
_PARTS: Final = {
    "data": "Data",
    "missing data": "Missing data",
    "model": "Model",
    "history": "Carried from before",
    "rounding": "Rounding",
}
_FIRST: Final = 6


class DateError(Exception):
    """Two dates between which nothing can be told; the message says which can be chosen."""


@dataclass(frozen=True)
class Span:
    """Two published dates, the earlier first."""

    since: date
    until: date


@dataclass(frozen=True)
class PartSum:
    """How much of a change is due to one kind of cause."""

    label: str
    amount: Decimal


@dataclass(frozen=True)
class EntryShown:
    """One cause of a change with the values behind it; `wide` is its bar in per cent."""

    label: str
    part: str
    before: str
    after: str
    amount: Decimal
    wide: float


@dataclass(frozen=True)
class LedgerShown:
    """A change of score: the sums of its parts and its causes, the largest first; both add up to the difference."""

    before: int | None
    after: int | None
    difference: int | None
    parts: tuple[PartSum, ...]
    entries: tuple[EntryShown, ...]
    rest: tuple[EntryShown, ...]
    rest_sum: Decimal


@dataclass(frozen=True)
class ChangeShown:
    """Everything that changed; `values` are metrics that changed without an effect on the score."""

    ledger: LedgerShown | None
    segments: tuple[str, str] | None
    signals_on: tuple[str, ...]
    signals_off: tuple[str, ...]
    values: tuple[tuple[str, str, str], ...]


def span_of(dates: Sequence[date], since: str, until: str) -> Span:
    """The dates asked for, or the last one and the one 30 days before; raises DateError in words."""
    if len(dates) < 2:
        raise DateError("There is one published day of this customer so far. Changes show from the second on.")
    end = _date(dates, until) if until else dates[-1]
    start = _date(dates, since) if since else default_since(dates, end)
    if start >= end:
        raise DateError(f"The earlier day ({day(start)}) must be before the later one ({day(end)}).")
    return Span(start, end)


def default_since(dates: Sequence[date], end: date, days: int = DAYS) -> date:
    """The last published date at least so many days before, or the first there is."""
    place = bisect_right(dates, end - timedelta(days=days))
    return dates[max(place - 1, 0)]


def _date(dates: Sequence[date], text: str) -> date:
    try:
        asked = date.fromisoformat(text)
    except ValueError:
        raise DateError(f"“{text[:20]}” is not a date such as {dates[-1]}.") from None
    if asked in dates:
        return asked
    place = bisect_left(dates, asked)
    near = listed(map(day, dates[max(place - 1, 0) : place + 1]))
    raise DateError(f"Nothing is published of this customer on {day(asked)}. The nearest published: {near}.")


def change_shown(changed: Changed, model: Model) -> ChangeShown:
    """A change in words, with the model's labels."""
    before, after = ("none" if name is None else segment_shown(model, name)[0] for name in changed.segments)
    spoken = {entry.metric for entry in changed.ledger.entries} if changed.ledger else set()
    others = [change for change in changed.metrics if change.metric not in spoken]
    return ChangeShown(
        ledger=None if changed.ledger is None else _ledger(changed.ledger, changed, model),
        segments=(before, after) if before != after else None,
        signals_on=tuple(signal_shown(model, name) for name in changed.signals_on),
        signals_off=tuple(signal_shown(model, name) for name in changed.signals_off),
        values=tuple(
            (label_of(c.metric, model.metrics.get(c.metric)), with_minus(c.before), with_minus(c.after)) for c in others
        ),
    )


def _ledger(ledger: Ledger, changed: Changed, model: Model) -> LedgerShown:
    told = _told(ledger)
    words = {change.metric: (change.before, change.after) for change in changed.metrics}
    largest = max((abs(entry.difference) for entry in told), default=ZERO) or Decimal(1)
    caused = sorted((e for e in told if e.part != "rounding"), key=lambda e: -abs(e.difference))
    rounding = [entry for entry in told if entry.part == "rounding"]
    shown = [_entry(entry, words, largest, model) for entry in (*caused, *rounding)]
    first = min(_FIRST, len(caused))
    return LedgerShown(
        before=ledger.before,
        after=ledger.after,
        difference=ledger.difference,
        parts=tuple(_parts(told)),
        entries=tuple(shown[:first]),
        rest=tuple(shown[first:]),
        rest_sum=sum((entry.amount for entry in shown[first:]), ZERO),
    )


def _told(ledger: Ledger) -> list[LedgerEntry]:
    """The entries in tenths, as they are shown; what is left of the difference is rounding."""
    told = [replace(e, difference=tenths(e.difference)) for e in ledger.entries if e.part != "rounding"]
    if ledger.difference is not None:
        left = Decimal(ledger.difference) - sum((entry.difference for entry in told), ZERO)
        told.append(LedgerEntry("rounding", "", "", "", left))
    return [entry for entry in told if entry.difference]


def _parts(told: Sequence[LedgerEntry]) -> list[PartSum]:
    """Data, missing data and model always; the others where they are not zero."""
    sums = {part: sum((e.difference for e in told if e.part == part), ZERO) for part in _PARTS}
    always = ("data", "missing data", "model")
    return [PartSum(label, sums[part]) for part, label in _PARTS.items() if part in always or sums[part]]


def _entry(entry: LedgerEntry, words: dict[str, tuple[str, str]], largest: Decimal, model: Model) -> EntryShown:
    # Values with their units where the metric itself changed; a carried value is said as the ledger has it.
    before, after = map(with_minus, words.get(entry.metric, (entry.before, entry.after)))
    wide = round(float(abs(entry.difference) / largest * 100), 2)
    return EntryShown(_label(entry, model), _PARTS[entry.part], before, after, entry.difference, wide)


def _label(entry: LedgerEntry, model: Model) -> str:
    if entry.metric == TIME:
        return "The day itself"
    if not entry.metric:
        return "Model changed" if entry.part == "model" else _PARTS[entry.part]
    return label_of(entry.metric, model.metrics.get(entry.metric))
