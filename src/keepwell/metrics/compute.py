"""The engine: a warehouse, a model and dates in; a frame of metric values out, with the quality of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from keepwell.metrics.attributes import Attributes, Population
from keepwell.metrics.fact_combine import Values
from keepwell.metrics.fact_values import fact_values
from keepwell.metrics.feeds import Feeds
from keepwell.metrics.frame import UNKNOWN_FROM, Codes, Column, Frame, Ints, Quality, unknown_column
from keepwell.metrics.money import converted, money_powers
from keepwell.metrics.people import People, read_people, roll_up
from keepwell.metrics.plan import Plan, plan_metrics
from keepwell.metrics.row_values import row_values
from keepwell.metrics.state import forget_unused
from keepwell.model.definitions import Model
from keepwell.model.metric_definitions import PEOPLE_METRICS, Aggregate, Metric, MetricType
from keepwell.warehouse.storage import ROWS_FOR_ALL, Warehouse
from keepwell.warehouse.tables import CUSTOMERS

_DATE_KINDS: Final = (Aggregate.MIN, Aggregate.MAX, Aggregate.LATEST, Aggregate.FIRST)


@dataclass(frozen=True)
class Computed:
    """Metric values for every customer of the population on every date, sorted by customer id, then date."""

    frame: Frame
    population: Population
    attributes: Attributes
    feeds: Feeds


@dataclass(frozen=True)
class MetricValues:
    """Values of all table metrics for ascending days, whoever the customers were then."""

    days: Ints
    by_name: Mapping[str, Values]


class Engine:
    """Computes the metrics of one model on one warehouse; keeps what does not depend on the dates."""

    def __init__(self, warehouse: Warehouse, model: Model, *, attributes: Iterable[str] = ()) -> None:
        """Read who the customers are; `attributes` are more of theirs than the model's, read in the same go."""
        self.warehouse, self.model = warehouse, model
        self.plan: Plan = plan_metrics(model)
        self.money = money_powers(self.plan)
        own = (a for a in self.plan.attributes.values() if CUSTOMERS.column(a.split(".")[0]))
        self.attributes = Attributes(warehouse, [*own, *attributes])
        self.feeds = Feeds(warehouse, model.settings.stale_after_days)
        people = warehouse.connection.execute("SELECT coalesce(max(person), 0) FROM person_keys").fetchone()
        keys = warehouse.connection.execute("SELECT coalesce(max(customer), 0) FROM customer_keys").fetchone()
        self.size = int(keys[0] if keys else 0) + 1
        self.people_size = int(people[0] if people else 0) + 1

    def compute(
        self, dates: Sequence[int], *, statuses: Iterable[str] | None = None, sweep: bool | None = None
    ) -> Computed:
        """Compute all table metrics on ascending days (since 1970); `sweep` forces how many-date facts are read."""
        return self.frame(self.values(dates, sweep=sweep), dates, statuses=statuses)

    def values(self, dates: Sequence[int], *, sweep: bool | None = None) -> MetricValues:
        """Read the tables once for all of the ascending days."""
        days = np.array(dates, np.int64)
        return MetricValues(days, self._values(dates, days, None if sweep is None else not sweep))

    def frame(
        self,
        values: MetricValues,
        dates: Sequence[int],
        *,
        statuses: Iterable[str] | None = None,
        by_date: bool = False,
    ) -> Computed:
        """Put the values of some of their days on the customers who were there then.

        `by_date` sorts by date, then customer: whoever looks back to earlier days cannot use that.
        """
        days = np.array(dates, np.int64)
        wanted = tuple(statuses or self.model.settings.active_statuses)
        population = self.attributes.population(dates, wanted, by_date=by_date)
        rows = np.searchsorted(values.days, days)[population.dates]
        names = [name for name in self.plan.metrics if self._own(name)]
        columns = {name: self._column(name, population, rows, values) for name in names}
        return Computed(Frame(population.ids, days[population.dates], columns), population, self.attributes, self.feeds)

    def forget_other_state(self, *, keep: Iterable[str] = ()) -> None:
        """Drop the kept state of plans that are not this model's (nor in `keep`)."""
        forget_unused(self.warehouse, [*keep, *(plan.key for plan in self.plan.facts)])

    def _own(self, name: str) -> bool:
        metric = self.plan.metrics[name]
        return metric.entity == "customer" and bool(metric.attribute or metric.table)

    def _values(self, dates: Sequence[int], days: Ints, one_by_one: bool | None) -> dict[str, Values]:
        if not self.plan.facts:
            self.warehouse.set_threads_for(ROWS_FOR_ALL)  # nothing says how few rows there are
        out: dict[str, Values] = {}
        people = read_people(self.warehouse, dates) if self._needs_people() else None
        per_person: dict[str, Values] = {}
        for plan in self.plan.facts:
            size = self.size if plan.entity == "customer" else self.people_size
            found = fact_values(self.warehouse, plan, dates, size, one_by_one=one_by_one)
            if plan.entity == "customer" or people is None:
                out |= found
            else:
                per_person |= {name: _by_slot(people, v, self.plan.metrics[name]) for name, v in found.items()}
        for rows in self.plan.rows:
            slots = people.slots if people and rows.entity == "person" else None
            size = len(slots) if slots is not None else self.size
            found = row_values(self.warehouse, rows, dates, size, slots)
            (per_person if slots is not None else out).update(found)
        if people is not None:
            settings = self.model.settings.values
            out |= roll_up(self.plan.people, per_person, people, days, self.size, settings)
        return out

    def _needs_people(self) -> bool:
        return bool(self.plan.people)

    def _column(self, name: str, population: Population, rows: Ints, values: MetricValues) -> Column:
        metric = self.plan.metrics[name]
        if metric.attribute:
            return self._attribute(metric, population)
        found, days = values.by_name[name], values.days[rows]
        place = rows * found.values.shape[1] + population.customers
        data, quality = found.values.reshape(-1).take(place), found.quality.reshape(-1).take(place)
        source = self._source_quality(metric, values.days)
        if metric.never == "account_age" and metric.aggregate is Aggregate.DAYS_SINCE:
            data, quality = self._since_start(data, quality, population, days)
        # Where nothing is absent or stale, values are unknown exactly where they are nan.
        if source.any():
            source = source[rows]
            quality = np.where(source >= UNKNOWN_FROM, source, quality)
            data = np.where(quality >= UNKNOWN_FROM, np.nan, data)
        column = Column(metric_type(metric, found.texts), data, quality, found.texts)
        return converted(column, population.rates, self.money[name]) if name in self.money else column

    def _source_quality(self, metric: Metric, days: Ints) -> Codes:
        if metric.table == PEOPLE_METRICS:
            return self.feeds.quality("people", Metric(table="people", aggregate=Aggregate.COUNT), days)
        return self.feeds.quality(metric.table or "", metric, days)

    def _since_start(
        self, data: np.ndarray[tuple[int], np.dtype[np.float64]], quality: Codes, population: Population, days: Ints
    ) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], Codes]:
        """Never seen counts as inactive since the account started."""
        started = self.attributes.started[population.history]
        ages = days - started
        never = (quality == Quality.NO_ROWS) & ~np.isnan(ages)
        return np.where(never, ages, data), np.where(never, np.uint8(Quality.KNOWN), quality).astype(np.uint8)

    def _attribute(self, metric: Metric, population: Population) -> Column:
        attribute = metric.attribute or ""
        known = CUSTOMERS.column(attribute.split(".")[0])
        delivered = attribute.split(".")[0] in self.feeds.feeds["customers"].columns or attribute.startswith("traits.")
        if known is None or not delivered:
            return unknown_column(population.rows, Quality.NO_SOURCE, metric.type or MetricType.NUMBER)
        return self.attributes.column(attribute, population)


def _by_slot(people: People, values: Values, metric: Metric) -> Values:
    zero = metric.aggregate in (Aggregate.COUNT, Aggregate.COUNT_DISTINCT, Aggregate.SUM, Aggregate.EXISTS)
    data = people.by_slot(values.values, 0.0 if zero else np.nan)
    quality = people.by_slot(values.quality, np.uint8(0) if zero else np.uint8(Quality.NO_ROWS))
    return Values(data, quality, values.texts)


def metric_type(metric: Metric, texts: tuple[str, ...] = ()) -> MetricType:
    """The kind of a table metric's value."""
    if texts:
        return MetricType.TEXT
    if metric.type is not None:
        return metric.type
    return MetricType.BOOLEAN if metric.aggregate is Aggregate.EXISTS else MetricType.NUMBER
