"""Keys that appear on more than one day, and keys that were deleted: which rows give way, before days are merged."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.loading.reading import count_rows
from keepwell.warehouse.loading.rows import LATEST, Intake, ranked, take_superseded
from keepwell.warehouse.schema import FACT_COLUMNS
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.tables import EVENTS, Table


@dataclass(frozen=True)
class Moves:
    """`days` have live rows that give way."""

    days: frozenset[date]

    def dropped(self, day: date) -> str:
        """A subquery of the keys whose live row of this day goes."""
        return f"(SELECT key FROM drops WHERE day = DATE '{day.isoformat()}')"  # noqa: S608

    def skipped(self, day: date) -> str:
        """A subquery of the keys whose new row of this day is not taken."""
        return f"(SELECT key FROM skips WHERE day = DATE '{day.isoformat()}')"  # noqa: S608


def find_moves(intake: Intake, folder: Path, days: list[date]) -> Moves:
    """Fill the temporary tables `drops` and `skips` (key, day) for the rows staged by day in `folder`."""
    connection = intake.warehouse.connection
    for table in ("drops", "skips"):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table}(key VARCHAR, day DATE)")
    live = [f.path for f in fact_days(intake.warehouse, intake.table).values()]
    _delete(intake, live)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE derived_tombstones AS SELECT key FROM tombstones"  # noqa: S608
        f" WHERE table_name = {literal(intake.table.name)} AND starts_with(key, 'auto:')"
    )
    if days:
        staged = _staged(intake.table, folder)
        _skip_deleted(intake, staged)
        given_way = _settle_within_file(intake, staged)
        if live:
            _settle_with_live(intake, staged, _live(intake.table, live))
        if intake.table is not EVENTS:
            skipped = count_rows(connection, f"{staged} WHERE (key, day) IN (SELECT key, day FROM skips)")  # noqa: S608
            intake.desk.counts.repeated += skipped - given_way
    found = connection.execute("SELECT DISTINCT day FROM drops").fetchall()
    return Moves(frozenset(day for (day,) in found))


def fact_digest(table: Table) -> str:
    """A digest of a fact row's content."""
    names = [n for n in FACT_COLUMNS[table.name] if n != "synced_at"]
    words = ", ".join(f"coalesce(CAST({quoted(n)} AS VARCHAR), chr(30))" for n in names)
    return f"md5(concat_ws(chr(31), {words}))"


def _staged(table: Table, folder: Path) -> str:
    """The staged rows that came with a key; a derived key holds the time, so it cannot appear on two days."""
    files = (
        f"read_parquet({literal(str(folder / '*' / '*.parquet'))}, hive_partitioning=true, hive_types={{'day': DATE}})"
    )
    return f"(SELECT *, {table.key} AS key FROM {files} WHERE NOT starts_with({table.key}, 'auto:'))"  # noqa: S608


def _live(table: Table, paths: list[Path]) -> str:
    day = r"CAST(regexp_extract(filename, '/(\d{4}-\d{2}-\d{2})/[^/]*$', 1) AS DATE)"
    return f"(SELECT {table.key} AS key, synced_at, {day} AS day FROM {scan(paths)})"  # noqa: S608


def _delete(intake: Intake, live: list[Path]) -> None:
    connection, name = intake.warehouse.connection, literal(intake.table.name)
    if not count_rows(connection, "deletions"):
        return
    connection.execute(
        f"INSERT INTO tombstones SELECT DISTINCT {name}, key FROM deletions"  # noqa: S608
        f" WHERE key NOT IN (SELECT key FROM tombstones WHERE table_name = {name})"
    )
    if live:
        rows = _live(intake.table, live)
        connection.execute(f"INSERT INTO drops SELECT key, day FROM {rows} WHERE key IN (SELECT key FROM deletions)")  # noqa: S608


def _skip_deleted(intake: Intake, staged: str) -> None:
    name = literal(intake.table.name)
    intake.warehouse.connection.execute(
        f"INSERT INTO skips SELECT DISTINCT key, day FROM {staged}"  # noqa: S608
        f" WHERE key IN (SELECT key FROM tombstones WHERE table_name = {name})"
    )


def _settle_within_file(intake: Intake, staged: str) -> int:
    """Of rows with one key on several days, the first event or the latest session stays.

    Returns how many sessions were counted on the way: those that gave way.
    """
    connection = intake.warehouse.connection
    connection.execute(f"CREATE OR REPLACE TEMP TABLE probe AS SELECT hash(key) AS h, day FROM {staged}")  # noqa: S608
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE doubles AS SELECT h FROM probe GROUP BY h HAVING min(day) <> max(day)"
    )
    if not count_rows(connection, "doubles"):
        return 0
    order = "_row" if intake.table is EVENTS else LATEST
    rows = f"(SELECT * FROM {staged} WHERE hash(key) IN (FROM doubles) AND key NOT IN (SELECT key FROM skips))"  # noqa: S608
    given_way = 0 if intake.table is EVENTS else _take_torn(intake, rows)
    connection.execute(
        f"INSERT INTO skips SELECT DISTINCT key, day FROM (SELECT key, day, first_value(day) OVER"  # noqa: S608
        f" (PARTITION BY key ORDER BY {order}) AS stays FROM {rows}) WHERE day <> stays"
    )
    return given_way


def _take_torn(intake: Intake, rows: str) -> int:
    """Sessions that a line on another day of the same file replaces; returns how many."""
    connection, table = intake.warehouse.connection, intake.table
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE incoming AS SELECT * FROM"  # noqa: S608
        f" (SELECT *, max(if(_place = 1, day, NULL)) OVER (PARTITION BY key) AS stays"
        f" FROM ({ranked(rows, table.key, fact_digest(table))})) WHERE day <> stays"
    )
    take_superseded(intake, "incoming")
    return count_rows(connection, "incoming")


def _settle_with_live(intake: Intake, staged: str, live: str) -> None:
    """A live row on another day stays when it is an event or was synced later; else it gives way."""
    connection = intake.warehouse.connection
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE abroad AS SELECT key, day, synced_at FROM"  # noqa: S608
        f" (SELECT *, hash(key) AS h FROM {live}) e"
        " WHERE EXISTS (SELECT 1 FROM probe p WHERE p.h = e.h AND p.day <> e.day)"
    )
    if not count_rows(connection, "abroad"):
        return
    stays = "true" if intake.table is EVENTS else "coalesce(s.synced_at < a.synced_at, false)"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE pairs AS SELECT s.key, s.day, a.day AS live_day, bool_and({stays}) AS stays"  # noqa: S608
        f" FROM {staged} s JOIN abroad a ON a.key = s.key AND a.day <> s.day"
        " WHERE (s.key, s.day) NOT IN (SELECT key, day FROM skips) GROUP BY ALL"
    )
    connection.execute("INSERT INTO skips SELECT key, day FROM pairs WHERE stays")
    connection.execute("INSERT INTO drops SELECT key, live_day FROM pairs WHERE NOT stays")
