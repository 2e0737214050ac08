"""What a snapshot says of each customer: attributes, scores, segments, signals and metric values as columns."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.attributes import STATUSES, Attributes, Population
from keepwell.metrics.feeds import Feeds
from keepwell.metrics.frame import Bools, Ints, Quality, day_number, number_day
from keepwell.model.loader import LoadedModel
from keepwell.model.metric_definitions import MetricType
from keepwell.segments.membership import SegmentColumns
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
READ: Final = (*(name for name, _ in ATTRIBUTES), "mrr", "arr")
"""What is read of customers for a snapshot, whatever the model."""
KINDS: Final = {MetricType.TEXT: "text", MetricType.BOOLEAN: "boolean", MetricType.DATE: "date"}
MONTHS: Final = 12.0
BITS: Final = 62
COUNTED: Final = 1 << 20
"""Numbers up to here are told apart by counting."""
Arrays = npt.NDArray[Any]
Texts = tuple[str, ...] | None


def snapshot_columns(
    evaluation: Evaluation, population: Population, churned: Population, attributes: Attributes
) -> list[SnapshotColumn]:
    """All columns of one date: the evaluated customers, then those who left, who have attributes only."""
    both = [population, churned]

    def joined(name: str, kind: str, values: Callable[[Population], Arrays], texts: Texts = None) -> SnapshotColumn:
        return SnapshotColumn(name, kind, np.concatenate([values(p) for p in both]), texts)

    columns = [
        joined("customer_id", "text", lambda p: attributes.ranks[p.customers], attributes.ranked_ids),
        joined("status", "text", lambda p: p.status, STATUSES),
        joined("churned_on", "date", lambda p: p.churned_on),
    ]
    attributes.read(READ)
    for name, kind in ATTRIBUTES:
        found = [attributes.column(name, p) for p in both]
        texts = found[0].texts if kind == "text" else None
        columns.append(SnapshotColumn(name, kind, np.concatenate([c.values for c in found]), texts))
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
        yield SnapshotColumn(f"{name}_band", "text", score.band.values, score.band.texts)
        yield SnapshotColumn(f"{name}_coverage", "number", score.coverage)
        for component in score.components:
            yield SnapshotColumn(f"{name}.{component.name}", "number", component.value)


def _groups(evaluation: Evaluation) -> Iterator[SnapshotColumn]:
    rows = evaluation.frame.rows
    primary = evaluation.segments.primary
    yield SnapshotColumn("segment", "text", primary.values, primary.texts)
    yield _listed("segments", [part for s in evaluation.segments.segments for part in _members(s, rows)], rows)
    yield _listed("signals", [(s.matches, s.name) for s in evaluation.signals], rows)
    for signal in evaluation.signals:
        if signal.value is not None:
            value = np.where(signal.matches, signal.value.values, np.nan)
            yield SnapshotColumn(f"signal_value.{signal.name}", "number", value)


def _members(segment: SegmentColumns, rows: int) -> Iterator[tuple[Bools, str]]:
    """The masks of a segment and of each that a `by` definition makes, with their names."""
    if segment.values is None:
        yield segment.matches, segment.name
        return
    for code, text in enumerate(segment.values.texts):
        yield segment.matches & (segment.values.values == code), f"{segment.name}: {text}"


def _listed(name: str, parts: Sequence[tuple[Bools, str]], rows: int) -> SnapshotColumn:
    """For every row the names whose mask is true, in order. The few combinations that occur are written as texts."""
    if not parts:
        return SnapshotColumn(name, "list", np.zeros(rows), ("",))
    # Masks are packed into numbers, a word of bits after the other, so that few numbers have to be told apart.
    codes, combinations = np.zeros(rows, np.int64), [""]
    for start in range(0, len(parts), BITS):
        word = np.zeros(rows, np.int64)
        for bit, (mask, _) in enumerate(parts[start : start + BITS]):
            word |= mask.astype(np.int64) << bit
        found, place = _told_apart(word)
        both, codes = _told_apart(codes * len(found) + place)
        names = [_names_of(int(bits), [text for _, text in parts[start : start + BITS]]) for bits in found]
        combinations = [_both(combinations[int(i) // len(found)], names[int(i) % len(found)]) for i in both]
    return SnapshotColumn(name, "list", codes.astype(np.float64), tuple(combinations))


def _told_apart(numbers: Ints) -> tuple[Ints, Ints]:
    """The numbers that occur, ascending, and for every row which of them it has."""
    most = int(numbers.max(initial=0))
    if most >= COUNTED:
        found, place = np.unique(numbers, return_inverse=True)
        return found, place.reshape(-1)
    # Small numbers are counted rather than sorted.
    occurs = np.bincount(numbers, minlength=most + 1) > 0
    return np.flatnonzero(occurs), (np.cumsum(occurs) - 1)[numbers]


def _names_of(bits: int, names: Sequence[str]) -> str:
    return LIST_SEPARATOR.join(name for i, name in enumerate(names) if bits >> i & 1)


def _both(left: str, right: str) -> str:
    return f"{left}{LIST_SEPARATOR}{right}" if left and right else left or right


def _metrics(evaluation: Evaluation) -> Iterator[SnapshotColumn]:
    for name in evaluation.compiled.metrics():
        column = evaluation.columns[name]
        kind = KINDS.get(column.type, "number")
        yield SnapshotColumn(f"m.{name}", kind, column.values, column.texts if kind == "text" else None)
        yield SnapshotColumn(f"q.{name}", "code", column.quality)


def _padded(column: SnapshotColumn, gone: int) -> SnapshotColumn:
    """Customers who left have no values: they are frozen in their last snapshot."""
    if not gone:
        return column
    if column.kind == "list":
        texts = (*(column.texts or ()), "")
        blank = np.full(gone, len(texts) - 1.0)
        return SnapshotColumn(column.name, "list", np.concatenate([column.values, blank]), texts)
    empty = Quality.NO_SOURCE if column.kind == "code" else np.nan
    blank = np.full(gone, empty, dtype=column.values.dtype)
    return SnapshotColumn(column.name, column.kind, np.concatenate([column.values, blank]), column.texts)
