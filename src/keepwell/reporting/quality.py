"""How far the figures can be trusted: freshness of every feed, what is unknown, and what a reader must know."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.missing import metrics_read
from keepwell.metrics.frame import Quality
from keepwell.model.loader import LoadedModel
from keepwell.reporting.frames import quality_of
from keepwell.reporting.plain import Plain
from keepwell.reporting.reading import Day
from keepwell.reporting.scores import health_of, mean
from keepwell.reporting.words import count, label_of, listed
from keepwell.warehouse.tables import TABLES


@dataclass(frozen=True)
class Freshness(Plain):
    """Until when a table's feed covers; None when nothing was ever loaded. `used`: the model reads it."""

    table: str
    until: date | None
    days_old: int | None
    used: bool


@dataclass(frozen=True)
class MetricCoverage(Plain):
    """For how many customers a metric is known, and the commonest reason why not."""

    name: str
    label: str
    known: int
    customers: int
    why: str

    @property
    def share(self) -> float:
        """The share of customers it is known for."""
        return self.known / self.customers if self.customers else 0.0


@dataclass(frozen=True)
class DataQuality(Plain):
    """Data behind one day's figures. `metrics` are those that scores, segments and signals read."""

    as_of: date
    coverage: float | None
    not_enough_data: int | None
    freshness: tuple[Freshness, ...]
    metrics: tuple[MetricCoverage, ...]
    warnings: tuple[str, ...]


def data_quality(loaded: LoadedModel, day: Day, *, currency: str = "") -> DataQuality:
    """Freshness, coverage and warnings of one snapshot; `currency` is what amounts are shown in."""
    present = day.present()
    health = health_of(loaded, present)
    return DataQuality(
        as_of=day.as_of,
        coverage=mean(health.coverage) if health.name else None,
        not_enough_data=int(np.isnan(health.shown).sum()) if health.name else None,
        freshness=tuple(_freshness(loaded, day)),
        metrics=tuple(_metrics(loaded, present)),
        warnings=(*(day.said("warnings") or ()), *_warnings(loaded, day, present, currency)),
    )


def _freshness(loaded: LoadedModel, day: Day) -> Iterator[Freshness]:
    said = day.said("freshness") or {}
    metrics = loaded.model.metrics.values()
    used = {m.table for m in metrics} | {"customers" for m in metrics if m.attribute}
    for table in TABLES:
        until = date.fromisoformat(said[table]) if said.get(table) else None
        age = None if until is None else (day.as_of - until).days
        yield Freshness(table, until, age, table in used)


def _metrics(loaded: LoadedModel, present: Day) -> Iterator[MetricCoverage]:
    compiled = compile_model(loaded)
    metrics = compiled.metrics()
    for name in metrics_read(compiled):
        if f"m.{name}" in present:
            quality = quality_of(present, name)
            unknown = Counter(quality[quality >= Quality.NO_SOURCE].tolist())
            why = Quality(unknown.most_common(1)[0][0]).words if unknown else ""
            known = present.rows - unknown.total()
            yield MetricCoverage(name, label_of(name, metrics[name]), known, present.rows, why)


def _warnings(loaded: LoadedModel, day: Day, present: Day, currency: str) -> Iterator[str]:
    exchange = day.said("exchange")
    currencies = sorted({str(c) for c in present.text("currency").tolist() if c})
    if exchange:
        if currency and exchange["currency"] != currency:
            yield f"amounts are in {exchange['currency']} and shown as {currency}: compute the day again"
    elif len(currencies) > 1:
        added = "amounts are added up as they are, without exchange rates; put them into [rates] of keepwell.toml"
        yield f"customers pay in {listed(currencies)}: {added}"
    elif currency and currencies and currencies != [currency]:
        yield f"customers pay in {currencies[0]}, amounts are shown as {currency}: set the workspace's currency"
    unknown = int(np.isnan(present.number("arr")).sum())
    if unknown:
        yield f"{count(unknown, 'customer')} without a known ARR: counted as customers, and as no money"
    digest = day.about.get("keepwell.model_hash")
    if digest and digest != loaded.hash:
        yield "the snapshot was made with another version of the model than the one this report reads it with"
