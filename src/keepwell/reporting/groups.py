"""Ways to divide customers: the bands of a score or one dimension of segments, and which group is better than which."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.model.conditions import ConditionTree, Leaf, condition_leaves
from keepwell.model.definitions import Model, Segment
from keepwell.model.expression_tree import Between, Compare, Literal, Name
from keepwell.model.graph import segment_key
from keepwell.model.loader import LoadedModel
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day, Values
from keepwell.scoring.scorecards import NOT_ENOUGH_DATA
from keepwell.segments.membership import primary_dimension

BANDS: Final = "bands"
NO_SEGMENT: Final = "No segment"
GROWTH: Final = "expansion"
GOODNESS: Final = {"green": 5.0, "lime": 4.0, "gray": 3.0, "yellow": 2.0, "orange": 1.0, "red": 0.0}


@dataclass(frozen=True)
class Group(Plain):
    """One group of customers. A larger `rank` is better; without one a move to or from it is neither up nor down."""

    name: str
    label: str
    color: str = "gray"
    rank: float | None = None


@dataclass(frozen=True)
class Grouping:
    """A division of customers: `by` is `bands` (of the score `score`) or a dimension of segments."""

    by: str
    title: str
    groups: tuple[Group, ...]
    model: Model
    score: str | None = None

    def of(self, day: Day) -> Values:
        """The name of the group of every row."""
        if self.score is not None:
            return _or(day.text(f"{self.score}_band"), NOT_ENOUGH_DATA)
        if self.by == primary_dimension(self.model.segments.values()):
            return _or(day.text("segment"), NO_SEGMENT)
        own = {group.name for group in self.groups}
        found = [next((name for name in names if name in own), NO_SEGMENT) for names in day.lists("segments")]
        return np.array(found, dtype=object)

    def group(self, name: str) -> Group:
        """A group by its name; names of another model's snapshot are groups without rank."""
        return next((group for group in self.groups if group.name == name), Group(name, name))


def groupings(model: Model) -> tuple[str, ...]:
    """What `grouping` takes: every dimension of segments, the primary one first, and bands where there is a score."""
    dimensions = tuple(dict.fromkeys(segment.dimension for segment in model.segments.values()))
    primary = primary_dimension(model.segments.values())
    ordered = tuple(sorted(dimensions, key=lambda name: name != primary))
    return (*ordered, BANDS) if model.scores else ordered


def grouping(loaded: LoadedModel, by: str, days: Sequence[Day]) -> Grouping:
    """The groups of a division, as the model and the given days (segments per value) have them.

    Raises ValueError when `by` is neither a dimension nor `bands`.
    """
    model = loaded.model
    if by not in groupings(model):
        raise ValueError(f"cannot divide by '{by}'; choose one of {', '.join(groupings(model))}")
    if by == BANDS:
        return _bands(loaded)
    chosen = {name: segment for name, segment in model.segments.items() if segment.dimension == by}
    ranks = _ranks(loaded, chosen)
    groups = []
    for name, segment in chosen.items():
        shown = _members(model, name, days) if segment.by else [name]
        groups += [Group(s, _label(segment, name, s), segment.color, ranks.get(name)) for s in shown]
    groups += _none(groups, ranks, any(segment.catch_all for segment in chosen.values()))
    return Grouping(by, by.replace("_", " "), tuple(groups), model)


def _bands(loaded: LoadedModel) -> Grouping:
    compiled = compile_model(loaded)
    score = compiled.health() or next(iter(loaded.model.scores))
    definition = loaded.model.scores[score]
    sign = -1.0 if definition.kind == "risk" else 1.0
    rising = sorted(definition.bands, key=lambda band: -sign * band.start)
    groups = [Group(band.name, band.name, band.color, sign * band.start) for band in rising]
    groups.append(Group(NOT_ENOUGH_DATA, NOT_ENOUGH_DATA))
    return Grouping(BANDS, f"{(definition.label or score).lower()} bands", tuple(groups), loaded.model, score)


def _label(segment: Segment, name: str, shown: str) -> str:
    return shown if shown != name else segment.label or name


def _members(model: Model, key: str, days: Iterable[Day]) -> list[str]:
    """The segments that a definition per value has on the given days, by name."""
    names = {name for day in days for names in day.lists("segments") for name in names}
    return sorted(name for name in names if name not in model.segments and segment_key(model, name) == key)


def _none(groups: Sequence[Group], ranks: Mapping[str, float], complete: bool) -> list[Group]:
    """Where no segment takes the rest, being in none is a group of its own, in the middle of the colours."""
    if complete or not groups:
        return []
    colored = any(group.color != "gray" for group in groups)
    return [Group(NO_SEGMENT, NO_SEGMENT, "gray", GOODNESS["gray"] if colored and ranks else None)]


def _ranks(loaded: LoadedModel, segments: Mapping[str, Segment]) -> dict[str, float]:
    """By thresholds of one metric where all segments are ranges of it, else by colour, else by priority."""
    ranges = _by_threshold(loaded, segments)
    colors = {name: _goodness(name, s) for name, s in segments.items()}
    if ranges:
        known = [name for name in ranges if segments[name].color != "gray"]
        down = len(known) > 1 and (max(known, key=colors.__getitem__) == min(known, key=ranges.__getitem__))
        return {name: -start if down else start for name, start in ranges.items()}
    if len({s.color for s in segments.values()}) > 1:
        return colors
    return {name: float(s.priority) for name, s in segments.items() if s.priority is not None}


def _goodness(name: str, segment: Segment) -> float:
    """By colour; who could grow is at least as well as who is well, whatever colour draws attention to it."""
    return GOODNESS["green"] if GROWTH in name.lower() else GOODNESS[segment.color]


def _by_threshold(loaded: LoadedModel, segments: Mapping[str, Segment]) -> dict[str, float]:
    conditions = compile_model(loaded).conditions
    found = {name: _range(conditions[s.when]) for name, s in segments.items() if s.when is not None}
    metrics = {bound[0] for bound in found.values() if bound is not None}
    if len(found) < 2 or None in found.values() or len(metrics) != 1:
        return {}
    return {name: bound[1] for name, bound in found.items() if bound is not None}


def _range(tree: ConditionTree) -> tuple[str, float] | None:
    """The metric that a condition is a range of, and where the range starts."""
    bounds = [_bound(leaf) for leaf in condition_leaves(tree)]
    known = [bound for bound in bounds if bound is not None]
    if not known or len(known) < len(bounds) or len({name for name, _ in known}) != 1:
        return None
    return known[0][0], max(start for _, start in known)


def _bound(leaf: object) -> tuple[str, float] | None:
    match leaf:
        case Leaf(Compare(">=" | ">", Name(name), Literal(value))):
            return name, float(str(value))
        case Leaf(Compare("<" | "<=", Name(name), Literal())):
            return name, float("-inf")
        case Leaf(Between(Name(name), Literal(low), Literal())):
            return name, float(str(low))
    return None


def _or(values: Values, default: str) -> Values:
    return np.array([default if value is None else value for value in values], dtype=object)
