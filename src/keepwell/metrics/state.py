"""Daily state of a fact plan, kept in the warehouse file and true to the versions of the days it was made from.

A day is replaced from its rows whenever its version differs from the one the state was made from; nothing is ever
added to. So late, repeated and deleted rows restate exactly the days they touch, and stopping anywhere is harmless.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import duckdb

from keepwell.metrics.day_words import ALL_DAYS, by_word, mask_of
from keepwell.metrics.fact_sql import DayFile, FactSql
from keepwell.metrics.frame import day_number, number_day
from keepwell.metrics.plan import FactPlan
from keepwell.metrics.readings import Reading
from keepwell.metrics.row_sql import Symbols
from keepwell.warehouse.facts import FactDay, fact_days
from keepwell.warehouse.schema import CODED
from keepwell.warehouse.sql import literal
from keepwell.warehouse.storage import Warehouse

DAYS_AT_ONCE: Final = 31
LEVELS: Final = (1, 32, 62, 93, 186, 367)
_TABLE: Final = "CREATE TABLE IF NOT EXISTS state_days(state VARCHAR, day INTEGER, version VARCHAR)"

Statement = Callable[[Sequence[DayFile]], str]
Kept = dict[str, dict[int, str]]


@dataclass(frozen=True)
class _Change:
    """Rows of a state table to be replaced: those of some days, by what `select` gives, made from these versions.

    Without `select` they only go. With `words` the days are bits in so many columns, else rows. `rows` of facts are
    read for it.
    """

    table: str
    days: tuple[int, ...]
    versions: Mapping[int, str]
    select: str | None = None
    words: int = 0
    rows: int = 0

    def removal(self, days: Sequence[int]) -> Iterator[str]:
        """The statements that take days out of the table."""
        if not self.words:
            yield f"DELETE FROM {self.table} WHERE day IN ({', '.join(map(str, days))})"
            return
        columns = [f"b{i}" for i in range(self.words)]
        for word, listed in by_word(days).items():
            mask, here = mask_of(listed), f"word = {word} AND ({' | '.join(columns)})"
            kept = ", ".join(f"{column} = {column} & {ALL_DAYS ^ mask}" for column in columns)
            yield f"UPDATE {self.table} SET {kept} WHERE {here} & {mask} != 0"
            yield f"DELETE FROM {self.table} WHERE {here} = 0"


@dataclass(frozen=True)
class FactState:
    """The state of one fact plan in one warehouse; `kept` has the versions that each table's days were made from.

    A table is there exactly when some day is kept in it.
    """

    warehouse: Warehouse
    plan: FactPlan
    live: Mapping[int, FactDay]
    forever: tuple[Reading, ...]
    kept: Kept
    symbols: Symbols

    @classmethod
    def of(cls, warehouse: Warehouse, plan: FactPlan, forever: Iterable[Reading]) -> "FactState":
        """The state as it is; `bring` makes it true for a range of days."""
        warehouse.connection.execute(_TABLE)
        live = {day_number(day): found for day, found in fact_days(warehouse, plan.table).items()}
        kept, symbols = _read_kept(warehouse, f"state_{plan.key}_"), _read_symbols(warehouse, plan.table.name)
        return cls(warehouse, plan, live, tuple(forever), kept, symbols)

    @property
    def atoms_table(self) -> str:
        return f"state_{self.plan.key}_days"

    def presence_table(self, index: int) -> str:
        return f"state_{self.plan.key}_seen{index}"

    @property
    def months_table(self) -> str:
        content = repr(self.forever)
        return f"state_{self.plan.key}_months_{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    def presence_months_table(self, index: int) -> str:
        return f"state_{self.plan.key}_seen{index}_months"

    def bring(self, first: int, last: int, *, more: int = 0) -> None:
        """Make the state true for as-of days from `first` to `last` (days since 1970).

        `more` rows will be read from it then: with those to be brought they say how many threads are worth it.
        """
        found = list(self._changes(first, last))
        self.warehouse.set_threads_for(more + sum(change.rows for change in found))
        for changes in _together(found):
            with self.warehouse.transaction():
                for change in changes:
                    self._apply(change)
                self._note(changes)

    def _changes(self, first: int, last: int) -> Iterator[_Change]:
        sql = FactSql(self.plan, self.symbols)
        if self.plan.atoms:
            yield from self._atoms(first, last, sql)
        for index, presence in enumerate(self.plan.presences):
            start = self.first_seen_day(first, index)
            statement, words = partial(sql.presence, presence), len(presence.wheres)
            yield from self._days(self.presence_table(index), start, last, statement, words=words)
        if self.forever:
            start = self.first_day(first, self.plan.reach)
            yield from self._months(self.months_table, start, partial(sql.month, self.forever))
        for index in self.forever_presences:
            presence = self.plan.presences[index]
            start = self.first_seen_day(first, index)
            yield from self._months(self.presence_months_table(index), start, partial(sql.month_presence, presence))

    def has(self, table: str) -> bool:
        """Whether a state table has any rows."""
        return bool(self.kept.get(table))

    @property
    def forever_presences(self) -> tuple[int, ...]:
        """The presences that some metric counts since the beginning."""
        endless = {m.presence for m in self.plan.metrics if m.presence is not None and m.metric.window is None}
        return tuple(i for i, presence in enumerate(self.plan.presences) if presence.of in endless)

    def first_day(self, first: int, reach: int) -> int:
        """Daily state begins with a month, so that whole months can stand for what lies before it."""
        start = first - reach + 1
        return day_number(number_day(start).replace(day=1)) if self.forever else start

    def first_seen_day(self, first: int, index: int) -> int:
        """Like `first_day`, for one presence."""
        start = first - self.plan.presence_reach[self.plan.presences[index].of] + 1
        return day_number(number_day(start).replace(day=1)) if index in self.forever_presences else start

    def _atoms(self, first: int, last: int, sql: FactSql) -> Iterator[_Change]:
        """Days that only long windows reach hold only the atoms of long windows; `level` is the shortest reach kept."""
        start = self.first_day(first, self.plan.reach)
        for low, high in zip(LEVELS, (*LEVELS[1:], 10**7), strict=True):
            newest = last if low == 1 else first - low + 1
            oldest = max(start, first - high + 2)
            if newest >= oldest:
                yield from self._days(self.atoms_table, oldest, newest, partial(sql.atoms, level=low), low)

    def _days(
        self, table: str, first: int, last: int, statement: Statement, level: int = 1, *, words: int = 0
    ) -> Iterator[_Change]:
        kept = {day: made for day, made in self.kept.get(table, {}).items() if first <= day <= last}
        live = {day: self.live[day].version for day in self.live if first <= day <= last}
        gone = tuple(day for day in kept if day not in live)
        if gone:
            yield _Change(table, gone, {}, words=words)
        dirty = sorted(day for day, version in live.items() if not _covers(kept.get(day), version, level))
        for part in by_word(dirty).values() if words else _parts(dirty):
            select = statement([DayFile(day, self.live[day].path) for day in part])
            versions, rows = {day: f"{live[day]}/{level}" for day in part}, sum(self.live[day].rows for day in part)
            yield _Change(table, tuple(part), versions, select, words, rows)

    def _months(self, table: str, before: int, statement: Statement) -> Iterator[_Change]:
        """Whole months before the daily state, one row per entity and month; `day` is the month's first day."""
        months: dict[int, list[int]] = {}
        for day in self.live:
            if day < before:
                months.setdefault(day_number(number_day(day).replace(day=1)), []).append(day)
        kept = self.kept.get(table, {})
        for month in sorted({*months, *(m for m in kept if m < before)}):
            days = months.get(month, [])
            version = hashlib.sha256(repr([self.live[d].version for d in days]).encode()).hexdigest()[:20]
            if not days:
                yield _Change(table, (month,), {})
            elif kept.get(month) != version:
                select = statement([DayFile(day, self.live[day].path) for day in days])
                rows = sum(self.live[day].rows for day in days)
                yield _Change(table, (month,), {month: version}, f"SELECT {month} AS day, * FROM ({select})", rows=rows)

    def _apply(self, change: _Change) -> None:
        """Replace rows within a transaction. The first rows make the table, the last ones to go take it with them."""
        connection, table = self.warehouse.connection, change.table
        kept = self.kept.setdefault(table, {})
        old = [day for day in change.days if day in kept]
        there = bool(kept)
        for day in old:
            del kept[day]
        if old:
            listed = ", ".join(map(str, old))
            connection.execute(f"DELETE FROM state_days WHERE state = ? AND day IN ({listed})", [table])
            if kept or change.select:
                for statement in change.removal(old):
                    connection.execute(statement)
            else:
                connection.execute(f"DROP TABLE {table}")
        if change.select:
            connection.execute(
                f"{f'INSERT INTO {table} BY NAME' if there else f'CREATE OR REPLACE TABLE {table} AS'} {change.select}"
            )
            kept.update(change.versions)

    def _note(self, changes: Sequence[_Change]) -> None:
        """Keep what the new rows were made from, in the same transaction."""
        made = [(c.table, day, version) for c in changes for day, version in sorted(c.versions.items())]
        if made:
            rows = ", ".join(f"({literal(table)}, {day}, {literal(version)})" for table, day, version in made)
            self.warehouse.connection.execute(f"INSERT INTO state_days VALUES {rows}")


def _parts(days: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(days), DAYS_AT_ONCE):
        yield days[start : start + DAYS_AT_ONCE]


def _together(changes: Iterable[_Change]) -> Iterator[list[_Change]]:
    """Changes of few days in one transaction, which is cheaper; many days are kept as they are done."""
    found: list[_Change] = []
    for change in changes:
        if found and sum(len(c.days) for c in found) + len(change.days) > DAYS_AT_ONCE:
            yield found
            found = []
        found.append(change)
    if found:
        yield found


def _read_kept(warehouse: Warehouse, prefix: str) -> Kept:
    """The version that each day of the state tables with a prefix was made from."""
    found = warehouse.connection.execute(
        "SELECT state, day, version FROM state_days WHERE starts_with(state, ?)", [prefix]
    ).fetchall()
    kept: Kept = {}
    for table, day, version in found:
        kept.setdefault(table, {})[day] = version
    return kept


def _covers(kept: str | None, version: str, level: int) -> bool:
    """Whether a kept day was made from this version, with all atoms of at least this reach."""
    made_from, _, kept_level = (kept or "").rpartition("/")
    return made_from == version and int(kept_level) <= level


def _read_symbols(warehouse: Warehouse, table: str) -> Symbols:
    """The texts behind a fact table's codes."""
    kinds = {column: f"{table}.{column}" for column in CODED[table]}
    rows = warehouse.connection.execute("SELECT kind, code, text FROM symbols ORDER BY code").fetchall()
    return Symbols({c: tuple((code, text) for k, code, text in rows if k == kind) for c, kind in kinds.items()})


def forget_unused(warehouse: Warehouse, keep: Iterable[str]) -> None:
    """Drop the state of plans that no model in use has."""
    prefixes = tuple(f"state_{key}_" for key in keep)
    try:
        tables = warehouse.connection.execute("SELECT DISTINCT state FROM state_days").fetchall()
    except duckdb.CatalogException:  # no state has ever been kept
        return
    for (table,) in sorted(tables):
        if not table.startswith(prefixes):
            with warehouse.transaction() as connection:
                connection.execute(f"DROP TABLE IF EXISTS {table}")
                connection.execute("DELETE FROM state_days WHERE state = ?", [table])
