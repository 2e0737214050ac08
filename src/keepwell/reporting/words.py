"""Figures in words, as people read them: money, shares, changes, plurals and metric values."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from keepwell.model.metric_definitions import Metric
from keepwell.model.words import counted, with_unit

SYMBOLS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
NONE: Final = "–"
MINUS: Final = "−"
MILLION, THOUSAND = 1e6, 1e3
TIMES: Final = ("days", "hours", "months", "minutes")
Amounts = Callable[[float, str], str]
SHARES: Final = frozenset({"share", "ratio - 1", "%"})


def money(amount: float | None, currency: str, finer: int = 0) -> str:
    """An amount, short: `$5.2M`, `€116K`, `CHF 940`; `finer` are more decimals than that."""
    if amount is None:
        return NONE
    size = abs(amount)
    if size >= MILLION - THOUSAND / 2:
        text = f"{size / MILLION:,.{finer + (size < 100 * MILLION)}f}M"
    elif size >= 10 * THOUSAND - 0.5:
        text = f"{size / THOUSAND:,.{finer}f}K"
    else:
        text = f"{size:,.{min(finer, 2)}f}"
    return f"{MINUS if amount <= -0.5 else ''}{SYMBOLS.get(currency, currency + ' ')}{text}"


def percent(share: float | None, decimals: int = 0) -> str:
    """A share as a percentage: `42 %`."""
    if share is None:
        return NONE
    text = f"{abs(share) * 100:,.{decimals}f}"
    negative = share < 0 and float(text.replace(",", "")) > 0
    return f"{MINUS if negative else ''}{text} %"


def number(value: float | None, decimals: int = 1) -> str:
    """A number with at most so many decimals."""
    if value is None:
        return NONE
    text = f"{abs(value):,.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return f"{MINUS if value < 0 and text != '0' else ''}{text}"


def signed(text: str) -> str:
    """A text of a number with its sign: `+3`."""
    return text if text.startswith(MINUS) or text.strip("0.,$€£¥₹ %KM") == NONE or not _positive(text) else f"+{text}"


def _positive(text: str) -> bool:
    return any(digit in "123456789" for digit in text)


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """`1 customer`, `1,200 customers`."""
    return counted(amount, noun, plural)


def day(value: date | None) -> str:
    """`30 Jun 2026`."""
    return NONE if value is None else f"{value.day} {value:%b %Y}"


def listed(items: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    texts = list(items)
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {last} {texts[-1]}" if texts else ""


def label_of(name: str, metric: Metric | None) -> str:
    """What a metric is called."""
    if metric is not None and metric.label:
        return metric.label
    plain = name.replace("_", " ")
    return plain[:1].upper() + plain[1:]


_SHORT: Final = frozenset({"API", "CEO", "CSM", "NPS", "QBR", "ROI"})


def action_words(action: str) -> str:
    """What is to be done, where a model names it as programs do (PROACTIVE_UPGRADE_OUTREACH); sentences stay."""
    if " " in action:
        return action
    words = [word if word in _SHORT else word.lower() for word in action.upper().split("_")]
    said = " ".join(words)
    return said[:1].upper() + said[1:]


def metric_words(
    value: object, metric: Metric | None, currency: str, *, units: bool = True, amounts: Amounts = money
) -> str:
    """A metric's value as people read it; without `units` a length of time is a bare number.

    `amounts` says how money is written: a page writes it as the rest of it does.
    """
    unit = metric.unit if metric is not None else ""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return day(value)
    if not isinstance(value, int | float):
        return str(value)
    if unit == "money":
        return amounts(value, currency)
    if unit in SHARES:
        return percent(value)
    return with_unit(number(value), unit if units and unit in TIMES else "")
