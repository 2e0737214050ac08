"""The report in a few sentences, with the numbers that a head of customer success asks for."""

from collections.abc import Iterator
from typing import Final

from keepwell.reporting.expansion import Expansions
from keepwell.reporting.portfolio import Change, Portfolio, Share
from keepwell.reporting.retention import Retention
from keepwell.reporting.risks import Risks
from keepwell.reporting.words import MINUS, count, day, listed, money, number, percent

LARGEST: Final = 3


def summary(
    figures: Portfolio,
    retained: Retention | None,
    risks: Risks,
    expansions: Expansions,
    *,
    workspace: str,
    currency: str,
) -> tuple[str, ...]:
    """Three to five sentences."""
    return tuple(_sentences(figures, retained, risks, expansions, workspace, currency))


def _sentences(
    figures: Portfolio,
    retained: Retention | None,
    risks: Risks,
    expansions: Expansions,
    workspace: str,
    currency: str,
) -> Iterator[str]:
    now = figures.totals
    if not now.customers:
        yield f"{workspace} has no customers on {day(now.as_of)}."
        return
    yield _size(figures, workspace, currency)
    yield _health(figures) if figures.bands else _spread(figures.segments, currency)
    yield _risk(figures, risks, currency)
    if retained is not None and retained.nrr is not None:
        yield _retention(retained, currency)
    if expansions.customers:
        worth = f" worth {money(expansions.yearly, currency)} a year" if expansions.yearly else ""
        verb = "has room" if expansions.customers == 1 else "have room"
        yield f"{count(expansions.customers, 'customer')} {verb} to grow{worth}."


def _size(figures: Portfolio, workspace: str, currency: str) -> str:
    now = figures.totals
    text = f"{workspace} has {count(now.customers, 'customer')} with {money(now.arr, currency)} ARR"
    month = figures.month
    if month is None:
        return f"{text}."
    return f"{text}; that is {_more(month.customers)} and {_change(month.arr, currency)} ARR since {day(month.since)}."


def _more(change: int) -> str:
    if not change:
        return "as many customers"
    more = "more" if change > 0 else "fewer"
    return f"{abs(change):,} {more} {'customer' if abs(change) == 1 else 'customers'}"


def _change(amount: float, currency: str) -> str:
    text = money(amount, currency)
    return text if text.startswith(MINUS) else f"+{text}"


def _health(figures: Portfolio) -> str:
    now, month = figures.totals, figures.month
    if now.average_score is None:
        return "No customer has enough data for a health score."
    text = f"Average health is {number(now.average_score)} ({number(now.weighted_score)} weighted by ARR)"
    text += _moved(month)
    best = max(figures.bands, key=lambda band: band.customers)
    text += f"; {percent(best.customers_share)} of customers are {best.label}"
    if figures.not_enough_data:
        text += f", and {count(figures.not_enough_data, 'customer')} cannot be scored for want of data"
    return f"{text}."


def _moved(month: Change | None) -> str:
    if month is None or month.average_score is None:
        return ""
    points = month.average_score
    if abs(points) < 0.05:
        return f", unchanged since {day(month.since)}"
    return f", {'up' if points > 0 else 'down'} {number(abs(points))} since {day(month.since)}"


def _spread(segments: tuple[Share, ...], currency: str) -> str:
    largest = sorted(segments, key=lambda share: -share.customers)[:LARGEST]
    said = [f"{s.label} {percent(s.customers_share)} ({money(s.arr, currency)} ARR)" for s in largest if s.customers]
    return f"The largest segments are {listed(said)}."


def _risk(figures: Portfolio, risks: Risks, currency: str) -> str:
    if not risks.customers:
        return "No customer is at risk by the model's rules."
    whole = figures.totals.arr
    part = f", {percent(risks.arr / whole)} of the total" if whole else ""
    verb = "is" if risks.customers == 1 else "are"
    text = f"{count(risks.customers, 'customer')} with {money(risks.arr, currency)} ARR{part}, {verb} at risk"
    if risks.top and risks.top[0].arr is not None:
        first = risks.top[0]
        text += f"; first on the list is {first.name or first.customer_id} with {money(first.arr, currency)} ARR"
    return f"{text}."


def _retention(retained: Retention, currency: str) -> str:
    return (
        f"Over the last {retained.days} days net revenue retention was {percent(retained.nrr, 1)} and gross retention"
        f" {percent(retained.grr, 1)}; {count(retained.lost, 'customer')} ({percent(retained.logo_churn, 1)}) left,"
        f" taking {money(12 * retained.churned, currency)} ARR with them."
    )
