"""Reads the file of metric values that `score` is given: CSV, NDJSON or Parquet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb
import numpy as np

from keepwell.evaluation.api import CUSTOMER
from keepwell.interfaces.cli.failures import BadInputError
from keepwell.model.problems import did_you_mean
from keepwell.warehouse.loading.encoding import UnreadableFileError, read_text_file
from keepwell.warehouse.loading.files import SUFFIXES, file_form
from keepwell.warehouse.loading.read_delimited import read_delimited
from keepwell.warehouse.loading.read_json import read_json
from keepwell.warehouse.loading.read_parquet import read_parquet
from keepwell.warehouse.loading.reading import RawFile
from keepwell.warehouse.sql import quoted

_SHOWN: Final = 5


@dataclass(frozen=True)
class MetricsFile:
    """Columns in the order of the file's rows. `problems` are rows that were left out, `notes` are only shown.

    `rows` are the numbers of the rows in the file, from 1, without lines that could not be read.
    """

    columns: dict[str, list[object]]
    rows: tuple[int, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def read_metrics_file(path: Path, metrics: Iterable[str]) -> MetricsFile:
    """Read metric values; raises BadInputError when there is no column of customers or no row that can be used."""
    if not path.exists():
        raise BadInputError(f"{path}: there is no such file")
    if path.is_dir():
        raise BadInputError(f"{path}: is a folder; give one file")
    known = {CUSTOMER, *(name.casefold() for name in metrics)}
    connection = duckdb.connect()
    try:
        with TemporaryDirectory(prefix="keepwell-") as folder:
            raw = _opened(connection, path, Path(folder), known)
            found = _usable(path, raw, _columns(connection, raw), _broken(connection, raw))
    except UnreadableFileError as error:
        raise BadInputError(f"{path}: {error}") from error
    finally:
        connection.close()
    return found


def _opened(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path, known: set[str]) -> RawFile:
    form = file_form(path)
    if form is None:
        raise BadInputError(f"{path}: its ending says no format; use one of {', '.join(SUFFIXES)} (also with .gz)")
    if form == "parquet":
        return read_parquet(connection, path)
    text = read_text_file(path, folder)
    if form == "json":
        return read_json(connection, path, text, folder)
    return read_delimited(connection, path, text, folder, lambda name: name.strip().casefold() in known)


def _columns(connection: duckdb.DuckDBPyConnection, raw: RawFile) -> dict[str, list[object]]:
    names = [column.name for column in raw.columns]
    if not names:
        return {}
    listed = ", ".join(map(quoted, names))
    rows = connection.execute(f"SELECT {listed} FROM {raw.relation} ORDER BY _row").fetchall()  # noqa: S608
    return {name.strip(): [row[place] for row in rows] for place, name in enumerate(names)}


def _broken(connection: duckdb.DuckDBPyConnection, raw: RawFile) -> list[tuple[int, str]]:
    """Lines that are no rows, each with the reason."""
    if raw.broken is None:
        return []
    return connection.execute(f"SELECT line, reason FROM {raw.broken} ORDER BY line").fetchall()  # noqa: S608


def _usable(path: Path, raw: RawFile, columns: dict[str, list[object]], broken: list[tuple[int, str]]) -> MetricsFile:
    """The rows whose customer is known and not yet there; the others are problems."""
    count = max(map(len, columns.values()), default=0)
    if count or not broken:
        _require_customers(path, columns, count)
    first = _first_rows(columns.get(CUSTOMER, ()))
    kept = [row for row, same in enumerate(first) if same == row]
    left_out = sorted([*broken, *_left_out(raw, columns, first)])
    problems = tuple(f"{path}:{line}: {reason}; the line is left out" for line, reason in left_out)
    if not kept:
        raise BadInputError(f"{problems[0]}; no row is left to score")
    values = {name: [cells[row] for row in kept] for name, cells in columns.items()}
    return MetricsFile(values, tuple(row + 1 for row in kept), problems, raw.problems)


def _require_customers(path: Path, columns: dict[str, list[object]], count: int) -> None:
    if CUSTOMER not in columns:
        shown = ", ".join(list(columns)[:_SHOWN]) or "none"
        hint = did_you_mean(CUSTOMER, columns)
        raise BadInputError(f"{path}: there is no column '{CUSTOMER}'{hint}; the columns are: {shown}")
    if not count:
        raise BadInputError(f"{path}: there is a header but no rows below it")


def _first_rows(customers: Sequence[object]) -> list[int | None]:
    """For every row the first one of its customer; None where there is no customer."""
    seen: dict[str, int] = {}
    ids = ("" if value is None else str(value).strip() for value in customers)
    return [seen.setdefault(customer, row) if customer else None for row, customer in enumerate(ids)]


def _left_out(raw: RawFile, columns: dict[str, list[object]], first: list[int | None]) -> list[tuple[int, str]]:
    """The line and the reason of rows without a customer, and of all but the first of a customer."""
    bad = {row: same for row, same in enumerate(first) if same != row}
    wanted = sorted({*bad, *(same for same in bad.values() if same is not None)})
    found = raw.lines(np.array([row + 1 for row in wanted], dtype=np.int64)) if bad else ()
    line = {row: int(at) for row, at in zip(wanted, found, strict=True)}

    def reason(row: int, same: int | None) -> str:
        if same is None:
            return f"there is no {CUSTOMER}"
        return f"{CUSTOMER} '{str(columns[CUSTOMER][row]).strip()}' is in line {line[same]} already"

    return [(line[row], reason(row, same)) for row, same in bad.items()]
