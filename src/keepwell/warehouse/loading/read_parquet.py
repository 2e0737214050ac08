"""Reading Parquet: rows come with types, and their number stands for a line."""

from pathlib import Path

import duckdb

from keepwell.warehouse.loading.encoding import UnreadableFileError, file_sha256
from keepwell.warehouse.loading.reading import RawColumn, RawFile, count_rows, same_lines, unique_names
from keepwell.warehouse.sql import literal, quoted


def read_parquet(connection: duckdb.DuckDBPyConnection, path: Path) -> RawFile:
    """Open a Parquet file; raises UnreadableFileError when it is none."""
    if path.stat().st_size == 0:
        raise UnreadableFileError("the file is empty")
    source = f"read_parquet({literal(str(path))}, hive_partitioning=false)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()  # noqa: S608
        rows = count_rows(connection, source)
    except duckdb.Error as error:
        raise UnreadableFileError(f"not a Parquet file: {str(error).splitlines()[0]}") from error
    found = [(str(name), str(kind)) for name, kind, *_ in described]
    names, problems = unique_names([name for name, _ in found])
    numbered = source.replace("hive_partitioning", "file_row_number=true, hive_partitioning")
    values = ", ".join(f"{quoted(old)} AS {quoted(new)}" for (old, _), new in zip(found, names, strict=True))
    relation = f"(SELECT file_row_number + 1 AS _row, {values} FROM {numbered})"  # noqa: S608
    columns = tuple(RawColumn(n, kind) for n, (_, kind) in zip(names, found, strict=True))
    return RawFile(path, file_sha256(path), relation, columns, rows, same_lines, None, tuple(problems))
