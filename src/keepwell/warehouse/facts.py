"""Fact files: one Parquet file per table and day in the workspace's zone; the manifest says which ones count."""

import hashlib
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from keepwell.warehouse.schema import CODED, FACT_COLUMNS
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import Table

EMPTY_VERSION: Final = "empty"


@dataclass(frozen=True)
class FactDay:
    """The live file of one day, named from the data folder; `version` depends on its content alone."""

    root: Path
    name: str
    version: str
    rows: int

    @property
    def path(self) -> Path:
        """Where it is. Made when it is asked for: of thousands of days few are read."""
        return self.root / self.name


def fact_days(warehouse: Warehouse, table: Table) -> dict[date, FactDay]:
    """The live files of a fact table, by day in ascending order."""
    found = warehouse.connection.execute(
        "SELECT day, path, version, rows FROM fact_days WHERE table_name = ? ORDER BY day", [table.name]
    ).fetchall()
    return {day: FactDay(warehouse.root, name, version, rows) for day, name, version, rows in found}


def fact_dates(warehouse: Warehouse) -> dict[str, list[date]]:
    """The days that have rows, ascending, of each fact table that has any."""
    found: dict[str, list[date]] = {}
    for table, day in warehouse.connection.execute("SELECT table_name, day FROM fact_days ORDER BY day").fetchall():
        found.setdefault(table, []).append(day)
    return found


def fact_day(warehouse: Warehouse, table: Table, day: date) -> FactDay | None:
    """The live file of one day; None when there is none."""
    found = warehouse.connection.execute(
        "SELECT path, version, rows FROM fact_days WHERE table_name = ? AND day = ?", [table.name, day]
    ).fetchone()
    return None if found is None else FactDay(warehouse.root, found[0], found[1], found[2])


def write_day(warehouse: Warehouse, table: Table, day: date, select_sql: str) -> FactDay:
    """Replace one day of a fact table with what `select_sql` gives (the columns of FACT_COLUMNS).

    The manifest row is changed in the caller's transaction when there is one. Without rows the day is dropped, and
    the result has `rows` 0 and no file.
    """
    folder = warehouse.root / "facts" / table.name / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{os.getpid()}.tmp"
    _copy_sorted(warehouse, table, select_sql, fresh)
    version, rows = _version(warehouse, table, fresh)
    fact = FactDay(warehouse.root, f"facts/{table.name}/{day.isoformat()}/{version}.parquet", version, rows)
    if rows:
        _install(fresh, fact.path)
    else:
        fresh.unlink()
    _flip(warehouse, table, day, fact)
    return fact


def remove_unlisted(warehouse: Warehouse, table: Table, day: date) -> None:
    """Remove the files of a day that the manifest does not name; call after the commit."""
    live = fact_day(warehouse, table, day)
    for file in (warehouse.root / "facts" / table.name / day.isoformat()).glob("*"):
        if live is None or file != live.path:
            file.unlink()


def scan(paths: list[Path]) -> str:
    """A relation over fact files, with the file's name in `filename`."""
    return f"read_parquet([{', '.join(literal(str(p)) for p in paths)}], filename=true, hive_partitioning=false)"


def _copy_sorted(warehouse: Warehouse, table: Table, select_sql: str, target: Path) -> None:
    columns = FACT_COLUMNS[table.name]
    casts = ", ".join(f"CAST({quoted(c)} AS {kind}) AS {quoted(c)}" for c, kind in columns.items())
    warehouse.connection.execute(
        f"COPY (SELECT {casts} FROM ({select_sql}) ORDER BY customer, person, {table.time}, {table.key})"  # noqa: S608
        f" TO {literal(str(target))} (FORMAT parquet, COMPRESSION zstd)"
    )


def _version(warehouse: Warehouse, table: Table, path: Path) -> tuple[str, int]:
    """A digest of the rows in outside words, so that it does not depend on the order in which keys were given out.

    Rows are distinct by key, so exclusive-or and sum of their digests stand for the ordered whole, in one pass.
    """
    words = ", ".join(_word(table, c) for c in FACT_COLUMNS[table.name])
    found = warehouse.connection.execute(
        "SELECT count(*), bit_xor(digest), sum(CAST(digest >> 64 AS UBIGINT)) FROM"  # noqa: S608
        f" (SELECT md5_number(concat_ws(chr(31), {words})) AS digest"
        f" FROM read_parquet({literal(str(path))}) f {_joins(table)})"
    ).fetchone()
    if found is None or found[0] == 0:
        return EMPTY_VERSION, 0
    return hashlib.sha256(repr(found).encode()).hexdigest()[:20], found[0]


def _word(table: Table, column: str) -> str:
    if column in CODED[table.name]:
        return f"coalesce(s_{column}.text, chr(30))"
    if column == "customer":
        return "coalesce(c.customer_id, chr(30))"
    if column == "person":
        return "coalesce(p.person_id, chr(30))"
    return f"coalesce(CAST(f.{quoted(column)} AS VARCHAR), chr(30))"


def _joins(table: Table) -> str:
    symbols = "".join(
        f" LEFT JOIN symbols s_{c} ON s_{c}.code = f.{c} AND s_{c}.kind = '{table.name}.{c}'" for c in CODED[table.name]
    )
    return (
        "LEFT JOIN customer_keys c ON c.customer = f.customer LEFT JOIN person_keys p ON p.person = f.person" + symbols
    )


def _install(fresh: Path, path: Path) -> None:
    with fresh.open("rb") as handle:
        os.fsync(handle.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _flip(warehouse: Warehouse, table: Table, day: date, fact: FactDay) -> None:
    connection = warehouse.connection
    connection.execute("DELETE FROM fact_days WHERE table_name = ? AND day = ?", [table.name, day])
    if fact.rows:
        values = [table.name, day, fact.name, fact.version, fact.rows]
        connection.execute("INSERT INTO fact_days VALUES (?, ?, ?, ?, ?)", values)
