"""Snapshot rows as a frame that a model can be evaluated and explained on again."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from keepwell.evaluation.compiled import CompiledModel
from keepwell.metrics.frame import Codes, Column, Floats, Frame, Quality, coded_column, day_number
from keepwell.model.metric_definitions import MetricType
from keepwell.reporting.reading import Day, Values, read_day
from keepwell.warehouse.snapshots import Snapshots


def snapshot_frame(snapshots: Snapshots, compiled: CompiledModel, day: Day, customers: Sequence[str]) -> Frame:
    """The metrics of some customers on a day, with the earlier days that the model looks back to where published."""
    wanted = np.array(sorted(customers), dtype=object)
    days = [_earlier(snapshots, day, lag) for lag in sorted(compiled.lags, reverse=True)]
    parts = [_part(found, wanted) for found in days if found is not None]
    ids = np.concatenate([part.ids for part in parts])
    numbers = np.concatenate([np.full(part.rows, day_number(part.as_of), np.int64) for part in parts])
    order = np.lexsort((numbers, ids.astype(str)))
    columns = {name: _column(compiled, name, parts).take(order) for name in compiled.metrics()}
    return Frame(ids[order], numbers[order], columns)


def rows_of_day(frame: Frame, day: Day) -> dict[str, int]:
    """The row of every customer on one day of a frame."""
    rows = np.flatnonzero(frame.days == day_number(day.as_of))
    return {str(frame.customers[row]): int(row) for row in rows}


def _earlier(snapshots: Snapshots, day: Day, lag: int) -> Day | None:
    if not lag:
        return day
    wanted = day.as_of - timedelta(days=lag)
    return read_day(snapshots, wanted) if snapshots.path(wanted).exists() else None


def _part(day: Day, wanted: Values) -> Day:
    return day.take(day.here & np.isin(day.ids.astype(str), wanted.astype(str)))


def _column(compiled: CompiledModel, name: str, parts: Sequence[Day]) -> Column:
    kind = compiled.types[name]
    quality = np.concatenate([quality_of(part, name) for part in parts])
    if kind is MetricType.TEXT:
        return _texts(np.concatenate([part.text(f"m.{name}") for part in parts]), quality)
    values = np.concatenate([_numbers(part, name, kind) for part in parts])
    return Column(kind, np.where(quality >= Quality.NO_SOURCE, np.nan, values), quality)


def quality_of(part: Day, name: str) -> Codes:
    """The quality of a metric's values; where a snapshot has no column for it, all values there are were known."""
    if f"q.{name}" in part:
        return part.columns[f"q.{name}"].astype(np.uint8)
    if f"m.{name}" not in part:
        return np.full(part.rows, Quality.NO_SOURCE, np.uint8)
    missing = np.array([value is None or value != value for value in part.columns[f"m.{name}"].tolist()], np.bool_)
    return np.where(missing, np.uint8(Quality.NO_SOURCE), np.uint8(Quality.KNOWN))


def _texts(values: Values, quality: Codes) -> Column:
    texts = tuple(sorted({str(value) for value in values if value is not None}))
    place = {text: float(i) for i, text in enumerate(texts)}
    codes = np.array([np.nan if value is None else place[str(value)] for value in values], dtype=np.float64)
    return coded_column(codes, texts, quality)


def _numbers(part: Day, name: str, kind: MetricType) -> Floats:
    column = f"m.{name}"
    if kind is not MetricType.DATE or column not in part:
        return part.number(column)
    found = part.columns[column].astype("datetime64[D]")
    return np.where(np.isnat(found), np.nan, found.astype(np.int64).astype(np.float64))
