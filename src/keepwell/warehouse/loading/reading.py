"""A file of any form as one relation: `_row` (counted from 1) and its columns, text unless the file has types."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from keepwell.warehouse.sql import literal

TEXT: Final = "VARCHAR"
BATCH: Final = 50_000
LineFinder = Callable[[NDArray[np.int64]], NDArray[np.int64]]
"""Ascending row numbers to the lines they start on."""


@dataclass(frozen=True)
class RawColumn:
    """A column as the file has it; `type` is the SQL type it came with."""

    name: str
    type: str = TEXT


@dataclass(frozen=True)
class RawFile:
    """An opened file. `broken` is a relation (line, code, reason, text) of what is no row at all, if there is any."""

    path: Path
    sha256: str
    relation: str
    columns: tuple[RawColumn, ...]
    rows: int
    lines: LineFinder
    broken: str | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def stage_rows(connection: duckdb.DuckDBPyConnection, select: str, target: Path) -> int:
    """Write a relation to a stage file in the order it is read; returns the number of rows."""
    connection.execute("SET preserve_insertion_order=true")
    try:
        found = connection.execute(
            f"COPY ({select}) TO {literal(str(target))} (FORMAT parquet, COMPRESSION lz4_raw)"
        ).fetchone()
    finally:
        connection.execute("SET preserve_insertion_order=false")
    return 0 if found is None else int(found[0])


def staged(target: Path) -> str:
    """The relation of a stage file."""
    return f"read_parquet({literal(str(target))})"


def count_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    """The number of rows of a relation."""
    found = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()  # noqa: S608
    return 0 if found is None else int(found[0])


def number_table(connection: duckdb.DuckDBPyConnection, name: str, **columns: NDArray[np.int64]) -> None:
    """Make a temporary table of numbers."""
    fields = ", ".join(f"{c} BIGINT" for c in columns)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name}({fields})")
    values = ", ".join("unnest(?)" for _ in columns)
    for start in range(0, len(next(iter(columns.values()))), BATCH):
        parts = [c[start : start + BATCH].tolist() for c in columns.values()]
        connection.execute(f"INSERT INTO {name} SELECT {values}", parts)


def unique_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Names that differ in more than case, and what had to be renamed for it."""
    taken: set[str] = {"_row", "_line"}
    result, problems = [], []
    for position, name in enumerate(names, start=1):
        fresh = name or f"column{position}"
        while fresh.lower() in taken:
            fresh += "_2"
        if name and fresh != name:
            problems.append(f"column {name!r} appears twice; the first one is used, the other kept as {fresh!r}")
        taken.add(fresh.lower())
        result.append(fresh)
    return result, problems


def same_lines(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """For files where a row's number is its line."""
    return rows


def staged_lines(connection: duckdb.DuckDBPyConnection, target: Path) -> LineFinder:
    """For stage files that carry the line of each row in `_line`."""

    def find(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        number_table(connection, "wanted", row=rows)
        query = f"SELECT _line FROM {staged(target)} WHERE _row IN (SELECT row FROM wanted) ORDER BY _row"  # noqa: S608
        return connection.execute(query).fetchnumpy()["_line"].astype(np.int64)

    return find


def counted_lines(lines: Callable[[], Iterator[int]]) -> LineFinder:
    """For files whose rows are counted again from the start: `lines` gives the line of every row."""

    def find(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        found = np.empty(len(rows), dtype=np.int64)
        position = 0
        for row, line in enumerate(lines(), start=1):
            if position == len(rows):
                break
            if row == rows[position]:
                found[position] = line
                position += 1
        return found[:position]

    return find
