"""Whether two ways of computing agree: values by customer, and published snapshots by their bytes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import numpy.typing as npt

from keepwell.bench.naive_sql import NAIVE
from keepwell.warehouse.sql import literal, quoted

TOLERANCE: Final = 1e-9
"""Quotients are divided in different orders; whole numbers below 10^9 have to be the same."""
SHOWN: Final = 5
Floats = npt.NDArray[np.float64]
Results = dict[str, Floats]


@dataclass(frozen=True)
class Difference:
    """Where two ways disagree: the metric or column, the customer, and both values."""

    metric: str
    customer: str
    left: object
    right: object

    def __str__(self) -> str:
        return f"{self.metric} of {self.customer}: {self.left} is not {self.right}"


@dataclass(frozen=True)
class Check:
    """What was compared with what, and the first differences of each metric."""

    name: str
    differences: tuple[Difference, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything compared was equal."""
        return not self.differences


def customer_id(key: int) -> str:
    """The outside id of a customer of the generated world."""
    return f"c{key:06d}"


def spread(customers: npt.NDArray[Any], values: npt.NDArray[Any], size: int, empty: float | None) -> Floats:
    """One value for each key up to `size`; `empty` where there is no row or no value (None: nan)."""
    fill = np.nan if empty is None else empty
    row = np.full(size + 1, fill)
    data = np.ma.asarray(values)
    row[np.asarray(customers).astype(np.int64)] = np.ma.filled(data.astype(np.float64), fill)
    return row[1:]


def save_results(path: Path, results: Mapping[str, Floats]) -> None:
    """Keep results for comparing."""
    with path.open("wb") as handle:
        np.savez(handle, allow_pickle=False, **dict(results))


def read_results(path: Path) -> Results:
    """Results that were kept."""
    with np.load(path) as kept:
        return {name: kept[name] for name in kept.files}


def engine_results(snapshot: Path) -> Results:
    """The event metrics as the engine published them, in the order of the customers' keys."""
    columns = ", ".join(f"{quoted(f'm.{m.name}')} AS {m.name}" for m in NAIVE)
    with duckdb.connect() as connection:
        found = connection.execute(
            f"SELECT {columns} FROM read_parquet({literal(str(snapshot))}) ORDER BY customer_id"  # noqa: S608
        ).fetchnumpy()
    return {name: np.ma.filled(np.ma.asarray(v).astype(np.float64), np.nan) for name, v in found.items()}


def compare_results(name: str, engine: Results, other: Results) -> Check:
    """Compare all metrics of all customers; missing ones count as different."""
    found = [d for m in NAIVE for d in _differing(m.name, engine.get(m.name), other.get(m.name))]
    return Check(name, tuple(found))


def _differing(metric: str, left: Floats | None, right: Floats | None) -> Iterable[Difference]:
    if left is None or right is None or len(left) != len(right):
        counts = ["nothing" if side is None else f"{len(side)} customers" for side in (left, right)]
        return [Difference(metric, "all customers", *counts)]
    same = np.isclose(left, right, rtol=TOLERANCE, atol=0.0, equal_nan=True)
    return [
        Difference(metric, customer_id(int(row) + 1), float(left[row]), float(right[row]))
        for row in np.flatnonzero(~same)[:SHOWN]
    ]


def compare_snapshots(name: str, pairs: Sequence[tuple[Path, Path]]) -> Check:
    """Compare snapshots byte by byte; where they differ, say which values do."""
    found = [d for left, right in pairs for d in _unequal(left, right)]
    return Check(name, tuple(found))


def _unequal(left: Path, right: Path) -> list[Difference]:
    if left.read_bytes() == right.read_bytes():
        return []
    (names, one), (others, two) = _rows(left), _rows(right)
    if names != others or len(one) != len(two):
        odd = sorted(set(names) ^ set(others)) or ["rows"]
        return [Difference(column, "all customers", _shape(names, one), _shape(others, two)) for column in odd[:SHOWN]]
    found = [
        Difference(name, str(ours[0]), a, b)
        for ours, theirs in zip(one, two, strict=True)
        for name, a, b in zip(names, ours, theirs, strict=True)
        if a != b
    ]
    return found[:SHOWN] or [
        Difference("bytes", "all customers", _size(left), f"{_size(right)} (the values are the same)")
    ]


def _rows(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    with duckdb.connect() as connection:
        found = connection.execute(f"FROM read_parquet({literal(str(path))})")
        return [column[0] for column in found.description or ()], found.fetchall()


def _size(path: Path) -> str:
    return f"{path.stat().st_size} in {path.name}"


def _shape(names: Sequence[str], rows: Sequence[object]) -> str:
    return f"{len(rows)} rows of {len(names)} columns"
