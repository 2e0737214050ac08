"""What sets a segment apart from everybody else, with effect sizes on one scale.

Numbers are compared by Cliff's delta: how much more often a member is above a non-member than below, from -1 to 1.
It asks nothing of the distribution, which counts and money need. For a category the difference in shares is the same
figure. Intervals are 95 %, from formulas (Feng and Cliff 2004; Newcombe 1998), so that nothing here is random.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from keepwell.evaluation.compiled import CompiledModel, compile_model
from keepwell.metrics.frame import Bools, Floats
from keepwell.model.conditions import condition_names
from keepwell.model.expressions import names_in
from keepwell.model.loader import LoadedModel
from keepwell.model.metric_definitions import MetricType
from keepwell.reporting.effects import cliffs_delta, odds_ratio, share_difference, size_words
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day, Values
from keepwell.reporting.words import label_of

FEWEST: Final = 10
MOST_CATEGORIES: Final = 25
TELLING: Final = 5
ATTRIBUTES: Final = ("industry", "country", "plan", "lifecycle_stage")


@dataclass(frozen=True)
class Pattern(Plain):
    """One difference between a segment and the rest.

    `effect` is Cliff's delta, or the difference in shares where `kind` is category; `low` and `high` are its 95 %
    interval. `inside` and `outside` are medians, or shares. `defining`: the segment's own condition reads it.
    """

    name: str
    label: str
    kind: Literal["number", "category"]
    category: str
    effect: float
    low: float
    high: float
    size: str
    inside: float
    outside: float
    inside_n: int
    outside_n: int
    lift: float | None
    odds_ratio: float | None
    defining: bool
    unit: str = ""

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out zero and the effect is more than negligible."""
        return self.low * self.high > 0 and self.size != "negligible"


@dataclass(frozen=True)
class Patterns(Plain):
    """All differences of one segment, the largest first; `note` says why there are none."""

    segment: str
    inside: int
    outside: int
    patterns: tuple[Pattern, ...]
    note: str = ""

    def telling(self, limit: int = TELLING) -> tuple[Pattern, ...]:
        """The clear differences that the segment's own definition does not explain; one per metric."""
        found = {p.name: p for p in reversed(self.patterns) if p.clear and not p.defining}
        return tuple(p for p in self.patterns if found.get(p.name) is p)[:limit]


def patterns_of(
    loaded: LoadedModel, present: Day, inside: Bools, label: str, *, segment: str | None = None
) -> Patterns:
    """Compare the rows in `inside` with the rest; `segment` is the definition whose inputs are marked as defining."""
    counts = int(inside.sum()), int((~inside).sum())
    if min(counts) < FEWEST:
        where = "in the segment" if counts[0] < FEWEST else "outside the segment"
        return Patterns(label, *counts, (), f"fewer than {FEWEST} customers {where}: too few to compare")
    compiled = compile_model(loaded)
    own = _defining(compiled, segment)
    found = [*_numbers(compiled, present, inside, own), *_categories(compiled, present, inside, own)]
    found.sort(key=lambda p: (-abs(p.effect), p.name, p.category))
    kept = tuple(_without_twins(found))
    return Patterns(label, *counts, kept, "" if kept else "nothing differs that is known of enough customers")


def _numbers(compiled: CompiledModel, present: Day, inside: Bools, own: frozenset[str]) -> Iterator[Pattern]:
    labelled = any(metric.label for metric in compiled.metrics().values())
    for name, metric in compiled.metrics().items():
        if compiled.types[name] is MetricType.NUMBER and (metric.label or not labelled):
            values = present.number(f"m.{name}")
            yield from _number(name, label_of(name, metric), metric.unit, values, inside, name in own)
    if "company_size" not in compiled.metrics():
        values = present.number("company_size")
        yield from _number("company_size", "Employees", "", values, inside, False)


def _number(name: str, label: str, unit: str, values: Floats, inside: Bools, own: bool) -> Iterator[Pattern]:
    known = ~np.isnan(values)
    here, there = values[known & inside], values[known & ~inside]
    if min(len(here), len(there)) < FEWEST or values[known].min() == values[known].max():
        return
    effect = cliffs_delta(here, there)
    medians = float(np.median(here)), float(np.median(there))
    said = effect.value, effect.low, effect.high, size_words(effect.value)
    yield Pattern(name, label, "number", "", *said, *medians, len(here), len(there), None, None, own, unit)


def _categories(compiled: CompiledModel, present: Day, inside: Bools, own: frozenset[str]) -> Iterator[Pattern]:
    kinds, metrics = (MetricType.TEXT, MetricType.BOOLEAN), compiled.metrics()
    for name, metric in metrics.items():
        if compiled.types[name] in kinds:
            column = present.text(f"m.{name}")
            yield from _shares(name, label_of(name, metric), column, inside, name in own)
    for name in ATTRIBUTES:
        if name not in metrics:
            yield from _shares(name, label_of(name, None), present.text(name), inside, False)


def _shares(name: str, label: str, column: Values, inside: Bools, own: bool) -> Iterator[Pattern]:
    values = [_category(value) for value in column.tolist()]
    known = np.array([value is not None for value in values], dtype=np.bool_)
    categories = sorted({value for value in values if value is not None})
    totals = int((known & inside).sum()), int((known & ~inside).sum())
    if min(totals) < FEWEST or not 1 < len(categories) <= MOST_CATEGORIES:
        return
    for category in ["yes"] if set(categories) == {"no", "yes"} else categories:
        same = np.array([value == category for value in values], dtype=np.bool_)
        hits = int((same & inside).sum()), int((same & ~inside).sum())
        if sum(hits) < FEWEST:
            continue
        effect = share_difference(hits[0], totals[0], hits[1], totals[1])
        shares = hits[0] / totals[0], hits[1] / totals[1]
        lift = shares[0] / shares[1] if hits[1] else None
        said = effect.value, effect.low, effect.high, size_words(effect.value)
        odds = odds_ratio(hits[0], totals[0], hits[1], totals[1])
        yield Pattern(name, label, "category", category, *said, *shares, *totals, lift, odds, own)


def _category(value: object) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, bool | float):
        return "yes" if value else "no"
    return str(value)


def _without_twins(found: list[Pattern]) -> Iterator[Pattern]:
    """A metric and its source are the same numbers: the first one is enough."""
    seen = set()
    for pattern in found:
        key = (pattern.kind, pattern.category, pattern.effect, pattern.inside, pattern.inside_n, pattern.outside_n)
        if key not in seen:
            seen.add(key)
            yield pattern


def _defining(compiled: CompiledModel, segment: str | None) -> frozenset[str]:
    """The metrics that a segment's condition reads, and those made from the same ones."""
    if segment is None:
        return frozenset()
    definition = compiled.model.segments[segment]
    names = set() if definition.when is None else set(condition_names(compiled.conditions[definition.when]))
    names |= {definition.by} if definition.by else set()
    base = {part for name in names for part in _closure(compiled, name)}
    return frozenset(name for name in compiled.metrics() if not base.isdisjoint(_closure(compiled, name)))


def _closure(compiled: CompiledModel, name: str) -> frozenset[str]:
    """A metric and everything its formula reads."""
    found, waiting = {name}, [name]
    while waiting:
        metric = compiled.model.metrics.get(waiting.pop())
        parts = names_in(compiled.formulas[metric.expr]) if metric and metric.expr else ()
        waiting += [part for part in parts if part not in found]
        found |= set(parts)
    return frozenset(found)
