"""Rows that wait in quarantine are loaded again: by themselves once their customer is there, or when a person asks."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from keepwell.warehouse.loading.files import InputFile, file_table
from keepwell.warehouse.loading.one_file import FileLoader
from keepwell.warehouse.loading.plan import normal_name
from keepwell.warehouse.loading.quarantine import REWRITTEN, ROW_KEY, WAITING, settle_waiting
from keepwell.warehouse.sql import literal
from keepwell.warehouse.tables import TABLES

Feeds = list[tuple[str, datetime]]


@dataclass(frozen=True)
class WaitingRow:
    """A row in quarantine to load again: what names it, where it stood, and what stands in it now, as JSON."""

    key: str
    table: str
    file: str
    code: str
    row: str

    @property
    def canonical(self) -> bool:
        """Whether its cells are named like columns of its table: what came through a mapping has its file's names."""
        names = {normal_name(name) for name in json.loads(self.row)}
        named = self.code in REWRITTEN or file_table(Path(self.file)) is TABLES[self.table]
        return named and names.issuperset(TABLES[self.table].required)


def retry_unknown(loader: FileLoader) -> int:
    """Load the rows in quarantine whose customer is known by now; returns how many were resolved."""
    connection = loader.warehouse.connection
    resolved = 0
    waiting = connection.execute(
        f"SELECT table_name, count(*) FROM quarantine WHERE {WAITING} GROUP BY ALL"  # noqa: S608
    ).fetchall()
    for name, rows in sorted(waiting, key=lambda w: list(TABLES).index(w[0])):
        if _retry(loader, name):
            resolved += rows
    return resolved


def retry_rows(loader: FileLoader, rows: Sequence[WaitingRow]) -> int:
    """Load rows in quarantine again; returns how many went in. Others wait on, with the reason that they have now."""
    resolved = 0
    mapped = [row for row in rows if not row.canonical]
    if mapped:
        loader.problems.append(
            f"{len(mapped)} rows came through a mapping: correct them in {mapped[0].file} and load it again"
        )
    for table in TABLES:
        own = [row for row in rows if row.table == table and row.canonical]
        # What a file does not have stays as it was, so the rows of different files stay apart.
        for file in dict.fromkeys(row.file for row in own):
            resolved += _retry_file(loader, table, [row for row in own if row.file == file])
    return resolved


def _retry(loader: FileLoader, name: str) -> bool:
    path = _path(loader, name)
    connection = loader.warehouse.connection
    rows = f"SELECT row FROM quarantine WHERE table_name = {literal(name)} AND {WAITING}"  # noqa: S608
    connection.execute(
        f"COPY ({rows} ORDER BY load_id, file, line)"
        f" TO {literal(str(path))} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
    )
    return _load(loader, name, path, lambda: settle_waiting(connection, name))


def _retry_file(loader: FileLoader, name: str, rows: Sequence[WaitingRow]) -> int:
    path = _path(loader, name)
    path.write_text("".join(f"{row.row}\n" for row in rows), encoding="utf-8")
    kept: list[int] = []

    def settle() -> None:
        kept.append(_settle(loader.warehouse.connection, name, path, rows))

    return kept[0] if _load(loader, name, path, settle) else 0


def _path(loader: FileLoader, name: str) -> Path:
    return loader.warehouse.root / f"quarantine_{name}.ndjson"


def _load(loader: FileLoader, name: str, path: Path, settle: Callable[[], None]) -> bool:
    connection = loader.warehouse.connection
    before: Feeds = connection.execute("SELECT source, last_sync_at FROM feeds WHERE table_name = ?", [name]).fetchall()

    def settled() -> None:
        settle()
        # Rows that are looked at again are no delivery: the feed is as old as it was.
        for source, moment in before:
            connection.execute(
                "UPDATE feeds SET last_sync_at = ? WHERE table_name = ? AND source = ?", [moment, name, source]
            )

    try:
        return loader.load(InputFile(path, "json", TABLES[name]), settle=settled)
    finally:
        path.unlink(missing_ok=True)


def _settle(connection: duckdb.DuckDBPyConnection, name: str, path: Path, rows: Sequence[WaitingRow]) -> int:
    """Mark what went in as resolved; what did not keeps its place in its own file and gets its new reason."""
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE tried AS SELECT unnest(range(1, ?)) AS line, unnest(CAST(? AS VARCHAR[])) AS key",
        [len(rows) + 1, [row.key for row in rows]],
    )
    again = [name, str(path)]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE failed AS SELECT t.key, q.column_name, q.value, q.reason, q.code, q.row"
        " FROM quarantine q JOIN tried t USING (line) WHERE q.table_name = ? AND q.file = ? AND q.state = 'open'",
        again,
    )
    connection.execute("DELETE FROM quarantine WHERE table_name = ? AND file = ? AND state = 'open'", again)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE places AS SELECT rowid AS place, {ROW_KEY} AS key FROM quarantine"  # noqa: S608
        " WHERE table_name = ? AND state = 'open'",
        [name],
    )
    found = connection.execute(
        "UPDATE quarantine SET state = 'resolved' WHERE rowid IN (SELECT place FROM places WHERE key IN"
        " (SELECT key FROM tried) AND key NOT IN (SELECT key FROM failed))"
    ).fetchone()
    connection.execute(
        "UPDATE quarantine SET column_name = f.column_name, value = f.value, reason = f.reason, code = f.code,"
        " row = f.row FROM (SELECT place, failed.* FROM failed JOIN places USING (key)) f"
        " WHERE quarantine.rowid = f.place"
    )
    return int(found[0]) if found else 0
