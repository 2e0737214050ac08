"""Published metric values of many customers as a frame, so that another model can be evaluated on them at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from keepwell.evaluation.compiled import CompiledModel
from keepwell.metrics.frame import Codes, Column, Frame, Quality, coded_column, day_number, number_day
from keepwell.model.metric_definitions import MetricType
from keepwell.services.planning.reuse import reusable_metrics
from keepwell.services.reading import Published
from keepwell.warehouse.scratch import scratch
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.sql import literal, quoted

Values = npt.NDArray[Any]
_NOT_HELD: Final = 255


@dataclass(frozen=True)
class Wanted:
    """What is read for a model: the days, and for each metric its kind and the days whose published values hold."""

    days: tuple[date, ...]
    statuses: tuple[str, ...]
    metrics: tuple[tuple[str, MetricType, tuple[date, ...]], ...]


def published_frames(
    published: Published, models: Sequence[CompiledModel], *, customers: Collection[str] | None = None
) -> list[Frame]:
    """A frame for each model: customers of a published date, and of the earlier days the model looks back to.

    A column is there for each metric whose published values hold under the model. Days that are not published are
    not there: what looks back to them is unknown. Nothing is computed and nobody is waited for; what two models
    read alike is read once.
    """
    read: dict[Wanted, Frame] = {}
    wanted = [_wanted(published, compiled) for compiled in models]
    for one in wanted:
        if one not in read:
            read[one] = _read(published.workspace.snapshots, one, customers)
    return [read[one] for one in wanted]


def _wanted(published: Published, compiled: CompiledModel) -> Wanted:
    days = _days(published, compiled)
    holding = _holding(published, compiled, days)
    metrics = []
    for name in compiled.metrics():
        there = tuple(day for day in days if name in holding[day])
        if there:
            metrics.append((name, compiled.types[name], there))
    return Wanted(tuple(days), compiled.model.settings.active_statuses, tuple(metrics))


def _days(published: Published, compiled: CompiledModel) -> list[date]:
    """The date itself and the earlier published ones that the model looks back to, ascending."""
    here = day_number(published.as_of)
    known = set(published.workspace.snapshots.dates())
    return [day for lag in sorted(compiled.lags, reverse=True) if (day := number_day(here - lag)) in known]


def _holding(published: Published, compiled: CompiledModel, days: Sequence[date]) -> dict[date, frozenset[str]]:
    """For each day the metrics whose published values hold under the model; each earlier model is read once."""
    workspace, by_hash = published.workspace, {}
    found = {}
    for day, digest in _hashes(workspace.snapshots, days).items():
        if digest not in by_hash:
            model = published.model if day == published.as_of else workspace.kept_model(digest)
            by_hash[digest] = reusable_metrics(model.model, compiled.model)
        found[day] = by_hash[digest]
    return found


def _hashes(snapshots: Snapshots, days: Sequence[date]) -> dict[date, str]:
    paths = [str(snapshots.path(day)) for day in days]
    with scratch() as connection:
        rows = connection.execute("SELECT file_name, key, value FROM parquet_kv_metadata(?)", [paths]).fetchall()
    digests = {str(name): bytes(value).decode() for name, key, value in rows if bytes(key) == b"keepwell.model_hash"}
    return {day: digests[path] for day, path in zip(days, paths, strict=True)}


def _columns_there(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> dict[str, set[str]]:
    rows = connection.execute("SELECT file_name, name FROM parquet_schema(?)", [list(paths)]).fetchall()
    there: dict[str, set[str]] = {path: set() for path in paths}
    for file, name in rows:
        there[str(file)].add(str(name))
    return there


def _read(snapshots: Snapshots, wanted: Wanted, customers: Collection[str] | None) -> Frame:
    paths = [str(snapshots.path(day)) for day in wanted.days]
    only = "" if customers is None else " AND list_contains(?, customer_id)"
    given = [list(wanted.statuses)] if customers is None else [list(wanted.statuses), sorted(customers)]
    with scratch() as connection:
        there = _columns_there(connection, paths)
        parts = [_part(wanted, day, path, there[path]) + only for day, path in zip(wanted.days, paths, strict=True)]
        sql = f"{' UNION ALL '.join(parts)} ORDER BY customer_id, day"
        found: dict[str, Values] = dict(connection.execute(sql, given * len(paths)).fetchnumpy())
    columns = {name: _column(found, i, kind) for i, (name, kind, _) in enumerate(wanted.metrics)}
    return Frame(np.asarray(found["customer_id"], dtype=object), np.asarray(found["day"], dtype=np.int64), columns)


def _part(wanted: Wanted, day: date, path: str, there: Collection[str]) -> str:
    selected = [_selected(i, name, there, day in days) for i, (name, _, days) in enumerate(wanted.metrics)]
    head = ["customer_id", f"{day_number(day)} AS day"]
    relation = f"read_parquet({literal(path)})"
    return f"SELECT {', '.join([*head, *selected])} FROM {relation} WHERE list_contains(?, status)"  # noqa: S608


def _selected(place: int, name: str, there: Collection[str], holds: bool) -> str:
    """A metric's value and quality in a snapshot; a snapshot in which all were known has no quality."""
    value, quality = f"m.{name}", f"q.{name}"
    if not holds or value not in there:
        return f"NULL AS v{place}, {_NOT_HELD} AS q{place}"
    known = f"CASE WHEN {quoted(value)} IS NULL THEN {int(Quality.NO_SOURCE)} ELSE {int(Quality.KNOWN)} END"
    said = f"coalesce(CAST({quoted(quality)} AS INTEGER), {known})" if quality in there else known
    return f"{quoted(value)} AS v{place}, {said} AS q{place}"


def _column(found: Mapping[str, Values], place: int, kind: MetricType) -> Column:
    values, quality = found[f"v{place}"], np.ma.filled(found[f"q{place}"], _NOT_HELD)
    states: Codes = np.where(quality == _NOT_HELD, Quality.NO_ROWS, quality).astype(np.uint8)
    if kind is MetricType.TEXT:
        return _texts(values, states)
    if np.issubdtype(values.dtype, np.datetime64):
        whole = np.ma.filled(values, np.datetime64("NaT")).astype("datetime64[D]")
        numbers = np.where(np.isnat(whole), np.nan, whole.astype(np.int64).astype(np.float64))
    else:
        numbers = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    states[np.isnan(numbers) & (states < Quality.NO_SOURCE)] = Quality.NO_ROWS
    return Column(kind, np.where(states >= Quality.NO_SOURCE, np.nan, numbers), states)


def _texts(values: Values, states: Codes) -> Column:
    said = np.ma.filled(np.ma.asarray(values).astype(object), None).tolist()
    texts = tuple(sorted({str(value) for value in said if value is not None}))
    place = {text: float(i) for i, text in enumerate(texts)}
    codes = np.array([np.nan if value is None else place[str(value)] for value in said], dtype=np.float64)
    return coded_column(codes, texts, states)
