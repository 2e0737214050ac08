"""The statements that roll a fact table up to days and months: one for all atoms, one for each presence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlglot import exp

from keepwell.metrics.day_words import bit_of, moved_text, word_of
from keepwell.metrics.plan import Atom, FactPlan, Presence
from keepwell.metrics.readings import Reading
from keepwell.metrics.row_sql import (
    Aggregated,
    Symbols,
    amounts,
    column_resolver,
    condition_text,
    made_whole,
    sql_text,
    value_kind,
    with_codes,
)
from keepwell.model.expressions import Call, Expression, Logic, Name, Not
from keepwell.model.expressions_sql import Resolve, expression_sql
from keepwell.warehouse.schema import CODED, FACT_COLUMNS
from keepwell.warehouse.sql import literal
from keepwell.warehouse.tables import Kind, Table


@dataclass(frozen=True)
class DayFile:
    """One live file of a fact table and the day (since 1970) it holds."""

    day: int
    path: Path


@dataclass(frozen=True)
class FactSql:
    """Writes the statements of one fact plan, with the codes known now."""

    plan: FactPlan
    symbols: Symbols

    @property
    def entity(self) -> str:
        """The columns that name the entity."""
        return "customer" if self.plan.entity == "customer" else "customer, person"

    def atoms(self, files: Sequence[DayFile], *, level: int = 1) -> str:
        """One row per entity and day with a column a0, a1, … per atom; null where its reach is below `level`."""
        columns = {
            f"a{i}": self._atom(atom) if self.plan.atom_reach[atom] >= level else Aggregated("CAST(NULL AS BIGINT)")
            for i, atom in enumerate(self.plan.atoms)
        }
        return self._daily(columns, files)

    def presence(self, presence: Presence, files: Sequence[DayFile]) -> str:
        """One row per entity and thing, with the days of one word as bits b0, b1, …: one for each row filter."""
        days = [file.day for file in files]
        # Of several files the position is marked first: days may be missing between them.
        seen = str(bit_of(days[0])) if len(files) == 1 else "(CAST(1 AS BIGINT) << CAST(file_index AS BIGINT))"
        thing, tests, where = self._presence(presence)
        marks = [f"bit_or(CAST({_when(test, seen)} AS BIGINT)) AS b{i}" for i, test in enumerate(tests)]
        grouped = self._grouped([f"{thing} AS thing", *marks], files, where, (), ("thing",))
        places = [f"b{i}" if len(files) == 1 else moved_text(f"b{i}", days) for i in range(len(tests))]
        columns = ", ".join(f"{place} AS b{i}" for i, place in enumerate(places))
        return f"SELECT {word_of(days[0])} AS word, {self.entity}, thing, {columns} FROM ({grouped})"

    def month(self, readings: Sequence[Reading], files: Sequence[DayFile]) -> str:
        """One row per entity for a whole month, with a column r0, r1, … per reading."""
        days = f"[{', '.join(str(file.day) for file in files)}]"
        columns = {f"r{i}": self._month_reading(reading, days) for i, reading in enumerate(readings)}
        return f"SELECT *{made_whole(columns)} FROM ({self._grouped(_named(columns), files, 'true')})"

    def month_presence(self, presence: Presence, files: Sequence[DayFile]) -> str:
        """One row per entity and thing for a whole month."""
        thing, tests, where = self._presence(presence)
        flags = " | ".join(f"(CASE WHEN {test} THEN {1 << i} ELSE 0 END)" for i, test in enumerate(tests))
        flagged = f"bit_or({flags}) AS flags" if len(tests) > 1 else "1 AS flags"
        return self._grouped([f"{thing} AS thing", flagged], files, where, (), ("thing",))

    def _presence(self, presence: Presence) -> tuple[str, list[str], str]:
        """What is distinct, the row filters, and which rows some filter lets through."""
        resolve = self._resolver()
        thing = sql_text(expression_sql(presence.of, resolve))
        tests = [condition_text(self._coded(where), resolve) for where in presence.wheres]
        any_test = " OR ".join(f"({test})" for test in tests)
        # With a single filter nothing is left to ask of the rows it lets through.
        tests = ["true" if len(tests) == 1 else test for test in tests]
        return thing, tests, f"{thing} IS NOT NULL AND ({any_test})"

    def _daily(self, columns: Mapping[str, Aggregated], files: Sequence[DayFile]) -> str:
        """Rows grouped by day, too; of a single file the day is known."""
        whole = made_whole(columns)
        if len(files) == 1:
            return f"SELECT {files[0].day} AS day, *{whole} FROM ({self._grouped(_named(columns), files, 'true')})"
        return _with_days(self._grouped(_named(columns), files, "true", ("file_index AS file",)), whole, files)

    def _grouped(
        self,
        columns: Sequence[str],
        files: Sequence[DayFile],
        where: str,
        before: Sequence[str] = (),
        also: Sequence[str] = (),
    ) -> str:
        person = " AND person IS NOT NULL" if self.plan.entity == "person" else ""
        paths = ", ".join(literal(str(file.path)) for file in files)
        groups = ", ".join([*(part.split(" AS ")[-1] for part in before), self.entity, *also])
        return (
            f"SELECT {', '.join([*before, self.entity, *columns])}"
            f" FROM read_parquet([{paths}], hive_partitioning=false)"
            f" WHERE {where}{person} GROUP BY {groups}"
        )

    def _month_reading(self, reading: Reading, days: str) -> Aggregated:
        where = condition_text(self._coded(reading.atom.where), self._resolver())
        match reading.function:
            case "last_day":
                position = f"CAST(max(file_index) FILTER (WHERE {where}) AS BIGINT) + 1"
                return Aggregated(f"CAST({days}[{position}] AS BIGINT)")
            case "days":
                return Aggregated(f"count(DISTINCT file_index) FILTER (WHERE {where})")
            case _:
                return self._atom(reading.atom)

    def _atom(self, atom: Atom) -> Aggregated:
        resolve = self._resolver()
        where = condition_text(self._coded(atom.where), resolve)
        if atom.kind == "count":
            return Aggregated(self._count(self._coded(atom.where), resolve))
        of = self._coded(atom.of)
        if of is None:
            raise ValueError(f"{atom.kind} needs an expression")
        return self._amount(partial(self._aggregate, atom, where), of, resolve)

    def _count(self, where: Expression | None, resolve: Resolve) -> str:
        """Of rows whose values must be known the values are counted: testing every row for it is far more to do."""
        if where is None:
            return "count(*)"
        tests = where.items if isinstance(where, Logic) and where.operator == "and" else (where,)
        known = next((name for test in tests if (name := _known_name(test)) is not None), None)
        if known is None:
            return f"count({_chosen('1', condition_text(where, resolve))})"
        rest = tuple(test for test in tests if _known_name(test) != known)
        others = Logic("and", rest) if len(rest) > 1 else next(iter(rest), None)
        return f"count({_chosen(sql_text(expression_sql(known, resolve)), condition_text(others, resolve))})"

    def _aggregate(self, atom: Atom, where: str, value: str) -> str:
        chosen = _chosen(value, where)
        match atom.kind:
            case "sum":
                return f"sum({chosen})"
            case "minimum" | "maximum":
                return f"{atom.kind[:3]}({chosen})"
            case _:
                pick = "arg_max" if atom.kind == "latest" else "arg_min"
                # Of amounts at the same moment the larger (or for the first the smaller) wins: reading the ids of all
                # rows for that would cost more than everything else. Codes have no order of their own.
                tie = self.plan.table.key if is_code(self.plan.table, atom.of) else value
                order = f"row({self.plan.table.time}, {tie})"
                return f"{pick}({value}, {order}) FILTER (WHERE {chosen} IS NOT NULL)"

    def _amount(self, aggregate: Callable[[str], str], of: Expression, resolve: Resolve) -> Aggregated:
        """Amounts in millionths; codes as they are."""
        if is_code(self.plan.table, of):
            return Aggregated(aggregate(f"CAST({sql_text(expression_sql(of, resolve))} AS BIGINT)"))
        if value_kind(self.plan.table, of) in (Kind.TEXT, Kind.JSON):
            raise ValueError(f"a text of {self.plan.table.name} cannot be aggregated; use a coded column")
        return amounts(aggregate, of, self.plan.table, resolve)

    def _coded(self, expression: Expression | None) -> Expression | None:
        return None if expression is None else with_codes(expression, self.symbols)

    def _resolver(self) -> Resolve:
        table: Table = self.plan.table
        special = {"customer_id": exp.column("customer"), "person_id": exp.column("person")}
        return column_resolver(table, special, FACT_COLUMNS[table.name])


def _named(columns: Mapping[str, Aggregated]) -> list[str]:
    return [f"{found.text} AS {name}" for name, found in columns.items()]


def _with_days(grouped: str, whole: str, files: Sequence[DayFile]) -> str:
    """Put the day in place of the file's position in the list, and make amounts `whole`."""
    days = ", ".join(f"({i}, {file.day})" for i, file in enumerate(files))
    columns = f"d.day, g.* EXCLUDE (file){whole}"
    return f"SELECT {columns} FROM ({grouped}) g JOIN (VALUES {days}) d(file, day) USING (file)"


def _known_name(test: Expression) -> Name | None:
    """The column that a test asks to be known, when it asks nothing else."""
    match test:
        case Call("is_known", (Name() as name,)) | Not(Call("is_unknown", (Name() as name,))):
            return name
    return None


def _chosen(value: str, where: str) -> str:
    """A value of the rows that a filter lets through, else null."""
    return value if where == "true" else f"CASE WHEN {where} THEN {value} END"


def _when(test: str, value: str) -> str:
    return value if test == "true" else f"CASE WHEN {test} THEN {value} ELSE 0 END"


def is_code(table: Table, of: Expression | None) -> bool:
    """Whether an expression is a coded column, whose values are texts behind codes."""
    return isinstance(of, Name) and of.name in CODED.get(table.name, ())
