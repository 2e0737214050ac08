"""Writing a world: CSV and Parquet, row by row the same bytes for the same columns."""

import csv
import shutil
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

import duckdb
import numpy as np
from numpy.typing import NDArray

from keepwell.simulation.arrays import Columns

CENTS: Final = frozenset({"mrr", "arr", "amount", "amount_due", "amount_paid", "mrr_before", "mrr_after"})


class WorldFiles:
    """A directory of tables that grow chunk by chunk; Parquet parts are joined in order when it closes."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._parts = out / ".parts"
        self._open: dict[str, TextIO] = {}
        self._orders: dict[str, str] = {}
        self._pieces: Counter[str] = Counter()
        self._connection = duckdb.connect()
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir(parents=True)
        (self._out / "truth").mkdir(exist_ok=True)
        self._connection.execute("SET threads = 1")
        self._connection.execute("SET memory_limit = '1GB'")
        self._connection.execute("SET temp_directory = $1", [str(self._parts / "spill")])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._open.values():
            file.close()
        if error is None:
            for name, order in self._orders.items():
                self._join(name, order)
        self._connection.close()
        shutil.rmtree(self._parts)

    def add_csv(self, name: str, columns: Columns) -> None:
        """Append rows to `NAME.csv`; the first call decides on the header."""
        if name not in self._open:
            self._open[name] = (self._out / f"{name}.csv").open("w", encoding="utf-8", newline="")
            csv.writer(self._open[name], lineterminator="\n").writerow(columns)
        told = [_as_text(column, cents=key in CENTS) for key, column in columns.items()]
        csv.writer(self._open[name], lineterminator="\n").writerows(zip(*told, strict=True))
        self.counts[name] += len(told[0])

    def add_parquet(self, name: str, batch: Columns, select: str, order: str) -> None:
        """Append the rows that `select` makes of `batch` (its name in the SQL) to `NAME.parquet`."""
        self._orders[name] = order
        part = self._parts / f"{name.replace('/', '-')}-{self._pieces[name]:06d}.parquet"
        rows = self._connection.sql("SELECT * FROM batch").query("batch", f"{select} ORDER BY {order}")
        if rows is not None:
            rows.write_parquet(str(part))
        self._pieces[name] += 1
        self.counts[name] += len(next(iter(batch.values())))

    def _join(self, name: str, order: str) -> None:
        parts = [str(self._parts / f"{name.replace('/', '-')}-{i:06d}.parquet") for i in range(self._pieces[name])]
        target = self._out / f"{name}.parquet"
        self._connection.read_parquet(parts).order(order).write_parquet(str(target), compression="zstd")


def _as_text(column: NDArray[Any], *, cents: bool) -> list[Any]:
    """A column as CSV fields; unknown is empty."""
    kind = column.dtype.kind
    if kind == "M":
        zulu = "" if np.datetime_data(column.dtype)[0] == "D" else "Z"
        return ["" if text == "NaT" else text + zulu for text in np.datetime_as_string(column).tolist()]
    if kind == "b":
        return ["true" if value else "false" for value in column.tolist()]
    if kind == "f":
        return [_number(value, cents=cents) for value in column.tolist()]
    return ["" if value is None else value for value in column.tolist()]


def _number(value: float, *, cents: bool) -> str:
    if value != value:
        return ""
    return f"{value:.2f}" if cents else f"{value:.4f}".rstrip("0").rstrip(".")
