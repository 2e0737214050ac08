"""Texts of the model with {placeholders}, filled in from a published row."""

from collections.abc import Mapping
from string import Formatter
from typing import Any

from keepwell.evaluation.words import value_words


def filled(text: str, row: Mapping[str, Any], value: float | None = None) -> str:
    """Put a customer's values in place of {company}, {customer_id}, {value} and metric names."""
    parts = []
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            parts.append(_word(name, row, value))
    return "".join(parts)


def _word(name: str, row: Mapping[str, Any], value: float | None) -> str:
    if name == "value":
        return value_words(value)
    if name == "company":
        return str(row.get("name") or row.get("customer_id"))
    found = row.get(f"m.{name}", row.get(name))
    return value_words(float(found) if isinstance(found, int) and not isinstance(found, bool) else found)
