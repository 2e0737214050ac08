"""Values of the metrics over fact tables, for one or many dates, from the daily state."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from keepwell.metrics.day_words import BEFORE, masks_between, word_of
from keepwell.metrics.fact_combine import Found, Values, combine, metric_readings, metric_texts
from keepwell.metrics.frame import Ints, stable_order
from keepwell.metrics.plan import Atom, Entity, FactMetric, FactPlan, Presence
from keepwell.metrics.readings import NOTHING, Grid, Presences, Reading, count_present, read_dates
from keepwell.metrics.state import FactState
from keepwell.warehouse.storage import Warehouse

FEW_DATES: Final = 3
DIRECT_BITS: Final = 16
NEAR_DAYS: Final = 31
"""Short windows are read apart: most readings need but a third of the days that the longest one needs."""


def endless_readings(plan: FactPlan) -> tuple[Reading, ...]:
    """The readings that look back to the beginning, each once, in a fixed order."""
    found = {r for metric in plan.metrics for r in metric_readings(metric) if r.start is None}
    return tuple(sorted(found, key=repr))


def date_statements(state: FactState, date: int) -> Iterator[tuple[tuple[str, ...], str]]:
    """The statements that read the metrics of one date from the daily state, each with the metrics it is for.

    Nothing is read: the state may not be there yet.
    """
    reader, plan = _DateByDate(state, 1, date), state.plan
    if plan.atoms:
        readings = sorted({r for metric in plan.metrics for r in metric_readings(metric)}, key=repr)
        yield tuple(m.name for m in plan.metrics if m.presence is None), reader.statement(readings, date)
    for index, presence in enumerate(plan.presences):
        names = tuple(m.name for m in plan.metrics if m.presence == presence.of)
        source = reader._presence_source(index, presence, date) or state.presence_table(index)
        yield names, reader.presence_statement(presence, source, date)


def fact_values(
    warehouse: Warehouse, plan: FactPlan, dates: Sequence[int], size: int, *, one_by_one: bool | None = None
) -> dict[str, Values]:
    """All metrics of a plan for ascending dates; `size` is the number of entity slots (largest key + 1).

    Few dates are read by one statement each, many by sweeps; `one_by_one` forces either.
    """
    state = FactState.of(warehouse, plan, endless_readings(plan))
    days = np.array(dates, np.int64)
    few = len(dates) <= FEW_DATES if one_by_one is None else one_by_one
    state.bring(dates[0], dates[-1], more=size * max(plan.reach, len(dates)) * len(dates))
    readings = sorted({r for metric in plan.metrics for r in metric_readings(metric)}, key=repr)
    reader = (_DateByDate if few else _Sweep)(state, size, dates[0])
    grid = reader.readings(readings, days)
    # Groups of few customers and things find their place without hashing, in half the time.
    warehouse.connection.execute(f"SET perfect_ht_threshold = {DIRECT_BITS}")
    counts = reader.presences(days)
    warehouse.connection.execute("RESET perfect_ht_threshold")
    out = {}
    for metric in plan.metrics:
        found = counts[metric.name] if metric.presence is not None else None
        texts = metric_texts(plan, metric, state.symbols)
        out[metric.name] = combine(metric, grid, found, days, texts)
    return out


class _Reader:
    """What both ways of reading share: where rows of whole months come in."""

    def __init__(self, state: FactState, size: int, earliest: int) -> None:
        self.state, self.plan, self.size = state, state.plan, size
        # Daily rows were brought up to date from here on; whole months stand for what lies before.
        self.first = state.first_day(earliest, state.plan.reach)
        self.first_seen = [state.first_seen_day(earliest, i) for i in range(len(state.plan.presences))]
        self.connection = state.warehouse.connection
        self.entity: Entity = state.plan.entity

    def fetch(self, sql: str) -> dict[str, npt.NDArray[np.generic]]:
        return dict(self.connection.execute(sql).fetchnumpy())

    def spread(self, entities: npt.NDArray[np.generic], values: npt.NDArray[np.generic], empty: int) -> Ints:
        """Scatter one value per entity into a row of all entities."""
        row = np.full(self.size, empty, np.int64)
        filled = np.ma.filled(np.ma.asarray(values).astype(np.int64), empty)
        row[np.asarray(entities).astype(np.int64)] = filled
        return row

    def months(self, first: int) -> dict[Reading, Ints]:
        """Readings over the whole months before the daily state that begins on or after `first`."""
        readings = self.state.forever
        table = self.state.months_table
        blank = {r: np.full(self.size, r.empty, np.int64) for r in readings}
        if not readings or not self.state.has(table):
            return blank
        columns = ", ".join(f"{r.over_months(f'r{i}')} AS r{i}" for i, r in enumerate(readings))
        found = self.fetch(f"SELECT {self.entity} AS e, {columns} FROM {table} WHERE day < {first} GROUP BY e")
        return {r: self.spread(found["e"], found[f"r{i}"], r.empty) for i, r in enumerate(readings)}

    def _presence_source(self, index: int, presence: Presence, date: int) -> str | None:
        """Rows of entity, thing, word and the days of the word as bits, one column for each row filter."""
        first = self.first_seen[index]
        parts = []
        table, months = self.state.presence_table(index), self.state.presence_months_table(index)
        wheres = range(len(presence.wheres))
        if self.state.has(table):
            columns = ", ".join(f"b{i}" for i in wheres)
            where = f"word BETWEEN {word_of(first)} AND {word_of(date)}"
            parts.append(f"SELECT {self.entity}, thing, word, {columns} FROM {table} WHERE {where}")
        if index in self.state.forever_presences and self.state.has(months):
            columns = ", ".join(f"CAST(flags >> {i} & 1 AS BIGINT) AS b{i}" for i in wheres)
            parts.append(f"SELECT {self.entity}, thing, {BEFORE} AS word, {columns} FROM {months} WHERE day < {first}")
        return f"({' UNION ALL '.join(parts)})" if parts else None


class _DateByDate(_Reader):
    """One statement per date over the daily rows."""

    def readings(self, readings: Sequence[Reading], dates: Ints) -> Found:
        rows: dict[Reading, list[Ints]] = {r: [] for r in readings}
        for date in dates:
            for reading, values in self._date(readings, int(date)).items():
                rows[reading].append(values)
        return {reading: np.stack(values) for reading, values in rows.items()}

    def _date(self, readings: Sequence[Reading], date: int) -> dict[Reading, Ints]:
        out = {r: np.full(self.size, r.empty, np.int64) for r in readings}
        if not readings:
            return out
        if self.state.has(self.state.atoms_table):
            near = [r for r in readings if r.start is not None and r.start < NEAR_DAYS]
            for part in (near, [r for r in readings if r not in near]):
                self._read(part, date, out)
        earlier = self.months(self.first)
        return {r: r.join(earlier[r], row) if r.start is None else row for r, row in out.items()}

    def _read(self, readings: Sequence[Reading], date: int, out: dict[Reading, Ints]) -> None:
        if readings:
            found = self.fetch(self.statement(readings, date))
            for i, reading in enumerate(readings):
                out[reading] = self.spread(found["e"], found[f"r{i}"], reading.empty)

    def statement(self, readings: Sequence[Reading], date: int) -> str:
        """The statement that reads windows of one date from the daily rows they reach."""
        reaches = [self.first if r.start is None else date - r.start for r in readings]
        first = max(self.first, min(reaches))
        place = {atom: f"a{i}" for i, atom in enumerate(self.plan.atoms)}
        columns = ", ".join(f"{r.sql(place[r.atom], date, first)} AS r{i}" for i, r in enumerate(readings))
        where = f"day BETWEEN {first} AND {date}"
        return f"SELECT {self.entity} AS e, {columns} FROM {self.state.atoms_table} WHERE {where} GROUP BY e"

    def presences(self, dates: Ints) -> dict[str, Ints]:
        counts: dict[str, list[Ints]] = {}
        for date in dates:
            for index, presence in enumerate(self.plan.presences):
                for name, values in self._presence(index, presence, int(date)).items():
                    counts.setdefault(name, []).append(values)
        return {name: np.stack(values) for name, values in counts.items()}

    def _presence(self, index: int, presence: Presence, date: int) -> dict[str, Ints]:
        metrics = [m for m in self.plan.metrics if m.presence == presence.of]
        blank = {m.name: np.zeros(self.size, np.int64) for m in metrics}
        source = self._presence_source(index, presence, date)
        if source is None:
            return blank
        found = self.fetch(self.presence_statement(presence, source, date))
        return {m.name: self.spread(found["e"], found[f"c{i}"], 0) for i, m in enumerate(metrics)}

    def presence_statement(self, presence: Presence, source: str, date: int) -> str:
        """The statement that counts the distinct things of one date in the windows of the metrics, in their order."""
        metrics = [m for m in self.plan.metrics if m.presence == presence.of]
        first = self.first_seen[self.plan.presences.index(presence)]
        asked = [_asked(metric, presence, first, date) for metric in metrics]
        words = sorted({word for masks in asked for word, _, _ in masks})
        columns = {(word, flag): f"w{words.index(word)}_{flag}" for masks in asked for word, flag, _ in masks}
        alone = len(words) == 1
        where = f" WHERE word = {words[0]}" if alone else ""
        bits = "b{1}" if alone else "CASE WHEN word = {0} THEN b{1} END"
        days = ", ".join(f"bit_or({bits.format(*key)}) AS {name}" for key, name in columns.items())
        inner = f"SELECT {self.entity} AS e, thing, {days} FROM {source}{where} GROUP BY e, thing"
        tests = [" OR ".join(f"{columns[word, flag]} & {mask} != 0" for word, flag, mask in masks) for masks in asked]
        counts = ", ".join(f"count(*) FILTER (WHERE {test}) AS c{i}" for i, test in enumerate(tests))
        return f"SELECT e, {counts} FROM ({inner}) GROUP BY e"


class _Sweep(_Reader):
    """All dates at once over dense arrays."""

    def readings(self, readings: Sequence[Reading], dates: Ints) -> Found:
        if not readings:
            return {}
        out = read_dates(partial(self._grid, int(dates[-1])), readings, dates)
        earlier = self.months(self.first)
        return {r: r.join(earlier[r][None, :], grid) if r.start is None else grid for r, grid in out.items()}

    def _grid(self, last: int, atom: Atom) -> Grid:
        """The daily values of an atom up to a day. Only those that say something are fetched: a sum of 0 is none."""
        shape = (last - self.first + 1, self.size)
        if not self.state.has(self.state.atoms_table):
            return Grid(np.zeros(0, np.int64), np.zeros(0, np.int64), self.first, shape)
        column = f"a{self.plan.atoms.index(atom)}"
        told = f"{column} != 0" if atom.kind in ("count", "sum") else f"{column} IS NOT NULL"
        found = self.fetch(
            f"SELECT CAST(day - {self.first} AS BIGINT) * {self.size} + {self.entity} AS place, {column} AS v"
            f" FROM {self.state.atoms_table} WHERE day BETWEEN {self.first} AND {last} AND {told}"
        )
        return Grid(_filled(found["place"]), _filled(found["v"]), self.first, shape)

    def presences(self, dates: Ints) -> dict[str, Ints]:
        out: dict[str, Ints] = {}
        for index, presence in enumerate(self.plan.presences):
            found = self._presences(index, presence, int(dates[-1]))
            for metric in self.plan.metrics:
                if metric.presence == presence.of:
                    seen = found[presence.wheres.index(metric.flag)]
                    out[metric.name] = count_present(seen, metric.metric.window, metric.metric.offset, dates, self.size)
        return out

    def _presences(self, index: int, presence: Presence, last: int) -> list[Presences]:
        """One row per entity and thing, its days as bits: no sorting, and little to fetch."""
        first, flags = self.first_seen[index], range(len(presence.wheres))
        source = self._presence_source(index, presence, last)
        if source is None:
            return [Presences(np.zeros(0, np.int64), {}, np.zeros(0, np.bool_), first) for _ in flags]
        words = range(word_of(first), word_of(last) + 1)
        columns = [f"bit_or(CASE WHEN word = {w} THEN b{f} ELSE 0 END) AS b{f}_{w}" for f in flags for w in words]
        columns += [f"max(CASE WHEN word = {BEFORE} THEN b{f} ELSE 0 END) AS old{f}" for f in flags]
        found = self.fetch(f"SELECT {self.entity} AS e, {', '.join(columns)} FROM {source} GROUP BY e, thing")
        entities = _filled(found["e"])
        order = stable_order(entities)
        entities = entities[order]
        return [
            Presences(
                entities,
                {w: _filled(found[f"b{f}_{w}"])[order] for w in words},
                _filled(found[f"old{f}"])[order] > 0,
                first,
            )
            for f in flags
        ]


def _filled(values: npt.NDArray[np.generic]) -> Ints:
    return np.ma.filled(np.ma.asarray(values).astype(np.int64, copy=False), NOTHING)


def _asked(metric: FactMetric, presence: Presence, first: int, date: int) -> list[tuple[int, int, int]]:
    """The words that hold days of the metric's window, each with its column of bits and the bits of those days."""
    window, last = metric.metric.window, date - metric.metric.offset
    low = first if window is None else last - window + 1
    masks = [*masks_between(low, last), *([(BEFORE, 1)] if window is None else [])]
    return [(word, presence.wheres.index(metric.flag), mask) for word, mask in masks]
