"""Which metrics are amounts of money, and what they are worth in the workspace's currency.

The rows of a customer are in the customer's own currency. State and aggregates keep it: a value is converted when it
is put on a customer and a date.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from keepwell.metrics.frame import Column, Floats, Quality
from keepwell.metrics.plan import Plan, RowMetric
from keepwell.model.expressions import Arithmetic, Call, Case, Expression, Name
from keepwell.model.metric_definitions import Aggregate
from keepwell.warehouse.tables import Kind, Table

DECIMALS: Final = 6
"""Amounts are kept in millionths; what a rate leaves behind them is only the error of binary fractions."""
_LINEAR: Final = (
    Aggregate.SUM,
    Aggregate.MEAN,
    Aggregate.MIN,
    Aggregate.MAX,
    Aggregate.LATEST,
    Aggregate.FIRST,
    Aggregate.SLOPE,
)
# Functions that give back one of their values, or nearly.
_KEEPING: Final = ("abs", "least", "greatest", "coalesce", "nullif", "floor", "ceil", "number")


def money_powers(plan: Plan) -> Mapping[str, int]:
    """How often money is a factor of each metric over a table that has it: 1 for amounts, -1 for things per amount."""
    powers = {m.name: _of_metric(rows.table, m) for rows in plan.rows for m in rows.metrics}
    return {name: power for name, power in powers.items() if power}


def converted(column: Column, rates: Floats | None, power: int = 1) -> Column:
    """Amounts in customers' currencies in the workspace's, given the rate of each row; without rates as they are."""
    if rates is None:
        return column
    # Nothing is nothing in every currency.
    same = (rates == 1.0) | (column.values == 0.0)
    values = np.where(same, column.values, np.round(column.values * rates**power, DECIMALS))
    lost = column.known & np.isnan(values)
    return Column(column.type, values, np.where(lost, np.uint8(Quality.NO_RATE), column.quality), column.texts)


def _of_metric(table: Table, metric: RowMetric) -> int:
    aggregate = metric.metric.aggregate
    if aggregate is Aggregate.RATIO:
        return _power(table, metric.of) - _power(table, metric.per)
    return _power(table, metric.of) if aggregate in _LINEAR else 0


def _power(table: Table, expression: Expression | None) -> int:
    """How often money is a factor of an expression over rows."""
    match expression:
        case Name(name):
            column = table.column(name)
            return int(column is not None and column.kind is Kind.MONEY)
        case Arithmetic("*", left, right):
            return _power(table, left) + _power(table, right)
        case Arithmetic("/", left, right):
            return _power(table, left) - _power(table, right)
        case Arithmetic(_, left, right):
            return _first(table, (left, right))
        case Call("if", (_, *values)):
            return _first(table, values)
        case Call(function, arguments) if function in _KEEPING:
            return _first(table, arguments)
        case Case(branches, otherwise):
            return _first(table, (*(value for _, value in branches), otherwise))
        case _:
            return 0


def _first(table: Table, parts: Iterable[Expression]) -> int:
    """Of values that stand for each other: a bare number among them says nothing about money."""
    return next((power for part in parts if (power := _power(table, part))), 0)
