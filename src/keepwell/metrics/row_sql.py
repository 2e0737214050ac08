"""How the columns of a table's rows are written in SQL, for facts with their codes and for small tables as of a day."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

import numpy as np
from sqlglot import exp

from keepwell.metrics.evaluate import Context, evaluate
from keepwell.metrics.frame import text_column
from keepwell.model.expressions import (
    DUCKDB,
    Between,
    Call,
    Compare,
    Expression,
    ExpressionError,
    In,
    Like,
    Literal,
    Name,
    names_in,
    transform,
)
from keepwell.model.expressions_sql import Resolve, expression_sql
from keepwell.warehouse.sql import quoted
from keepwell.warehouse.tables import Kind, Table

MICRO: Final = 1_000_000
AMOUNTS: Final = (Kind.NUMBER, Kind.MONEY, Kind.INTEGER)


class Aggregated(NamedTuple):
    """The SQL of an aggregate; `amount` says that its value has yet to be made whole, outside (see `made_whole`)."""

    text: str
    amount: bool = False


@dataclass(frozen=True)
class Symbols:
    """The texts behind the codes of a fact table's coded columns: column -> ((code, text), …)."""

    codes: Mapping[str, tuple[tuple[int, str], ...]]

    def text(self, column: str) -> dict[int, str]:
        return dict(self.codes[column])


def with_codes(expression: Expression, symbols: Symbols) -> Expression:
    """Turn every test of a coded column into a test of its codes: the texts are few, the rows are many."""

    def change(part: Expression) -> Expression:
        if not isinstance(part, Compare | In | Like | Between | Call):
            return part
        names = names_in(part)
        if len(names) != 1 or names[0] not in symbols.codes or _keeps_code(part):
            return part
        column = names[0]
        known = symbols.codes[column]
        context = Context(lambda _: text_column([text for _, text in known]), np.zeros(len(known), np.int64))
        result = evaluate(part, context) if known else None
        hits = (
            [] if result is None else [code for (code, _), hit in zip(known, result.values, strict=True) if hit == 1.0]
        )
        # -1 is no code: an empty list would lose the difference between false and unknown.
        return In(Name(column), tuple(_number(code) for code in hits or [-1]))

    return transform(expression, change)


def _keeps_code(part: Expression) -> bool:
    """Presence tests, and functions that give texts, are no tests of the text."""
    if not isinstance(part, Call):
        return isinstance(part, In) and all(
            isinstance(o, Literal) and not isinstance(o.value, str) for o in part.options
        )
    return part.function not in ("contains", "starts_with", "ends_with")


def _number(value: int) -> Literal:
    return Literal(Decimal(value))


def sql_text(tree: Any) -> str:
    """A tree as DuckDB SQL. Most are a single column, for which no writer of SQL has to be made."""
    if isinstance(tree, exp.Column) and len(tree.parts) == 1 and tree.this.quoted:
        return quoted(tree.name)
    return str(tree.sql(DUCKDB))


def column_resolver(table: Table, special: Mapping[str, Any], known: Iterable[str]) -> Resolve:
    """Names of row expressions to SQL: the table's columns, plus `special` ones."""
    allowed = set(known)

    def resolve(name: str) -> Any:
        if name in special:
            return special[name]
        if name not in allowed:
            raise ExpressionError(f"table {table.name} has no column '{name}'")
        return exp.column(name, quoted=True)

    return resolve


def condition_text(expression: Expression | None, resolve: Resolve) -> str:
    """A row filter as SQL; `true` when there is none."""
    return "true" if expression is None else sql_text(expression_sql(expression, resolve))


def micros_text(of: Expression, resolve: Resolve) -> str:
    """An amount as a whole number of millionths, so that sums are exact and the same in any order."""
    return _millionths(sql_text(expression_sql(of, resolve)))


def _millionths(value: str) -> str:
    # Up to a million the product fits into 64 bits, which is fifty times as fast as 128.
    small = f"CAST({value} AS DOUBLE) BETWEEN {1 - MICRO} AND {MICRO - 1}"
    narrow, wide = (f"CAST(CAST({value} AS DECIMAL({digits},6)) * {MICRO} AS BIGINT)" for digits in (18, 24))
    return f"CASE WHEN {small} THEN {narrow} ELSE {wide} END"


def value_kind(table: Table, of: Expression | None) -> Kind:
    """What an expression over rows gives: a column's own kind, else a number."""
    if isinstance(of, Name):
        column = table.column(of.name)
        if column is not None:
            return column.kind
    if isinstance(of, Call) and of.function in ("lower", "upper", "trim", "property", "concat", "text", "substr"):
        return Kind.TEXT
    return Kind.NUMBER


def amounts(aggregate: Callable[[str], str], of: Expression, table: Table, resolve: Resolve) -> Aggregated:
    """An aggregate of amounts in millionths, exact and the same in any order.

    Stored amounts have six decimals or fewer: they are made whole once they are aggregated, which is less to do than
    for every row.
    """
    if isinstance(of, Name) and (column := table.column(of.name)) is not None and column.kind in AMOUNTS:
        return Aggregated(aggregate(sql_text(expression_sql(of, resolve))), amount=True)
    return Aggregated(f"CAST({aggregate(micros_text(of, resolve))} AS BIGINT)")


def made_whole(columns: Mapping[str, Aggregated]) -> str:
    """What follows a star over rows with these columns, so that their amounts are in millionths.

    Written there and not around each aggregate, which would stand in the statement three times.
    """
    changed = [f"{_millionths(name)} AS {name}" for name, found in columns.items() if found.amount]
    return f" REPLACE ({', '.join(changed)})" if changed else ""


LocalDay = Callable[[str], str]


def local_day(zone: str) -> LocalDay:
    """SQL for the day (days since 1970) on which a UTC moment falls in the workspace's zone."""
    quoted = "'" + zone.replace("'", "''") + "'"

    def text(moment: str) -> str:
        if zone == "UTC":
            return f"CAST(epoch_us({moment}) // 86400000000 AS INTEGER)"
        local = f"timezone({quoted}, timezone('UTC', {moment}))"
        return f"CAST(epoch_us({local}) // 86400000000 AS INTEGER)"

    return text
