"""The figures at the top of the report: value, change over 30 days, and whether that is good."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from keepwell.reporting.portfolio import Change, Portfolio
from keepwell.reporting.report import Report
from keepwell.reporting.retention import Retention
from keepwell.reporting.words import MINUS, count, day, money, number, percent

Tone = Literal["good", "bad", "even"]


@dataclass(frozen=True)
class Card:
    """One figure. `tone` colours the change; `note` says what it rests on."""

    label: str
    value: str
    change: str = ""
    tone: Tone = "even"
    note: str = ""


def cards(report: Report) -> tuple[Card, ...]:
    """All figures, in the order a reader asks for them."""
    return tuple(_cards(report))


def _cards(report: Report) -> Iterator[Card]:
    figures, currency = report.portfolio, report.about.currency
    now, month = figures.totals, figures.month
    change, tone = _change(month.customers if month else None, "{:,.0f}")
    yield Card("Customers", f"{now.customers:,}", change, tone, _since(month))
    yield _arr(figures, currency)
    if report.about.score is not None:
        change, tone = _change(month.average_score if month else None, "{:.1f}")
        note = f"{number(now.weighted_score)} weighted by ARR"
        yield Card(f"Average {report.about.score.lower()}", number(now.average_score), change, tone, note)
    yield _at_risk(figures, currency)
    if report.quarter is not None:
        yield from _retention(report.quarter, report.year)
    yield from _scored(figures)


def _arr(figures: Portfolio, currency: str) -> Card:
    month = figures.month
    note = f"{money(figures.totals.mrr, currency)} a month"
    if month is None:
        return Card("ARR", money(figures.totals.arr, currency), note=note)
    text = money(month.arr, currency)
    tone: Tone = "even" if not round(month.arr) else "good" if month.arr > 0 else "bad"
    return Card("ARR", money(figures.totals.arr, currency), text if text[0] == MINUS else f"+{text}", tone, note)


def _at_risk(figures: Portfolio, currency: str) -> Card:
    now, month = figures.totals, figures.month
    change, tone = _change(month.at_risk if month else None, "{:,.0f}", more_is_good=False)
    part = now.arr_at_risk / now.arr if now.arr else None
    note = f"{count(now.at_risk, 'customer')}, {percent(part)} of ARR"
    return Card("ARR at risk", money(now.arr_at_risk, currency), _customers(change, month), tone, note)


def _customers(change: str, month: Change | None) -> str:
    if month is None or not month.at_risk:
        return change
    return f"{change} {'customer' if abs(month.at_risk) == 1 else 'customers'}"


def _retention(quarter: Retention, year: Retention | None) -> Iterator[Card]:
    rates = (
        ("Net revenue retention", quarter.nrr, year and year.nrr),
        ("Gross revenue retention", quarter.grr, year and year.grr),
        ("Customers lost", quarter.logo_churn, year and year.logo_churn),
    )
    for label, value, long in rates:
        period = f"{quarter.days} days to {day(quarter.last)}"
        longer = f"{percent(long, 1)} in {year.days} days" if isinstance(long, float) and year else ""
        yield Card(label, percent(value, 1), note=longer or quarter.why or period, change=f"{quarter.days} days")


def _scored(figures: Portfolio) -> Iterator[Card]:
    if figures.coverage is not None:
        missing = figures.not_enough_data or 0
        note = f"{count(missing, 'customer')} without enough data" if missing else "everybody could be scored"
        yield Card("Data coverage", percent(figures.coverage), note=note)


def _change(amount: float | None, form: str, *, more_is_good: bool = True) -> tuple[str, Tone]:
    if amount is None:
        return "", "even"
    text = form.format(abs(amount))
    if not any(digit in "123456789" for digit in text):
        return "no change", "even"
    return (f"+{text}" if amount > 0 else f"{MINUS}{text}"), ("good" if (amount > 0) is more_is_good else "bad")


def _since(month: Change | None) -> str:
    return f"changes since {day(month.since)}" if month else "no earlier snapshot to compare with"
