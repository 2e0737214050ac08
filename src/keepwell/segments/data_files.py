"""Traits, events and lists from NDJSON files, with what is wrong with single rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from keepwell.segments.evaluation import History
from keepwell.segments.property_sql import create_macros
from keepwell.segments.trait_sql import CriteriaError
from keepwell.warehouse.loading.encoding import MAX_LINE
from keepwell.warehouse.sql import literal

TRAITS: Final = "traits.ndjson"
EVENTS: Final = "events.ndjson"
LISTS: Final = "lists.ndjson"
SHOWN: Final = 20
"""Bad rows of a file that are named one by one; of the rest only the number is."""

_ENTITY: Final = (
    "entity",
    "CASE WHEN json_type(row, '/entity') NOT IN ('NULL', 'OBJECT', 'ARRAY') THEN row->>'/entity' END",
)
_TIME: Final = ("t", "kw_moment(json_extract(row, '/time'))")


@dataclass(frozen=True)
class _File:
    """A file's table, the columns in SQL, and what is wrong where one of them has no value."""

    name: str
    table: str
    columns: tuple[tuple[str, str], ...]
    checks: tuple[tuple[str, str], ...]


_WHO: Final = ("coalesce(entity, '') = ''", "'entity' is missing; it says who the row is about")
_WHEN: Final = ("t IS NULL", "'time' is missing or no moment; write 2026-01-31T09:00:00Z")
_OBJECT: Final = "CASE WHEN json_type(row, '/{0}') = 'OBJECT' THEN json_extract(row, '/{0}') END"
_FILES: Final = (
    _File(
        TRAITS,
        "traits",
        (_ENTITY, _TIME, ("data", _OBJECT.format("values"))),
        (_WHO, _WHEN, ("data IS NULL", "'values' must be an object")),
    ),
    _File(
        EVENTS,
        "events",
        (
            _ENTITY,
            _TIME,
            ("name", "CASE WHEN json_type(row, '/name') = 'VARCHAR' THEN row->>'/name' END"),
            (
                "properties",
                "CASE WHEN coalesce(json_type(row, '/properties'), 'NULL') = 'NULL' THEN '{}'::JSON"
                " WHEN json_type(row, '/properties') = 'OBJECT' THEN json_extract(row, '/properties') END",
            ),
        ),
        (
            _WHO,
            _WHEN,
            ("coalesce(name, '') = ''", "'name' is missing; it says which event happened"),
            ("properties IS NULL", "'properties' must be an object"),
        ),
    ),
    _File(
        LISTS,
        "lists",
        (
            _ENTITY,
            ("list", "row->>'/list'"),
            ("inside", "coalesce(try_cast(row->>'/in' AS BOOLEAN), json_type(row, '/in') IS NULL)"),
        ),
        (_WHO, ("coalesce(list, '') = ''", "'list' is missing; it names the list")),
    ),
)


def load_history(connection: duckdb.DuckDBPyConnection, folder: Path) -> tuple[History, tuple[str, ...]]:
    """Read the files of a folder into tables of the connection; a file that is not there is empty.

    Returns what the tables are called and every bad row as `file:line: what is wrong`.
    """
    create_macros(connection)
    problems: list[str] = []
    for file in _FILES:
        try:
            problems += _load(connection, folder / file.name, file)
        except duckdb.Error as error:
            first = str(error).strip().splitlines()[0]
            raise CriteriaError(f"{folder / file.name}: cannot be read as lines of text: {first}") from error
    return History("traits", "events", "lists"), tuple(problems)


def _load(connection: duckdb.DuckDBPyConnection, path: Path, file: _File) -> list[str]:
    _read_lines(connection, path)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in file.columns)
    names = ", ".join(name for name, _ in file.columns)
    wrong = " ".join(f"WHEN {test} THEN {literal(reason)}" for test, reason in file.checks)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE checked AS SELECT *, CASE WHEN NOT sound THEN 'not a JSON object'"  # noqa: S608
        f" {wrong} END AS reason FROM (SELECT line AS ord, sound, {columns} FROM lines)"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {file.table} AS SELECT {names}, {_order(file)} AS ord"  # noqa: S608
        " FROM checked WHERE reason IS NULL"
    )
    return _problems(connection, path)


def _order(file: _File) -> str:
    """Later is what happened later, and of two at the same moment what comes later in the file."""
    timed = any(name == "t" for name, _ in file.columns)
    return "row_number() OVER (ORDER BY t, ord)" if timed else "ord"


def _read_lines(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The lines of a file with their numbers, as JSON objects; blank lines are passed over."""
    if not path.exists():
        connection.execute("CREATE OR REPLACE TEMP TABLE lines (line BIGINT, sound BOOLEAN, row JSON)")
        return
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE lines AS SELECT line, sound, CASE WHEN sound THEN text ELSE '{}' END::JSON AS row"  # noqa: S608
        " FROM (SELECT *, coalesce(CASE WHEN json_valid(text) THEN json_type(text) = 'OBJECT' END, false) AS sound"
        f" FROM (SELECT row_number() OVER () AS line, text FROM {_reader(path)}) WHERE trim(text) <> '')"
    )


def _reader(path: Path) -> str:
    """Reads lines as they are: a delimiter, quotes and escapes that no text has."""
    options = "columns={'text': 'VARCHAR'}, header=false, delim='\\x01', quote='', escape='', comment=''"
    return (
        f"read_csv({literal(str(path))}, {options}, auto_detect=false, null_padding=true, strict_mode=false,"
        f" max_line_size={8 * MAX_LINE}, ignore_errors=false)"
    )


def _problems(connection: duckdb.DuckDBPyConnection, path: Path) -> list[str]:
    (total,) = connection.execute("SELECT count(reason) FROM checked").fetchone() or (0,)
    rows = connection.execute(
        "SELECT ord, reason FROM checked WHERE reason IS NOT NULL ORDER BY ord LIMIT ?", [SHOWN]
    ).fetchall()
    found = [f"{path}:{line}: {reason}; the row is left out" for line, reason in rows]
    return [*found, f"{path}: {total - SHOWN} more rows are left out"] if total > SHOWN else found
