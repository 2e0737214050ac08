"""What a definition of a segment can speak of on the published date: fields with labels and units, values, events."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Final

from keepwell.model.definitions import Model
from keepwell.reporting.words import label_of, number
from keepwell.services.published import Scope
from keepwell.services.published.copies import USAGE, Copies, copies_needed
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.reading import Published
from keepwell.services.segment_figures import ids_seen
from keepwell.services.segment_preview import attribute_names
from keepwell.services.workspace import Workspace
from keepwell.warehouse.sql import literal, quoted

ATTRIBUTES, METRICS, SCORES, SIGNALS = "Attributes", "Metrics", "Scores and bands", "Signals"
SUGGESTED: Final = 50
_HIDDEN: Final = frozenset({"customer_id", "churned_on", "signals", "email", "phone"})
_WORDS: Final = re.compile(r"'[^']*'|\w+")
_PARTS: Final = {"score": "", "band": "band", "coverage": "coverage", "raw": "unrounded"}
_SHARES: Final = frozenset({"share", "ratio", "ratio - 1"})


@dataclass(frozen=True)
class Field:
    """Something that a condition tests. `kind` is number, text, boolean, date or list; `hint` says the unit."""

    name: str
    label: str
    group: str
    kind: str
    unit: str = ""

    def as_dict(self) -> dict[str, str]:
        """Plain data for the page."""
        return asdict(self)


@dataclass(frozen=True)
class Suggestions:
    """What a field has among the customers one may see: the most frequent values, or its range in words."""

    values: tuple[str, ...] = ()
    hint: str = ""


def segment_fields(workspace: Workspace) -> tuple[Field, ...]:
    """Every field that a definition may name, by group and label. Raises NothingPublished before the first run."""
    return _known(workspace, copies_needed(workspace).version).fields


def attributes_known(workspace: Workspace) -> frozenset[str]:
    """Every name that a definition may test, also those that nobody would look for."""
    return _known(workspace, copies_needed(workspace).version).names


def with_labels(workspace: Workspace, words: str) -> str:
    """A sentence about customers with the labels of fields where it names them; what is quoted stays as it is."""
    labels = {field.name: field.label for field in segment_fields(workspace)}

    def said(found: re.Match[str]) -> str:
        name = found[0]
        label = labels.get(name, name)
        # Names that are words of the language may be meant as such.
        return label if "_" in name or label == name.upper() else name

    return _WORDS.sub(said, words)


def model_segments(workspace: Workspace) -> tuple[tuple[str, str], ...]:
    """The segments of the model that a definition may refer to, with their labels."""
    return _known(workspace, copies_needed(workspace).version).segments


def event_names(workspace: Workspace) -> tuple[str, ...]:
    """The names of events in the published usage, the most frequent first."""
    return _events(workspace, copies_needed(workspace).version)


def suggestions(workspace: Workspace, name: str, scope: Scope) -> Suggestions:
    """Values of a field to choose from; none for a field that there is not."""
    field = next((field for field in segment_fields(workspace) if field.name == name), None)
    if field is None or field.group == SIGNALS:
        return Suggestions()
    published = Published(workspace, copies_needed(workspace).as_of)
    column = f"m.{name}" if f"m.{name}" in published.columns else name
    ids = ids_seen(workspace, scope)
    where = "status <> 'churned'" + ("" if ids is None else " AND list_contains(CAST(? AS VARCHAR[]), customer_id)")
    path = str(workspace.snapshots.path(published.as_of))
    values = [path, *([] if ids is None else [sorted(ids)])]
    if field.kind == "number":
        return _range(column, where, values)
    return _frequent(column, where, values, listed=field.kind == "list")


def _range(column: str, where: str, values: list[Any]) -> Suggestions:
    parts = ", ".join(f"{f}(CAST({quoted(column)} AS DOUBLE)) AS {f}" for f in ("min", "median", "max"))
    found = rows_of(f"SELECT {parts} FROM read_parquet(?) WHERE {where}", values)[0]  # noqa: S608 - quoted, bound
    if found["min"] is None:
        return Suggestions(hint="not known of any customer")
    return Suggestions(hint=f"from {number(found['min'])} to {number(found['max'])}, median {number(found['median'])}")


def _frequent(column: str, where: str, values: list[Any], *, listed: bool) -> Suggestions:
    what = f"unnest({quoted(column)})" if listed else quoted(column)
    rows = rows_of(
        f"SELECT value, count(*) AS customers FROM (SELECT CAST({what} AS VARCHAR) AS value FROM read_parquet(?)"  # noqa: S608
        f" WHERE {where}) WHERE value IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SUGGESTED}",
        values,
    )
    return Suggestions(tuple(row["value"] for row in rows))


@lru_cache(maxsize=8)
def _events(workspace: Workspace, _version: str) -> tuple[str, ...]:
    def read(copies: Copies) -> tuple[str, ...]:
        files = ", ".join(map(literal, copies.months(USAGE)))
        if not files:
            return ()
        sql = f"SELECT name FROM read_parquet([{files}]) WHERE kind = 'event' GROUP BY 1 ORDER BY sum(n) DESC, 1"  # noqa: S608
        return tuple(row["name"] for row in rows_of(sql))

    return read_copies(workspace, read)


@dataclass(frozen=True)
class _Known:
    """What there is in one version of the copies."""

    fields: tuple[Field, ...]
    names: frozenset[str]
    segments: tuple[tuple[str, str], ...]


@lru_cache(maxsize=8)
def _known(workspace: Workspace, _version: str) -> _Known:
    published = Published(workspace, copies_needed(workspace).as_of)
    kinds = attribute_names(published)
    model = published.model.model
    segments = tuple((name, one.label or name) for name, one in model.segments.items() if not one.by)
    return _Known(tuple(_named(model, kinds, workspace.currency)), frozenset(kinds), segments)


def _named(model: Model, kinds: Mapping[str, str], currency: str) -> Iterator[Field]:
    order = (ATTRIBUTES, METRICS, SCORES, SIGNALS)
    found = [_field(model, name, kind, currency) for name, kind in kinds.items() if name not in _HIDDEN]
    yield from sorted(found, key=lambda field: (order.index(field.group), field.label.lower()))


def _field(model: Model, name: str, kind: str, currency: str) -> Field:
    if name in model.signals and name not in model.metrics:
        return Field(name, model.signals[name].label or label_of(name, None), SIGNALS, "boolean")
    for score, definition in model.scores.items():
        part = name.removeprefix(f"{score}_")
        if name != part and part in _PARTS:
            label = definition.label or label_of(score, None)
            unit = "share, 0 to 1" if part == "coverage" else ""
            return Field(name, f"{label} {_PARTS[part]}".strip(), SCORES, kind, unit)
    metric = model.metrics.get(name)
    if metric is None or metric.attribute:
        return Field(name, label_of(name, metric), ATTRIBUTES, kind, _unit(metric.unit if metric else "", currency))
    return Field(name, label_of(name, metric), METRICS, kind, _unit(metric.unit, currency))


def _unit(unit: str, currency: str) -> str:
    if unit == "money":
        return currency
    return "share, 0.1 is 10 %" if unit in _SHARES else unit
