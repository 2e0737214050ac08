"""A customer on the current date: attributes, scores and every metric with how far it can be trusted."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from keepwell.evaluation.compiled import CompiledModel
from keepwell.metrics.frame import UNKNOWN_FROM, Quality
from keepwell.reporting.words import label_of, metric_words
from keepwell.services.published.copies import CURRENT, Copies
from keepwell.services.published.kept_models import NO_COLOR, band_colors, model_of
from keepwell.services.published.portfolio import PortfolioRow, row_maker
from keepwell.services.published.reader import Row, read_copies, row_of
from keepwell.services.reading import Published
from keepwell.services.snapshot_frames import quality_code
from keepwell.services.snapshot_rows import ATTRIBUTES
from keepwell.services.workspace import Workspace


@dataclass(frozen=True)
class ScoreNow:
    """A score of the current date."""

    name: str
    label: str
    kind: str
    score: int | None
    band: str | None
    color: str
    coverage: float | None
    raw: float | None


@dataclass(frozen=True)
class MetricNow:
    """A metric's value, in words too; `quality` says in words how far it can be trusted or why it is unknown."""

    name: str
    label: str
    value: Any
    words: str
    unit: str
    quality: str
    known: bool


@dataclass(frozen=True)
class CustomerCurrent:
    """Everything that is known of a customer on the current date. Who left has no scores and no metrics."""

    row: PortfolioRow
    as_of: date
    attributes: dict[str, Any]
    scores: tuple[ScoreNow, ...]
    metrics: tuple[MetricNow, ...]
    freshness: dict[str, date | None]


def customer_current(workspace: Workspace, customer_id: str) -> CustomerCurrent | None:
    """A customer now; None when there is no such customer."""

    def read(copies: Copies) -> CustomerCurrent | None:
        listed = row_of("SELECT * FROM read_parquet(?) WHERE customer_id = ?", [copies.path(CURRENT), customer_id])
        snapshots = workspace.snapshots
        row = row_of(
            "SELECT * FROM read_parquet(?) WHERE customer_id = ?", [str(snapshots.path(copies.as_of)), customer_id]
        )
        if listed is None or row is None:
            return None
        compiled = model_of(workspace, copies)
        here = row["status"] != "churned"
        return CustomerCurrent(
            row=row_maker(workspace, copies)(listed),
            as_of=copies.as_of,
            attributes={name: row.get(name) for name, _ in ATTRIBUTES},
            scores=tuple(_scores(compiled, row)) if here else (),
            metrics=tuple(_metrics(compiled, row, workspace.currency)) if here else (),
            freshness=_freshness(workspace, copies.as_of),
        )

    return read_copies(workspace, read)


def _scores(compiled: CompiledModel, row: Row) -> Iterator[ScoreNow]:
    for name, score in compiled.model.scores.items():
        band = row.get(f"{name}_band")
        color = band_colors(compiled.model, name).get(band or "", NO_COLOR)
        shown, raw, coverage = (row.get(f"{name}_{part}") for part in ("score", "raw", "coverage"))
        yield ScoreNow(name, score.label or name, score.kind, shown, band, color, coverage, raw)


def _metrics(compiled: CompiledModel, row: Row, currency: str) -> Iterator[MetricNow]:
    for name, metric in compiled.metrics().items():
        if f"m.{name}" in row:
            quality, value = Quality(quality_code(row, name)), row[f"m.{name}"]
            words = metric_words(value, metric, currency)
            known = quality < UNKNOWN_FROM
            yield MetricNow(name, label_of(name, metric), value, words, metric.unit, quality.words, bool(known))


def _freshness(workspace: Workspace, as_of: date) -> dict[str, date | None]:
    said = json.loads(Published(workspace, as_of).about.get("keepwell.freshness", "{}"))
    return {table: None if until is None else date.fromisoformat(until) for table, until in said.items()}
