"""Two models on the same customers: aligned columns of scores, bands, segments and signals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from keepwell.evaluation.compiled import CompiledModel
from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.frame import Bools, Column, Floats
from keepwell.reporting.groups import BANDS, NO_SEGMENT, Grouping, grouping, groupings
from keepwell.reporting.reading import Values
from keepwell.scoring.scorecards import NOT_ENOUGH_DATA
from keepwell.segments.membership import primary_dimension
from keepwell.services.planning.figures import Direction

_ABSENT: Final = -1
Person = tuple[str, str, float | None]
"""Name, owner and ARR of a customer."""


@dataclass(frozen=True)
class Side:
    """What one model says of customers on one day; `rows` says where each stands, -1 where it is not looked at."""

    evaluation: Evaluation
    rows: npt.NDArray[np.int64]

    @property
    def compiled(self) -> CompiledModel:
        return self.evaluation.compiled

    def score(self, name: str) -> Floats:
        """The shown score; nan where there is none."""
        return self._numbers(self.evaluation.scores[name].shown)

    def coverage(self, name: str) -> Floats:
        """The coverage of a score."""
        return self._numbers(self.evaluation.scores[name].coverage)

    def band(self, name: str) -> Values:
        """The band of a score."""
        return self._texts(self.evaluation.scores[name].band, NOT_ENOUGH_DATA)

    def segment(self) -> Values:
        """The primary segment."""
        return self._texts(self.evaluation.segments.primary, NO_SEGMENT)

    def signal(self, name: str) -> Bools:
        """Whether a signal is on; nowhere when the model does not have it."""
        found = next((s.matches for s in self.evaluation.signals if s.name == name), None)
        if found is None or not len(found):
            return np.zeros(len(self.rows), np.bool_)
        on: Bools = found[self.rows] & (self.rows != _ABSENT)
        return on

    def leading(self) -> str | None:
        """The score that a customer is known by: health, or the first there is."""
        return self.compiled.health() or next(iter(self.compiled.model.scores), None)

    def _numbers(self, values: Floats) -> Floats:
        if not len(values):
            return np.full(len(self.rows), np.nan)
        return np.where(self.rows == _ABSENT, np.nan, values[self.rows])

    def _texts(self, column: Column, default: str) -> Values:
        named = np.array([*column.texts, default], dtype=object)
        codes = np.append(np.where(column.known, column.values, len(column.texts)), len(column.texts))
        return named[codes.astype(np.int64)[self.rows]]


@dataclass(frozen=True)
class Sides:
    """Both models on the same customers, who they are and what they pay a year (nan where unknown)."""

    ids: tuple[str, ...]
    names: Sequence[str]
    owners: Sequence[str]
    arr: Floats
    before: Side
    after: Side


def place_sides(
    before: Evaluation,
    after: Evaluation,
    people: Mapping[str, Person],
    only: Collection[str] | None,
) -> Sides:
    """Align two evaluations of one day by customer; `people` has name, owner and ARR of each customer."""
    ids = _ids(before, after, only)
    unknown: Person = ("", "", None)
    found = [people.get(i, unknown) for i in ids]
    return Sides(
        ids,
        [name or i for i, (name, _, _) in zip(ids, found, strict=True)],
        [owner for _, owner, _ in found],
        np.array([np.nan if arr is None else arr for _, _, arr in found], dtype=np.float64),
        _side(before, ids),
        _side(after, ids),
    )


def _ids(before: Evaluation, after: Evaluation, only: Collection[str] | None) -> tuple[str, ...]:
    """The customers of either evaluation, sorted; the rows of one day are sorted already."""
    same = np.array_equal(before.frame.customers, after.frame.customers)
    here = dict.fromkeys((before if same else after).frame.customers.tolist())
    if not same:
        here |= dict.fromkeys(before.frame.customers.tolist())
    wanted = here if only is None else set(only)
    return tuple(sorted(i for i in here if i in wanted))


def _side(evaluation: Evaluation, ids: Sequence[str]) -> Side:
    customers = evaluation.frame.customers.tolist()
    if customers == list(ids):
        return Side(evaluation, np.arange(len(ids)))
    place = {customer: row for row, customer in enumerate(customers)}
    return Side(evaluation, np.array([place.get(i, _ABSENT) for i in ids], dtype=np.int64))


class Ranks:
    """Which of two bands or segments is better, as the new model says; the old one where the new has no such name."""

    def __init__(self, before: CompiledModel, after: CompiledModel) -> None:
        self._models = (after, before)
        self._groups = [g for c in self._models if (g := _segments(c)) is not None]

    def of_segments(self, before: str, after: str) -> Direction:
        """Whether a change of the primary segment is for the better."""
        ranks = [_rank(self._groups, name) for name in (before, after)]
        return _direction(*ranks)

    def of_bands(self, score: str, before: str, after: str) -> Direction:
        """Whether a change of band is for the better; for a risk a higher band is worse."""
        starts = [self._start(score, name) for name in (before, after)]
        return _direction(*starts)

    def _start(self, score: str, band: str) -> float | None:
        for compiled in self._models:
            definition = compiled.model.scores.get(score)
            for entry in definition.bands if definition else ():
                if entry.name == band:
                    return -entry.start if definition and definition.kind == "risk" else entry.start
        return None


def _segments(compiled: CompiledModel) -> Grouping | None:
    model = compiled.model
    dimension = primary_dimension(model.segments.values())
    known = dimension in groupings(model) and dimension != BANDS
    return grouping(compiled.loaded, dimension, ()) if known else None


def _rank(groups: Sequence[Grouping], name: str) -> float | None:
    for found in groups:
        for group in found.groups:
            if group.name == name:
                return group.rank
    return None


def _direction(before: float | None, after: float | None) -> Direction:
    if before is None or after is None or before == after:
        return "lateral"
    return "up" if after > before else "down"
