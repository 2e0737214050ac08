"""Published metric values of one customer as a frame, so that a model can be evaluated on them again."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np

from keepwell.evaluation.compiled import CompiledModel
from keepwell.evaluation.model_run import evaluate_model
from keepwell.metrics.compute import Engine
from keepwell.metrics.frame import (
    Codes,
    Column,
    Frame,
    Quality,
    coded_column,
    day_number,
)
from keepwell.model.metric_definitions import MetricType
from keepwell.services.reading import Published
from keepwell.services.runs import with_behaviour
from keepwell.services.workspace import WorkspaceError


@dataclass(frozen=True)
class MetricDay:
    """All metric values of one customer on one day, with how far each can be trusted."""

    day: int
    values: Mapping[str, Any]
    qualities: Mapping[str, int]


def customer_frame(
    published: Published,
    compiled: CompiledModel,
    customer: str,
    *,
    alone: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> Frame:
    """The customer's rows of the published date (last) and of the earlier days that the model looks back to.

    With `alone`, earlier days that are not published are left out; else they are computed again from the data.
    """
    here = _published_day(published, customer)
    if here is None:
        raise WorkspaceError(f"there is no customer '{customer}' on {published.as_of}")
    earlier = [published.as_of - timedelta(days=lag) for lag in sorted(compiled.lags, reverse=True) if lag]
    before = _published_days if alone else partial(_earlier, on_wait=on_wait)
    days = [*before(published, compiled, customer, earlier), here] if earlier else [here]
    ids = np.array([customer] * len(days), dtype=object)
    columns = {name: _column(name, compiled.types[name], days) for name in compiled.metrics()}
    return Frame(ids, np.array([day.day for day in days], np.int64), columns)


def quality_code(row: Mapping[str, Any], name: str) -> int:
    """The quality of a metric's value; a snapshot in which all values were known has no column for it."""
    code = row.get(f"q.{name}")
    if code is not None:
        return int(code)
    return int(Quality.KNOWN if row[f"m.{name}"] is not None else Quality.NO_SOURCE)


def _published_day(published: Published, customer: str) -> MetricDay | None:
    wanted = [name for name in published.columns if name.startswith(("m.", "q."))]
    rows = published.rows(wanted, customer=customer)
    if not rows:
        return None
    values = {name.removeprefix("m."): value for name, value in rows[0].items() if name.startswith("m.")}
    qualities = {name: quality_code(rows[0], name) for name in values}
    return MetricDay(day_number(published.as_of), values, qualities)


def _published_days(
    published: Published, compiled: CompiledModel, customer: str, days: Sequence[date]
) -> list[MetricDay]:
    """Earlier days as they were published, by whatever model; what it did not have is unknown."""
    dates = set(published.workspace.snapshots.dates())
    others = [Published(published.workspace, day) for day in days if day in dates]
    return [found for other in others if (found := _published_day(other, customer)) is not None]


def _earlier(
    published: Published,
    compiled: CompiledModel,
    customer: str,
    days: Sequence[date],
    on_wait: Callable[[str], None] | None,
) -> list[MetricDay]:
    """Earlier days as published by the same model; when one is not, all are computed again from the data."""
    dates, digest = set(published.workspace.snapshots.dates()), compiled.loaded.hash
    others = [Published(published.workspace, day) for day in days if day in dates]
    if len(others) == len(days) and all(o.about["keepwell.model_hash"] == digest for o in others):
        return [found for other in others if (found := _published_day(other, customer)) is not None]
    with published.workspace.warehouse("explain", on_wait) as warehouse:
        engine, numbers = Engine(warehouse, compiled.model), [day_number(day) for day in days]
        frame = with_behaviour(engine, compiled, engine.compute(numbers), numbers).frame
    evaluation = evaluate_model(compiled, frame)
    rows = np.flatnonzero(frame.customers == customer)
    columns = {name: evaluation.columns[name] for name in compiled.metrics()}
    return [_computed_day(int(frame.days[row]), columns, int(row)) for row in rows]


def _computed_day(day: int, columns: Mapping[str, Column], row: int) -> MetricDay:
    values = {name: column.item(row) for name, column in columns.items()}
    return MetricDay(day, values, {name: int(column.quality[row]) for name, column in columns.items()})


def _column(name: str, kind: MetricType, days: Sequence[MetricDay]) -> Column:
    values = [day.values.get(name) for day in days]
    quality: Codes = np.array([day.qualities.get(name, Quality.NO_SOURCE) for day in days], dtype=np.uint8)
    if kind is MetricType.TEXT:
        texts = tuple(sorted({str(value) for value in values if value is not None}))
        codes = np.array([np.nan if value is None else float(texts.index(str(value))) for value in values])
        return coded_column(codes, texts, quality)
    return Column(kind, np.array([_number(value) for value in values]), quality)


def _number(value: Any) -> float:
    if value is None:
        return float("nan")
    return float(day_number(value)) if isinstance(value, date) else float(value)
