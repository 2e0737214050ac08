"""What the other weights would be when some were changed: the difference is spread in proportion, to the same sum."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import chain
from math import fsum, isclose
from typing import Any, Final

from keepwell.model.loader import LoadedModel
from keepwell.model.score_definitions import Component, Score
from keepwell.model.yaml_source import KeyPath
from keepwell.services.planning.edits import Edit

_WHOLE: Final = 100.0
_PLACES: Final = {True: 1, False: 3}
"""Decimal places of weights that sum to more than 1, and of shares of 1."""


@dataclass(frozen=True)
class Spread:
    """Weights that have to add up to `total`: `kept` is what was changed, the rest was made to fit."""

    label: str
    total: float
    lines: "tuple[SpreadLine, ...]"

    @property
    def before(self) -> float:
        """What the weights added up to."""
        return round(fsum(line.before for line in self.lines), 9)


@dataclass(frozen=True)
class SpreadLine:
    """One weight before and after."""

    label: str
    path: KeyPath
    before: float
    after: float
    kept: bool


@dataclass(frozen=True)
class _Group:
    label: str
    parts: Mapping[KeyPath, tuple[str, float]]
    total: float


def spread_weights(loaded: LoadedModel, wanted: Mapping[KeyPath, Any]) -> tuple[Spread, ...]:
    """For each sum that the wanted values upset, all its weights with the others made to fit; none when one cannot."""
    found: list[Spread] = []
    for name, score in loaded.model.scores.items():
        outer = _components(name, score)
        now = {path: _number(wanted.get(path, value)) for path, (_, value) in outer.parts.items()} if outer else {}
        # Lazily: the measures of a component follow its weight, which the spread before may have changed.
        for group in chain([outer] if outer else [], _measures(loaded, name, score, now)):
            spread = _spread(group, wanted)
            if spread is None:
                return ()
            if spread.lines:
                found.append(spread)
                now |= {line.path: line.after for line in spread.lines}
    return tuple(found)


def spread_edits(spreads: tuple[Spread, ...]) -> list[Edit]:
    """The edits that make the weights fit."""
    return [Edit(line.path, line.after) for spread in spreads for line in spread.lines if line.after != line.before]


def _components(name: str, score: Score) -> _Group | None:
    key = "maximum" if score.method == "sum" else "weight"
    path: KeyPath = ("scores", name, "components")
    parts = {
        (*path, part_name, key): (part.label or part_name, float(value))
        for part_name, part in score.components.items()
        if (value := getattr(part, key)) is not None
    }
    if len(parts) < len(score.components) or (key == "maximum" and score.kind != "health"):
        return None
    total = _WHOLE if key == "maximum" else fsum(value for _, value in parts.values())
    return _Group(score.label or name, parts, total)


def _measures(loaded: LoadedModel, name: str, score: Score, now: Mapping[KeyPath, float | None]) -> Iterator[_Group]:
    """The measures of each component. Where they add up to its own weight they follow that."""
    for part_name, part in score.components.items():
        path: KeyPath = ("scores", name, "components", part_name)
        parts = {
            (*path, "measures", key, "weight"): (_label(loaded, part, key), measure.weight)
            for key, measure in part.measures.items()
            if measure.weight is not None
        }
        if part.method != "mean" or not parts or len(parts) < len(part.measures):
            continue
        total = fsum(value for _, value in parts.values())
        own = now.get((*path, "weight"))
        follows = part.weight is not None and isclose(total, part.weight) and not isclose(total, _WHOLE)
        yield _Group(part.label or part_name, parts, own if follows and own and part.weight != own else total)


def _label(loaded: LoadedModel, part: Component, name: str) -> str:
    measure = part.measures[name]
    metric = loaded.model.metrics.get(measure.metric or "")
    return measure.label or (metric.label if metric else "") or name.replace("_", " ")


def _spread(group: _Group, wanted: Mapping[KeyPath, Any]) -> Spread | None:
    """A group with its weights made to fit: without lines where they do, None where they cannot."""
    kept = {path: _number(wanted[path]) for path in group.parts if path in wanted}
    if any(value is None or value < 0 for value in kept.values()):
        return None
    values = {path: value for path, (_, value) in group.parts.items()} | {
        k: v for k, v in kept.items() if v is not None
    }
    if isclose(fsum(values.values()), group.total, rel_tol=1e-9):
        return Spread(group.label, group.total, ())
    others = {path: values[path] for path in group.parts if path not in kept}
    left = group.total - fsum(values[path] for path in kept)
    if not others or left <= 0:
        return None
    after = values | _shares(others, left, group.total)
    lines = (
        SpreadLine(label, path, before, after[path], path in kept) for path, (label, before) in group.parts.items()
    )
    return Spread(group.label, group.total, tuple(lines))


def _shares(parts: Mapping[KeyPath, float], left: float, total: float) -> dict[KeyPath, float]:
    """What is left, divided in proportion into round numbers that add up to it."""
    whole = Decimal(repr(round(left, 9)))
    places = max(_PLACES[total > 1], -int(whole.normalize().as_tuple().exponent))
    unit = Decimal(1).scaleb(-places)
    weighs = {path: Decimal(repr(value)) for path, value in parts.items()}
    everything = sum(weighs.values(), Decimal(0))
    exact = {path: whole * weigh / everything if everything else whole / len(parts) for path, weigh in weighs.items()}
    floor = {path: value.quantize(unit, rounding=ROUND_FLOOR) for path, value in exact.items()}
    missing = int((whole - sum(floor.values(), Decimal(0))) / unit)
    for path in sorted(exact, key=lambda path: floor[path] - exact[path])[:missing]:
        floor[path] += unit
    return {path: float(value) for path, value in floor.items()}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
