"""The portfolio over time: one row per published date."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import duckdb

from keepwell.model.loader import LoadedModel
from keepwell.reporting.plain import Plain
from keepwell.reporting.scores import health_name
from keepwell.warehouse.scratch import scratch
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.sql import quoted

DAYS: Final = 180
MOST: Final = 100
"""Dates read: more say nothing more in a chart."""


@dataclass(frozen=True)
class Point(Plain):
    """One date. `groups` counts customers by health band, or by primary segment in a model without a score."""

    as_of: date
    customers: int
    arr: float
    score: float | None
    groups: dict[str, int]
    group_arr: dict[str, float]


def trend(snapshots: Snapshots, loaded: LoadedModel, as_of: date, days: int = DAYS) -> tuple[Point, ...]:
    """The published dates of the last `days` days, thinned evenly to at most 100, the last one always among them."""
    first = as_of - timedelta(days=days - 1)
    dates = [day for day in snapshots.dates() if first <= day <= as_of]
    step = max(1, -(-len(dates) // MOST))
    chosen = dates[::-1][::step][::-1]
    score = health_name(loaded)
    with scratch() as connection:
        return tuple(_point(connection, snapshots, day, score) for day in chosen)


def _point(connection: duckdb.DuckDBPyConnection, snapshots: Snapshots, day: date, score: str | None) -> Point:
    path = str(snapshots.path(day))
    described = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [path]).description or ()
    there = score is not None and f"{score}_raw" in {column[0] for column in described}
    raw = quoted(f"{score}_raw") if there else "CAST(NULL AS DOUBLE)"
    group = quoted(f"{score}_band") if there else "segment"
    rows = connection.execute(
        f"SELECT {group}, count(*), coalesce(sum(arr), 0), sum({raw}), count({raw})"  # noqa: S608 - quoted names
        " FROM read_parquet(?) WHERE status <> 'churned' GROUP BY ALL ORDER BY ALL",
        [path],
    ).fetchall()
    known = sum(row[4] for row in rows)
    return Point(
        as_of=day,
        customers=sum(row[1] for row in rows),
        arr=float(sum(row[2] for row in rows)),
        score=float(sum(row[3] or 0.0 for row in rows)) / known if known else None,
        groups={str(row[0]): int(row[1]) for row in rows},
        group_arr={str(row[0]): float(row[2]) for row in rows},
    )
