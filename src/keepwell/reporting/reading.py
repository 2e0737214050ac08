"""Published snapshots as columns: one day, the nearest day, and sums over many days."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from keepwell.metrics.frame import Bools, Floats
from keepwell.warehouse.scratch import scratch
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.sql import listed

Values = npt.NDArray[Any]
CHURNED: Final = "churned"


class ReportError(Exception):
    """A report that cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Day:
    """One snapshot as columns, in the order of customer ids; a column that is not there is unknown everywhere."""

    as_of: date
    about: Mapping[str, str]
    columns: Mapping[str, Values]

    @property
    def ids(self) -> Values:
        return self.columns["customer_id"]

    @property
    def rows(self) -> int:
        return len(self.ids)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def number(self, name: str) -> Floats:
        """A number or boolean column; nan where unknown."""
        found = self.columns.get(name)
        if found is None or found.dtype == object or found.dtype.kind == "M":
            return np.full(self.rows, np.nan)
        return np.asarray(found, dtype=np.float64)

    def text(self, name: str) -> Values:
        """A text column; None where unknown."""
        found = self.columns.get(name)
        return np.full(self.rows, None, dtype=object) if found is None else found

    def lists(self, name: str) -> list[tuple[str, ...]]:
        """A column of lists."""
        found = self.columns.get(name)
        return [()] * self.rows if found is None else [() if item is None else tuple(item) for item in found]

    def dates(self, name: str) -> list[date | None]:
        """A column of dates."""
        found = self.columns.get(name)
        return [None] * self.rows if found is None else [_date(value) for value in found]

    def take(self, rows: npt.NDArray[Any]) -> "Day":
        """The day at the given rows (indices or mask)."""
        return replace(self, columns={name: values[rows] for name, values in self.columns.items()})

    @property
    def here(self) -> Bools:
        """Who is a customer on the day, and not one who left."""
        found: Bools = self.text("status") != CHURNED
        return found

    def present(self) -> "Day":
        """The customers of the day without those who left."""
        return self.take(self.here)

    def place(self) -> dict[str, int]:
        """The row of every customer."""
        return {name: row for row, name in enumerate(self.ids.tolist())}

    def said(self, key: str) -> Any:
        """What the run wrote beside the rows (`freshness`, `warnings`, `counts`), read from JSON."""
        return json.loads(self.about.get(f"keepwell.{key}", "null"))


def read_day(snapshots: Snapshots, as_of: date, columns: Collection[str] | None = None) -> Day:
    """Read one published day, or some of its columns (those that are there, the id always).

    Raises ReportError when the day is not published.
    """
    found = read_columns(snapshots, as_of, columns)
    return replace(found, about=snapshots.about(as_of))


def read_columns(snapshots: Snapshots, as_of: date, columns: Collection[str] | None = None) -> Day:
    """The same without what the run wrote beside the rows, for which the file would be opened once more."""
    path = snapshots.path(as_of)
    if not path.exists():
        raise ReportError(f"no snapshot of {as_of} is published; {_published(snapshots)}")
    with scratch() as connection:
        wanted = "*" if columns is None else _listed(connection, path, columns)
        sql = f"SELECT {wanted} FROM read_parquet(?) ORDER BY customer_id"  # noqa: S608 - quoted names of its columns
        found = connection.execute(sql, [str(path)]).fetchnumpy()
    return Day(as_of, {}, {name: _filled(values) for name, values in found.items()})


def _listed(connection: duckdb.DuckDBPyConnection, path: Path, columns: Collection[str]) -> str:
    described = connection.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)]).description or ()
    return listed(name for name, *_ in described if name in columns or name == "customer_id")


def nearest_day(snapshots: Snapshots, wanted: date) -> date | None:
    """The last published date that is not after `wanted`."""
    return max((day for day in snapshots.dates() if day <= wanted), default=None)


def day_back(snapshots: Snapshots, as_of: date, days: int) -> date | None:
    """The published date nearest to so many days before, within a fifth of the way; None when history is shorter."""
    wanted, slack = as_of - timedelta(days=days), max(1, days // 5)
    near = [day for day in snapshots.dates() if abs((day - wanted).days) <= slack and day < as_of]
    return min(near, key=lambda day: (abs((day - wanted).days), day), default=None)


def longest_back(snapshots: Snapshots, as_of: date, days: int) -> date | None:
    """The earliest published date of the last `days` days; None when there is nothing before `as_of`."""
    first = as_of - timedelta(days=days)
    return min((day for day in snapshots.dates() if first <= day < as_of), default=None)


def latest_day(snapshots: Snapshots, as_of: date | None) -> date:
    """The date to report on: the given one, else the latest; raises ReportError when there is no snapshot."""
    found = snapshots.latest() if as_of is None else nearest_day(snapshots, as_of)
    if found is None:
        raise ReportError(f"there is no snapshot{f' up to {as_of}' if as_of else ''}; {_published(snapshots)}")
    return found


def _published(snapshots: Snapshots) -> str:
    dates = snapshots.dates()
    if not dates:
        return "make the first one with 'keepwell run'"
    return f"there are {len(dates)}, from {dates[0]} to {dates[-1]}; more with 'keepwell backfill'"


def _filled(values: Values) -> Values:
    """Without masks: nan, None or not-a-time where DuckDB says null."""
    if not isinstance(values, np.ma.MaskedArray):
        return values
    if values.dtype == object:
        # For numpy a filling of None means its default, a question mark.
        texts = np.array(values.data, dtype=object)
        texts[np.ma.getmaskarray(values)] = None
        return texts
    if values.dtype.kind == "M":
        return np.asarray(np.ma.filled(values, np.datetime64("NaT")))
    return np.asarray(np.ma.filled(values.astype(np.float64), np.nan))


def _date(value: Any) -> date | None:
    if value is None or np.isnat(value):
        return None
    found: date = value.astype("datetime64[D]").item()
    return found
