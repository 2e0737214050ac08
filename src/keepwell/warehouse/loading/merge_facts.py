"""Events and sessions: staged by day, then merged day by day, so that memory holds one day and untouched days stay.

An event is kept as it came first, a session as it was synced last. A deleted key is remembered, so that a repeated
file brings nothing back.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Final

from keepwell.warehouse.facts import fact_day, scan, write_day
from keepwell.warehouse.keys import keep_people, keep_symbols
from keepwell.warehouse.loading.dates import local_day
from keepwell.warehouse.loading.fact_moves import Moves, fact_digest, find_moves
from keepwell.warehouse.loading.reading import count_rows
from keepwell.warehouse.loading.rows import Intake, keyed, known_rows, ranked, take_superseded
from keepwell.warehouse.schema import CODED, FACT_COLUMNS
from keepwell.warehouse.sql import listed, literal, quoted
from keepwell.warehouse.tables import EVENTS

CONTENT: Final = ("customer", "person", "name", "feature", "occurred_at", "value", "session_id", "properties")
"""What an event says, whoever delivered it and when."""

DayDone = Callable[[int, int], None]
"""Told after each day: how many of how many days are done."""


def merge_facts(intake: Intake, folder: Path, done: DayDone) -> list[date]:
    """Put checked rows into the fact files, and count what they did; returns the days that were rewritten.

    Runs inside the caller's transaction; the files of replaced days are to be removed after the commit.
    """
    days = _stage_by_day(intake, folder)
    moves = find_moves(intake, folder, days)
    touched = sorted({*days, *moves.days})
    written = []
    for position, day in enumerate(touched, start=1):
        if _merge_day(intake, folder / f"day={day.isoformat()}", day, moves):
            written.append(day)
        done(position, len(touched))
    return written


def _stage_by_day(intake: Intake, folder: Path) -> list[date]:
    """Write the known rows by day, live ones and deletions apart; returns the days of live rows."""
    table, connection = intake.table, intake.warehouse.connection
    known = known_rows(intake)
    keep_people(connection, f"SELECT person_id FROM {intake.good}")  # noqa: S608
    for column in CODED[table.name]:
        keep_symbols(connection, f"SELECT {column} FROM {intake.good}", table=table.name, column=column)  # noqa: S608
    deleted = f"(SELECT * FROM {known} WHERE deleted_at IS NOT NULL)"  # noqa: S608
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE deletions AS SELECT {table.key} AS key FROM {keyed(table, deleted)}"  # noqa: S608
    )
    intake.desk.counts.deleted += count_rows(connection, "deletions")
    day = local_day(f"g.{table.time}", intake.warehouse.zone)
    connection.execute(
        f"COPY (SELECT {_coded(intake)}, g._row, g._content, g.deleted_at, {day} AS day FROM {known} g {_joins(intake)}"  # noqa: S608
        f" WHERE g.deleted_at IS NULL) TO {literal(str(folder))} (FORMAT parquet, PARTITION_BY (day),"
        " COMPRESSION lz4_raw, OVERWRITE_OR_IGNORE)"
    )
    found = sorted(p.name.removeprefix("day=") for p in folder.glob("day=*"))
    return [date.fromisoformat(d) for d in found]


def _coded(intake: Intake) -> str:
    table = intake.table
    values = {"person": "p.person", **{c: f"s_{c}.code" for c in CODED[table.name]}}
    return ", ".join(f"{values.get(c, 'g.' + quoted(c))} AS {quoted(c)}" for c in FACT_COLUMNS[table.name])


def _joins(intake: Intake) -> str:
    name = intake.table.name
    symbols = "".join(
        f" LEFT JOIN symbols s_{c} ON s_{c}.text = g.{c} AND s_{c}.kind = '{name}.{c}'" for c in CODED[name]
    )
    return "LEFT JOIN person_keys p ON p.person_id = g.person_id" + symbols


def _merge_day(intake: Intake, folder: Path, day: date, moves: Moves) -> bool:
    """Bring one day up to date; returns whether its file was rewritten."""
    table, warehouse = intake.table, intake.warehouse
    live = fact_day(warehouse, table, day)
    existing = f"(SELECT * FROM {scan([live.path])})" if live else _nothing(intake)  # noqa: S608
    dropped = moves.dropped(day)
    kept = f"(SELECT * FROM {existing} WHERE {table.key} NOT IN {dropped})"  # noqa: S608
    drops = live is not None and count_rows(warehouse.connection, dropped) > 0
    fresh = 0
    if folder.exists():
        fresh = (_new_events if table is EVENTS else _new_sessions)(intake, folder, kept, moves.skipped(day))
    if not fresh and not drops:
        return False
    names = listed(FACT_COLUMNS[table.name])
    rows = f"SELECT {names} FROM {kept}"  # noqa: S608
    if folder.exists():
        rows = (
            f"SELECT {names} FROM {kept} WHERE {table.key} NOT IN (SELECT {table.key} FROM fresh)"  # noqa: S608
            f" UNION ALL SELECT {names} FROM fresh"
        )
    write_day(warehouse, table, day, rows)
    return True


def _staged_day(intake: Intake, folder: Path, skipped: str) -> str:
    rows = f"read_parquet({literal(str(folder / '*.parquet'))}, hive_partitioning=false)"
    key = intake.table.key
    return (
        f"(SELECT * FROM {keyed(intake.table, rows)} WHERE {key} NOT IN {skipped}"  # noqa: S608
        f" AND {key} NOT IN (FROM derived_tombstones))"
    )


def _new_events(intake: Intake, folder: Path, kept: str, skipped: str) -> int:
    """Events whose id is new, the first line of each; everything else repeats an event or differs from it."""
    connection = intake.warehouse.connection
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM {_staged_day(intake, folder, skipped)}"  # noqa: S608
        f" WHERE event_id NOT IN (SELECT event_id FROM {kept})"
        " QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY _row) = 1"
    )
    fresh = count_rows(connection, "fresh")
    staged = count_rows(connection, f"read_parquet({literal(str(folder / '*.parquet'))}, hive_partitioning=false)")
    differing = _differing(intake, folder, kept, skipped) if staged > fresh else 0
    intake.desk.counts.added += fresh
    intake.desk.counts.differing += differing
    intake.desk.counts.repeated += staged - fresh - differing
    return fresh


def _differing(intake: Intake, folder: Path, kept: str, skipped: str) -> int:
    """How many rows have the id of an event and other values: of the same day, or on another day altogether."""
    connection = intake.warehouse.connection
    # A derived id is made of the content, so it cannot differ.
    rows = f"read_parquet({literal(str(folder / '*.parquet'))}, hive_partitioning=false) s"
    names = listed(["event_id", *CONTENT])
    first = f"(SELECT {names} FROM {kept} UNION ALL SELECT {names} FROM fresh) k"  # noqa: S608
    said, known = (f"ROW({', '.join(f'{side}.{quoted(c)}' for c in CONTENT)})" for side in "sk")
    same_day = count_rows(connection, f"{rows} JOIN {first} USING (event_id) WHERE {said} IS DISTINCT FROM {known}")
    deleted = f"(SELECT key FROM tombstones WHERE table_name = {literal(intake.table.name)})"  # noqa: S608
    moved = f"{rows} WHERE event_id IN {skipped} AND event_id NOT IN {deleted}"
    return same_day + count_rows(connection, moved)


def _new_sessions(intake: Intake, folder: Path, kept: str, skipped: str) -> int:
    """Sessions that are new, differ, or were synced later; `fresh` are the rows to write."""
    connection, counts = intake.warehouse.connection, intake.desk.counts
    content = fact_digest(intake.table)
    rows = _staged_day(intake, folder, skipped)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE incoming AS {ranked(rows, 'session_id', content)}")
    take_superseded(intake, "incoming")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE decided AS SELECT i.* REPLACE (coalesce(i.synced_at, e.synced_at) AS synced_at),"  # noqa: S608
        " CASE WHEN e.session_id IS NULL THEN if(m.key IS NULL, 'added', 'changed')"
        " WHEN i.synced_at < e.synced_at THEN 'stale' WHEN i._digest <> e._digest THEN 'changed'"
        " WHEN i.synced_at > e.synced_at OR e.synced_at IS NULL AND i.synced_at IS NOT NULL THEN 'synced'"
        f" ELSE 'same' END AS outcome FROM incoming i LEFT JOIN (SELECT *, {content} AS _digest FROM {kept}) e"
        " ON e.session_id = i.session_id LEFT JOIN (SELECT DISTINCT key FROM drops) m ON m.key = i.session_id"
        " WHERE i._place = 1"
    )
    found = dict(connection.execute("SELECT outcome, count(*) FROM decided GROUP BY outcome").fetchall())
    counts.added += found.get("added", 0)
    counts.changed += found.get("changed", 0)
    counts.unchanged += sum(found.get(o, 0) for o in ("stale", "same", "synced"))
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE fresh AS SELECT * FROM decided WHERE outcome IN ('added', 'changed', 'synced')"
    )
    return count_rows(connection, "fresh")


def _nothing(intake: Intake) -> str:
    columns = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(c)}" for c, kind in FACT_COLUMNS[intake.table.name].items())
    return f"(SELECT {columns} WHERE false)"
