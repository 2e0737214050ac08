"""Published snapshots: one immutable Parquet file per date, written aside and put in place in one step.

Everything that is computed for a date is in its file: who the customers were, their metric values with the quality of
each (`m.NAME`, `q.NAME`), scores, components, segments and signals. Readers need nothing else and never wait.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from keepwell.warehouse.sql import literal, quoted

LIST_SEPARATOR: Final = "\x1f"
_EPOCH: Final = date(1970, 1, 1)
POINTER: Final = "current.json"


@dataclass(frozen=True)
class SnapshotColumn:
    """One column to publish.

    `kind` is text, list (texts joined by LIST_SEPARATOR), number, integer, boolean, date (days since 1970) or code.
    """

    name: str
    kind: str
    values: npt.NDArray[Any]

    def select(self, position: int) -> str:
        """The column as it is stored, from the raw column c<position>."""
        raw = f"c{position}"
        separator = f"chr({ord(LIST_SEPARATOR)})"
        stored = {
            "text": f"CAST({raw} AS VARCHAR)",
            "list": f"CASE WHEN {raw} = '' THEN CAST([] AS VARCHAR[]) ELSE string_split({raw}, {separator}) END",
            "number": f"CAST({raw} AS DOUBLE)",
            "integer": f"CAST({raw} AS INTEGER)",
            "boolean": f"CAST({raw} AS BOOLEAN)",
            "date": f"CAST(DATE '1970-01-01' + CAST({raw} AS INTEGER) AS DATE)",
            "code": f"CAST({raw} AS UTINYINT)",
        }[self.kind]
        return f"{stored} AS {quoted(self.name)}"

    def raw(self) -> npt.NDArray[Any]:
        """Values as DuckDB scans them: nan is masked."""
        if self.kind in ("text", "list"):
            return self.values.astype(object)
        if self.kind == "code":
            return self.values
        numbers = self.values.astype(np.float64)
        return np.ma.masked_array(np.nan_to_num(numbers), mask=np.isnan(numbers))


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

    def publish(self, as_of: date, columns: Sequence[SnapshotColumn], about: Mapping[str, str]) -> Path:
        """Write one snapshot, sorted by its first column, and put it in place of an earlier one of the date."""
        self.root.mkdir(parents=True, exist_ok=True)
        target = self.path(as_of)
        fresh = target.with_suffix(f".{os.getpid()}.tmp")
        try:
            _write(fresh, columns, about)
            _keep(fresh)
            os.replace(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)
        return target

    def point(self, as_of: date) -> None:
        """Make a date the current one."""
        fresh = self.root / f"{POINTER}.{os.getpid()}.tmp"
        fresh.write_text(json.dumps({"as_of": as_of.isoformat()}) + "\n", encoding="utf-8")
        os.replace(fresh, self.root / POINTER)

    def about(self, as_of: date) -> dict[str, str]:
        """What was written beside the rows: model, hash, freshness."""
        with duckdb.connect() as connection:
            found = connection.execute(
                "SELECT key, value FROM parquet_kv_metadata(?)", [str(self.path(as_of))]
            ).fetchall()
        return {bytes(key).decode(): bytes(value).decode() for key, value in found}

    def sweep(self) -> None:
        """Remove what an interrupted run left."""
        for leftover in self.root.glob("*.tmp"):
            leftover.unlink(missing_ok=True)

    def between(self, first: date, last: date) -> tuple[Path, ...]:
        """The files of the published dates in a range, both ends included."""
        days = (first + timedelta(days=i) for i in range((last - first).days + 1))
        return tuple(path for path in map(self.path, days) if path.exists())

    def scan(self, paths: Sequence[Path]) -> str:
        """A relation over snapshot files, as SQL; models may differ, so columns are joined by name."""
        listed = ", ".join(literal(str(path)) for path in paths)
        return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"


def _write(path: Path, columns: Sequence[SnapshotColumn], about: Mapping[str, str]) -> None:
    """One thread and one order, so that the same rows are the same bytes."""
    rows = {f"c{i}": column.raw() for i, column in enumerate(columns)}
    selected = ", ".join(column.select(i) for i, column in enumerate(columns))
    metadata = ", ".join(f"{quoted(key)}: {literal(value)}" for key, value in sorted(about.items()))
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone='UTC'")
        connection.register("rows", rows)
        connection.execute(
            f"COPY (SELECT {selected} FROM rows ORDER BY 1)"  # noqa: S608 - own column positions, quoted names
            f" TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{metadata}}})"
        )


def _keep(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
