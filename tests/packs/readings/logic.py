"""Three-valued logic, exact points and weighted gathering, as the readings need them. Unknown is None."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

Row = Mapping[str, Any]
Truth = bool | None
NOT_ENOUGH = "Not enough data"


def number(row: Row, name: str) -> Fraction | None:
    """The exact decimal value that the row shows."""
    value = row.get(name)
    return None if value is None else Fraction(str(value))


def text(row: Row, name: str) -> str | None:
    """A word in lower case: spellings of case do not matter."""
    value = row.get(name)
    return None if value is None else str(value).strip().lower()


def ge(value: Fraction | None, bound: Any) -> Truth:
    return None if value is None or bound is None else value >= Fraction(str(bound))


def gt(value: Fraction | None, bound: Any) -> Truth:
    return None if value is None or bound is None else value > Fraction(str(bound))


def le(value: Fraction | None, bound: Any) -> Truth:
    return no(gt(value, bound))


def lt(value: Fraction | None, bound: Any) -> Truth:
    return no(ge(value, bound))


def one_of(value: str | None, *options: str) -> Truth:
    return None if value is None else value in options


def no(truth: Truth) -> Truth:
    return None if truth is None else not truth


def both(*truths: Truth) -> Truth:
    """One false decides, otherwise one unknown does."""
    if any(t is False for t in truths):
        return False
    return None if any(t is None for t in truths) else True


def either(*truths: Truth) -> Truth:
    """One true decides, otherwise one unknown does."""
    return no(both(*(no(t) for t in truths)))


@dataclass(frozen=True)
class Part:
    """One measure: its points (None: unknown), its weight, whether unknown counts as 0, whether it can add."""

    points: Fraction | None
    weight: Fraction
    zero: bool = False
    gain: bool = True


def part(points: Any, weight: Any, *, zero: bool = False, gain: bool = True) -> Part:
    return Part(None if points is None else Fraction(str(points)), Fraction(str(weight)), zero, gain)


def stairs(value: Fraction | None, steps: Sequence[tuple[Any, Any]], *, strict: bool = False) -> Fraction | None:
    """Points of the first (highest) bound that the value reaches, or exceeds when strict."""
    if value is None:
        return None
    for bound, points in steps:
        if (value > Fraction(str(bound))) if strict else (value >= Fraction(str(bound))):
            return Fraction(str(points))
    return Fraction(0)


def share(value: Fraction | None, full: Any, points: Any) -> Fraction | None:
    """Straight from 0 to `points` at `full`, capped at both ends."""
    if value is None:
        return None
    return max(Fraction(0), min(value / Fraction(str(full)), Fraction(1))) * Fraction(str(points))


def line(value: Fraction | None, *pairs: tuple[Any, Any]) -> Fraction | None:
    """Straight between pairs, flat outside."""
    if value is None:
        return None
    known = [(Fraction(str(x)), Fraction(str(y))) for x, y in pairs]
    if value <= known[0][0]:
        return known[0][1]
    for (x0, y0), (x1, y1) in pairwise(known):
        if value <= x1:
            return y0 + (y1 - y0) * (value - x0) / (x1 - x0)
    return known[-1][1]


@dataclass(frozen=True)
class Group:
    """A component: value, how much of it is left, and how much of it rests on data."""

    value: Fraction | None
    left: Fraction
    known: Fraction


def _shares(parts: Sequence[Part]) -> tuple[Fraction, Fraction]:
    total = sum((p.weight for p in parts), Fraction(0))
    left = sum((p.weight for p in parts if p.points is not None or p.zero), Fraction(0))
    known = sum((p.weight for p in parts if p.points is not None), Fraction(0))
    return left / total, known / total


def added(parts: Sequence[Part], *, start: int = 0, maximum: int = 100) -> Group:
    """A sum of points from 0 to its maximum; gains stand in for gains that are unknown."""
    left, known = _shares(parts)
    kept = [p for p in parts if p.points is not None or p.zero]
    if not kept:
        return Group(None, left, known)
    if start and not known:
        # A head start is kept by data that takes none away; without any data there is nothing to say.
        return Group(None, Fraction(0), known)
    gains = sum((p.weight for p in parts if p.gain), Fraction(0))
    kept_gains = sum((p.weight for p in kept if p.gain), Fraction(0))
    scale = gains / kept_gains if kept_gains else Fraction(1)
    points = [p.points or Fraction(0) for p in kept]
    total = start + sum((p * scale if p > 0 else p for p in points), Fraction(0))
    return Group(max(Fraction(0), min(total, Fraction(maximum))), left, known)


def mean(parts: Sequence[Part]) -> Group:
    """The weighted mean of values from 0 to 100."""
    left, known = _shares(parts)
    kept = [p for p in parts if p.points is not None]
    weight = sum((p.weight for p in kept), Fraction(0))
    value = sum((p.points * p.weight for p in kept if p.points is not None), Fraction(0)) / weight if weight else None
    return Group(value, left, known)


def half_up(value: Fraction) -> int:
    return (value * 2 + 1) // 2


def band_of(score: int | None, bands: Sequence[tuple[int, str]]) -> str:
    """The first band, from the top, whose start the score reaches."""
    return NOT_ENOUGH if score is None else next(name for start, name in bands if score >= start)


def scored(
    groups: Mapping[str, tuple[Any, Group]], bands: Sequence[tuple[int, str]], *, minimum: Any = "0.5", full: int = 1
) -> dict[str, Any]:
    """A score of weighted groups; `full` is 1 for means (0-100 each), 100 for sums (each up to its weight)."""
    total = sum((Fraction(str(w)) for w, _ in groups.values()), Fraction(0))
    coverage = sum((Fraction(str(w)) * g.known for w, g in groups.values()), Fraction(0)) / total
    top, bottom = Fraction(0), Fraction(0)
    for weight, group in groups.values():
        if group.value is not None:
            unit = Fraction(str(weight)) if full == 1 else Fraction(1)
            top += unit * group.left * group.value
            bottom += Fraction(str(weight)) * group.left
    enough = coverage >= Fraction(str(minimum)) and bottom > 0
    raw = min(top / bottom * full, Fraction(100)) if enough else None
    score = None if raw is None else half_up(raw)
    components = {name: group.value for name, (_, group) in groups.items()}
    return {
        "score": score,
        "raw": raw,
        "band": band_of(score, bands),
        "coverage": coverage,
        "components": components,
    }


def named(truths: Mapping[str, Truth]) -> list[str]:
    """The names of what is true, in order."""
    return [name for name, truth in truths.items() if truth]


def segmented(truths: Mapping[str, Truth], catch_all: str) -> dict[str, Any]:
    """Every segment that matches, the first as primary, the catch-all when there is none."""
    found = named(truths) or [catch_all]
    return {"primary": found[0], "all": found}
