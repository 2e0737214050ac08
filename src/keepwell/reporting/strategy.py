"""The recommended strategy of a segment: what its definition says, and reasons from what sets it apart."""

from typing import Final

from keepwell.model.definitions import Segment
from keepwell.model.metric_definitions import Metric
from keepwell.reporting.patterns import Pattern, Patterns
from keepwell.reporting.words import Amounts, metric_words, money, number, percent

REASONS: Final = 3


def recommendations(
    definition: Segment | None, found: Patterns, currency: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The strategy's lines (the action where there are none), and the reasons in words."""
    lines = definition.strategy if definition is not None else ()
    if not lines and definition is not None and definition.action:
        lines = (definition.action,)
    telling = found.telling(REASONS)
    if not telling:
        return lines, (found.note or "nothing but its own definition sets it clearly apart",)
    return lines, tuple(pattern_words(pattern, currency) for pattern in telling)


def pattern_words(pattern: Pattern, currency: str, *, amounts: Amounts = money) -> str:
    """A difference in words, with its size and what it rests on; `amounts` says how money is written."""
    if pattern.kind == "category":
        return _category_words(pattern)
    metric = Metric(given=True, unit=pattern.unit)
    here, there = (
        metric_words(value, metric, currency, amounts=amounts) for value in (pattern.inside, pattern.outside)
    )
    direction = "higher" if pattern.effect > 0 else "lower"
    effect = f"Cliff's delta {number(pattern.effect, 2)}, {pattern.size}"
    return f"{pattern.label}: {direction} than elsewhere, median {here} against {there} ({effect})"


def _category_words(pattern: Pattern) -> str:
    more = "more" if pattern.effect > 0 else "less"
    named = pattern.label if pattern.category == "yes" else f"{pattern.label} “{pattern.category}”"
    lift = f", {number(pattern.lift)} times as often" if pattern.lift and pattern.effect > 0 else ""
    return (
        f"{named}: {more} common than elsewhere, {percent(pattern.inside)} against {percent(pattern.outside)}{lift}"
        f" ({pattern.size})"
    )
