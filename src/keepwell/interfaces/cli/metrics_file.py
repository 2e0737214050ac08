"""Reads the file of metric values that `score` is given: CSV, NDJSON or Parquet."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import duckdb

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
    """Columns in the order of the file's rows. `problems` are rows that could not be read, `notes` are only shown."""

    columns: dict[str, list[object]]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def read_metrics_file(path: Path, metrics: Iterable[str]) -> MetricsFile:
    """Read metric values; raises BadInputError when no customer can be told from another."""
    if not path.exists():
        raise BadInputError(f"{path}: there is no such file")
    if path.is_dir():
        raise BadInputError(f"{path}: is a folder; give one file")
    known = {CUSTOMER, *(name.casefold() for name in metrics)}
    connection = duckdb.connect()
    try:
        with TemporaryDirectory(prefix="keepwell-") as folder:
            raw = _opened(connection, path, Path(folder), known)
            found = MetricsFile(_columns(connection, raw), _broken(connection, raw), raw.problems)
    except UnreadableFileError as error:
        raise BadInputError(f"{path}: {error}") from error
    finally:
        connection.close()
    _check_customers(path, found)
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


def _broken(connection: duckdb.DuckDBPyConnection, raw: RawFile) -> tuple[str, ...]:
    if raw.broken is None:
        return ()
    rows = connection.execute(f"SELECT line, reason FROM {raw.broken} ORDER BY line").fetchall()  # noqa: S608
    return tuple(f"{raw.path}:{line}: {reason}; the line is left out" for line, reason in rows)


def _check_customers(path: Path, found: MetricsFile) -> None:
    for problem in found.problems[:_SHOWN] if not _rows(found) else ():
        raise BadInputError(problem)
    if CUSTOMER not in found.columns:
        shown = ", ".join(list(found.columns)[:_SHOWN]) or "none"
        hint = did_you_mean(CUSTOMER, found.columns)
        raise BadInputError(f"{path}: there is no column '{CUSTOMER}'{hint}; the columns are: {shown}")
    if not _rows(found):
        raise BadInputError(f"{path}: there is a header but no rows below it")
    ids = [str(value).strip() if value is not None else "" for value in found.columns[CUSTOMER]]
    if "" in ids:
        raise BadInputError(f"{path}: row {ids.index('') + 1} has no {CUSTOMER}")
    twice = [customer for customer, times in Counter(ids).items() if times > 1]
    if twice:
        shown = ", ".join(twice[:_SHOWN]) + (" …" if len(twice) > _SHOWN else "")
        raise BadInputError(f"{path}: {CUSTOMER} must be unique; more than once: {shown}")


def _rows(found: MetricsFile) -> int:
    return max(map(len, found.columns.values()), default=0)
