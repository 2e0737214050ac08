"""The daily run and the backfill: metrics, evaluation, and a snapshot for each date."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Final

import numpy as np

from keepwell.evaluation.model_run import CompiledModel, Evaluation, compile_model, evaluate_model
from keepwell.metrics.attributes import Population
from keepwell.metrics.compute import Computed, Engine, MetricValues
from keepwell.metrics.frame import Column, Ints, Quality, day_number, number_day, stable_order
from keepwell.model.behaviours import named_behaviours
from keepwell.model.loader import LoadedModel
from keepwell.model.words import counted
from keepwell.segments.behaviour_columns import behaviour_columns
from keepwell.services.exchange import exchange_of
from keepwell.services.snapshot_rows import READ, about_snapshot, snapshot_columns
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.snapshots import SnapshotColumn, SnapshotWriter
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES

ROWS_AT_ONCE: Final = 120_000
"""Customer-days evaluated together: bounds the memory of a backfill."""
VALUES_AT_ONCE: Final = 42_000_000
"""Values of all metrics read together: the more days at once, the fewer times the same window is read again."""

_ASSUMED: Final = np.uint8(Quality.ASSUMED)

Step = Callable[[str, int, int], None]


@dataclass(frozen=True)
class RunReport:
    """What a run published: the date, how many customers, how they are spread, and what to look at."""

    as_of: date
    customers: int
    churned: int
    bands: dict[str, int] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def run_day(workspace: Workspace, *, as_of: date, on_wait: Callable[[str], None] | None = None) -> RunReport:
    """Compute one day and publish its snapshot; running it again replaces it with the same bytes."""
    loaded = workspace.model()
    with workspace.warehouse(f"run of {as_of}", on_wait, alone=True) as warehouse:
        engine = _engine(warehouse, loaded)
        writer = workspace.snapshots.writer(warehouse.connection)
        (report,) = _publish_days(workspace, writer, engine, loaded, [day_number(as_of)])
        engine.forget_other_state()
    workspace.snapshots.point(as_of)
    return report


def backfill_days(
    workspace: Workspace,
    *,
    first: date,
    last: date,
    step: Step | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> list[RunReport]:
    """Compute every day of a range, many days at once, and publish a snapshot for each."""
    if last < first:
        raise WorkspaceError(f"the range ends ({last}) before it begins ({first})")
    loaded = workspace.model()
    reports: list[RunReport] = []
    with workspace.warehouse(f"backfill of {first} to {last}", on_wait) as warehouse:
        engine = _engine(warehouse, loaded)
        customers = max(1, len(engine.attributes.firsts))
        days = list(range(day_number(first), day_number(last) + 1))
        metrics = max(1, len(engine.plan.metrics))
        writer = workspace.snapshots.writer(warehouse.connection)
        size = max(1, ROWS_AT_ONCE // customers)
        for part in _blocks(days, max(1, VALUES_AT_ONCE // (customers * metrics * size)) * size):
            values = engine.values(_needed(compile_model(loaded), part))
            if not named_behaviours(loaded.model):
                warehouse.set_threads_for(0)  # dates are written by one thread, and nothing is read in between
            for block in _blocks(part, size):
                told = partial(_tell, step, len(reports), len(days))
                reports += _publish_days(workspace, writer, engine, loaded, block, values, told)
    _point(workspace, last)
    return reports


def _tell(step: Step | None, before: int, total: int, done: int) -> None:
    if step:
        step("backfill", before + done, total)


def _blocks(days: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(days), max(1, size)):
        yield days[start : start + max(1, size)]


def _needed(compiled: CompiledModel, days: Sequence[int]) -> list[int]:
    """The days and the earlier ones that the model looks back to from them."""
    return sorted({day - lag for day in days for lag in compiled.lags})


def evaluate_days(
    engine: Engine,
    compiled: CompiledModel,
    days: Sequence[int],
    values: MetricValues | None = None,
    *,
    by_date: bool = False,
) -> tuple[Computed, Evaluation]:
    """Metric values and their evaluation for some days, with the earlier days that the model looks back to.

    `by_date` sorts by date, then customer, where the model does not look back.
    """
    needed = _needed(compiled, days)
    alone = len(compiled.lags) == 1
    found = engine.frame(values or engine.values(needed), needed, by_date=by_date and alone)
    computed = with_behaviour(engine, compiled, found, needed)
    evaluation = evaluate_model(compiled, computed.frame)
    if len(needed) == len(days):
        return computed, evaluation
    wanted = np.isin(computed.frame.days, np.array(days))
    kept = Computed(computed.frame.take(wanted), computed.population.take(wanted), computed.attributes, computed.feeds)
    return kept, evaluation.take(wanted)


def with_behaviour(engine: Engine, compiled: CompiledModel, computed: Computed, days: Sequence[int]) -> Computed:
    """Computed values with the truth of the behaviours that the model's conditions ask for."""
    behaviours = named_behaviours(compiled.model)
    columns = behaviour_columns(engine.warehouse, engine.feeds, behaviours, computed.population, days)
    return replace(computed, frame=computed.frame.with_columns(columns))


def _engine(warehouse: Warehouse, loaded: LoadedModel) -> Engine:
    engine = Engine(warehouse, loaded.model, attributes=READ)
    if not len(engine.attributes.customers):
        raise WorkspaceError("there are no customers yet; load some with 'keepwell load PATH'")
    return engine


def _publish_days(
    workspace: Workspace,
    writer: SnapshotWriter,
    engine: Engine,
    loaded: LoadedModel,
    days: Sequence[int],
    values: MetricValues | None = None,
    published: Callable[[int], object] | None = None,
) -> list[RunReport]:
    compiled = compile_model(loaded)
    workspace.keep_model(loaded)
    computed, evaluation = evaluate_days(engine, compiled, days, values, by_date=True)
    churned = engine.attributes.population(days, ("churned",))
    workspace.snapshots.sweep()
    by_date, population = _by_date(evaluation, computed.population)
    gone = np.array(days, np.int64)[churned.dates]
    unsure = [name for name in compiled.metrics() if by_date.columns[name].quality.any()]
    known = {f"q.{name}" for name in compiled.metrics() if name not in unsure}
    columns = [c for c in snapshot_columns(by_date, population, churned, engine.attributes) if c.name not in known]
    reports = []
    with writer.staged(*_ordered(by_date, population, churned, gone, engine, columns)):
        for day in days:
            here = _slice(by_date.frame.days, day)
            exchange = exchange_of(engine.attributes, population.take(here), day)
            warnings = (*_warnings(engine, by_date, unsure, here, day), *(exchange.warnings() if exchange else ()))
            report = _report(number_day(day), by_date, here, int(np.sum(gone == day)), warnings)
            counts = {"customers": report.customers, "churned": report.churned}
            about = about_snapshot(loaded, report.as_of, engine.feeds, counts, report.warnings)
            about |= exchange.about() if exchange else {}
            plain = {f"q.{name}" for name in unsure if not by_date.columns[name].quality[here].any()}
            writer.publish(report.as_of, day, about, without=sorted(plain))
            reports.append(report)
            if published:
                published(len(reports))
    return reports


def _by_date(evaluation: Evaluation, population: Population) -> tuple[Evaluation, Population]:
    """By date: then the rows of one date are a slice, which costs nothing to take, and lie together when written."""
    days = evaluation.frame.days
    if (days[1:] >= days[:-1]).all():
        return evaluation, population
    order = stable_order(days)
    # The frame's columns are among the evaluation's own.
    bare = replace(evaluation, frame=replace(evaluation.frame, columns={}))
    return bare.take(order), population.take(order)


def _ordered(
    by_date: Evaluation,
    population: Population,
    churned: Population,
    gone: Ints,
    engine: Engine,
    columns: list[SnapshotColumn],
) -> tuple[Ints, list[SnapshotColumn]]:
    """The dates and the columns of all rows, those who left put in their place among the customers of their date."""
    if not churned.rows:
        return by_date.frame.days, columns
    row_days = np.concatenate([by_date.frame.days, gone])
    ranks = engine.attributes.ranks[np.concatenate([population.customers, churned.customers])]
    rows = np.lexsort((ranks, row_days))
    return row_days[rows], [replace(c, values=c.values[rows]) for c in columns]


def _slice(values: Ints, value: int) -> slice:
    """Where a value stands in ascending values."""
    return slice(int(np.searchsorted(values, value)), int(np.searchsorted(values, value, side="right")))


def _report(as_of: date, evaluation: Evaluation, here: slice, churned: int, warnings: tuple[str, ...]) -> RunReport:
    """What the rows of one date say; of a date only what is counted is looked at."""
    health = evaluation.compiled.health()
    bands = _counted(evaluation.scores[health].band, here) if health else {}
    segments = _counted(evaluation.segments.primary, here)
    return RunReport(as_of, here.stop - here.start, churned, bands, segments, warnings)


def _counted(column: Column, here: slice) -> dict[str, int]:
    """How often each text occurs, in the order of the column's texts."""
    values = column.values[here]
    counts = np.bincount(values[~np.isnan(values)].astype(np.int64), minlength=len(column.texts))
    return {text: int(count) for text, count in zip(column.texts, counts, strict=True) if count}


def _warnings(engine: Engine, evaluation: Evaluation, unsure: Sequence[str], here: slice, day: int) -> tuple[str, ...]:
    """What the person who runs it should know: feeds that are absent or stale, renewals that have passed.

    `unsure` are the metrics that may have anything but known values.
    """
    found = []
    used = {metric.table for metric in engine.plan.metrics.values() if metric.table in TABLES}
    for table in sorted(filter(None, used)):
        until = engine.feeds.freshness(table, day)
        if until is None:
            found.append(f"{table}: nothing has been loaded; what needs it is unknown")
        elif day - until > engine.feeds.limit(table):
            found.append(f"{table}: stale, nothing after {number_day(until)}; what needs it is unknown")
    past = evaluation.columns.get("days_to_renewal")
    # Unknown values are nan, which no comparison holds for.
    if past is not None and (overdue := int(np.sum(past.values[here] < 0))):
        found.append(f"{counted(overdue, 'active customer is', 'active customers are')} past their renewal date")
    assumed = sum(bool((evaluation.columns[name].quality[here] == _ASSUMED).any()) for name in unsure)
    if assumed:
        use, marked = ("1 metric uses", "it is") if assumed == 1 else (f"{assumed} metrics use", "they are")
        found.append(f"{use} attributes from before their history began: {marked} marked assumed")
    return tuple(found)


def _point(workspace: Workspace, as_of: date) -> None:
    """A backfill moves what is current forward only."""
    workspace.snapshots.point(max(as_of, workspace.snapshots.latest() or as_of))
