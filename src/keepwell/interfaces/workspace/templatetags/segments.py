"""How figures of segments are written: shares as widths, flows as addresses, names that have a page."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import template

from keepwell.reporting.groups import BANDS, NO_SEGMENT

register = template.Library()


@register.filter
def in_percent(value: float | None) -> str:
    """A share as a width."""
    return f"{100 * (value or 0):.3f}"


@register.filter
def is_segment(name: str, by: str) -> bool:
    """Whether a group of a dimension is a segment with a page of its own."""
    return by != BANDS and name not in ("", NO_SEGMENT)


@register.filter
def as_query(values: Mapping[str, Any]) -> str:
    """Parameters of an address."""
    return urlencode(values)


@register.filter
def half_width(effect: float) -> str:
    """An effect from -1 to 1 as the width of its bar, of which the half is the most."""
    return f"{50 * abs(effect):.1f}"
