"""From an entry of a mapping and an opened file to the plans for its tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlglot

from keepwell.model.base import Scalar
from keepwell.model.expressions import (
    Arithmetic,
    Between,
    Call,
    Compare,
    Expression,
    ExpressionError,
    Literal,
    Name,
    names_in,
    parse_expression,
    transform,
)
from keepwell.model.expressions_sql import expression_sql
from keepwell.model.problems import did_you_mean
from keepwell.warehouse.loading.encoding import UnreadableFileError
from keepwell.warehouse.loading.lookups import LookupTable
from keepwell.warehouse.loading.mapping import ColumnSource, MappedFile, Target
from keepwell.warehouse.loading.parse import Cell, text_sql
from keepwell.warehouse.loading.plan import Plan
from keepwell.warehouse.loading.reading import RawColumn, RawFile
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.tables import TABLES


def mapped_plans(raw: RawFile, entry: MappedFile, zone: str, lookups: Mapping[str, LookupTable]) -> list[Plan]:
    """One plan per target; raises UnreadableFileError when the file lacks columns that the mapping needs."""
    columns = {c.name.lower(): c for c in raw.columns}
    return [_plan(target, entry, columns, zone, lookups) for target in entry.targets]


def _plan(
    target: Target,
    entry: MappedFile,
    columns: dict[str, RawColumn],
    zone: str,
    lookups: Mapping[str, LookupTable],
) -> Plan:
    table = TABLES[target.table]
    _require_sources(target, columns)
    cells: dict[str, Cell] = {}
    extras: dict[str, Cell] = {}
    notes: list[str] = []
    for name, source in target.columns.items():
        if source.source is not None and source.source.lower() not in columns:
            notes.append(
                f"no column {source.source!r}, so {table.name}.{name} stays empty{_hint(source.source, columns)}"
            )
            continue
        prefix = f"{table.json_column}."
        into = extras if name.startswith(prefix) else cells
        into[name.removeprefix(prefix) if into is extras else name] = _cell(source, entry, columns, lookups)
    where = None if target.where is None else f"coalesce({_expression(target.where, columns)}, false)"
    return Plan(table, entry.zone or zone, cells, extras, where, tuple(notes))


def _require_sources(target: Target, columns: dict[str, RawColumn]) -> None:
    """Columns of the file that a required column, an expression or the condition needs."""
    table = TABLES[target.table]
    needed = [s.source for name, s in target.columns.items() if s.source is not None and name in table.required]
    for text in (target.where, *(s.expr for s in target.columns.values())):
        needed += sorted(names_in(parse_expression(text))) if text is not None else []
    missing = [n for n in dict.fromkeys(needed) if n.lower() not in columns]
    if missing:
        named = ", ".join(f"{n!r}{_hint(n, columns)}" for n in missing)
        raise UnreadableFileError(f"the mapping to {table.name} needs columns that the file does not have: {named}")


def _hint(name: str, columns: dict[str, RawColumn]) -> str:
    return did_you_mean(name, [c.name for c in columns.values()])


def _cell(
    source: ColumnSource, entry: MappedFile, columns: dict[str, RawColumn], lookups: Mapping[str, LookupTable]
) -> Cell:
    sql, kind = _origin(source, columns)
    table = lookups[source.lookup_name] if source.lookup_name is not None else None
    given = text_sql(Cell(sql, kind))
    if table is not None:
        sql, kind = table.value_sql(given), "VARCHAR"
    if isinstance(source.lookup, dict) or source.default is not None:
        sql, kind = _looked_up(text_sql(Cell(sql, kind)), source), "VARCHAR"
    # What an expression or a constant gives has the decimal point already.
    decimal = source.decimal or (entry.decimal if source.source is not None else None)
    cell = Cell(sql, kind, source.format, source.zone or entry.zone, decimal, source.cast)
    return cell if table is None else replace(cell, given=given, source=table.label)


def _origin(source: ColumnSource, columns: dict[str, RawColumn]) -> tuple[str, str]:
    if source.source is not None:
        column = columns[source.source.lower()]
        return quoted(column.name), column.type
    if source.constant is not None:
        return literal(_text(source.constant)), "VARCHAR"
    return f"CAST({_expression(source.expr or '', columns)} AS VARCHAR)", "VARCHAR"


def _looked_up(text: str, source: ColumnSource) -> str:
    """The value for a text from the lookup (upper and lower case are the same), else the default, else the text."""
    default = literal(_text(source.default)) if source.default is not None else None
    if not isinstance(source.lookup, dict) or not source.lookup:
        return f"coalesce({text}, {default})"
    branches = " ".join(f"WHEN {literal(k.strip().lower())} THEN {literal(_text(v))}" for k, v in source.lookup.items())
    return f"CASE lower({text}) {branches} ELSE {default or text} END"


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _expression(text: str, columns: dict[str, RawColumn]) -> str:
    def resolve(name: str) -> Any:
        column = columns.get(name.lower())
        if column is None:
            raise UnreadableFileError(f"{name} cannot be used in a mapping")
        return sqlglot.parse_one(text_sql(Cell(quoted(column.name), column.type)), dialect="duckdb")

    try:
        return str(expression_sql(_numeric(parse_expression(text)), resolve).sql(dialect="duckdb"))
    except ExpressionError as error:
        raise UnreadableFileError(f"the mapping's expression {text!r} cannot be used here: {error}") from error


def _numeric(expression: Expression) -> Expression:
    """Cells are text: where a number is needed, read them as one (unknown when they are none)."""
    return transform(expression, _as_numbers)


def _as_numbers(part: Expression) -> Expression:
    match part:
        case Arithmetic(operator, left, right):
            return Arithmetic(operator, _number(left), _number(right))
        case Compare(operator, left, right) if _is_number(left) or _is_number(right):
            return Compare(operator, _number(left), _number(right))
        case Between(item, low, high) if _is_number(low) or _is_number(high):
            return Between(_number(item), low, high)
        case Call("abs" | "floor" | "ceil" as function, arguments):
            return Call(function, tuple(_number(a) for a in arguments))
    return part


def _is_number(part: Expression) -> bool:
    is_literal = isinstance(part, Literal) and not isinstance(part.value, str | bool | None)
    return is_literal or isinstance(part, Arithmetic) or (isinstance(part, Call) and part.function in _NUMERIC)


_NUMERIC = frozenset({"number", "abs", "floor", "ceil", "length", "days_between", "hours_between"})


def _number(part: Expression) -> Expression:
    is_text = isinstance(part, Name) or (isinstance(part, Call) and part.function not in _NUMERIC)
    return Call("number", (part,)) if is_text else part
