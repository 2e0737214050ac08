"""The state of the data as pages show it: feeds, loads, what waits in quarantine, coverage, ids that nobody has."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, TypeVar

from keepwell.services.published.copies import QUARANTINE, STATUS, Copies
from keepwell.services.published.reader import Row, read_copies, row_of, rows_of
from keepwell.services.workspace import Workspace

T = TypeVar("T")
_DAYS: Final = frozenset({"until"})
_MOMENTS: Final = frozenset({"first_row_at", "last_row_at", "last_sync_at", "loaded_at"})


@dataclass(frozen=True)
class SourceStatus:
    """What one source has delivered for a table; moments are in UTC."""

    source: str
    rows: int
    first_row_at: datetime | None
    last_row_at: datetime | None
    last_sync_at: datetime | None


@dataclass(frozen=True)
class TableStatus:
    """A canonical table: its rows, and until which day its feed covers. `state` is fresh, stale or absent."""

    table: str
    rows: int
    quarantined: int
    until: date | None
    age: int | None
    limit: int
    used: bool
    state: str
    sources: tuple[SourceStatus, ...]


@dataclass(frozen=True)
class LoadStatus:
    """One file that was loaded."""

    load_id: int
    path: str
    table: str
    loaded_at: datetime
    read: int
    added: int
    changed: int
    unchanged: int
    repeated: int
    deleted: int
    quarantined: int


@dataclass(frozen=True)
class QuarantineGroup:
    """Rows that wait for the same reason. `retryable`: they are rows, not broken lines."""

    table: str
    code: str
    column: str | None
    reason: str
    rows: int
    files: tuple[str, ...]
    retryable: bool


@dataclass(frozen=True)
class MetricCoverage:
    """For how many customers a metric is known, assumed (carried forward too), stale, without source, or otherwise
    unknown."""

    metric: str
    label: str
    customers: int
    known: int
    assumed: int
    stale: int
    absent: int
    unused: int

    @property
    def share(self) -> float:
        """The share of customers that have a value."""
        return (self.known + self.assumed) / self.customers if self.customers else 0.0


@dataclass(frozen=True)
class Closest:
    """A customer that an unknown id may mean, and why."""

    customer_id: str
    name: str | None
    why: str


@dataclass(frozen=True)
class Unmatched:
    """An id in quarantined rows that no customer has."""

    unknown_id: str
    rows: int
    tables: tuple[str, ...]
    closest: tuple[Closest, ...]


@dataclass(frozen=True)
class Link:
    """An id that stands for a customer, by hand."""

    unknown_id: str
    customer_id: str


@dataclass(frozen=True)
class DataStatus:
    """Everything about the data behind the current date."""

    as_of: date
    tables: tuple[TableStatus, ...]
    loads: tuple[LoadStatus, ...]
    quarantine: tuple[QuarantineGroup, ...]
    coverage: tuple[MetricCoverage, ...]
    unmatched: tuple[Unmatched, ...]
    links: tuple[Link, ...]
    warnings: tuple[str, ...]

    @property
    def last_load_at(self) -> datetime | None:
        """When something was loaded last."""
        return max((load.loaded_at for load in self.loads), default=None)

    @property
    def quarantined(self) -> int:
        """All rows that wait."""
        return sum(group.rows for group in self.quarantine)


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that waits: `key` names it for a retry, `row` is what stands in it."""

    key: str
    table: str
    file: str
    line: int
    column: str | None
    value: str | None
    reason: str
    code: str
    row: dict[str, Any]


@dataclass(frozen=True)
class QuarantinePage:
    """Some of the rows that wait; `total` counts all that match."""

    rows: tuple[QuarantinedRow, ...]
    total: int


def data_status(workspace: Workspace) -> DataStatus:
    """The state of the data as of the last publish; raises NothingPublished before the first run."""

    def read(copies: Copies) -> DataStatus:
        with open(copies.path(STATUS), encoding="utf-8") as handle:
            data = json.load(handle)
        return DataStatus(
            as_of=copies.as_of,
            tables=tuple(_table(table) for table in data["tables"]),
            loads=tuple(_made(LoadStatus, load) for load in data["loads"]),
            quarantine=tuple(_made(QuarantineGroup, group) for group in data["quarantine"]),
            coverage=tuple(_made(MetricCoverage, metric) for metric in data["coverage"]),
            unmatched=tuple(_unmatched(found) for found in data["unmatched"]),
            links=tuple(_made(Link, link) for link in data["links"]),
            warnings=tuple(data["warnings"]),
        )

    return read_copies(workspace, read)


def quarantine_rows(
    workspace: Workspace,
    table: str | None = None,
    code: str | None = None,
    column: str | None = None,
    reason: str | None = None,
    offset: int = 0,
    limit: int = 50,
) -> QuarantinePage:
    """Rows that wait, in the order in which they came; the filters are those of a group."""
    wanted = {"table": table, "code": code, "column": column, "short": reason}
    given = {name: value for name, value in wanted.items() if value is not None}
    where = " AND ".join(["true", *(f'"{name}" = ?' for name in given)])

    def read(copies: Copies) -> QuarantinePage:
        values = [copies.path(QUARANTINE), *given.values()]
        found = rows_of(
            f'SELECT key, "table", file, line, "column", value, reason, code, row FROM read_parquet(?) WHERE {where}'  # noqa: S608
            " ORDER BY place LIMIT ? OFFSET ?",
            [*values, max(limit, 0), max(offset, 0)],
        )
        counted = row_of(f"SELECT count(*) AS n FROM read_parquet(?) WHERE {where}", values)  # noqa: S608
        return QuarantinePage(tuple(map(_row, found)), counted["n"] if counted else 0)

    return read_copies(workspace, read)


def _row(row: Row) -> QuarantinedRow:
    return QuarantinedRow(**{**row, "row": _object(row["row"])})


def _object(text: str | None) -> dict[str, Any]:
    """The cells of a row; a broken line is one cell without a name."""
    try:
        found = json.loads(text or "null")
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"": found}


def _table(data: Mapping[str, Any]) -> TableStatus:
    sources = tuple(_made(SourceStatus, source) for source in data["sources"])
    return _made(TableStatus, {**data, "sources": sources})


def _unmatched(data: Mapping[str, Any]) -> Unmatched:
    return _made(Unmatched, {**data, "closest": tuple(_made(Closest, found) for found in data["closest"])})


def _made(kind: type[T], data: Mapping[str, Any]) -> T:
    """A dataclass from plain data."""
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: _value(name, data[name]) for name in names})


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _DAYS:
        return date.fromisoformat(value)
    if name in _MOMENTS:
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value
