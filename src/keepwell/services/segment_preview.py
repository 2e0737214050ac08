"""Criteria on the customers of a published date: who would be in a segment that somebody is writing."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import duckdb

from keepwell.metrics.feeds import STALE_AFTER_DAYS_FACTS
from keepwell.metrics.frame import day_number
from keepwell.model.criteria_tree import (
    BEHAVIOUR,
    Behaviour,
    Criteria,
    HeldFor,
    InSegment,
    InSequence,
    LastEvent,
    PropertyTest,
    happenings,
    leaves,
)
from keepwell.model.criteria_words import criteria_words
from keepwell.segments.evaluation import Customers, truths
from keepwell.segments.reading import CriteriaSet, parse_criteria
from keepwell.segments.trait_sql import CriteriaError
from keepwell.segments.warehouse_events import DAY, prepared_events
from keepwell.services.published.copies import USAGE, copies_current
from keepwell.services.reading import Published, read_published
from keepwell.services.workspace import Workspace
from keepwell.warehouse.scratch import scratch
from keepwell.warehouse.sql import literal, quoted

MEMORY: Final = "512MB"
_OWN: Final = ("customer_id", "status", "churned_on")
_KINDS: Final = {"VARCHAR": "text", "BOOLEAN": "boolean", "DATE": "date", "VARCHAR[]": "list"}


@dataclass(frozen=True)
class Previewed:
    """Who meets criteria on a date. `unknown` are those of whom it cannot be said; `notes` say what to keep in mind."""

    as_of: date
    words: str
    members: tuple[str, ...]
    customers: int
    unknown: int
    notes: tuple[str, ...] = ()


def definition_in_words(definition: str, *, names: Sequence[str] = ()) -> str:
    """What a definition (YAML or JSON) says; raises DefinitionError with the places of all that is wrong.

    `names` are the segments it may refer to.
    """
    return criteria_words(parse_criteria(definition, segments=names).when)


def evaluate_definition(
    workspace: Workspace,
    definition: str,
    *,
    as_of: date | None = None,
    lists: Mapping[str, Sequence[str]] | None = None,
    exact: bool = False,
    on_wait: Callable[[str], None] | None = None,
) -> Previewed:
    """Evaluate a definition (YAML or JSON) on a published date, the latest if left out.

    Attributes are what the snapshot has: columns of customers, metrics, scores, bands, `segment`, `segments`, and
    signals by name. Behaviour is counted from the published usage by day, at once and without waiting for anybody;
    `exact` reads the events themselves, and waits for whoever writes. `lists` are lists kept by hand, by name.
    Raises DefinitionError for a bad definition and CriteriaError for what the date does not have.
    """
    published = read_published(workspace, as_of)
    segments = _segments(published)
    found = parse_criteria(definition, segments=tuple(segments))
    asked = [part for part in _all_leaves(found) if isinstance(part, BEHAVIOUR)]
    opened = _exact(workspace, published, asked, on_wait) if exact and asked else _by_day(workspace, published, asked)
    with opened as (connection, events, times, notes):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW previewed AS {_customers(published)}")
        held = {test: _held(connection, published, test) for test in _all_leaves(found) if isinstance(test, HeldFor)}
        source = Customers("previewed", events=events, times=times, members=lists or {}, held=held)
        at = (day_number(published.as_of) + 1) * DAY - 1
        rows = truths(connection, [found.when], source, at=at, segments=segments | dict(found.segments))
    members = tuple(str(who) for who, truth in rows if truth)
    unknown = sum(truth is None for _, truth in rows)
    return Previewed(published.as_of, criteria_words(found.when), members, len(rows), unknown, notes)


def _segments(published: Published) -> dict[str, Criteria]:
    """The model's segments as they were on the date."""
    names = published.model.model.segments
    return {name: PropertyTest(("segments",), "includes", name) for name in names}


def _all_leaves(found: CriteriaSet) -> Iterator[Criteria]:
    """Every leaf that takes part, in the segments that are named as well."""
    waiting, seen = [found.when], set[str]()
    while waiting:
        for leaf in leaves(waiting.pop()):
            if isinstance(leaf, InSegment) and isinstance(leaf.segment, str):
                if leaf.segment in found.segments and leaf.segment not in seen:
                    waiting.append(found.segments[leaf.segment])
                seen.add(leaf.segment)
            else:
                yield leaf


def _customers(published: Published, days: Sequence[date] = ()) -> str:
    """The snapshot's active customers with every name that a definition may use; those of several days, if given."""
    there = published.columns
    metrics = {name.removeprefix("m."): name for name in there if name.startswith("m.")}
    plain = [name for name in there if "." not in name and (name not in metrics or name in _OWN)]
    signals = [name for name in published.model.model.signals if name not in metrics and name not in plain]
    columns = [quoted(name) for name in plain]
    columns += [f"{quoted(column)} AS {quoted(name)}" for name, column in metrics.items() if name not in _OWN]
    columns += [f"list_contains(signals, {literal(name)}) AS {quoted(name)}" for name in signals]
    snapshots = published.workspace.snapshots
    relation = snapshots.scan([snapshots.path(day) for day in days or (published.as_of,)])
    return f"SELECT {', '.join(columns)} FROM {relation} WHERE status <> 'churned'"  # noqa: S608 - quoted names


Opened = tuple[duckdb.DuckDBPyConnection, str | None, str | None, tuple[str, ...]]


@contextmanager
def _by_day(workspace: Workspace, published: Published, asked: Sequence[Behaviour]) -> Iterator[Opened]:
    """A connection of its own with the published usage: a row for each customer, day and name."""
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        connection.execute("SET TimeZone='UTC'")
        problem = _no_events(published) if asked else None
        if not asked or problem:
            yield connection, None, None, (problem,) if problem else ()
            return
        _check_by_day(asked)
        copies = copies_current(workspace)
        files = copies.months(USAGE) if copies else []
        if not files:
            yield connection, None, None, ("no usage is published yet, so behaviour is unknown",)
            return
        # Noon stands for the day: within a day nothing comes before anything else.
        connection.execute(
            "CREATE TEMP VIEW usage AS SELECT customer_id AS entity, name, NULL::JSON AS properties, 0 AS ord,"  # noqa: S608
            f" (day - DATE '1970-01-01') * {DAY} + {DAY // 2} AS t, n"
            f" FROM read_parquet([{', '.join(map(literal, files))}]) WHERE kind = 'event'"
        )
        yield connection, "usage", "n", _notes_by_day(asked)


def _check_by_day(asked: Sequence[Behaviour]) -> None:
    reads = (part for part in asked if isinstance(part, LastEvent) or any(e.where for e in happenings(part)))
    if next(reads, None) is not None:
        raise CriteriaError("the properties of events are not published: they are read when the segment is computed")


def _notes_by_day(asked: Sequence[Behaviour]) -> tuple[str, ...]:
    if any(isinstance(part, InSequence) for part in asked):
        return ("events are counted by day here: steps of a sequence on the same day are not seen in their order",)
    return ()


def _no_events(published: Published) -> str | None:
    """Why nothing is known of events on the date; None when they are fresh."""
    until = json.loads(published.about.get("keepwell.freshness", "{}")).get("events")
    if until is None:
        return "no events have been loaded, so behaviour is unknown"
    limit = published.model.model.settings.stale_after_days.get("events", STALE_AFTER_DAYS_FACTS)
    if (published.as_of - date.fromisoformat(until)).days > limit:
        return f"there are no events after {until}, so behaviour is unknown"
    return None


@contextmanager
def _exact(
    workspace: Workspace,
    published: Published,
    asked: Sequence[Behaviour],
    on_wait: Callable[[str], None] | None,
) -> Iterator[Opened]:
    """The warehouse with the events that are asked for."""
    problem = _no_events(published)
    with workspace.warehouse("evaluation of a segment", on_wait) as warehouse:
        if problem:
            yield warehouse.connection, None, None, (problem,)
            return
        table = prepared_events(warehouse, asked, day_number(published.as_of))
        warehouse.connection.execute(
            f"CREATE OR REPLACE TEMP VIEW asked AS SELECT k.customer_id AS entity, e.* EXCLUDE (entity) FROM {table} e"  # noqa: S608
            " JOIN customer_keys k ON k.customer = e.entity"
        )
        yield warehouse.connection, "asked", None, ()


def _held(connection: duckdb.DuckDBPyConnection, published: Published, test: HeldFor) -> list[str]:
    """Who has had a value on every published date of the time asked for, which must be published from its start."""
    days, rest = divmod(test.length, DAY)
    if rest:
        raise CriteriaError("published dates are days: 'has_been_for' takes whole days")
    longer = days + (test.comparison in (">", "<="))
    always = _with_value_since(connection, published, test, longer)
    if test.comparison in (">=", ">"):
        return sorted(always)
    return sorted(_with_value_since(connection, published, test, 0) - always)


def _with_value_since(
    connection: duckdb.DuckDBPyConnection, published: Published, test: HeldFor, days: int
) -> set[str]:
    first = published.as_of - timedelta(days=days)
    dates = [day for day in published.workspace.snapshots.dates() if first <= day <= published.as_of]
    if dates[0] != first:
        raise CriteriaError(f"{first} is not published, so it is not known how long values have stood")
    # All days are read at once: whoever has the value has it on as many rows as there are days.
    connection.execute(f"CREATE OR REPLACE TEMP VIEW held_days AS {_customers(published, dates)}")
    equal = PropertyTest(test.path, "equals", test.value)
    found = Counter(str(who) for who, truth in truths(connection, [equal], Customers("held_days"), at=0) if truth)
    return {who for who, times in found.items() if times == len(dates)}


def attribute_names(published: Published) -> dict[str, str]:
    """Every attribute that a definition may name on a date, with its kind: number, text, boolean, date or list."""
    with scratch() as connection:
        described = connection.execute(f"DESCRIBE {_customers(published)}").fetchall()
    return {str(name): _KINDS.get(str(kind), "number") for name, kind, *_ in described}
