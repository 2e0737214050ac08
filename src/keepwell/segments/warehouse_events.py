"""The events of a warehouse as behaviour is asked of them: only those that are named, in local time."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from keepwell.model.criteria_tree import (
    AnyItem,
    Behaviour,
    Counted,
    Criteria,
    Group,
    Happening,
    InSequence,
    LastEvent,
    Path,
    PropertyTest,
    Regularly,
    Stopped,
    happenings,
)
from keepwell.model.spans import SECOND
from keepwell.warehouse.facts import FactDay, fact_days, scan
from keepwell.warehouse.sql import literal
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES

DAY: Final = 86_400 * SECOND
_EPOCH: Final = date(1970, 1, 1)
_LONG_AGO: Final = 0
_COLUMNS: Final = {
    "feature": "f.text",
    "value": "e.value",
    "person_id": "p.person_id",
    "session_id": "e.session_id",
}
"""What conditions see of an event besides the keys of its properties."""


def prepared_events(warehouse: Warehouse, behaviours: Iterable[Behaviour], first: int) -> str:
    """A table (entity, t, ord, name, properties) for evaluations on day `first` and later ones.

    `t` is the wall clock of the workspace's zone, so that lengths in days are the days of metrics. The table stays on
    the connection and is found again.
    """
    asked = tuple(dict.fromkeys(behaviours))
    start = max(_LONG_AGO, min((_first_day(behaviour, first) for behaviour in asked), default=first))
    days = {(day - _EPOCH).days: fact for day, fact in fact_days(warehouse, TABLES["events"]).items()}
    prefix = f"behaviour_{_digest(warehouse, asked, days.values())}_"
    held = _held(warehouse, prefix)
    if held is not None and held <= start:
        return f"{prefix}{held}"
    _make(warehouse, f"{prefix}{start}", asked, [fact for day, fact in days.items() if day >= start])
    return f"{prefix}{start}"


def columns_asked(behaviours: Iterable[Behaviour]) -> frozenset[str]:
    """The columns of events that conditions on properties read."""
    keys = (path[0] for behaviour in behaviours for path in _paths_of(behaviour))
    return frozenset(key if key in _COLUMNS else "properties" for key in keys)


def _first_day(behaviour: Behaviour, day: int) -> int:
    """The first day of which a behaviour sees events at the end of `day`."""
    match behaviour:
        case Counted(since=int(since)):
            return since // DAY
        case Regularly(period=period, total=total):
            return day - period * total // DAY
        case Counted(within=int(within)) | Stopped(within=int(within)):
            return day - within // DAY
        case InSequence(within=int(within)) | LastEvent(within=int(within)):
            return day - within // DAY
    return _LONG_AGO


def _digest(warehouse: Warehouse, asked: tuple[Behaviour, ...], days: Iterable[FactDay]) -> str:
    content = repr((warehouse.zone, asked, [fact.version for fact in days]))
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _held(warehouse: Warehouse, prefix: str) -> int | None:
    """The first day of the longest table that is there already."""
    found = warehouse.connection.execute(
        "SELECT min(CAST(substr(table_name, ?) AS INTEGER)) FROM duckdb_tables() WHERE starts_with(table_name, ?)",
        [len(prefix) + 1, prefix],
    ).fetchone()
    return None if found is None or found[0] is None else int(found[0])


def _make(warehouse: Warehouse, name: str, asked: tuple[Behaviour, ...], facts: list[FactDay]) -> None:
    columns = "entity INTEGER, t BIGINT, ord VARCHAR, name VARCHAR, properties JSON"
    connection = warehouse.connection
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
    codes = _codes(warehouse, asked)
    if not facts or not codes:
        return
    properties, joins = _properties(columns_asked(asked))
    connection.execute(
        f"INSERT INTO {name} SELECT e.customer, epoch_us({_local(warehouse.zone)}), e.event_id, n.text, {properties}"  # noqa: S608
        f" FROM {scan([fact.path for fact in facts])} e"
        f" JOIN symbols n ON n.code = e.name AND n.kind = 'events.name' {joins}"
        f" WHERE e.name IN ({', '.join(map(str, codes))})"
    )


def _codes(warehouse: Warehouse, asked: tuple[Behaviour, ...]) -> list[int]:
    """The codes of the names that are asked for."""
    events = {event for behaviour in asked for event in happenings(behaviour)}
    rows = warehouse.connection.execute("SELECT code, text FROM symbols WHERE kind = 'events.name'").fetchall()
    return sorted(code for code, text in rows if any(_names(event, text) for event in events))


def _names(event: Happening, text: str) -> bool:
    return text == event.name if event.prefix is None else text.startswith(event.prefix)


def _properties(columns: frozenset[str]) -> tuple[str, str]:
    """SQL for one object of all that conditions see, and the joins for it."""
    if not columns:
        return "NULL", ""
    own = ", ".join(f"{literal(key)}, {sql}" for key, sql in _COLUMNS.items() if key in columns)
    joins = "LEFT JOIN symbols f ON f.code = e.feature AND f.kind = 'events.feature'" if "feature" in columns else ""
    if "person_id" in columns:
        joins += " LEFT JOIN person_keys p ON p.person = e.person"
    given = "CASE WHEN json_valid(e.properties) THEN e.properties::JSON ELSE '{}'::JSON END"
    if "properties" not in columns:
        return f"json_object({own})", joins
    return (f"json_merge_patch({given}, json_object({own}))" if own else given), joins


def _local(zone: str) -> str:
    if zone == "UTC":
        return "e.occurred_at"
    return f"timezone({literal(zone)}, timezone('UTC', e.occurred_at))"


def _paths_of(behaviour: Behaviour) -> Iterator[Path]:
    for event in happenings(behaviour):
        if event.where is not None:
            yield from _paths(event.where)
    if isinstance(behaviour, LastEvent):
        yield from _paths(behaviour.has)


def _paths(criteria: Criteria) -> Iterator[Path]:
    match criteria:
        case Group(_, items):
            for item in items:
                yield from _paths(item)
        case PropertyTest(path=path) | AnyItem(path=path):
            yield path
