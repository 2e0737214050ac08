"""Reading JSON: one object a line, or one array of objects."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from keepwell.warehouse.loading.delimited import SHOWN, Lines
from keepwell.warehouse.loading.encoding import MAX_LINE, TextFile, UnreadableFileError
from keepwell.warehouse.loading.read_delimited import clean_csv, clean_writer, write_broken
from keepwell.warehouse.loading.reading import (
    RawColumn,
    RawFile,
    count_rows,
    counted_lines,
    same_lines,
    stage_rows,
    staged,
    staged_lines,
    unique_names,
)
from keepwell.warehouse.sql import literal, quoted


def read_json(connection: duckdb.DuckDBPyConnection, path: Path, text: TextFile, folder: Path) -> RawFile:
    """Open a file of JSON objects; raises UnreadableFileError when there are none."""
    start = _start(text.path)
    if not start:
        raise UnreadableFileError("the file is empty")
    target = folder / "objects.parquet"
    if start == b"[" and _fast(connection, text.path, "array", target):
        return _opened(connection, path, text, target, folder, lines=same_lines)
    if not text.rough and _fast(connection, text.path, "newline_delimited", target):
        found = counted_lines(lambda: _text_lines(text.path))
        return _opened(connection, path, text, target, folder, lines=found)
    _patient(connection, text.path, folder, target)
    return _opened(connection, path, text, target, folder, lines=staged_lines(connection, target))


def _opened(
    connection: duckdb.DuckDBPyConnection, path: Path, text: TextFile, target: Path, folder: Path, *, lines: Any
) -> RawFile:
    keys = [k for (k,) in connection.execute(_keys_of(target)).fetchall()]
    names, problems = unique_names(keys)
    pointers = ", ".join(literal("/" + k.replace("~", "~0").replace("/", "~1")) for k in keys)
    values = ", ".join(f"nullif(v[{i}], '') AS {quoted(n)}" for i, n in enumerate(names, start=1))
    relation = (
        f"(SELECT _row, {values} FROM (SELECT _row, json_extract_string(object, [{pointers}]) AS v"  # noqa: S608
        f" FROM {staged(target)}))"
    )
    broken_file = folder / "broken.parquet"
    broken = staged(broken_file) if broken_file.exists() and count_rows(connection, staged(broken_file)) else None
    if not keys:
        relation = "(SELECT NULL AS _row WHERE false)"
    columns = tuple(RawColumn(n) for n in names)
    rows = count_rows(connection, staged(target)) if keys else 0
    return RawFile(path, text.sha256, relation, columns, rows, lines, broken, (*text.problems, *problems))


def _keys_of(target: Path) -> str:
    """The keys of all objects, in the order in which they first appear."""
    return (
        "SELECT key FROM (SELECT min(_row) AS first, key, min(place) AS place FROM (SELECT _row,"  # noqa: S608
        " unnest(json_keys(object)) AS key, generate_subscripts(json_keys(object), 1) AS place"
        f" FROM {staged(target)}) GROUP BY key) ORDER BY first, place"
    )


def _fast(connection: duckdb.DuckDBPyConnection, path: Path, form: str, target: Path) -> bool:
    """Whether all of the file is sound objects; they are staged then."""
    reader = f"read_json_objects({literal(str(path))}, format='{form}', maximum_object_size={8 * MAX_LINE})"
    try:
        stage_rows(connection, f"SELECT row_number() OVER () AS _row, json AS object FROM {reader}", target)  # noqa: S608
        query = f"SELECT count(*) FROM {staged(target)} WHERE json_type(object) <> 'OBJECT'"  # noqa: S608
        found = connection.execute(query).fetchone()
    except (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.IOException):
        return False
    return found == (0,)


def _patient(connection: duckdb.DuckDBPyConnection, path: Path, folder: Path, target: Path) -> None:
    sound, broken = folder / "sound.csv", folder / "broken.csv"
    with (
        path.open("rb") as handle,
        sound.open("w", encoding="utf-8", newline="") as rows,
        broken.open("w", encoding="utf-8", newline="") as rest,
    ):
        good, bad = clean_writer(rows), clean_writer(rest)
        lines = Lines(handle)
        while raw := lines.next():
            code, reason, text = _object(raw)
            if code:
                bad.writerow((lines.number, code, reason, text))
            elif text:
                good.writerow((lines.number, text))
    write_broken(connection, broken, folder / "broken.parquet")
    select = "SELECT row_number() OVER () AS _row, CAST(_line AS BIGINT) AS _line, object"
    stage_rows(connection, f"{select} FROM {clean_csv(sound, ['_line', 'object'])}", target)


def _object(raw: bytes) -> tuple[str, str, str]:
    """What is wrong with a line (code and reason, empty when nothing), and its text, empty for a blank line."""
    if len(raw) > MAX_LINE:
        return "long_line", f"a line of more than {MAX_LINE:,} bytes", raw[:SHOWN].decode("utf-8", "replace")
    shown = raw.decode("utf-8", "replace").strip().replace("\0", "\ufffd")
    if b"\0" in raw:
        return "nul", "the line contains NUL bytes", shown
    try:
        value = json.loads(raw.decode("utf-8-sig")) if raw.strip() else None
        text = json.dumps(value, ensure_ascii=False)
        text.encode()
    except UnicodeError:
        return "encoding", "the line is not valid UTF-8", shown
    except (ValueError, RecursionError) as error:
        return "json", f"not a JSON object: {error}", shown
    if not raw.strip():
        return "", "", ""
    return ("", "", text) if isinstance(value, dict) else ("json", "not a JSON object", shown)


def _start(path: Path) -> bytes:
    with path.open("rb") as handle:
        while block := handle.read(4096):
            if text := block.lstrip(b"\xef\xbb\xbf \t\r\n"):
                return text[:1]
    return b""


def _text_lines(path: Path) -> Iterator[int]:
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.strip():
                yield number
