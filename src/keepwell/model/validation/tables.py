"""Metrics read tables and columns that exist, and windows only where rows have a time."""

from collections.abc import Iterable, Iterator
from typing import Final

from keepwell.model.columns import Tables
from keepwell.model.metric_definitions import PEOPLE_METRICS, Aggregate, Metric
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.validation.context import Context
from keepwell.model.yaml_source import KeyPath

TRAITS: Final = "traits."
# Tables whose rows are states and not happenings: an explicit `time` places them all the same.
TIMELESS: Final = frozenset({"customers", PEOPLE_METRICS})
NEED_TIME: Final = frozenset(
    {Aggregate.CHANGE, Aggregate.SLOPE, Aggregate.DAYS_SINCE, Aggregate.LATEST, Aggregate.FIRST}
)


def check(context: Context) -> Iterable[Problem]:
    """Unknown tables, attributes and time columns, and windows that have nothing to look at."""
    for name, metric in context.model.metrics.items():
        path: KeyPath = ("metrics", name)
        if context.tables is not None:
            yield from _attribute(context, path, metric, context.tables)
            yield from _table(context, path, metric, context.tables)
        yield from _times(context, path, metric)


def _attribute(context: Context, path: KeyPath, metric: Metric, tables: Tables) -> Iterator[Problem]:
    if metric.attribute is None or metric.attribute.startswith(TRAITS):
        return
    table = "people" if metric.entity == "person" else "customers"
    columns = tables.get(table, {})
    if metric.attribute not in columns:
        message = f"{table} has no column '{metric.attribute}'{did_you_mean(metric.attribute, columns)}"
        yield context.error((*path, "attribute"), f"{message} (what has no column is {TRAITS}KEY)")


def _table(context: Context, path: KeyPath, metric: Metric, tables: Tables) -> Iterator[Problem]:
    table = metric.table
    if table is None:
        return
    if table == PEOPLE_METRICS:
        if metric.entity == "person":
            yield context.error((*path, "table"), f"a metric of persons cannot read {PEOPLE_METRICS}")
    elif table not in tables:
        hint = did_you_mean(table, (*tables, PEOPLE_METRICS))
        yield context.error((*path, "table"), f"unknown table '{table}'{hint}")
    elif metric.time is not None and metric.time not in tables[table]:
        hint = did_you_mean(metric.time, tables[table])
        yield context.error((*path, "time"), f"table {table} has no column '{metric.time}'{hint}")
    elif metric.entity == "person" and "person_id" not in tables[table]:
        yield context.error((*path, "table"), f"table {table} does not say which person a row is about")


def _times(context: Context, path: KeyPath, metric: Metric) -> Iterator[Problem]:
    if metric.table not in TIMELESS or metric.time is not None:
        return
    if metric.window is not None:
        yield context.error((*path, "window"), f"rows of {metric.table} have no time: a window needs 'time'", key=True)
    elif metric.offset:
        yield context.error((*path, "offset"), f"rows of {metric.table} have no time: an offset needs 'time'", key=True)
    elif metric.aggregate in NEED_TIME:
        message = f"rows of {metric.table} have no time: {metric.aggregate} needs 'time'"
        yield context.error((*path, "aggregate"), message)
