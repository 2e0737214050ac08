"""A file opened in the form that its ending names."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from keepwell.warehouse.loading.encoding import read_text_file
from keepwell.warehouse.loading.read_delimited import read_delimited
from keepwell.warehouse.loading.read_json import read_json
from keepwell.warehouse.loading.read_parquet import read_parquet
from keepwell.warehouse.loading.reading import RawFile


def open_file(
    connection: duckdb.DuckDBPyConnection, path: Path, form: str, folder: Path, expected: Callable[[str], bool]
) -> RawFile:
    """Open a delimited, JSON or Parquet file; `folder` is for copies, `expected` knows its columns' names.

    Raises UnreadableFileError when there is nothing to be read in it.
    """
    if form == "parquet":
        return read_parquet(connection, path)
    text = read_text_file(path, folder)
    if form == "json":
        return read_json(connection, path, text, folder)
    return read_delimited(connection, path, text, folder, expected)
