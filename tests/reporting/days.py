"""Small snapshots for tests: rows as dicts, published as a run publishes them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from keepwell.metrics.frame import day_number
from keepwell.model.loader import LoadedModel
from keepwell.reporting.reading import Day
from keepwell.warehouse.snapshots import LIST_SEPARATOR, SnapshotColumn, Snapshots

START = date(2026, 1, 1)
LATER = date(2026, 4, 1)
KINDS = {
    "segments": "list",
    "signals": "list",
    "mrr": "number",
    "arr": "number",
    "company_size": "number",
    "renewal_date": "date",
    "customer_since": "date",
    "churned_on": "date",
}
DEFAULTS: dict[str, Any] = {
    "status": "active",
    "segment": None,
    "segments": (),
    "signals": (),
    "mrr": None,
    "arr": None,
}
NAMES = ("name", "owner_email", "industry", "plan", "currency")


def publish(
    snapshots: Snapshots, as_of: date, rows: Sequence[Mapping[str, Any]], loaded: LoadedModel | None = None, **said: Any
) -> None:
    """Publish rows; columns that only some of them have are unknown in the others."""
    blank = dict.fromkeys(name for row in rows for name in row)
    base = DEFAULTS | dict.fromkeys(NAMES)
    full = [{"customer_id": "", **base, **blank, **base, **row} for row in rows]
    columns = [_column(name, [row[name] for row in full]) for name in full[0]] if full else []
    about = {
        "as_of": as_of.isoformat(),
        "model": "test",
        "model_version": "1",
        "model_hash": loaded.hash if loaded else "",
    }
    about |= {key: json.dumps(value) for key, value in {"freshness": {}, "warnings": [], "counts": {}, **said}.items()}
    snapshots.publish(as_of, columns, {f"keepwell.{key}": value for key, value in about.items()})
    snapshots.point(as_of)


def day_of(as_of: date, rows: Sequence[Mapping[str, Any]]) -> Day:
    """The same rows as a day that was read, without files; columns as wide as the first row."""
    kinds = {name: float if KINDS.get(name) == "number" else object for name in rows[0]}
    columns = {name: np.array([row[name] for row in rows] + [None], dtype=kind)[:-1] for name, kind in kinds.items()}
    return Day(as_of, {}, columns)


def _column(name: str, values: Sequence[Any]) -> SnapshotColumn:
    kind = KINDS.get(name) or _kind(name, values)
    if kind == "list":
        values = [LIST_SEPARATOR.join(value or ()) for value in values]
    if kind == "date":
        values = [None if value is None else day_number(value) for value in values]
    if kind in ("text", "list"):
        return SnapshotColumn(name, kind, np.array(values, dtype=object))
    dtype = np.uint8 if kind == "code" else np.float64
    return SnapshotColumn(name, kind, np.array(values, dtype=dtype))


def _kind(name: str, values: Sequence[Any]) -> str:
    if name.startswith("q."):
        return "code"
    numbers = any(isinstance(value, int | float) for value in values)
    return "number" if numbers or name.startswith("signal_value.") else "text"
