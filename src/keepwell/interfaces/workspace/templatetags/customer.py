"""How the customer page writes points, words of the canonical tables, and amounts of the timeline."""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django import template

from keepwell.interfaces.workspace.templatetags.keepwell import MINUS, UNKNOWN, day, money

register = template.Library()

_DATED: Final = re.compile(r"\b(resolved|due|paid|answered|effective) (\d{4}-\d{2}-\d{2})\b")
_CODES: Final = frozenset({"subscription", "renewal"})
"""What is told of these is a word of the canonical tables, never what somebody wrote."""


@register.filter
def detailed(entry: Any) -> str:
    """What a line of the timeline says further, with its days as people write them."""
    text = entry.detail.replace("_", " ") if entry.kind in _CODES else entry.detail
    return _DATED.sub(lambda found: f"{found[1]} {day(date.fromisoformat(found[2]))}", text)


@register.filter
def points(value: Decimal | float | None) -> str:
    """Points with a sign and one decimal; zero has neither."""
    if value is None:
        return UNKNOWN
    text = f"{abs(value):,.1f}"
    if text == "0.0":
        return "0"
    return f"{MINUS if value < 0 else '+'}{text}"


@register.filter
def bare(value: Decimal | float) -> str:
    """Points with one decimal and no plus."""
    return points(value).removeprefix("+")


@register.filter
def worded(value: str | None) -> str:
    """A word of the canonical tables as people write it: `decision_maker` is `Decision maker`."""
    if not value:
        return UNKNOWN
    plain = value.replace("_", " ")
    return plain[:1].upper() + plain[1:]


@register.filter
def signed_money(value: float | None, currency: str = "") -> str:
    """Money that was added or taken away; nothing for zero."""
    if not value:
        return ""
    return ("+" if value > 0 else "") + money(value, currency)
