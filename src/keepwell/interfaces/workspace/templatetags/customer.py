"""How the customer page writes points, words of the canonical tables, and amounts of the timeline."""

from decimal import Decimal

from django import template

from keepwell.interfaces.workspace.templatetags.keepwell import MINUS, UNKNOWN, money

register = template.Library()


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
