"""Who is in segments over time and in which others at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from keepwell.metrics.frame import Bools
from keepwell.reporting.groups import Group
from keepwell.segments.membership import primary_dimension
from keepwell.services.published.reader import rows_of
from keepwell.services.segment_figures import OwnSegment, Seen, choices, dimension_of, inside, members_of
from keepwell.services.workspace import Workspace
from keepwell.warehouse.sql import literal

POINTS: Final = 31
SPAN: Final = 180
MOST: Final = 24
"""The most segments that a matrix shows: more do not fit on a screen."""


@dataclass(frozen=True)
class MembersPoint:
    """How many customers a segment had on a date, and their ARR."""

    as_of: date
    customers: int
    arr: float


@dataclass(frozen=True)
class Cell:
    """Two segments at once: customers in both, as a share of the row's, and of those in either (Jaccard)."""

    customers: int
    share: float | None
    jaccard: float | None


@dataclass(frozen=True)
class OverlapRow:
    """One segment against all others."""

    group: Group
    customers: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Overlap:
    """All pairs of some segments; `left_out` were too many to show."""

    rows: tuple[OverlapRow, ...]
    left_out: int


def trend_dates(dates: Sequence[date], last: date, *, points: int = POINTS) -> list[date]:
    """At most so many published dates of the half year before `last`, evenly spread, `last` among them."""
    recent = [day for day in dates if (last - day).days < SPAN and day <= last]
    step = -(-len(recent) // points) or 1
    return recent[::-1][::step][::-1]


def membership_trend(seen: Seen, name: str) -> tuple[MembersPoint, ...]:
    """How many customers counted in a segment of the model over the last half year."""
    days = trend_dates(seen.period.dates, seen.period.last)
    dimension = dimension_of(seen.model, name)
    values: list[object] = [name]
    if dimension == primary_dimension(seen.model.segments.values()):
        test = "segment = ?"
    else:
        own = [key for key, one in seen.model.segments.items() if one.dimension == dimension]
        mine = "list_filter(segments, lambda s: list_contains(?, s) OR list_contains(?, split_part(s, ': ', 1)))[1]"
        test, values = f"{mine} = ?", [own, own, name]
    return _points(seen.workspace, days, test, values, seen.ids)


def own_trend(
    workspace: Workspace, members: Mapping[date, frozenset[str]], ids: frozenset[str] | None
) -> tuple[MembersPoint, ...]:
    """The same for members that are known by date."""
    points: list[MembersPoint] = []
    for day, who in sorted(members.items()):
        kept = sorted(who if ids is None else who & ids)
        points += _points(workspace, [day], "list_contains(CAST(? AS VARCHAR[]), customer_id)", [kept], None)
    return tuple(points)


def _points(
    workspace: Workspace, days: Sequence[date], test: str, values: Sequence[object], ids: frozenset[str] | None
) -> tuple[MembersPoint, ...]:
    if not days:
        return ()
    files = ", ".join(literal(str(workspace.snapshots.path(day))) for day in days)
    seen = "" if ids is None else " AND list_contains(CAST(? AS VARCHAR[]), customer_id)"
    found = rows_of(
        f"SELECT parse_filename(filename, true) AS day, count(*) AS customers, coalesce(sum(arr), 0) AS arr"  # noqa: S608
        f" FROM read_parquet([{files}], union_by_name=true, filename=true) WHERE status <> 'churned' AND {test}{seen}"
        " GROUP BY 1",
        [*values, *([] if ids is None else [sorted(ids)])],
    )
    by_day = {date.fromisoformat(row["day"]): row for row in found}
    return tuple(
        MembersPoint(day, by_day[day]["customers"], round(by_day[day]["arr"], 2)) if day in by_day
        else MembersPoint(day, 0, 0.0)
        for day in days
    )  # fmt: skip


def also_in(seen: Seen, name: str) -> int:
    """How many meet the conditions of a model's segment but count in another of its dimension, which comes first."""
    counted = members_of(seen, name)
    everyone = sum(name in names for names in seen.last.present().lists("segments"))
    return max(0, everyone - int(counted.now.sum())) if counted else 0


def overlap(seen: Seen, dimensions: Sequence[str], own: Sequence[OwnSegment] = ()) -> Overlap:
    """How segments overlap on the later day, by all whom their conditions take; empty ones are left out."""
    now = seen.last.present()
    lists = [frozenset(names) for names in now.lists("segments")]
    chosen: list[tuple[Group, Bools]] = []
    for by, groups in choices(seen).items():
        if by in dimensions:
            chosen += [(group, np.array([group.name in names for names in lists], np.bool_)) for group in groups]
    chosen += [(one.group, inside(now, one.now)) for one in own]
    chosen = [(group, mask) for group, mask in chosen if mask.any()]
    kept = chosen[:MOST]
    if not kept:
        return Overlap((), 0)
    masks = np.array([mask for _, mask in kept], dtype=np.int64)
    both = masks @ masks.T
    return Overlap(tuple(_row(kept[i][0], both, i) for i in range(len(kept))), len(chosen) - len(kept))


def _row(group: Group, both: "np.ndarray[tuple[int, int], np.dtype[np.int64]]", at: int) -> OverlapRow:
    mine = int(both[at, at])
    cells = []
    for other in range(len(both)):
        shared, either = int(both[at, other]), mine + int(both[other, other]) - int(both[at, other])
        cells.append(Cell(shared, shared / mine if mine else None, shared / either if either else None))
    return OverlapRow(group, mine, tuple(cells))
