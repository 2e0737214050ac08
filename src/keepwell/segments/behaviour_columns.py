"""The truth of a model's behaviours for customers on dates, as columns like those of metrics."""

from collections.abc import Mapping, Sequence

import numpy as np

from keepwell.metrics.attributes import Population
from keepwell.metrics.feeds import Feeds
from keepwell.metrics.frame import Bools, Codes, Column, Ints, Quality
from keepwell.model.criteria_tree import Behaviour
from keepwell.model.metric_definitions import Aggregate, Metric, MetricType
from keepwell.segments.evaluation import Customers, truth_arrays
from keepwell.segments.warehouse_events import DAY, columns_asked, prepared_events
from keepwell.warehouse.storage import Warehouse


def behaviour_columns(
    warehouse: Warehouse,
    feeds: Feeds,
    behaviours: Mapping[str, Behaviour],
    population: Population,
    days: Sequence[int],
) -> dict[str, Column]:
    """A column of truth for each behaviour, for every row of a population on ascending days.

    A day is looked at from its end. Where the events are absent or stale, nothing is known.
    """
    if not behaviours or not len(days):
        return {}
    several = tuple(behaviours.values())
    table = prepared_events(warehouse, several, days[0])
    truth = _truths(warehouse, table, several, days)
    rows = population.dates, population.customers
    dates = np.array(days, np.int64)
    return {
        name: _column(truth[place][rows], _quality(feeds, several[place], dates)[population.dates])
        for place, name in enumerate(behaviours)
    }


def _truths(warehouse: Warehouse, table: str, several: Sequence[Behaviour], days: Sequence[int]) -> list[Bools]:
    """For each behaviour an array by day and customer."""
    (last,) = warehouse.connection.execute("SELECT coalesce(max(customer), 0) FROM customer_keys").fetchone() or (0,)
    out = [np.zeros((len(days), int(last) + 1), np.bool_) for _ in several]
    source = Customers("customer_keys", key="customer", events=table)
    for place, day in enumerate(days):
        # The last instant of the day: a window of whole days then begins with the first instant of its first day.
        customers, truths = truth_arrays(warehouse.connection, several, source, at=(day + 1) * DAY - 1)
        for one, truth in zip(out, truths, strict=True):
            one[place, customers] = truth
    return out


def _quality(feeds: Feeds, behaviour: Behaviour, days: Ints) -> Codes:
    """Whether the events cover a date; a column of events that nobody delivers makes what reads it unknown."""
    found = feeds.quality("events", Metric(table="events", aggregate=Aggregate.COUNT), days)
    if not columns_asked([behaviour]) <= feeds.feeds["events"].columns:
        found[:] = Quality.NO_SOURCE
    return found


def _column(truth: Bools, quality: Codes) -> Column:
    values = np.where(quality >= Quality.NO_SOURCE, np.nan, truth.astype(np.float64))
    return Column(MetricType.BOOLEAN, values, quality)
