"""Values of the metrics over small tables: one statement per table for any number of dates.

Rows are joined to the dates on which they are visible, with every column as it was known then (`Table.reveals`, and
`earlier_values` for rows that are written over), so a ticket resolved tomorrow is open today, in a backfill as in the
run of that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlglot import exp

from keepwell.metrics.earlier_values import earlier_join, earlier_value, keeps_earlier
from keepwell.metrics.fact_combine import Values
from keepwell.metrics.frame import Codes, Floats, Ints, Quality, number_day
from keepwell.metrics.plan import RowMetric, RowPlan, both
from keepwell.metrics.row_sql import (
    MICRO,
    Aggregated,
    LocalDay,
    amounts,
    column_resolver,
    condition_text,
    local_day,
    made_whole,
    micros_text,
    sql_text,
    value_kind,
)
from keepwell.model.expressions import Expression, Name, names_in
from keepwell.model.expressions_sql import AS_OF, Resolve, expression_sql
from keepwell.model.metric_definitions import ZERO_WHEN_EMPTY, Aggregate
from keepwell.warehouse.sql import quoted
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import Kind, Table

DATES: Final = "as_of_days"
_DAY_KINDS: Final = (Kind.DATE, Kind.TIME)


def _keep_dates(warehouse: Warehouse, dates: Sequence[int]) -> None:
    """Keep dates in a temporary table: position, day, and the day's end in UTC."""
    if warehouse.dates == tuple(dates):
        return
    warehouse.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {DATES} AS SELECT i, day, CAST(DATE '1970-01-01' + day AS DATE) AS date,"
        f" {_day_end('day', warehouse.zone)} AS ends FROM (VALUES {_numbered(dates)}) v(i, day)"
    )
    warehouse.dates = tuple(dates)


def day_ends(warehouse: Warehouse, dates: Sequence[int]) -> Ints:
    """When days (since 1970) end, in microseconds since 1970 in UTC."""
    if warehouse.zone == "UTC":
        return (np.array(dates, np.int64) + 1) * 86_400_000_000
    end = f"epoch_us({_day_end('day', warehouse.zone)})"
    rows = warehouse.connection.execute(
        f"SELECT {end} FROM (VALUES {_numbered(dates)}) v(i, day) ORDER BY i"
    ).fetchall()
    return np.array([end for (end,) in rows], np.int64)


def _numbered(dates: Sequence[int]) -> str:
    return ", ".join(f"({i}, {day})" for i, day in enumerate(dates))


def _day_end(day: str, zone: str) -> str:
    """SQL for the moment in UTC at which a day ends in a zone."""
    midnight = f"CAST(DATE '1970-01-01' + {day} + 1 AS TIMESTAMP)"
    if zone == "UTC":
        return midnight
    quoted_zone = "'" + zone.replace("'", "''") + "'"
    return f"timezone('UTC', timezone({quoted_zone}, {midnight}))"


@dataclass(frozen=True)
class AsOf:
    """How a statement speaks of its dates: of many by the table that keeps them, of one by what it is.

    A statement without a table to join is planned faster, and planning is most of what one date costs.
    """

    day: str = "d.day"
    date: str = "d.date"
    ends: str = "d.ends"
    alone: bool = False

    @classmethod
    def one(cls, day: int, zone: str) -> "AsOf":
        date = f"DATE '{number_day(day)}'"
        ends = f"TIMESTAMP '{number_day(day + 1)}'" if zone == "UTC" else _day_end(str(day), zone)
        return cls(str(day), date, ends, alone=True)


@dataclass(frozen=True)
class RowSql:
    """Writes the statement of one small table; `overwritten` says that earlier values of its rows may be on record."""

    plan: RowPlan
    day_of: LocalDay
    overwritten: bool = True
    as_of: AsOf = AsOf()

    @classmethod
    def of(cls, warehouse: Warehouse, plan: RowPlan, dates: Sequence[int]) -> "RowSql":
        """What reads a table on some dates; where there are several, they have to be kept."""
        sql = cls(plan, local_day(warehouse.zone), keeps_earlier(warehouse.connection, plan.table.name))
        # Earlier values are joined by date, of one as of many.
        alone = len(dates) == 1 and not sql._earlier
        return replace(sql, as_of=AsOf.one(dates[0], warehouse.zone)) if alone else sql

    @property
    def entity(self) -> str:
        return "customer" if self.plan.entity == "customer" else "person_id"

    def statement(self) -> str:
        """One row per date and entity with the parts of every metric as columns NAME__0, NAME__1, …"""
        columns = {quoted(column): found for m in self.plan.metrics for column, found in self.parts(m)}
        parts = ", ".join(f"{found.text} AS {column}" for column, found in columns.items())
        looked_at = self._looked_at()
        # Tables have many columns, and planning those that nothing reads costs more than reading the others.
        used = [c.name for c in self.plan.table.all_columns if _stored(c.name) and quoted(c.name) in parts + looked_at]
        keys = "e" if self.as_of.alone else "i, e"
        rows = f"SELECT {keys}, {parts} FROM ({self._visible(used)}) WHERE {looked_at} GROUP BY {keys}"
        return f"SELECT {'0 AS i, ' if self.as_of.alone else ''}*{made_whole(columns)} FROM ({rows})"

    def _looked_at(self) -> str:
        """What holds for every row that some metric counts: the others need not be grouped."""
        resolve = self._resolver()
        tests = [self._filter(m, resolve, previous=p) for m in self.plan.metrics for p in _periods(m)]
        return " OR ".join(f"({test})" for test in dict.fromkeys(tests))

    def _filter(self, metric: RowMetric, resolve: Resolve, *, previous: bool = False) -> str:
        tests = (condition_text(metric.where, resolve), self._window(metric, previous=previous))
        return " AND ".join(test for test in tests if test != "true") or "true"

    def parts(self, metric: RowMetric) -> list[tuple[str, Aggregated]]:
        """The aggregates a metric needs, in the order `_combine` expects."""
        return [
            (f"{metric.name}__{i}", found if isinstance(found, Aggregated) else Aggregated(found))
            for i, found in enumerate(self._aggregates(metric))
        ]

    def _visible(self, used: Sequence[str]) -> str:
        table = self.plan.table
        masked = "".join(f", {self._as_known(name)} AS {quoted(name)}" for name in used)
        time = f"r.{quoted(table.time)}" if table.time else "NULL"
        visible = f"({time} IS NULL OR {time} < {self.as_of.ends})"
        reach = self._reach()
        # The bound is generous by a day for the zone; each metric's own window is exact.
        near = "" if reach is None else f" AND {time} >= {self.as_of.ends} - INTERVAL {reach + 2} DAY"
        own_days = sorted({m.metric.time or table.time or "" for m in self.plan.metrics} - {""})
        days = "".join(f", {self.day_of(self._as_known(c))} AS {quoted('day of ' + c)}" for c in own_days)
        entity = "r.customer" if self.plan.entity == "customer" else "r.person_id"
        said = f"{self.as_of.day} AS day, {self.as_of.date} AS date, {entity} AS e, r.customer{masked}{days}"
        there = f"r.deleted_at IS NULL AND {entity} IS NOT NULL"
        if self.as_of.alone:
            return f"SELECT {said} FROM {table.name} r WHERE {visible}{near} AND {there}"
        joined = f"{DATES} d JOIN {table.name} r ON {visible}{near}{self._earlier}"
        return f"SELECT d.i, {said} FROM {joined} WHERE {there}"

    @cached_property
    def _earlier(self) -> str:
        """What joins earlier values of rows that were written over; most metrics read none."""
        if not self.overwritten:
            return ""
        return earlier_join(self.plan.table.name, DATES, self._named)

    @cached_property
    def _named(self) -> frozenset[str]:
        return frozenset(name for metric in self.plan.metrics for name in _names(metric))

    def _reach(self) -> int | None:
        table = self.plan.table
        reaches = []
        for metric in self.plan.metrics:
            m = metric.metric
            if m.window is None or (m.time not in (None, table.time)):
                return None
            reaches.append(m.window * (2 if m.aggregate is Aggregate.CHANGE else 1) + m.offset)
        return max(reaches)

    def _as_known(self, column: str) -> str:
        reveal = self.plan.table.reveals.get(column)
        own = f"r.{quoted(column)}"
        if reveal is None:
            joined = bool(self._earlier) and column in self._named
            return (earlier_value(self.plan.table.name, column) if joined else None) or own
        by = f"r.{quoted(reveal.by)}"
        if reveal.before is None:
            hidden = f"{by} >= {self.as_of.ends}"
            return f"CASE WHEN {hidden} THEN NULL ELSE {own} END"
        final = ", ".join(f"'{value}'" for value in reveal.final)
        return f"CASE WHEN {by} >= {self.as_of.ends} AND {own} IN ({final}) THEN '{reveal.before}' ELSE {own} END"

    def _resolver(self) -> Resolve:
        table = self.plan.table
        names = [c for c in table.column_names if _stored(c)]
        special = {
            AS_OF: exp.column("date"),
            "people": exp.column("person_id", quoted=True),
            "properties": exp.column(table.json_column, quoted=True),
        }
        time = self._time_day(None)
        if time:
            special["days"] = exp.column(time, quoted=True)
        return column_resolver(table, special, names)

    def _time_day(self, metric: RowMetric | None) -> str | None:
        column = (metric.metric.time if metric else None) or self.plan.table.time
        return f"day of {column}" if column else None

    def _window(self, metric: RowMetric, *, previous: bool = False) -> str:
        within = [*self._still_there(metric), *self._days(metric, previous=previous)]
        return " AND ".join(within) or "true"

    def _still_there(self, metric: RowMetric) -> list[str]:
        """People who left are no longer counted, unless a metric is about their leaving."""
        ends = self.plan.table.ends
        if self.plan.table.name != "people" or ends is None or metric.metric.time == ends:
            return []
        parts = (metric.where, metric.of, metric.per, metric.matching)
        asked = any(ends in names_in(part) for part in parts if part is not None)
        return [] if asked else [f"{quoted(ends)} IS NULL"]

    def _days(self, metric: RowMetric, *, previous: bool) -> list[str]:
        m = metric.metric
        own = self._time_day(metric)
        if own is None:
            return []
        shift = m.offset + (m.window or 0) * previous
        name = quoted(own)
        within = [f"{name} <= day - {shift}"] if shift or m.time else []
        if m.time:
            within.append(f"{name} IS NOT NULL")
        if m.window is not None:
            within.append(f"{name} > day - {shift + m.window}")
        return within

    def _aggregates(self, metric: RowMetric) -> Sequence[str | Aggregated]:
        resolve = self._resolver()
        where = self._filter(metric, resolve)
        match metric.metric.aggregate:
            case Aggregate.COUNT | Aggregate.EXISTS:
                return [_count(where)]
            case Aggregate.COUNT_DISTINCT:
                return [f"count(DISTINCT {self._distinct(metric, resolve)}) FILTER (WHERE {where})"]
            case Aggregate.SUM:
                return [self._sum(metric.of, where, resolve)]
            case Aggregate.MEAN:
                return [self._sum(metric.of, where, resolve), _count(f"{where} AND {_known(metric.of, resolve)}")]
            case Aggregate.RATIO:
                return [self._sum(metric.of, where, resolve), self._sum(metric.per, where, resolve)]
            case Aggregate.SHARE:
                matching = condition_text(both(metric.where, metric.matching), resolve)
                return [_count(f"{matching} AND {self._window(metric)}"), _count(where)]
            case Aggregate.CHANGE:
                earlier = self._filter(metric, resolve, previous=True)
                pair = (where, earlier)
                return [_count(w) if metric.of is None else self._sum(metric.of, w, resolve) for w in pair]
            case Aggregate.DAYS_SINCE:
                return [f"max({quoted(self._time_day(metric) or '')}) FILTER (WHERE {where})"]
            case Aggregate.SLOPE:
                return self._slope(metric, where, resolve)
            case _:
                return [self._picked(metric, where, resolve)]

    def _sum(self, of: Expression | None, where: str, resolve: Resolve) -> str | Aggregated:
        if of is None:
            return "NULL"
        return amounts(lambda value: f"sum({value}) FILTER (WHERE {where})", of, self.plan.table, resolve)

    def _distinct(self, metric: RowMetric, resolve: Resolve) -> str:
        if isinstance(metric.of, Name) and metric.of.name == "days":
            return quoted(self._time_day(metric) or "")
        return sql_text(expression_sql(metric.of, resolve)) if metric.of else "NULL"

    def _slope(self, metric: RowMetric, where: str, resolve: Resolve) -> list[str]:
        window, offset = metric.metric.window or 1, metric.metric.offset
        x = f"({quoted(self._time_day(metric) or '')} - (day - {offset + window - 1}))"
        amount = "1" if metric.of is None else micros_text(metric.of, resolve)
        summed = (amount, f"{amount} * {x}")
        return [f"CAST(sum({part}) FILTER (WHERE {where}) AS BIGINT)" for part in summed]

    def _picked(self, metric: RowMetric, where: str, resolve: Resolve) -> str | Aggregated:
        """Amounts in millionths, days as numbers, texts as they are."""
        pick = partial(self._pick, metric, where)
        of = metric.of
        if of is None:
            return pick("NULL")
        kind = value_kind(self.plan.table, of)
        text = sql_text(expression_sql(of, resolve))
        if kind in (Kind.TEXT, Kind.JSON):
            return pick(text)
        if kind is Kind.TIME:
            return pick(self.day_of(text))
        if kind is Kind.DATE:
            return pick(f"date_diff('day', DATE '1970-01-01', {text})")
        return amounts(pick, of, self.plan.table, resolve)

    def _pick(self, metric: RowMetric, where: str, value: str) -> str:
        known = f"{where} AND {value} IS NOT NULL"
        aggregate = metric.metric.aggregate
        if aggregate in (Aggregate.MIN, Aggregate.MAX):
            return f"{aggregate.value}({value}) FILTER (WHERE {known})"
        pick = "arg_max" if aggregate is Aggregate.LATEST else "arg_min"
        time = quoted(metric.metric.time or self.plan.table.time or self.plan.table.key)
        return f"{pick}({value}, row({time}, {quoted(self.plan.table.key)})) FILTER (WHERE {known})"


def _periods(metric: RowMetric) -> tuple[bool, ...]:
    """Whether a metric looks at the time before its window, beside the window itself."""
    return (False, True) if metric.metric.aggregate is Aggregate.CHANGE else (False,)


def _names(metric: RowMetric) -> list[str]:
    parts = (metric.where, metric.of, metric.per, metric.matching)
    return [name for part in parts if part is not None for name in names_in(part)]


def _stored(column: str) -> bool:
    return column != "customer_id"


def _count(where: str) -> str:
    return f"count(*) FILTER (WHERE {where})"


def _known(of: Expression | None, resolve: Resolve) -> str:
    return "true" if of is None else f"{sql_text(expression_sql(of, resolve))} IS NOT NULL"


Slots = dict[str, int]


def row_values(
    warehouse: Warehouse, plan: RowPlan, dates: Sequence[int], size: int, people: Slots | None = None
) -> dict[str, Values]:
    """All metrics of a plan for some dates (days since 1970); `people` maps person ids to slots when per person."""
    sql = RowSql.of(warehouse, plan, dates)
    if not sql.as_of.alone:
        _keep_dates(warehouse, dates)
    found = warehouse.connection.execute(sql.statement()).fetchnumpy()
    shape = (len(dates), size)
    slots = _slots(found["e"], people)
    place = (np.asarray(found["i"]).astype(np.int64), slots)
    out = {}
    for metric in plan.metrics:
        columns = [found[column] for column, _ in sql.parts(metric)]
        out[metric.name] = _combine(plan.table, metric, columns, place, shape, np.array(dates, np.int64))
    return out


def _slots(entities: npt.NDArray[Any], people: Slots | None) -> Ints:
    if people is None:
        return np.asarray(entities).astype(np.int64)
    return np.array([people[e] for e in entities], dtype=np.int64)


def _combine(
    table: Table,
    metric: RowMetric,
    columns: list[npt.NDArray[Any]],
    place: tuple[Ints, Ints],
    shape: tuple[int, int],
    dates: Ints,
) -> Values:
    m = metric.metric
    picked = m.aggregate in (Aggregate.MIN, Aggregate.MAX, Aggregate.LATEST, Aggregate.FIRST)
    kind = value_kind(table, metric.of) if picked else Kind.NUMBER
    if picked and kind in (Kind.TEXT, Kind.JSON):
        return _texts(columns[0], place, shape)
    grids = [_spread(column, place, shape, np.nan if picked or _is_age(m.aggregate) else 0.0) for column in columns]
    return _finished(metric, _value(metric, grids, kind, dates), grids)


def _is_age(aggregate: Aggregate | None) -> bool:
    return aggregate is Aggregate.DAYS_SINCE


def _value(metric: RowMetric, grids: list[Floats], kind: Kind, dates: Ints) -> Floats:
    m = metric.metric
    scale = 1.0 if m.aggregate is Aggregate.CHANGE and metric.of is None else float(MICRO)
    with np.errstate(all="ignore"):
        match m.aggregate:
            case Aggregate.COUNT | Aggregate.COUNT_DISTINCT:
                return grids[0]
            case Aggregate.EXISTS:
                return (grids[0] > 0).astype(np.float64)
            case Aggregate.SUM:
                return grids[0] / MICRO
            case Aggregate.MEAN:
                return np.where(grids[1] == 0, np.nan, grids[0] / grids[1] / MICRO)
            case Aggregate.RATIO | Aggregate.SHARE:
                return np.where(grids[1] == 0, np.nan, grids[0] / grids[1])
            case Aggregate.CHANGE:
                return np.where(grids[1] == 0, np.nan, (grids[0] - grids[1]) / scale / (grids[1] / scale))
            case Aggregate.DAYS_SINCE:
                return dates[:, None] - grids[0]
            case Aggregate.SLOPE:
                return _slope_value(m.window or 1, grids, 1 if metric.of is None else MICRO)
            case _:
                return grids[0] if kind in _DAY_KINDS else grids[0] / MICRO


def _slope_value(n: int, grids: list[Floats], scale: int) -> Floats:
    sum_x, sum_xx = n * (n - 1) // 2, (n - 1) * n * (2 * n - 1) // 6
    bottom = n * sum_xx - sum_x * sum_x
    return (n * grids[1] - sum_x * grids[0]) / (bottom or np.nan) / scale


def _finished(metric: RowMetric, values: Floats, grids: list[Floats]) -> Values:
    empty, aggregate = metric.metric.empty, metric.metric.aggregate
    if aggregate in ZERO_WHEN_EMPTY and empty is not None:
        values = np.where(values == 0, np.nan, values)
    if isinstance(empty, int | float):
        values = np.where(np.isnan(values), float(empty), values)
    undefined = aggregate in (Aggregate.CHANGE, Aggregate.RATIO)
    missing = np.uint8(Quality.UNDEFINED if undefined else Quality.NO_ROWS)
    return Values(values, np.where(np.isnan(values), missing, np.uint8(0)))


def _spread(column: npt.NDArray[Any], place: tuple[Ints, Ints], shape: tuple[int, int], empty: float) -> Floats:
    grid = np.full(shape, empty)
    data = np.ma.asarray(column)
    grid[place] = np.where(np.ma.getmaskarray(data), empty, np.ma.filled(data.astype(np.float64), empty))
    return grid


def _texts(column: npt.NDArray[Any], place: tuple[Ints, Ints], shape: tuple[int, int]) -> Values:
    masked = np.ma.asarray(column)
    known = ~np.ma.getmaskarray(masked) & np.array([value is not None for value in masked.data], dtype=np.bool_)
    texts, codes = np.unique(masked.data[known].astype(str), return_inverse=True)
    values = np.full(shape, np.nan)
    values[place[0][known], place[1][known]] = codes
    quality: Codes = np.where(np.isnan(values), np.uint8(Quality.NO_ROWS), np.uint8(0))
    return Values(values, quality, tuple(str(text) for text in texts))
