"""Texts of the model with {placeholders}, filled in from a published row."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from keepwell.evaluation.words import value_words
from keepwell.model.words import after_number


def filled(text: str, row: Mapping[str, Any], value: float | None = None) -> str:
    """Put a customer's values in place of {company}, {customer_id}, {value} and metric names."""
    parts, last = [], ""
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(after_number(last, literal))
        last = "" if name is None else _word(name, row, value)
        parts.append(last)
    return "".join(parts)


def _word(name: str, row: Mapping[str, Any], value: float | None) -> str:
    if name == "value":
        return value_words(value)
    if name == "company":
        return str(row.get("name") or row.get("customer_id"))
    found = row.get(f"m.{name}", row.get(name))
    return value_words(float(found) if isinstance(found, int) and not isinstance(found, bool) else found)
