"""Published snapshots: one immutable Parquet file per date, written aside and put in place in one step.

Everything that is computed for a date is in its file: who the customers were, their metric values with the quality of
each (`m.NAME`, `q.NAME`; without a `q.NAME` all values there are were known), scores, components, segments and
signals. Readers need nothing else and never wait.
"""

import json
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import numpy as np
import numpy.typing as npt
from numpy import ma

from keepwell.warehouse.sql import literal, quoted

LIST_SEPARATOR: Final = "\x1f"
_EPOCH: Final = date(1970, 1, 1)
POINTER: Final = "current.json"
_RAW: Final = "snapshot_rows"
_STAGED: Final = "snapshot_staged"
_ONE_DAY: Final = "snapshot_day"
_DICTIONARY: Final = 256
"""Columns of more values than this are written without a dictionary: a twelfth less to do, for a seventh more bytes
where a date has 20,000 rows and for none where it has 2,000."""
MANY_ROWS: Final = 8_000
"""Dates of so many rows are sent one by one: that costs less than keeping them in a table of all dates."""


@dataclass(frozen=True)
class SnapshotColumn:
    """One column to publish.

    `kind` is text, list (texts joined by LIST_SEPARATOR), number, integer, boolean, date (days since 1970) or code.
    Texts and lists may come as codes into `texts` (nan is null): that is much faster where texts repeat between dates.
    """

    name: str
    kind: str
    values: npt.NDArray[Any]
    texts: tuple[str, ...] | None = None

    def select(self, raw: str | None, dictionary: str | None) -> str:
        """The column as it is stored, from the raw column of that name; None stands for nothing but nulls."""
        if raw is None:
            return f"CAST(NULL AS {_STORED[self.kind]}) AS {quoted(self.name)}"
        if dictionary:
            return f"{dictionary}[{raw} + 1] AS {quoted(self.name)}"
        stored = {
            "text": f"CAST({raw} AS VARCHAR)",
            "list": _listed(raw),
            "number": raw,
            "integer": f"CAST({raw} AS INTEGER)",
            "boolean": f"CAST({raw} AS BOOLEAN)",
            "date": f"CAST(DATE '1970-01-01' + CAST({raw} AS INTEGER) AS DATE)",
            "code": f"CAST({raw} AS UTINYINT)",
        }[self.kind]
        return f"{stored} AS {quoted(self.name)}"

    def raw(self, *, coded: bool) -> npt.NDArray[Any] | None:
        """Values as DuckDB scans them: what is null is masked. Texts are written out unless they stay `coded`.

        None when there are rows and all of them are null: many an attribute is never filled in, and need not be sent.
        """
        if self.kind == "code":
            return self.values
        if self.kind in ("text", "list") and self.texts is None:
            return self.values.astype(object, copy=False)
        values = self.values.astype(np.float64, copy=False)
        null = np.isnan(values)
        if len(null) and null.all():
            return None
        if self.texts is not None and not coded:
            return self.spelled().values
        if self.texts is not None:
            values = np.where(null, 0, values).astype(np.int32)
        return ma.MaskedArray(values, null) if null.any() else values

    def spelled(self) -> Self:
        """The column with its texts written out in place of their codes, if there is any."""
        if self.texts is None or (null := np.isnan(self.values)).all():
            return self
        listed = np.array((*self.texts, None), dtype=object)
        return replace(self, values=listed[np.where(null, len(self.texts), self.values).astype(np.int64)], texts=None)


def _listed(text: str) -> str:
    """The list that stands joined in a text."""
    return f"CASE WHEN {text} = '' THEN CAST([] AS VARCHAR[]) ELSE string_split({text}, chr({ord(LIST_SEPARATOR)})) END"


_STORED: Final = {
    "text": "VARCHAR",
    "list": "VARCHAR[]",
    "number": "DOUBLE",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "code": "UTINYINT",
}
# One thread and one order, so that the same rows are the same bytes. Without the last setting a column would be written
# as required or optional by what is known of all staged dates, not of its own.
_WRITING: Final = (
    ("threads", "1"),
    ("preserve_insertion_order", "false"),
    ("disabled_optimizers", "statistics_propagation"),
)


class SnapshotWriter:
    """Writes the snapshots of several dates: their rows are sent once, then each date is written and put in place.

    Dates of many rows are sent when they are written.
    """

    def __init__(self, snapshots: "Snapshots", connection: duckdb.DuckDBPyConnection) -> None:
        self.snapshots, self.connection = snapshots, connection
        snapshots.root.mkdir(parents=True, exist_ok=True)
        self._dictionaries: dict[tuple[str, tuple[str, ...]], str] = {}
        self._columns: dict[str, str] = {}
        """How the columns to be written are read from the rows as they were sent."""
        self._only_day: int | None = None
        self._waiting: tuple[npt.NDArray[np.int64], Sequence[SnapshotColumn]] | None = None

    @contextmanager
    def staged(self, days: npt.NDArray[np.int64], columns: Sequence[SnapshotColumn]) -> Iterator[Self]:
        """Send the rows of some dates, in the order in which they are published; `days` are their rising dates."""
        names = ", ".join(f"current_setting({literal(name)})" for name, _ in _WRITING)
        # All rows are taken: a result that is not read to its end would keep the connection from what follows.
        (found,) = self.connection.execute(f"SELECT {names}").fetchall()
        before = {name: str(value) for (name, _), value in zip(_WRITING, found, strict=True)}
        others = {name: value for name, value in _WRITING if before[name].lower() != value}
        try:
            for name, value in others.items():
                self.connection.execute(f"SET {name} = {literal(value)}")
            if len(days) and len(days) >= MANY_ROWS * (int(days[-1] - days[0]) + 1):
                # Written out once: among many customers the texts are as many as the rows of a date.
                self._waiting = days, [column.spelled() for column in columns]
            else:
                self._send(days, columns)
            yield self
        finally:
            self._drop()
            for name in others:
                self.connection.execute(f"SET {name} = {literal(before[name])}")

    def publish(self, as_of: date, day: int, about: Mapping[str, str], *, without: Iterable[str] = ()) -> Path:
        """Write the staged rows of a date, in their order, in place of an earlier snapshot; `without` some columns."""
        if self._waiting:
            self._send(*_rows_of(int(day), *self._waiting))
        target = self.snapshots.path(as_of)
        fresh = target.with_suffix(f".{os.getpid()}.tmp")
        metadata = ", ".join(f"{quoted(key)}: {literal(value)}" for key, value in sorted(about.items()))
        try:
            self.connection.execute(
                f"COPY ({self._select(int(day), set(without))}) TO {literal(str(fresh))}"
                " (FORMAT parquet, PARQUET_VERSION v2, COMPRESSION snappy, WRITE_BLOOM_FILTER false,"
                f" DICTIONARY_SIZE_LIMIT {_DICTIONARY}, KV_METADATA {{{metadata}}})"
            )
            _keep(fresh)
            os.replace(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
        return target

    def _select(self, day: int, without: Container[str]) -> str:
        if self._only_day is None:
            left_out = ", ".join(quoted(name) for name in self._columns if name in without)
            return f"SELECT *{f' EXCLUDE ({left_out})' if left_out else ''} FROM {_ONE_DAY}({int(day)})"  # noqa: S608
        selected = ", ".join(sql for name, sql in self._columns.items() if name not in without)
        return f"SELECT {selected} FROM {_RAW}{'' if day == self._only_day else ' LIMIT 0'}"  # noqa: S608

    def _send(self, days: npt.NDArray[np.int64], columns: Sequence[SnapshotColumn]) -> None:
        """The rows of a single date are read once, straight from where they are; those of many go into a table."""
        first, last = (int(days.min()), int(days.max())) if len(days) else (0, 0)
        alone = first == last
        self._only_day = first if alone else None
        found = {column.name: column.raw(coded=not alone) for column in columns}
        sent = {name: raw for name, raw in found.items() if raw is not None}
        places = {name: f"c{i}" for i, name in enumerate(sent)}
        lists = {c.name: self._dictionary(c) for c in columns if c.name in sent and not alone}
        self._columns = {c.name: c.select(places.get(c.name), lists.get(c.name)) for c in columns}
        rows = {places[name]: raw for name, raw in sent.items()}
        self.connection.register(_RAW, rows if alone else {"day": days, **rows})
        if not alone:
            selected = ", ".join(self._columns[name] for name in sent)
            self.connection.execute(f"CREATE OR REPLACE TEMP TABLE {_STAGED} AS SELECT day, {selected} FROM {_RAW}")  # noqa: S608
            # A twentieth of what a file takes would be reading the names of its columns, date by date.
            listed = ", ".join(quoted(name) if name in sent else sql for name, sql in self._columns.items())
            self.connection.execute(
                f"CREATE OR REPLACE TEMP MACRO {_ONE_DAY}(wanted_day) AS TABLE"  # noqa: S608
                f" SELECT {listed} FROM {_STAGED} WHERE day = wanted_day"
            )

    def _drop(self) -> None:
        """Leave nothing of the rows behind."""
        self._waiting = None
        if self._only_day is None:
            self.connection.execute(f"DROP MACRO TABLE IF EXISTS {_ONE_DAY}")
            self.connection.execute(f"DROP TABLE IF EXISTS {_STAGED}")
        self.connection.unregister(_RAW)

    def _dictionary(self, column: SnapshotColumn) -> str | None:
        """SQL for the list of a column's texts (of its lists), kept in a table of its own."""
        if column.texts is None:
            return None
        key = column.kind, column.texts
        if key not in self._dictionaries:
            text = "CAST(text AS VARCHAR)"
            stored = _listed(text) if column.kind == "list" else text
            name = f"snapshot_texts{len(self._dictionaries)}"
            rows = {"i": np.arange(len(column.texts)), "text": np.array(column.texts, dtype=object)}
            self.connection.register("listed", rows)
            self.connection.execute(
                f"CREATE OR REPLACE TEMP TABLE {name} AS"  # noqa: S608
                f" SELECT list({stored} ORDER BY i) AS texts FROM listed"
            )
            self.connection.unregister("listed")
            self._dictionaries[key] = f"(SELECT texts FROM {name})"  # noqa: S608
        return self._dictionaries[key]


@dataclass(frozen=True)
class Snapshots:
    """The folder of published snapshots."""

    root: Path

    def path(self, as_of: date) -> Path:
        return self.root / f"{as_of.isoformat()}.parquet"

    def dates(self) -> tuple[date, ...]:
        """The dates that are published, ascending."""
        found = sorted(self.root.glob("????-??-??.parquet"))
        return tuple(date.fromisoformat(path.stem) for path in found)

    def latest(self) -> date | None:
        """The date the last run published; None before the first."""
        try:
            pointer = json.loads((self.root / POINTER).read_text(encoding="utf-8"))
            return date.fromisoformat(pointer["as_of"])
        except (OSError, ValueError, KeyError, TypeError):
            dates = self.dates()
            return dates[-1] if dates else None

    def writer(self, connection: duckdb.DuckDBPyConnection) -> SnapshotWriter:
        """A writer for one snapshot or many, by a connection that stays as it was."""
        return SnapshotWriter(self, connection)

    def publish(self, as_of: date, columns: Sequence[SnapshotColumn], about: Mapping[str, str]) -> Path:
        """Write one snapshot by a writer of its own; the rows are sorted by customer."""
        order = np.argsort(columns[0].values.astype(str), kind="stable")
        sorted_columns = [replace(c, values=c.values[order]) for c in columns]
        with (
            duckdb.connect() as connection,
            self.writer(connection).staged(np.zeros(len(order), np.int64), sorted_columns) as writer,
        ):
            return writer.publish(as_of, 0, about)

    def point(self, as_of: date) -> None:
        """Make a date the current one."""
        fresh = self.root / f"{POINTER}.{os.getpid()}.tmp"
        fresh.write_text(json.dumps({"as_of": as_of.isoformat()}) + "\n", encoding="utf-8")
        os.replace(fresh, self.root / POINTER)

    def about(self, as_of: date) -> dict[str, str]:
        """What was written beside the rows: model, hash, freshness."""
        path = self.path(as_of)
        try:
            state = path.stat()
        except FileNotFoundError:
            return _about(str(path), ())
        return dict(_about(str(path), (state.st_ino, state.st_mtime_ns, state.st_size)))

    def sweep(self) -> None:
        """Remove what an interrupted run left."""
        for leftover in (name for name in os.listdir(self.root) if name.endswith(".tmp")):
            (self.root / leftover).unlink(missing_ok=True)

    def between(self, first: date, last: date) -> tuple[Path, ...]:
        """The files of the published dates in a range, both ends included."""
        days = (first + timedelta(days=i) for i in range((last - first).days + 1))
        return tuple(path for path in map(self.path, days) if path.exists())

    def scan(self, paths: Sequence[Path]) -> str:
        """A relation over snapshot files, as SQL; models may differ, so columns are joined by name."""
        listed = ", ".join(literal(str(path)) for path in paths)
        return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"


def _rows_of(
    day: int, days: npt.NDArray[np.int64], columns: Sequence[SnapshotColumn]
) -> tuple[npt.NDArray[np.int64], list[SnapshotColumn]]:
    here = slice(int(np.searchsorted(days, day)), int(np.searchsorted(days, day, side="right")))
    return days[here], [replace(column, values=column.values[here]) for column in columns]


def _keep(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


@lru_cache(maxsize=256)
def _about(path: str, _version: tuple[int, ...]) -> dict[str, str]:
    """Pages ask for it with every request, and opening an engine takes a tenth of a second on a busy machine."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT key, value FROM parquet_kv_metadata(?)", [path]).fetchall()
    return {bytes(key).decode(): bytes(value).decode() for key, value in found}
