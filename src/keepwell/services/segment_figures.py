"""Segments as pages show them: figures of the customers that a person may see, on any published dates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.metrics.frame import Bools
from keepwell.model.definitions import Model
from keepwell.model.graph import segment_key
from keepwell.model.loader import LoadedModel
from keepwell.reporting.groups import BANDS, Group, Grouping, grouping, groupings
from keepwell.reporting.movement import Movement, movement_days
from keepwell.reporting.profiles import Said, SegmentProfile, members_profile, segment_profile
from keepwell.reporting.reading import Day, day_back, longest_back, nearest_day, read_day
from keepwell.reporting.scores import health_name
from keepwell.reporting.segments import Members, SegmentRow, SegmentTable, everybody, member_rows, segment_table
from keepwell.services.published.copies import CURRENT, Copies, copies_needed
from keepwell.services.published.kept_models import kept_model
from keepwell.services.published.portfolio_query import Scope, scope_where
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.workspace import Workspace, WorkspaceError

QUARTER: Final = 90
MONTH: Final = 30
OWN: Final = "workspace"
"""Stands for the segments made in the workspace where a dimension is asked for."""
_COLUMNS: Final = ("name", "owner_email", "status", "churned_on", "arr", "mrr", "segment", "segments", "signals")
_PARTS: Final = ("score", "raw", "band", "coverage")


@dataclass(frozen=True)
class Period:
    """Two published dates, and all that there are; `first` is None when there is none before `last`."""

    first: date | None
    last: date
    dates: tuple[date, ...]


@dataclass(frozen=True)
class OwnSegment:
    """A segment made in the workspace with its members on both dates; `then` is None where they are not known."""

    name: str
    label: str
    now: frozenset[str]
    then: frozenset[str] | None = None
    said: Said = field(default_factory=Said)

    @property
    def group(self) -> Group:
        """As a group of customers."""
        return Group(self.name, self.label)


def period_of(workspace: Workspace, *, first: date | None, last: date | None, days: int) -> Period:
    """The published dates nearest before the wanted ones: by default the current one and one so many days before.

    Raises NothingPublished before the first run.
    """
    snapshots, current = workspace.snapshots, copies_needed(workspace).as_of
    end = nearest_day(snapshots, last or current) or snapshots.dates()[0]
    if first is None:
        start = day_back(snapshots, end, days) or longest_back(snapshots, end, days)
    else:
        start = nearest_day(snapshots, min(first, end - timedelta(days=1))) or longest_back(snapshots, end, 100 * 365)
    return Period(start, end, tuple(snapshots.dates()))


def ids_seen(workspace: Workspace, scope: Scope) -> frozenset[str] | None:
    """The customers that a scope holds now, of all who ever were; None for everybody's."""
    if scope.owners is None and scope.unassigned:
        return None
    where = scope_where(scope)

    def read(copies: Copies) -> frozenset[str]:
        sql = f"SELECT customer_id FROM read_parquet(?) WHERE {where.sql}"  # noqa: S608 - own words, values bound
        return frozenset(row["customer_id"] for row in rows_of(sql, [copies.path(CURRENT), *where.values]))

    return read_copies(workspace, read)


class Seen:
    """One or two published days, of the customers that a scope holds; `whole` reads the metrics of the last, too."""

    def __init__(self, workspace: Workspace, period: Period, scope: Scope, *, whole: bool = False) -> None:
        self.workspace, self.period, self.scope, self.whole = workspace, period, scope, whole
        self.ids = ids_seen(workspace, scope)

    @cached_property
    def loaded(self) -> LoadedModel:
        """The model that the last day was made with."""
        about = self.workspace.snapshots.about(self.period.last)
        return kept_model(self.workspace, about["keepwell.model_hash"])

    @property
    def model(self) -> Model:
        return self.loaded.model

    @cached_property
    def last(self) -> Day:
        """The later day."""
        return self._read(self.period.last, None if self.whole else self._columns)

    @cached_property
    def first(self) -> Day | None:
        """The earlier day."""
        return None if self.period.first is None else self._read(self.period.first, self._columns)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The ways to divide customers: dimensions of segments, and `bands`."""
        return groupings(self.model)

    def dimension(self, wanted: str | None) -> str:
        """The dimension asked for, or the first one."""
        known = self.dimensions
        if not known:
            raise WorkspaceError("The model has neither segments nor scores, so there is nothing to divide by.")
        return wanted if wanted in known else known[0]

    @property
    def _columns(self) -> tuple[str, ...]:
        compiled = compile_model(self.loaded)
        scores = {name for name in (compiled.health(), compiled.churn_risk(), health_name(self.loaded)) if name}
        scores |= set(list(self.model.scores)[:1])
        return (*_COLUMNS, *(f"{score}_{part}" for score in sorted(scores) for part in _PARTS))

    def _read(self, day: date, columns: Sequence[str] | None) -> Day:
        found = read_day(self.workspace.snapshots, day, columns)
        return found if self.ids is None else found.take(inside(found, self.ids))


def inside(day: Day, ids: frozenset[str]) -> Bools:
    """Which rows of a day are of these customers."""
    return np.array([customer in ids for customer in day.ids.tolist()], dtype=np.bool_)


@dataclass(frozen=True)
class Line:
    """A row of the overview. `change` is in customers since the period began; `depth` counts the parents above."""

    row: SegmentRow
    change: int | None
    arr_change: float | None
    depth: int = 0
    parent: str = ""
    own: bool = False


@dataclass(frozen=True)
class Overview:
    """Segments side by side; `own` are those made in the workspace, which may overlap with all."""

    table: SegmentTable
    lines: tuple[Line, ...]
    total: Line
    own: tuple[Line, ...]


def overview(seen: Seen, by: str, own: Sequence[OwnSegment] = ()) -> Overview:
    """The segments of a dimension and the workspace's own ones."""
    table = segment_table(seen.loaded, by, seen.first, seen.last)
    counts = _counts(seen, by)
    rows = [row for row in table.rows if row.customers or counts.get(row.name)]
    lines = tuple(nested(seen.model, [_line(row, counts) for row in rows]))
    added = [_members(seen, one) for one in own]
    everyone = _line(table.total, _counted(seen, {"": everybody(seen.first, seen.last)}))
    mine = member_rows(seen.loaded, added, seen.first, seen.last)
    sums = _counted(seen, {one.shown.name: one for one in added})
    return Overview(table, lines, everyone, tuple(replace(_line(row, sums), own=True) for row in mine))


def compared(seen: Seen, names: Sequence[str], own: Sequence[OwnSegment] = ()) -> tuple[Line, ...]:
    """Some segments of any dimensions side by side, and everybody in the last row; unknown names are left out."""
    chosen = [found for name in names if (found := members_of(seen, name, own)) is not None]
    chosen.append(everybody(seen.first, seen.last))
    sums = _counted(seen, {one.shown.name: one for one in chosen})
    return tuple(_line(row, sums) for row in member_rows(seen.loaded, chosen, seen.first, seen.last))


def members_of(seen: Seen, name: str, own: Sequence[OwnSegment] = ()) -> Members | None:
    """Who is in a segment; of a model's those who count in it, as each counts once in a dimension."""
    mine = next((one for one in own if one.name == name), None)
    if mine is not None:
        return _members(seen, mine)
    by = dimension_of(seen.model, name)
    if by is None:
        return None
    before = None if seen.first is None else seen.first.present()
    now = seen.last.present()
    groups = grouping(seen.loaded, by, (now,) if before is None else (before, now))
    then = None if before is None else groups.of(before) == name
    return Members(groups.group(name), then, groups.of(now) == name)


def dimension_of(model: Model, name: str) -> str | None:
    """The dimension of a segment by its shown name."""
    key = segment_key(model, name)
    return model.segments[key].dimension if key else None


def profile(seen: Seen, name: str, own: OwnSegment | None, currency: str) -> SegmentProfile | None:
    """Everything about one segment; None when there is none of this name."""
    if own is not None:
        return members_profile(seen.loaded, _members(seen, own), seen.first, seen.last, own.said, currency=currency)
    by = dimension_of(seen.model, name)
    return None if by is None else segment_profile(seen.loaded, by, name, seen.first, seen.last, currency=currency)


def movement(seen: Seen, by: str) -> Movement | None:
    """Who moved between the two days; None without an earlier one."""
    return None if seen.first is None else movement_days(seen.loaded, seen.first, seen.last, by)


def choices(seen: Seen) -> dict[str, tuple[Group, ...]]:
    """The segments that there are on the later day, by dimension."""
    now = seen.last.present()
    found = {by: grouping(seen.loaded, by, (now,)) for by in seen.dimensions if by != BANDS}
    return {by: tuple(_real(seen.model, groups)) for by, groups in found.items()}


def _real(model: Model, groups: Grouping) -> Iterator[Group]:
    """The groups that are segments, without being in none."""
    return (group for group in groups.groups if segment_key(model, group.name))


def _members(seen: Seen, own: OwnSegment) -> Members:
    before = None if seen.first is None or own.then is None else inside(seen.first.present(), own.then)
    return Members(own.group, before, inside(seen.last.present(), own.now))


def _line(row: SegmentRow, before: Mapping[str, tuple[int, float]]) -> Line:
    then = before.get(row.name)
    if then is None:
        return Line(row, None, None)
    return Line(row, row.customers - then[0], row.arr - then[1])


def _counts(seen: Seen, by: str) -> dict[str, tuple[int, float]]:
    """Customers and ARR of every group when the period began."""
    if seen.first is None:
        return {}
    before = seen.first.present()
    groups = grouping(seen.loaded, by, (before, seen.last.present()))
    names = groups.of(before)
    there = {group.name: names == group.name for group in groups.groups}
    return {name: _sums(before, mask) for name, mask in there.items()}


def _counted(seen: Seen, chosen: Mapping[str, Members]) -> dict[str, tuple[int, float]]:
    if seen.first is None:
        return {}
    before = seen.first.present()
    return {name: _sums(before, one.before) for name, one in chosen.items() if one.before is not None}


def _sums(day: Day, mask: Bools) -> tuple[int, float]:
    return int(mask.sum()), float(np.nansum(day.number("arr")[mask]))


def nested(model: Model, lines: Sequence[Line]) -> Iterator[Line]:
    """Children after their parent, one step in; a parent of another dimension is named instead."""
    there = {line.row.name for line in lines}

    def parent(line: Line) -> str:
        key = segment_key(model, line.row.name)
        return (model.segments[key].parent or "") if key else ""

    def below(above: str, depth: int) -> Iterator[Line]:
        for line in lines:
            over = parent(line)
            if (over if over in there else "") == above:
                shown = "" if over in there or not over else model.segments[over].label or over
                yield replace(line, depth=depth, parent=shown)
                yield from below(line.row.name, depth + 1)

    yield from below("", 0)
