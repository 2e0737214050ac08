"""Every row of a file parsed and checked in one pass, good and bad ones side by side in a stage file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb

from keepwell.warehouse.loading.dates import DateChoice, choose_formats
from keepwell.warehouse.loading.parse import Cell, Check, checks, text_sql, value_sql
from keepwell.warehouse.loading.plan import Plan
from keepwell.warehouse.loading.reading import stage_rows, staged
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.tables import EVENTS, SERVICE_METRICS, Column, Kind

CONTENT: Final = {
    EVENTS.name: (
        "customer_id", "person_id", "name", "feature", "session_id", "occurred_at", "value", "properties",
    ),
    SERVICE_METRICS.name: ("name", "measured_at", "customer_id"),
}  # fmt: skip
"""What makes the key of a row that comes without one."""


LOOKUP: Final = "lookup"
"""The code of a row whose key is in no lookup file."""


@dataclass(frozen=True)
class Checked:
    """The parsed rows: `good` has the table's columns, `_row` and `_content`; `bad` has `_row`, `_error`, `_value`."""

    good: str
    bad: str
    rows: int
    checks: tuple[Check, ...]


def check_rows(connection: duckdb.DuckDBPyConnection, relation: str, plan: Plan, target: Path) -> Checked:
    """Parse and check the rows of a relation by a plan; the result lies in the stage file `target`."""
    choices = _choices(connection, relation, plan)
    found = [c for column in plan.table.all_columns for c in _column_checks(column, plan, choices)]
    rows = stage_rows(connection, _select(relation, plan, choices, found), target)
    source = staged(target)
    return Checked(
        f"(SELECT * EXCLUDE (_error, _value) FROM {source} WHERE _error IS NULL)",  # noqa: S608
        f"(SELECT _row, _error, _value FROM {source} WHERE _error IS NOT NULL)",  # noqa: S608
        rows,
        tuple(found),
    )


def _choices(connection: duckdb.DuckDBPyConnection, relation: str, plan: Plan) -> dict[str, DateChoice]:
    texts = {
        c.name: text_sql(plan.cells[c.name])
        for c in plan.table.all_columns
        if c.kind in (Kind.TIME, Kind.DATE) and _needs_choice(plan.cells.get(c.name))
    }
    where = f" WHERE {plan.where}" if plan.where else ""
    return choose_formats(connection, f"{relation}{where}", texts)


def _needs_choice(cell: Cell | None) -> bool:
    return cell is not None and cell.format is None and not cell.is_moment


def _column_checks(column: Column, plan: Plan, choices: dict[str, DateChoice]) -> list[Check]:
    if column.name not in plan.cells:
        return []
    names = {"text": quoted(f"t:{column.name}"), "value": quoted(f"v:{column.name}")}
    choice, cell = choices.get(column.name, DateChoice()), plan.cells[column.name]
    return [*_looked_up(column, cell, names["text"]), *checks(column, **names, choice=choice, cell=cell)]


def _looked_up(column: Column, cell: Cell, text: str) -> list[Check]:
    """A key that the lookup file does not have."""
    if cell.given is None or cell.source is None:
        return []
    condition = f"{quoted('g:' + column.name)} IS NOT NULL AND {text} IS NULL"
    return [Check(condition, column.name, LOOKUP, f"is not in the lookup file {cell.source}")]


def _select(relation: str, plan: Plan, choices: dict[str, DateChoice], found: list[Check]) -> str:
    where = f" WHERE {plan.where}" if plan.where else ""
    values = f"SELECT *{_values(plan, choices)} FROM (SELECT _row{_texts(plan)} FROM {relation}{where})"  # noqa: S608
    errors = " ".join(f"WHEN {c.condition} THEN {i}" for i, c in enumerate(found))
    error = f"CASE {errors} END" if errors else "NULL"
    checked = f"SELECT *, CAST({error} AS INTEGER) AS _error FROM ({values})"  # noqa: S608
    shown = " ".join(f"WHEN {i} THEN {_shown(c)}" for i, c in enumerate(found))
    value = f"CASE _error {shown} END" if shown else "NULL"
    columns = ", ".join(f"{_stored(c, plan)} AS {quoted(c.name)}" for c in plan.table.all_columns)
    return f"SELECT _row, {columns}, {_content(plan)} AS _content, _error, {value} AS _value FROM ({checked})"  # noqa: S608


def _shown(check: Check) -> str:
    """The cell that a reader looks for in the file."""
    return quoted(("g:" if check.code == LOOKUP else "t:") + check.column)


def _texts(plan: Plan) -> str:
    """The trimmed text of every cell, and beside it the moment that a typed file has."""
    parts = []
    for name, cell in plan.cells.items():
        parts.append(f", {text_sql(cell)} AS {quoted('t:' + name)}")
        if cell.is_moment:
            parts.append(f", {cell.sql} AS {quoted('n:' + name)}")
        if cell.given is not None:
            parts.append(f", {cell.given} AS {quoted('g:' + name)}")
    parts += [f", {text_sql(cell)} AS {quoted('x:' + name)}" for name, cell in plan.extras.items()]
    return "".join(parts)


def _values(plan: Plan, choices: dict[str, DateChoice]) -> str:
    parts = []
    for name, cell in plan.cells.items():
        column = plan.table.column(name)
        assert column is not None  # noqa: S101  a plan fills only columns of its table
        value = value_sql(
            column,
            replace(cell, sql=quoted(f"n:{name}")),
            text=quoted(f"t:{name}"),
            zone=plan.zone,
            choice=choices.get(name, DateChoice()),
        )
        parts.append(f", {value} AS {quoted('v:' + name)}")
    return "".join(parts)


def _stored(column: Column, plan: Plan) -> str:
    """The value of a column as it will be stored."""
    value = _value(column.name, plan)
    if column.name == plan.table.json_column and plan.extras:
        pairs = ", ".join(f"{literal(name)}, {_json('x:' + name)}" for name in plan.extras)
        value = f"CAST(json_merge_patch(coalesce({value}, '{{}}'), json_object({pairs})) AS VARCHAR)"
    if column.kind is Kind.JSON:
        value = f"nullif({value}, '{{}}')"
    return f"CAST({value} AS {column.sql_type})"


def _value(name: str, plan: Plan) -> str:
    return quoted(f"v:{name}") if name in plan.cells else "NULL"


def _json(name: str) -> str:
    """A cell for the JSON column: objects and lists as such, everything else as text."""
    text = quoted(name)
    return f"CASE WHEN left({text}, 1) IN ('{{', '[') AND json_valid({text}) THEN json({text}) ELSE to_json({text}) END"


def _content(plan: Plan) -> str:
    """A digest of the row for tables whose key may be missing; NULL when the row has its key."""
    names = CONTENT.get(plan.table.name)
    if names is None:
        return "CAST(NULL AS VARCHAR)"
    columns = [c for c in plan.table.all_columns if c.name in names]
    words = ", ".join(f"coalesce(CAST({_stored(c, plan)} AS VARCHAR), chr(30))" for c in columns)
    return f"CASE WHEN {_value(plan.table.key, plan)} IS NULL THEN md5(concat_ws(chr(31), {words})) END"
