"""Criteria evaluated on a moment: one statement over traits, events and lists, whatever their size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from keepwell.model.criteria_tree import (
    BEHAVIOUR,
    AnyItem,
    Criteria,
    Everyone,
    Group,
    HeldFor,
    InSegment,
    Listed,
    OneOf,
    PropertyTest,
)
from keepwell.model.problems import did_you_mean
from keepwell.model.spans import datetime_us
from keepwell.segments.binding import Binding
from keepwell.segments.event_sql import OVERALL, EventSql
from keepwell.segments.property_sql import PropertySql, create_macros
from keepwell.segments.trait_sql import ColumnTraits, CriteriaError, HistoryTraits
from keepwell.warehouse.sql import quoted

_ROW: Final = "everyone"


@dataclass(frozen=True)
class History:
    """Relations of a connection, by name, with moments as microseconds since 1970 (`t`) and an order (`ord`).

    `traits` (entity, t, ord, data JSON), `events` (entity, t, ord, name, properties JSON), `lists` (list, entity,
    ord, inside); an entity is whoever is in one of them by the moment.
    """

    traits: str
    events: str
    lists: str


@dataclass(frozen=True)
class Customers:
    """A relation of a connection with a row per customer; what has no value is unknown.

    `events` is a relation like that of a history, or None when nothing is known of events; `times` is its column
    that says how many events a row stands for. `members` are lists by name, and `held` says who meets each test of
    how long a value has stood, which a row per customer cannot say.
    """

    table: str
    key: str = "customer_id"
    events: str | None = None
    times: str | None = None
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)
    held: Mapping[HeldFor, Sequence[str]] = field(default_factory=dict)


def members(
    connection: duckdb.DuckDBPyConnection,
    criteria: Criteria,
    source: History | Customers,
    *,
    at: datetime | int,
    segments: Mapping[str, Criteria] | None = None,
) -> list[str]:
    """Who meets the criteria at a moment, sorted."""
    where = "SELECT entity FROM ({}) WHERE c0 ORDER BY entity"
    return [str(row[0]) for row in _run(connection, [criteria], source, at, segments or {}, where)]


def truths(
    connection: duckdb.DuckDBPyConnection,
    several: Sequence[Criteria],
    source: History | Customers,
    *,
    at: datetime | int,
    segments: Mapping[str, Criteria] | None = None,
) -> list[tuple[str | bool | None, ...]]:
    """A row for everyone: who it is, and the truth of each of the criteria (None: unknown)."""
    return _run(connection, several, source, at, segments or {}, "SELECT * FROM ({}) ORDER BY entity")


def truth_arrays(
    connection: duckdb.DuckDBPyConnection, several: Sequence[Criteria], source: Customers, *, at: datetime | int
) -> tuple[npt.NDArray[Any], list[npt.NDArray[np.bool_]]]:
    """Everyone, and for each of the criteria where it is true: for many customers at once."""
    statement, bind = _prepared(connection, several, source, at, {})
    found = connection.execute(statement, bind.used_in(statement)).fetchnumpy()
    truths = [np.ma.filled(found[f"c{i}"], False).astype(np.bool_) for i in range(len(several))]
    return np.asarray(found["entity"]), truths


def _run(
    connection: duckdb.DuckDBPyConnection,
    several: Sequence[Criteria],
    source: History | Customers,
    at: datetime | int,
    segments: Mapping[str, Criteria],
    around: str,
) -> list[tuple[str | bool | None, ...]]:
    statement, bind = _prepared(connection, several, source, at, segments)
    return connection.execute(around.format(statement), bind.used_in(statement)).fetchall()


def _prepared(
    connection: duckdb.DuckDBPyConnection,
    several: Sequence[Criteria],
    source: History | Customers,
    at: datetime | int,
    segments: Mapping[str, Criteria],
) -> tuple[str, Binding]:
    create_macros(connection)
    moment = datetime_us(at) if isinstance(at, datetime) else at
    bind = Binding()
    return _Statement(connection, bind, source, moment, segments).select(several), bind


class _Statement:
    """Puts one statement together."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        bind: Binding,
        source: History | Customers,
        at: int,
        segments: Mapping[str, Criteria],
    ) -> None:
        self.bind, self.source, self.at, self.segments = bind, source, at, segments
        self.traits: HistoryTraits | ColumnTraits
        if isinstance(source, History):
            self.traits = HistoryTraits(bind, source.traits, at)
        else:
            self.traits = ColumnTraits(bind, _columns(connection, source.table), _ROW)
        self.events = _events(bind, source, at)
        self.tests = PropertySql(bind, self.traits.locate, at, absent_is_false=self.traits.absent_is_false)

    def select(self, several: Sequence[Criteria]) -> str:
        truths = ", ".join(f"{self._truth(part, ())} AS c{i}" for i, part in enumerate(several))
        counted = self.events.counted_part() if self.events else None
        parts = self.bind.parts | ({OVERALL: counted} if counted else {})
        joins = "".join(f" LEFT JOIN {name} ON {name}.entity = {_ROW}.entity" for name in parts)
        listed = ", ".join(f"{name} AS ({sql})" for name, sql in ({_ROW: self._everyone()} | parts).items())
        return f"WITH {listed} SELECT {_ROW}.entity AS entity, {truths} FROM {_ROW}{joins}"  # noqa: S608

    def _everyone(self) -> str:
        if isinstance(self.source, Customers):
            return f"SELECT {quoted(self.source.key)} AS entity, * FROM {self.source.table}"  # noqa: S608
        until = f"WHERE t <= {self.bind.value(self.at)}"
        seen = [f"SELECT entity FROM {name} {until}" for name in (self.source.traits, self.source.events)]  # noqa: S608
        return " UNION ".join([*seen, f"SELECT entity FROM {self.source.lists}"])  # noqa: S608

    def _truth(self, criteria: Criteria, above: tuple[str, ...]) -> str:
        match criteria:
            case Group("not", items):
                return f"(NOT {self._truth(items[0], above)})"
            case Group(kind, items):
                joined = (" AND " if kind == "all" else " OR ").join(self._truth(i, above) for i in items)
                return f"({joined})"
            case Everyone() | PropertyTest() | AnyItem():
                return self.tests.criteria(criteria)
            case HeldFor():
                return self._held(criteria)
            case InSegment(segment):
                return self._segment(segment, above)
            case Listed(name):
                return self._listed(name)
            case OneOf(customers):
                return self._one_of(customers)
        if isinstance(criteria, BEHAVIOUR):
            return "NULL::BOOLEAN" if self.events is None else self.events.truth(criteria)
        raise CriteriaError(f"{type(criteria).__name__} cannot be evaluated")

    def _segment(self, segment: str | Criteria, above: tuple[str, ...]) -> str:
        if not isinstance(segment, str):
            return self._truth(segment, above)
        if segment in above:
            raise CriteriaError(f"segments go in a circle: {' -> '.join([*above, segment])}")
        if segment not in self.segments:
            raise CriteriaError(f"there is no segment '{segment}'{did_you_mean(segment, self.segments)}")
        return self._truth(self.segments[segment], (*above, segment))

    def _held(self, test: HeldFor) -> str:
        if isinstance(self.source, Customers) and test in self.source.held:
            return self._one_of(tuple(self.source.held[test]))
        return self.traits.held_for(test)

    def _listed(self, name: str) -> str:
        if isinstance(self.source, Customers):
            if name not in self.source.members:
                raise CriteriaError(f"there is no list '{name}'{did_you_mean(name, self.source.members)}")
            return self._one_of(tuple(self.source.members[name]))
        wanted = self.bind.value(name)
        rows = f"SELECT entity, arg_max(inside, ord) AS inside FROM {self.source.lists} WHERE list = {wanted}"  # noqa: S608
        part = self.bind.part(("list", name), "list", f"{rows} GROUP BY entity")
        return f"coalesce({part}.inside, false)"

    def _one_of(self, customers: tuple[str, ...]) -> str:
        rows = f"SELECT DISTINCT unnest({self.bind.value(list(customers))}::VARCHAR[]) AS entity, true AS inside"
        part = self.bind.part(("customers", customers), "customers", rows)
        return f"coalesce({part}.inside, false)"


def _events(bind: Binding, source: History | Customers, at: int) -> EventSql | None:
    if isinstance(source, History):
        return EventSql(bind, source.events, at)
    return None if source.events is None else EventSql(bind, source.events, at, times=source.times)


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()  # noqa: S608
    return {name: kind for name, kind, *_ in described}
