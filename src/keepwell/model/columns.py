"""Columns that expressions name without a metric: each becomes one, so that all after it sees metrics only."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from keepwell.model.definitions import Model
from keepwell.model.expression_tree import names_in
from keepwell.model.graph import node_of
from keepwell.model.metric_definitions import Metric, MetricType
from keepwell.model.usages import usages

CUSTOMERS: Final = "customers"


@dataclass(frozen=True)
class KnownColumn:
    """What a column holds; without a type it cannot be named in an expression about a customer."""

    type: MetricType | None = None
    values: tuple[str, ...] = ()
    unit: str = ""


Tables = Mapping[str, Mapping[str, KnownColumn]]


def nameable(tables: Tables | None) -> Mapping[str, KnownColumn]:
    """The columns of customers that an expression may name."""
    columns = (tables or {}).get(CUSTOMERS, {})
    return {name: column for name, column in columns.items() if column.type is not None}


def named_columns(model: Model, tables: Tables | None, lost: Container[str] = ()) -> dict[str, Metric]:
    """A metric for each column of customers that expressions name; `lost` are metrics that could not be read."""
    columns = nameable(tables)
    found = {name for name in _free_names(model) if name in columns and name not in lost}
    return {name: column_metric(name, columns[name]) for name in sorted(found)}


def with_columns(model: Model, columns: Mapping[str, Metric]) -> Model:
    """The model with the metrics of columns after its own; without any the same object."""
    return model.model_copy(update={"metrics": {**model.metrics, **columns}}) if columns else model


def column_metric(name: str, column: KnownColumn) -> Metric:
    """The metric that a column's name stands for."""
    return Metric(attribute=name, type=column.type, values=column.values, unit=column.unit)


def is_column(name: str, metric: Metric) -> bool:
    """Whether a metric says no more than the name of its column does."""
    return metric == Metric(attribute=name, type=metric.type, values=metric.values, unit=metric.unit)


def _free_names(model: Model) -> Iterator[str]:
    for usage in usages(model):
        if usage.scope == "customer":
            yield from (name for name in names_in(usage.expression) if node_of(model, name) is None)
