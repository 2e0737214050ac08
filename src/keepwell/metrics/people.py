"""Metrics of persons, and their roll-up to customers (`table: people_metrics`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keepwell.metrics.evaluate import Context, evaluate
from keepwell.metrics.fact_combine import Values
from keepwell.metrics.frame import Bools, Column, Ints, Quality, unknown_column
from keepwell.metrics.plan import SettingValues, row_expression
from keepwell.metrics.row_values import day_ends
from keepwell.model.metric_definitions import Aggregate, Metric, MetricType
from keepwell.warehouse.storage import Warehouse


@dataclass(frozen=True)
class People:
    """Who belonged to which customer on each date: slots are positions in `ids`."""

    ids: tuple[str, ...]
    customers: Ints
    keys: Ints
    present: Bools

    @property
    def slots(self) -> dict[str, int]:
        return {person: slot for slot, person in enumerate(self.ids)}

    def by_slot(self, values: npt.NDArray[Any], empty: Any) -> npt.NDArray[Any]:
        """Values by person key, as [date, slot]; people without rows get `empty`."""
        known = (self.keys >= 0) & (self.keys < values.shape[1])
        out = np.full((values.shape[0], len(self.ids)), empty, dtype=values.dtype)
        out[:, known] = values[:, self.keys[known]]
        return out


def read_people(warehouse: Warehouse, dates: Sequence[int]) -> People:
    """The people on record and on which of the dates they belonged to their customer."""
    found = warehouse.connection.execute(
        "SELECT p.person_id, p.customer, coalesce(k.person, -1) AS person,"
        " coalesce(epoch_us(p.first_seen_at), -4e18::BIGINT) AS start,"
        " coalesce(epoch_us(p.left_company_at), 4e18::BIGINT) AS stop"
        " FROM people p LEFT JOIN person_keys k USING (person_id)"
        " WHERE p.deleted_at IS NULL AND p.customer IS NOT NULL ORDER BY p.person_id"
    ).fetchnumpy()
    bounds = day_ends(warehouse, dates)[:, None]
    present = (np.asarray(found["start"]) < bounds) & (np.asarray(found["stop"]) >= bounds)
    ids = tuple(str(person) for person in found["person_id"])
    return People(ids, np.asarray(found["customer"], np.int64), np.asarray(found["person"], np.int64), present)


def roll_up(
    metrics: Mapping[str, Metric],
    values: Mapping[str, Values],
    people: People,
    dates: Ints,
    size: int,
    settings: SettingValues,
) -> dict[str, Values]:
    """Customer metrics over the metrics of their people."""
    rows, slots = np.nonzero(people.present)
    customers = people.customers[slots]
    columns = {
        name: Column(MetricType.NUMBER, v.values[rows, slots], v.quality[rows, slots], v.texts)
        for name, v in values.items()
    }
    context = Context(lambda name: columns.get(name, unknown_column(len(rows), Quality.NO_SOURCE)), dates[rows])
    place = rows * size + customers
    shape = (len(dates), size)
    return {name: _rolled(metric, context, place, shape, settings) for name, metric in metrics.items()}


def _rolled(metric: Metric, context: Context, place: Ints, shape: tuple[int, int], settings: SettingValues) -> Values:
    chosen = _true(metric.where, context, settings)
    length = shape[0] * shape[1]

    def count(keep: Bools) -> npt.NDArray[np.float64]:
        return np.bincount(place[keep], minlength=length).astype(np.float64).reshape(shape)

    of = row_expression(metric.of, settings)
    column = evaluate(of, context) if of else None
    match metric.aggregate:
        case Aggregate.COUNT:
            values = count(chosen)
        case Aggregate.EXISTS:
            values = (count(chosen) > 0).astype(np.float64)
        case Aggregate.SHARE:
            values = _ratio(count(chosen & _true(metric.matching, context, settings)), count(chosen))
        case _:
            if column is None:
                raise ValueError(f"{metric.aggregate} of people_metrics needs 'of'")
            values = _amounts(metric, column, chosen & column.known, place, shape)
    missing = np.where(np.isnan(values), np.uint8(Quality.NO_ROWS), np.uint8(0))
    return Values(values, missing)


def _amounts(
    metric: Metric, column: Column, keep: Bools, place: Ints, shape: tuple[int, int]
) -> npt.NDArray[np.float64]:
    length = shape[0] * shape[1]
    numbers = np.bincount(place[keep], minlength=length).astype(np.float64).reshape(shape)
    weighted = np.bincount(place[keep], weights=column.values[keep], minlength=length)
    totals = weighted.astype(np.float64).reshape(shape)
    if metric.aggregate is Aggregate.SUM:
        return totals
    if metric.aggregate is Aggregate.MEAN:
        return _ratio(totals, numbers)
    if metric.aggregate in (Aggregate.MIN, Aggregate.MAX):
        worst = np.inf if metric.aggregate is Aggregate.MIN else -np.inf
        out = np.full(length, worst)
        pick = np.minimum if metric.aggregate is Aggregate.MIN else np.maximum
        pick.at(out, place[keep], column.values[keep])
        return np.where(np.isinf(out), np.nan, out).reshape(shape)
    raise ValueError(f"{metric.aggregate} cannot be used on people_metrics")


def _ratio(top: npt.NDArray[np.float64], bottom: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(all="ignore"):
        return np.where(bottom == 0, np.nan, top / bottom)


def _true(text: str | None, context: Context, settings: SettingValues) -> Bools:
    expression = row_expression(text, settings)
    if expression is None:
        return np.ones(context.rows, np.bool_)
    result = evaluate(expression, context)
    return np.asarray(result.known & (result.values == 1.0))
