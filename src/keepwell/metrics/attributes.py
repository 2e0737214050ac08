"""Customers as they were on a date: the population and its attributes, from the kept history."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepwell.metrics.frame import Bools, Codes, Column, Floats, Ints, Quality, unknown_column
from keepwell.metrics.money import converted
from keepwell.metrics.row_sql import local_day
from keepwell.metrics.row_values import day_ends
from keepwell.model.metric_definitions import MetricType
from keepwell.warehouse.sql import quoted
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import CUSTOMERS, Kind
from keepwell.warehouse.tables import Column as TableColumn

_TYPES: Final = {
    Kind.TEXT: MetricType.TEXT,
    Kind.JSON: MetricType.TEXT,
    Kind.BOOLEAN: MetricType.BOOLEAN,
    Kind.DATE: MetricType.DATE,
    Kind.TIME: MetricType.DATE,
}
TRAITS: Final = "traits."
STATUSES: Final = ("active", "trial", "prospect", "churned")
_STATUS_CODES: Final = {status: float(code) for code, status in enumerate(STATUSES)}
_ACTIVE, _CHURNED = 0.0, 3.0
_MONEY: Final = tuple(column.name for column in CUSTOMERS.columns if column.kind is Kind.MONEY)


@dataclass(frozen=True)
class Population:
    """Who is looked at: one row per customer and date, sorted by customer id, then date.

    `customers` are keys, `ids` their outside ids, `dates` positions in the list of dates, `state` the history row
    valid on that date, `assumed` whether that row is later than the date, `status` a code of STATUSES, `rates` what
    the customer's currency is worth on that date; None where amounts stay as they are.
    """

    customers: Ints
    ids: npt.NDArray[np.object_]
    dates: Ints
    history: Ints
    assumed: Bools
    status: Floats
    churned_on: Floats
    rates: Floats | None = None

    @property
    def rows(self) -> int:
        return len(self.customers)

    def take(self, keep: npt.NDArray[Any] | slice) -> "Population":
        """The population at the given rows."""
        rates = None if self.rates is None else self.rates[keep]
        return Population(**{name: getattr(self, name)[keep] for name in _ARRAYS}, rates=rates)


_ARRAYS: Final = tuple(name for name in Population.__dataclass_fields__ if name != "rates")


class Attributes:
    """The history of customers in memory: read once, looked up for any rows of a population."""

    def __init__(self, warehouse: Warehouse, attributes: Iterable[str] = ()) -> None:
        """Read who the customers are, and these attributes of theirs in the same go."""
        self.warehouse = warehouse
        self._columns: dict[str, Column] = {}
        self._on_dates: tuple[tuple[int, ...], Population] | None = None
        day = local_day(warehouse.zone)
        found = self._read(
            attributes,
            "k.customer_id, h.customer, epoch_us(h.valid_from) AS valid_from, h.status,"
            f" {day('h.churned_at')} AS churned_day,"
            " date_diff('day', DATE '1970-01-01', h.customer_since) AS since_day,"
            f" {day('h.created_at')} AS created_day, {day('h.deleted_at')} AS deleted_day",
        )
        self.customers = _ints(found["customer"])
        self.valid_from = _ints(found["valid_from"])
        self.ids = np.asarray(found["customer_id"], dtype=object)
        said = _objects(found["status"])
        self.status = np.array([_STATUS_CODES.get(s, _ACTIVE) for s in said.tolist()], np.float64)
        self.churned = _floats(found["churned_day"])
        self.deleted = _floats(found["deleted_day"])
        since = _floats(found["since_day"])
        self.started = np.where(np.isnan(since), _floats(found["created_day"]), since)
        self.size = int(self.customers.max(initial=0)) + 1
        self.firsts = self._firsts()
        self.ranked_ids = tuple(str(i) for i in self.ids[self.firsts])
        self.ranks = np.zeros(self.size, np.int64)
        self.ranks[self.customers[self.firsts]] = np.arange(len(self.firsts))

    def _firsts(self) -> Ints:
        """The first history row of every customer, in the order of their ids."""
        starts = np.ones(len(self.customers), np.bool_)
        starts[1:] = self.customers[1:] != self.customers[:-1]
        first: Ints = np.flatnonzero(starts)
        return first[np.argsort(self.ids[first].astype(str), kind="stable")] if len(first) else first

    def population(self, dates: Sequence[int], statuses: Sequence[str], *, by_date: bool = False) -> Population:
        """Customers of all the given statuses who had started by each date, in the order of their ids.

        The dates of a customer lie together, unless the customers of a date are to lie together (`by_date`).
        """
        found = self._everyone(tuple(dates))
        found = found.take(np.isin(found.status, [STATUSES.index(s) for s in statuses if s in STATUSES]))
        if not by_date:
            found = found.take(np.lexsort((found.dates, self.ranks[found.customers])))
        return found if self.warehouse.rates is None else replace(found, rates=self._rates(found, dates))

    def _everyone(self, dates: tuple[int, ...]) -> Population:
        """Everyone who had started by each date, by date; kept, as several groups are asked of the same dates."""
        if self._on_dates is None or self._on_dates[0] != dates:
            first = self.firsts
            lasts = np.searchsorted(self.customers, self.customers[first], side="right") - 1
            ends = day_ends(self.warehouse, dates)
            rows = [self._on(first, lasts, day, ends[i], i) for i, day in enumerate(dates)]
            joined = Population(*(np.concatenate([getattr(r, n) for r in rows]) for n in _ARRAYS))
            self._on_dates = dates, joined
        return self._on_dates[1]

    def _rates(self, population: Population, dates: Sequence[int]) -> Floats:
        """What each row's currency is worth on its date; who has none pays in the workspace's."""
        currency = self._column("currency")
        worth = self.warehouse.rates.table(currency.texts, dates) if self.warehouse.rates else np.ones((0, 0))
        codes = currency.values[population.history]
        said = ~np.isnan(codes)
        rates = np.ones(population.rows)
        rates[said] = worth[codes[said].astype(np.int64), population.dates[said]]
        return rates

    def _on(self, first: Ints, lasts: Ints, day: int, end: int, position: int) -> Population:
        valid = first - 1
        # Histories are short: step every customer forward together while its next row is already valid.
        while True:
            onward = (valid < lasts) & (self.valid_from[np.minimum(valid + 1, len(self.valid_from) - 1)] < end)
            if not onward.any():
                break
            valid = valid + onward
        assumed = valid < first
        row = np.maximum(valid, first)
        # When it started and when it left are facts about the past that the latest row knows best.
        started = np.where(np.isnan(self.started[lasts]), self.started[row], self.started[lasts])
        left = np.where(np.isnan(self.churned[lasts]), self.churned[row], self.churned[lasts])
        here = (np.isnan(started) | (started <= day)) & ~(self.deleted[lasts] <= day)
        status = self._status(row, left, day)
        keys = self.customers[first]
        everyone = Population(
            keys,
            self.ids[first],
            np.full(len(keys), position),
            row,
            assumed,
            status,
            np.where(left <= day, left, np.nan),
        )
        return everyone.take(here)

    def _status(self, row: Ints, left: Floats, day: int) -> Floats:
        said = self.status[row]
        returned = (left <= day) & (said != _CHURNED) & (self._since(row) > left)
        gone = (left <= day) & ~returned
        back = (said == _CHURNED) & (left > day)
        return np.where(gone, _CHURNED, np.where(back, _ACTIVE, said))

    def _since(self, row: Ints) -> Floats:
        """The day on which the state of a history row began."""
        return np.floor_divide(self.valid_from[row], 86_400_000_000).astype(np.float64)

    def column(self, attribute: str, population: Population) -> Column:
        """An attribute for every row of the population, with `assumed` where the row on record is later.

        Money is in the workspace's currency where there are rates.
        """
        whole = self._column(attribute)
        taken = whole.take(population.history)
        quality = np.where(taken.known & population.assumed, np.uint8(Quality.ASSUMED), taken.quality)
        found = Column(taken.type, taken.values, quality, taken.texts)
        return converted(found, population.rates) if attribute in _MONEY else found

    def _column(self, attribute: str) -> Column:
        if attribute not in self._columns:
            self.read([attribute])
        return self._columns[attribute]

    def read(self, attributes: Iterable[str]) -> None:
        """Read attributes of the whole history in one go; what was read before is kept."""
        wanted = [name for name in attributes if name not in self._columns]
        if wanted:
            self._read(wanted)

    def _read(self, attributes: Iterable[str], *columns: str) -> dict[str, npt.NDArray[Any]]:
        """Keep attributes; returns what else was asked for by SQL, all in the order of customers and time."""
        wanted = list(dict.fromkeys(attributes))
        traits = [name for name in wanted if name.startswith(TRAITS)]
        plain = [name for name in wanted if not name.startswith(TRAITS)]
        selected = [*columns, *(f"{self._select(name)} AS v{i}" for i, name in enumerate(plain))]
        selected += ["h.traits AS traits"] if traits else []
        source = "customer_history h JOIN customer_keys k USING (customer)"
        sql = f"SELECT {', '.join(selected)} FROM {source} ORDER BY h.customer, h.valid_from"
        found = dict(self.warehouse.connection.execute(sql).fetchnumpy())
        for i, name in enumerate(plain):
            self._columns[name] = _typed(found[f"v{i}"], _known_column(name))
        said = [{} if v is None else json.loads(v) for v in _objects(found["traits"])] if traits else []
        for name in traits:
            self._columns[name] = _trait(said, name.removeprefix(TRAITS))
        return found

    def _select(self, attribute: str) -> str:
        if attribute == CUSTOMERS.key:
            return f"k.{quoted(attribute)}"
        name = f"h.{quoted(attribute)}"
        kind = _known_column(attribute).kind
        if kind is Kind.TIME:
            return local_day(self.warehouse.zone)(name)
        return f"date_diff('day', DATE '1970-01-01', {name})" if kind is Kind.DATE else name


def _trait(said: Iterable[Mapping[str, Any]], key: str) -> Column:
    found = [traits.get(key) for traits in said]
    if any(isinstance(v, str | dict | list) for v in found):
        return _text(np.array([v if v is None else str(v) for v in found], dtype=object))
    kind = MetricType.BOOLEAN if any(isinstance(v, bool) for v in found) else MetricType.NUMBER
    numbers = np.array([np.nan if v is None else float(v) for v in found])
    return Column(kind, numbers, np.where(np.isnan(numbers), np.uint8(Quality.EMPTY), np.uint8(0)))


def _known_column(attribute: str) -> TableColumn:
    column = CUSTOMERS.column(attribute)
    if column is None:
        raise ValueError(f"customers has no column '{attribute}'")
    return column


def _typed(values: npt.NDArray[Any], column: TableColumn) -> Column:
    kind = _TYPES.get(column.kind, MetricType.NUMBER)
    if np.ma.getmaskarray(values).all():
        return unknown_column(len(values), Quality.EMPTY, kind)
    if kind is MetricType.TEXT:
        return _text(_objects(values))
    numbers = _floats(values)
    return Column(kind, numbers, np.where(np.isnan(numbers), np.uint8(Quality.EMPTY), np.uint8(0)))


def _text(values: npt.NDArray[np.object_]) -> Column:
    said = values.tolist()
    if not any(said) and said.count(None) == len(said):
        return unknown_column(len(said), Quality.EMPTY, MetricType.TEXT)
    texts = tuple(sorted({str(v) for v in said if v is not None}))
    places = {text: float(i) for i, text in enumerate(texts)}
    data = np.array([np.nan if v is None else places[str(v)] for v in said], dtype=np.float64)
    quality: Codes = np.where(np.isnan(data), np.uint8(Quality.EMPTY), np.uint8(0))
    return Column(MetricType.TEXT, data, quality, texts)


def _ints(values: npt.NDArray[Any]) -> Ints:
    return np.ma.filled(np.ma.asarray(values).astype(np.int64), 0)


def _floats(values: npt.NDArray[Any]) -> Floats:
    return np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)


def _objects(values: npt.NDArray[Any]) -> npt.NDArray[np.object_]:
    masked = np.ma.asarray(values)
    out = np.array(masked.data, dtype=object)
    out[np.ma.getmaskarray(masked)] = None
    return out
