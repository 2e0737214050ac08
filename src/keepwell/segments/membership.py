"""Membership: which segments every row is in, and which of them is the primary one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from keepwell.metrics.evaluate import Lookup, all_of, compare
from keepwell.metrics.frame import Bools, Column, Quality, coded_column, constant_column, unknown_column
from keepwell.model.condition_definitions import Condition
from keepwell.model.definitions import Segment
from keepwell.model.expressions import ExpressionError
from keepwell.model.graph import primary_dimension
from keepwell.model.metric_definitions import MetricType

__all__ = ["Membership", "SegmentColumns", "SegmentWork", "SegmentsColumns", "member_name", "primary_dimension"]

Membership = Callable[[str], Column]


@dataclass(frozen=True)
class SegmentColumns:
    """One definition. `truth` is three-valued; with `by`, `values` names the member segment of each row."""

    name: str
    definition: Segment
    truth: Column
    values: Column | None = None

    @property
    def matches(self) -> Bools:
        return is_true(self.truth)

    def take(self, rows: npt.NDArray[Any] | slice) -> "SegmentColumns":
        """The segment at the given rows."""
        values = None if self.values is None else self.values.take(rows)
        return replace(self, truth=self.truth.take(rows), values=values)

    def shown(self, row: int) -> str:
        """The name of the segment that a matching row is in."""
        return self.name if self.values is None else member_name(self.name, self.values.item(row))


@dataclass(frozen=True)
class SegmentsColumns:
    """All segments of a model in its order; `primary` holds the name of each row's primary segment."""

    segments: tuple[SegmentColumns, ...]
    primary: Column

    def take(self, rows: npt.NDArray[Any] | slice) -> "SegmentsColumns":
        """All segments at the given rows."""
        return SegmentsColumns(tuple(s.take(rows) for s in self.segments), self.primary.take(rows))

    def names(self, row: int) -> tuple[str, ...]:
        """Every segment a row is in, in the model's order."""
        return tuple(s.shown(row) for s in self.segments if s.matches[row])

    def member(self, name: str) -> Column:
        """Membership in one segment by its shown name, or in any of a `by` definition by its key."""
        for segment in self.segments:
            if segment.name == name:
                return segment.truth
            if segment.values is not None and name.startswith(f"{segment.name}: "):
                return _is_value(segment, name.removeprefix(f"{segment.name}: "))
        raise ExpressionError(f"there is no segment '{name}'")


def is_true(column: Column) -> Bools:
    """Where a three-valued column is true: unknown does not match."""
    matches: Bools = column.known & (column.values != 0.0)
    return matches


def member_name(name: str, value: object) -> str:
    """The name of the segment that a `by` definition makes for one value."""
    return f"{name}: {value}"


class SegmentWork:
    """Segments asked for by name, each evaluated once; a circle is an error.

    What conditions read may ask for segments in turn: a signal of another segment, or a score with a segment in it.
    """

    def __init__(
        self, definitions: Mapping[str, Segment], rows: int, column: Lookup, truth: Callable[[Condition], Column]
    ) -> None:
        self.definitions, self.rows, self.column, self.truth = definitions, rows, column, truth
        self.done: dict[str, SegmentColumns] = {}
        self.open: list[str] = []
        self._primary: Column | None = None

    def all(self) -> SegmentsColumns:
        """Every segment, in the model's order."""
        return SegmentsColumns(tuple(self.segment(name) for name in self.definitions), self.primary())

    def primary(self) -> Column:
        """The name of each row's primary segment."""
        if self._primary is None:
            dimension = primary_dimension(self.definitions.values())
            names = [name for name, definition in self.definitions.items() if definition.dimension == dimension]
            self._primary = _primary([self.segment(name) for name in names], self.rows)
        return self._primary

    def segment(self, name: str) -> SegmentColumns:
        """One definition, with all that it needs."""
        if name in self.done:
            return self.done[name]
        if name in self.open:
            raise ExpressionError(f"segments go in a circle: {' -> '.join([*self.open, name])}")
        self.open.append(name)
        self.done[name] = self._evaluated(name, self.definitions[name])
        self.open.pop()
        return self.done[name]

    def member(self, name: str) -> Column:
        """Membership by shown name, evaluating what it needs."""
        key = next((k for k in self.definitions if k == name or self._is_member_of(name, k)), None)
        if key is None:
            raise ExpressionError(f"there is no segment '{name}'")
        return SegmentsColumns((self.segment(key),), unknown_column(0, Quality.EMPTY)).member(name)

    def _is_member_of(self, name: str, key: str) -> bool:
        return self.definitions[key].by is not None and name.startswith(f"{key}: ")

    def _evaluated(self, name: str, definition: Segment) -> SegmentColumns:
        conditions = [constant_column(self.rows, value=True)]
        values = self.column(definition.by) if definition.by else None
        if values is not None:
            conditions.append(_has_value(values))
        if definition.when is not None:
            conditions.append(self.truth(definition.when))
        if definition.catch_all:
            conditions.append(self._left_over(definition.dimension))
        if definition.parent:
            conditions.append(self.segment(definition.parent).truth)
        return SegmentColumns(name, definition, all_of(conditions), values)

    def _left_over(self, dimension: str) -> Column:
        taken = np.zeros(self.rows, np.bool_)
        for name, definition in self.definitions.items():
            if definition.dimension == dimension and not definition.catch_all:
                taken |= self.segment(name).matches
        return Column(MetricType.BOOLEAN, (~taken).astype(np.float64), np.zeros(self.rows, np.uint8))


def _primary(chosen: list[SegmentColumns], rows: int) -> Column:
    """The first match of each row, of the segments of the primary dimension."""
    texts = tuple(dict.fromkeys(text for s in chosen for text in _shown_names(s)))
    place = {text: float(i) for i, text in enumerate(texts)}
    codes = np.full(rows, np.nan)
    for segment in reversed(chosen):
        table = np.array([place[text] for text in _shown_names(segment)])
        matches = segment.matches
        if segment.values is None:
            codes[matches] = table[0]
        elif len(table):
            codes[matches] = table[segment.values.values[matches].astype(np.int64)]
    return coded_column(codes, texts)


def _shown_names(segment: SegmentColumns) -> list[str]:
    if segment.values is None:
        return [segment.name]
    return [member_name(segment.name, text) for text in segment.values.texts]


def _has_value(values: Column) -> Column:
    if values.type is not MetricType.TEXT and values.known.any():
        raise ExpressionError("'by' takes a text metric")
    return Column(MetricType.BOOLEAN, np.where(values.known, 1.0, np.nan), values.quality)


def _is_value(segment: SegmentColumns, value: str) -> Column:
    assert segment.values is not None  # noqa: S101 - only asked for segments with `by`
    same = compare("=", segment.values, constant_column(len(segment.truth), value))
    return all_of([segment.truth, same])
