"""What each source has ever delivered per table, and how fresh it is: metrics tell unknown from zero by it."""

import json
from datetime import datetime
from typing import Final

from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.loading.rows import Intake

NO_SOURCE: Final = "file"
"""The name of the feed of rows that name no source."""


def note_feeds(intake: Intake) -> None:
    """Update the feeds of a table after its rows went in.

    A file without rows counts too: it says that its columns exist and that nothing happened. A file with nothing but
    bad rows does not.
    """
    time = intake.table.time or "CAST(NULL AS TIMESTAMP)"
    found = intake.warehouse.connection.execute(
        f"SELECT coalesce(source, '{NO_SOURCE}'), min({time}), max({time}), max(synced_at) FROM {intake.good}"  # noqa: S608
        " GROUP BY ALL ORDER BY 1"
    ).fetchall()
    moment = intake.now.replace(tzinfo=None)
    for source, first, last, synced in found:
        _merge(intake, source, first, last, max(synced, moment) if synced else moment)
    if not found and intake.desk.counts.read == 0:
        _merge(intake, NO_SOURCE, None, None, moment)
    _count(intake)


def _merge(intake: Intake, source: str, first: datetime | None, last: datetime | None, synced: datetime) -> None:
    connection, table = intake.warehouse.connection, intake.table
    row = connection.execute(
        "SELECT columns FROM feeds WHERE table_name = ? AND source = ?", [table.name, source]
    ).fetchone()
    known = intake.present | frozenset(json.loads(row[0]) if row else ())
    columns = json.dumps([c for c in table.column_names if c in known])
    if row is None:
        values = [table.name, source, columns, first, last, synced]
        connection.execute("INSERT INTO feeds VALUES (?, ?, ?, 0, ?, ?, ?)", values)
        return
    connection.execute(
        "UPDATE feeds SET columns = ?, first_row_at = least(first_row_at, ?), last_row_at = greatest(last_row_at, ?),"
        " last_sync_at = greatest(last_sync_at, ?) WHERE table_name = ? AND source = ?",
        [columns, first, last, synced, table.name, source],
    )


def _count(intake: Intake) -> None:
    """Set the row counts from what is stored."""
    connection, table = intake.warehouse.connection, intake.table
    rows = table.name + " WHERE deleted_at IS NULL"
    if table.facts:
        files = [f.path for f in fact_days(intake.warehouse, table).values()]
        if not files:
            return
        rows = scan(files)
    connection.execute(
        f"UPDATE feeds SET rows = c.n FROM (SELECT coalesce(source, '{NO_SOURCE}') AS source, count(*) AS n FROM {rows}"  # noqa: S608
        f" GROUP BY ALL) c WHERE feeds.table_name = '{table.name}' AND feeds.source = c.source"
    )
