"""What a snapshot says of each customer: attributes, scores, segments, signals and metric values as columns."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.attributes import Attributes, Population
from keepwell.metrics.feeds import Feeds
from keepwell.metrics.frame import Bools, Column, Quality, day_number, number_day
from keepwell.model.loader import LoadedModel
from keepwell.model.metric_definitions import MetricType
from keepwell.warehouse.snapshots import LIST_SEPARATOR, SnapshotColumn
from keepwell.warehouse.tables import TABLES

ATTRIBUTES: Final = (
    ("name", "text"),
    ("domain", "text"),
    ("owner_email", "text"),
    ("industry", "text"),
    ("country", "text"),
    ("company_size", "number"),
    ("lifecycle_stage", "text"),
    ("tier", "text"),
    ("plan", "text"),
    ("payment_status", "text"),
    ("currency", "text"),
    ("customer_since", "date"),
    ("renewal_date", "date"),
    ("email", "text"),
    ("phone", "text"),
)
KINDS: Final = {MetricType.TEXT: "text", MetricType.BOOLEAN: "boolean", MetricType.DATE: "date"}
MONTHS: Final = 12.0
Arrays = npt.NDArray[Any]


def snapshot_columns(
    evaluation: Evaluation, population: Population, churned: Population, attributes: Attributes
) -> list[SnapshotColumn]:
    """All columns of one date: the evaluated customers, then those who left, who have attributes only."""
    ids = np.concatenate([population.ids, churned.ids])
    status = np.concatenate([population.status, churned.status])
    columns = [SnapshotColumn("customer_id", "text", ids), SnapshotColumn("status", "text", status)]
    both = [population, churned]
    columns.append(SnapshotColumn("churned_on", "date", np.concatenate([p.churned_on for p in both])))
    for name, kind in ATTRIBUTES:
        found = [attributes.column(name, p) for p in both]
        columns.append(SnapshotColumn(name, kind, np.concatenate([_plain(c, kind) for c in found])))
    columns += _money(evaluation, both, attributes)
    gone = churned.rows
    columns += [_padded(column, gone) for column in (*_scores(evaluation), *_groups(evaluation), *_metrics(evaluation))]
    return columns


def about_snapshot(
    loaded: LoadedModel, as_of: date, feeds: Feeds, counts: Mapping[str, int], warnings: Sequence[str]
) -> dict[str, str]:
    """What is written beside the rows: nothing of it depends on when the run happened."""
    day = day_number(as_of)
    fresh = {name: feeds.freshness(name, day) for name in TABLES}
    freshness = {name: None if until is None else number_day(until).isoformat() for name, until in fresh.items()}
    return {
        "keepwell.as_of": as_of.isoformat(),
        "keepwell.model": loaded.model.model.name,
        "keepwell.model_version": loaded.model.model.version,
        "keepwell.model_hash": loaded.hash,
        "keepwell.freshness": json.dumps(freshness, sort_keys=True),
        "keepwell.counts": json.dumps(dict(counts), sort_keys=True),
        "keepwell.warnings": json.dumps(list(warnings)),
    }


def _plain(column: Column, kind: str) -> Arrays:
    return column.objects() if kind == "text" else column.values


def _money(evaluation: Evaluation, both: Sequence[Population], attributes: Attributes) -> Iterator[SnapshotColumn]:
    """MRR and ARR as the model computes them, else as the CRM says; either stands in for the other."""
    found = {}
    for name in ("mrr", "arr"):
        values = [attributes.column(name, population).values for population in both]
        computed = evaluation.columns.get(name)
        if computed is not None and computed.type is MetricType.NUMBER:
            values[0] = np.where(computed.known, computed.values, values[0])
        found[name] = np.concatenate(values)
    mrr, arr = found["mrr"], found["arr"]
    yield SnapshotColumn("mrr", "number", np.where(np.isnan(mrr), arr / MONTHS, mrr))
    yield SnapshotColumn("arr", "number", np.where(np.isnan(arr), mrr * MONTHS, arr))


def _scores(evaluation: Evaluation) -> Iterator[SnapshotColumn]:
    for name, score in evaluation.scores.items():
        yield SnapshotColumn(f"{name}_score", "integer", score.shown)
        yield SnapshotColumn(f"{name}_raw", "number", score.raw)
        yield SnapshotColumn(f"{name}_band", "text", score.band.objects())
        yield SnapshotColumn(f"{name}_coverage", "number", score.coverage)
        for component in score.components:
            yield SnapshotColumn(f"{name}.{component.name}", "number", component.value)


def _groups(evaluation: Evaluation) -> Iterator[SnapshotColumn]:
    rows = evaluation.frame.rows
    yield SnapshotColumn("segment", "text", evaluation.segments.primary.objects())
    shown = [(s.matches, _names(s.name, s.values, rows)) for s in evaluation.segments.segments]
    yield SnapshotColumn("segments", "list", _joined(shown, rows))
    signals = [(s.matches, np.full(rows, s.name, dtype=object)) for s in evaluation.signals]
    yield SnapshotColumn("signals", "list", _joined(signals, rows))
    for signal in evaluation.signals:
        if signal.value is not None:
            value = np.where(signal.matches, signal.value.values, np.nan)
            yield SnapshotColumn(f"signal_value.{signal.name}", "number", value)


def _names(name: str, values: Column | None, rows: int) -> Arrays:
    if values is None:
        return np.full(rows, name, dtype=object)
    return np.array([f"{name}: {value}" for value in values.objects()], dtype=object)


def _joined(parts: Sequence[tuple[Bools, Arrays]], rows: int) -> Arrays:
    """For every row the names whose mask is true, in order, as one text."""
    out = np.full(rows, "", dtype=object)
    for mask, names in parts:
        filled = mask & (out != "")
        out[filled] += LIST_SEPARATOR
        out[mask] += names[mask]
    return out


def _metrics(evaluation: Evaluation) -> Iterator[SnapshotColumn]:
    for name in evaluation.compiled.metrics():
        column = evaluation.columns[name]
        kind = KINDS.get(column.type, "number")
        yield SnapshotColumn(f"m.{name}", kind, _plain(column, kind))
        yield SnapshotColumn(f"q.{name}", "code", column.quality)


def _padded(column: SnapshotColumn, gone: int) -> SnapshotColumn:
    """Customers who left have no values: they are frozen in their last snapshot."""
    if not gone:
        return column
    empty: dict[str, Any] = {"text": None, "list": "", "code": Quality.NO_SOURCE}
    blank = empty.get(column.kind, np.nan)
    dtype = column.values.dtype
    return SnapshotColumn(column.name, column.kind, np.concatenate([column.values, np.full(gone, blank, dtype=dtype)]))
