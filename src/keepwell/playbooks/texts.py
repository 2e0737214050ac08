"""Texts of steps with {placeholders}, filled in from what is known of the customer."""

from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Final

from keepwell.evaluation.words import value_words
from keepwell.model.words import after_number
from keepwell.playbooks.facts import Facts, Value


@dataclass(frozen=True)
class Amounts:
    """Which values are money, and in which currency."""

    names: frozenset[str] = frozenset()
    currency: str = ""


NO_AMOUNTS: Final = Amounts()
_WHOLE: Final = 100
"""From here on nobody reads the cents."""


def filled(text: str, customer: str, facts: Facts | None, amounts: Amounts = NO_AMOUNTS) -> str:
    """Put values in place of {company}, {customer_id} and metric names; what is unknown says so."""
    parts, last = [], ""
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(after_number(last, literal))
        last = "" if name is None else _word(name, customer, facts, amounts)
        parts.append(last)
    return "".join(parts)


def _word(name: str, customer: str, facts: Facts | None, amounts: Amounts) -> str:
    values = {} if facts is None else facts.values
    if name == "customer_id":
        return customer
    if name == "company":
        return str(values.get("company") or customer)
    value = values.get(name)
    if name in amounts.names and isinstance(value, int | float):
        return f"{_said(float(round(value)) if abs(value) >= _WHOLE else value)} {amounts.currency}".rstrip()
    return _said(value)


def _said(value: Value) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return value_words(float(value))
    return value.isoformat() if isinstance(value, date) else value_words(value)
