"""The canonical columns as models see them: what kind of value each has, and what an enumeration admits."""

from types import MappingProxyType
from typing import Final

from keepwell.model.columns import KnownColumn, Tables
from keepwell.model.metric_definitions import MetricType
from keepwell.warehouse.tables import TABLES, Column, Kind

METRIC_TYPES: Final = MappingProxyType(
    {
        Kind.TEXT: MetricType.TEXT,
        Kind.JSON: MetricType.TEXT,
        Kind.BOOLEAN: MetricType.BOOLEAN,
        Kind.DATE: MetricType.DATE,
        Kind.TIME: MetricType.DATE,
        Kind.NUMBER: MetricType.NUMBER,
        Kind.INTEGER: MetricType.NUMBER,
        Kind.MONEY: MetricType.NUMBER,
    }
)


def _known(column: Column) -> KnownColumn:
    """JSON has no value of its own: its keys are named as `traits.KEY` by a metric."""
    if column.kind is Kind.JSON:
        return KnownColumn()
    return KnownColumn(METRIC_TYPES[column.kind], column.values, "money" if column.kind is Kind.MONEY else "")


TABLE_COLUMNS: Final[Tables] = {
    name: {column.name: _known(column) for column in table.all_columns} for name, table in TABLES.items()
}
