"""Reading delimited files: the fast reader when every record is sound, the patient one otherwise."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

import duckdb

from keepwell.warehouse.loading.delimited import DELIMITERS, NAMES, Header, find_header, records
from keepwell.warehouse.loading.encoding import MAX_LINE, TextFile, UnreadableFileError
from keepwell.warehouse.loading.reading import (
    RawColumn,
    RawFile,
    count_rows,
    counted_lines,
    stage_rows,
    staged,
    staged_lines,
    unique_names,
)
from keepwell.warehouse.sql import listed, literal


def read_delimited(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    text: TextFile,
    folder: Path,
    expected: Callable[[str], bool],
) -> RawFile:
    """Open a delimited file; raises UnreadableFileError when nothing in it can be rows of a table."""
    header = find_header(text.path, expected)
    if header is None:
        raise UnreadableFileError("the file is empty: not even a header")
    _require_known(header, expected)
    names, problems = unique_names(header.names)
    target = folder / "raw.parquet"
    columns = tuple(RawColumn(n) for n in names)
    if not text.rough and (rows := _fast(connection, text.path, header, names, target)) is not None:
        lines = counted_lines(lambda: _sound_lines(text.path, header))
        return RawFile(path, text.sha256, staged(target), columns, rows, lines, None, (*text.problems, *problems))
    rows = _patient(connection, text.path, header, names, folder, target)
    broken = staged(folder / "broken.parquet")
    some = broken if count_rows(connection, broken) else None
    found = staged_lines(connection, target)
    return RawFile(path, text.sha256, staged(target), columns, rows, found, some, (*text.problems, *problems))


def _require_known(header: Header, expected: Callable[[str], bool]) -> None:
    if any(expected(n) for n in header.names):
        return
    shown = ", ".join(repr(n[:40]) for n in header.names[:8])
    read_as = f"read with {NAMES[header.delimiter]} as delimiter" if len(header.names) > 1 else "one column"
    delimiters = ", ".join(NAMES[d] for d in DELIMITERS)
    raise UnreadableFileError(
        f"no known column in line {header.line} ({read_as}: {shown}); the first line must name the columns,"
        f" separated by {delimiters}"
    )


def _fast(
    connection: duckdb.DuckDBPyConnection, path: Path, header: Header, names: list[str], target: Path
) -> int | None:
    """The number of rows, or None when the reader met something that is not a sound record."""
    columns = ", ".join(f"{literal(n)}: 'VARCHAR'" for n in names)
    reader = (
        f"read_csv({literal(str(path))}, delim={literal(header.delimiter)}, quote='\"', escape='\"', header=false,"
        f" skip={header.line}, auto_detect=false, nullstr='', max_line_size={MAX_LINE}, columns={{{columns}}})"
    )
    try:
        return stage_rows(connection, f"SELECT row_number() OVER () AS _row, * FROM {reader}", target)  # noqa: S608
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException):
        return None


def _patient(
    connection: duckdb.DuckDBPyConnection, path: Path, header: Header, names: list[str], folder: Path, target: Path
) -> int:
    """Sort the records of a file into sound and broken ones, and stage both."""
    sound, broken = folder / "sound.csv", folder / "broken.csv"
    with (
        sound.open("w", encoding="utf-8", newline="") as rows,
        broken.open("w", encoding="utf-8", newline="") as rest,
    ):
        good, bad = clean_writer(rows), clean_writer(rest)
        for record in records(path, header):
            if record.fields is None:
                bad.writerow((record.line, record.code, record.reason, record.text))
            else:
                good.writerow((record.line, *record.fields))
    write_broken(connection, broken, folder / "broken.parquet")
    select = f"SELECT row_number() OVER () AS _row, CAST(_line AS BIGINT) AS _line, {listed(names)}"
    return stage_rows(connection, f"{select} FROM {clean_csv(sound, ['_line', *names])}", target)


def write_broken(connection: duckdb.DuckDBPyConnection, path: Path, target: Path) -> None:
    """Stage the file of broken records that a patient reader wrote."""
    source = clean_csv(path, ["line", "code", "reason", "text"])
    stage_rows(connection, f"SELECT CAST(line AS BIGINT) AS line, code, reason, text FROM {source}", target)  # noqa: S608


def clean_writer(file: TextIO) -> Any:
    """A writer of files for `clean_csv`; with one kind of line end, fields may hold any other."""
    return csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")


def clean_csv(path: Path, names: list[str]) -> str:
    """A relation over a delimited file that this program wrote itself, every field quoted."""
    columns = ", ".join(f"{literal(n)}: 'VARCHAR'" for n in names)
    return (
        f"read_csv({literal(str(path))}, delim=',', quote='\"', escape='\"', header=false, auto_detect=false,"
        f" parallel=false, new_line='\\n', nullstr='', max_line_size={8 * MAX_LINE}, columns={{{columns}}})"
    )


def _sound_lines(path: Path, header: Header) -> Iterator[int]:
    return (r.line for r in records(path, header) if r.fields is not None)
