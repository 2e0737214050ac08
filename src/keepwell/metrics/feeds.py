"""Whether a source covers a date: absent, stale or fresh, per table and column."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from keepwell.metrics.frame import Codes, Ints, Quality, day_number
from keepwell.metrics.plan import ALIASES
from keepwell.metrics.row_sql import local_day
from keepwell.model.expressions import names_in, parse_expression
from keepwell.model.metric_definitions import Metric
from keepwell.warehouse.facts import fact_dates
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES

STALE_AFTER_DAYS: Final = 35
STALE_AFTER_DAYS_FACTS: Final = 8
"""Weekly exports of product usage arrive every 7 days; a day's delay is no reason to lose the numbers."""


@dataclass(frozen=True)
class Feed:
    """What is known of one table's sources. `days`: days with rows (facts) or none; `synced`: last delivery's day."""

    columns: frozenset[str]
    days: Ints
    synced: int | None

    def fresh_until(self, dates: Ints, *, facts: bool) -> Ints:
        """The last day covered, as it could be known on each date; a large negative number where there is none."""
        if not facts:
            last = -(10**6) if self.synced is None else self.synced
            return np.minimum(dates, last)
        place = np.searchsorted(self.days, dates, side="right")
        padded = np.r_[-(10**6), self.days]
        return np.asarray(padded[place])


class Feeds:
    """All feeds of a warehouse and the model's limits for calling them stale."""

    def __init__(self, warehouse: Warehouse, limits: Mapping[str, int]) -> None:
        self.limits = limits
        day = local_day(warehouse.zone)
        rows = warehouse.connection.execute(
            f"SELECT table_name, columns, {day('last_sync_at')} FROM feeds WHERE rows > 0"
        ).fetchall()
        dates = fact_dates(warehouse)
        self.feeds = {name: self._feed(dates.get(name, ()), [r for r in rows if r[0] == name]) for name in TABLES}

    def _feed(self, dates: Sequence[date], rows: Sequence[tuple[str, str, int | None]]) -> Feed:
        columns = frozenset(column for _, listed, _ in rows for column in json.loads(listed or "[]"))
        synced = max((day for _, _, day in rows if day is not None), default=None)
        return Feed(columns, np.array([day_number(day) for day in dates], np.int64), synced)

    def limit(self, table: str) -> int:
        """Days after which the table's feed counts as stale."""
        default = STALE_AFTER_DAYS_FACTS if TABLES[table].facts else STALE_AFTER_DAYS
        return self.limits.get(table, default)

    def quality(self, table: str, metric: Metric, dates: Ints) -> Codes:
        """KNOWN, NO_SOURCE or STALE for a metric of a table on each date."""
        feed = self.feeds[table]
        out = np.full(len(dates), Quality.KNOWN, np.uint8)
        until = feed.fresh_until(dates, facts=TABLES[table].facts)
        limit = metric.stale_after_days if metric.stale_after_days is not None else self.limit(table)
        out[dates - until > limit] = Quality.STALE
        out[until <= -(10**6)] = Quality.NO_SOURCE
        if not _columns_used(metric, table) <= feed.columns:
            out[:] = Quality.NO_SOURCE
        return out

    def freshness(self, table: str, day: int) -> int | None:
        """The last day covered by a table's feed on a date; None without one."""
        feed = self.feeds[table]
        if not TABLES[table].facts:
            return None if feed.synced is None else min(day, feed.synced)
        place = int(np.searchsorted(feed.days, day, side="right"))
        return int(feed.days[place - 1]) if place else None


def _columns_used(metric: Metric, table: str) -> frozenset[str]:
    """The table's own columns that a metric reads."""
    texts: Iterable[str] = (t for t in (metric.of, metric.per, metric.where, metric.matching, metric.time) if t)
    names = {name for text in texts for name in names_in(parse_expression(text))}
    renamed = {"person_id" if name == "people" else ALIASES.get(name, name) for name in names} - {"day"}
    known = {c.name for c in TABLES[table].columns}
    return frozenset(renamed & known)
