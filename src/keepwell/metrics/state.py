"""Daily state of a fact plan, kept in the warehouse file and true to the versions of the days it was made from.

A day is replaced from its rows whenever its version differs from the one the state was made from; nothing is ever
added to. So late, repeated and deleted rows restate exactly the days they touch, and stopping anywhere is harmless.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from keepwell.metrics.fact_sql import DayFile, FactSql
from keepwell.metrics.frame import day_number, number_day
from keepwell.metrics.plan import FactPlan
from keepwell.metrics.readings import Reading
from keepwell.metrics.row_sql import Symbols
from keepwell.warehouse.facts import FactDay, fact_days
from keepwell.warehouse.schema import CODED
from keepwell.warehouse.storage import Warehouse

DAYS_AT_ONCE: Final = 31
LEVELS: Final = (1, 32, 62, 93, 186, 367)
_TABLE: Final = "CREATE TABLE IF NOT EXISTS state_days(state VARCHAR, day INTEGER, version VARCHAR)"


Statement = Callable[[Sequence[DayFile]], str]


@dataclass(frozen=True)
class FactState:
    """The state of one fact plan in one warehouse."""

    warehouse: Warehouse
    plan: FactPlan
    live: Mapping[int, FactDay]
    forever: tuple[Reading, ...]

    @classmethod
    def of(cls, warehouse: Warehouse, plan: FactPlan, forever: Iterable[Reading]) -> "FactState":
        """The state as it is; `bring` makes it true for a range of days."""
        warehouse.connection.execute(_TABLE)
        live = {day_number(day): found for day, found in fact_days(warehouse, plan.table).items()}
        return cls(warehouse, plan, live, tuple(forever))

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

    def bring(self, first: int, last: int) -> None:
        """Make the state true for as-of days from `first` to `last` (days since 1970)."""
        sql = FactSql(self.plan, read_symbols(self.warehouse, self.plan.table.name))
        if self.plan.atoms:
            self._bring_atoms(first, last, sql)
        for index, presence in enumerate(self.plan.presences):
            start = self.first_seen_day(first, index)
            table = self.presence_table(index)
            self._bring_days(table, start, last, partial(sql.presence, presence))
        if self.forever:
            start = self.first_day(first, self.plan.reach)
            self._bring_months(self.months_table, start, partial(sql.month, self.forever))
        for index in self.forever_presences:
            presence = self.plan.presences[index]
            start = self.first_seen_day(first, index)
            table = self.presence_months_table(index)
            self._bring_months(table, start, partial(sql.month_presence, presence))

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

    def _bring_atoms(self, first: int, last: int, sql: FactSql) -> None:
        """Days that only long windows reach hold only the atoms of long windows; `level` is the shortest reach kept."""
        start = self.first_day(first, self.plan.reach)
        for low, high in zip(LEVELS, (*LEVELS[1:], 10**7), strict=True):
            newest = last if low == 1 else first - low + 1
            oldest = max(start, first - high + 2)
            if newest >= oldest:
                self._bring_days(self.atoms_table, oldest, newest, partial(sql.atoms, level=low), low)

    def _bring_days(self, table: str, first: int, last: int, statement: Statement, level: int = 1) -> None:
        kept = self._kept(table, first, last)
        live = {day: self.live[day].version for day in self.live if first <= day <= last}
        gone = [day for day in kept if day not in live]
        dirty = [day for day, version in live.items() if not _covers(kept.get(day), version, level)]
        self._replace(table, gone, {}, statement)
        for start in range(0, len(dirty), DAYS_AT_ONCE):
            part = dirty[start : start + DAYS_AT_ONCE]
            self._replace(table, part, {day: f"{live[day]}/{level}" for day in part}, statement)

    def _replace(self, table: str, days: Sequence[int], versions: Mapping[int, str], statement: Statement) -> None:
        if not days:
            return
        exists = self._exists(table)
        with self.warehouse.transaction() as connection:
            kept = self._kept(table, min(days), max(days))
            old = [day for day in days if day in kept]
            if exists and old:
                listed = ", ".join(str(day) for day in old)
                connection.execute(f"DELETE FROM {table} WHERE day IN ({listed})")
                connection.execute(f"DELETE FROM state_days WHERE state = ? AND day IN ({listed})", [table])
            if versions:
                files = [DayFile(day, self.live[day].path) for day in sorted(versions)]
                verb = f"INSERT INTO {table} BY NAME" if exists else f"CREATE TABLE {table} AS"
                connection.execute(f"{verb} {statement(files)}")
                rows = ", ".join(f"({day}, '{version}')" for day, version in sorted(versions.items()))
                connection.execute(f"INSERT INTO state_days SELECT ?, * FROM (VALUES {rows})", [table])

    def _bring_months(self, table: str, before: int, statement: Statement) -> None:
        """Whole months before the daily state, one row per entity and month; `day` is the month's first day."""
        months: dict[int, list[int]] = {}
        for day in self.live:
            if day < before:
                months.setdefault(day_number(number_day(day).replace(day=1)), []).append(day)
        kept = self._kept(table, -(10**6), 10**6)
        for month in sorted({*months, *(m for m in kept if m < before)}):
            days = months.get(month, [])
            version = hashlib.sha256(repr([self.live[d].version for d in days]).encode()).hexdigest()[:20]
            if days and kept.get(month) == version:
                continue
            files = [DayFile(day, self.live[day].path) for day in days]
            self._replace_month(table, month, version, statement(files) if files else None)

    def _replace_month(self, table: str, month: int, version: str, select: str | None) -> None:
        exists = self._exists(table)
        with self.warehouse.transaction() as connection:
            if exists:
                connection.execute(f"DELETE FROM {table} WHERE day = ?", [month])
                connection.execute("DELETE FROM state_days WHERE state = ? AND day = ?", [table, month])
            if select:
                verb = f"INSERT INTO {table} BY NAME" if exists else f"CREATE TABLE {table} AS"
                connection.execute(f"{verb} SELECT {month} AS day, * FROM ({select})")
                connection.execute("INSERT INTO state_days VALUES (?, ?, ?)", [table, month, version])

    def _kept(self, table: str, first: int, last: int) -> dict[int, str]:
        found = self.warehouse.connection.execute(
            "SELECT day, version FROM state_days WHERE state = ? AND day BETWEEN ? AND ?", [table, first, last]
        ).fetchall()
        return dict(found)

    def _exists(self, table: str) -> bool:
        return table_exists(self.warehouse, table)


def _covers(kept: str | None, version: str, level: int) -> bool:
    """Whether a kept day was made from this version, with all atoms of at least this reach."""
    made_from, _, kept_level = (kept or "").rpartition("/")
    return made_from == version and int(kept_level) <= level


def table_exists(warehouse: Warehouse, table: str) -> bool:
    """Whether a state table was made yet."""
    found = warehouse.connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchone()
    return found is not None


def read_symbols(warehouse: Warehouse, table: str) -> Symbols:
    """The texts behind a fact table's codes."""
    kinds = {column: f"{table}.{column}" for column in CODED[table]}
    rows = warehouse.connection.execute("SELECT kind, code, text FROM symbols ORDER BY code").fetchall()
    return Symbols({c: tuple((code, text) for k, code, text in rows if k == kind) for c, kind in kinds.items()})


def forget_unused(warehouse: Warehouse, keep: Iterable[str]) -> None:
    """Drop the state of plans that no model in use has."""
    prefixes = tuple(f"state_{key}_" for key in keep)
    tables = warehouse.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    for (table,) in tables:
        if table.startswith("state_") and table != "state_days" and not table.startswith(prefixes):
            with warehouse.transaction() as connection:
                connection.execute(f"DROP TABLE {table}")
                connection.execute("DELETE FROM state_days WHERE state = ?", [table])
