"""Which messages were accepted in the last days: one small SQLite file a day, made of the journal alone.

The journal is the truth. A file here says how far of each journal file it knows; what is missing is read again, so
it may be deleted, and it need not be synced.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Final

from keepwell.services.ingest.places import days_in

DAYS: Final = 7
"""For how long a repeated message is recognised."""

_ENDING: Final = ".sqlite3"
_AT_ONCE: Final = 500
_TABLES: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "CREATE TABLE IF NOT EXISTS seen(key BLOB PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS files(name TEXT PRIMARY KEY, indexed INTEGER NOT NULL)",
)


def key_of(identity: str) -> bytes:
    """What stands for an id: always sixteen bytes."""
    return blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class SeenDay:
    """The messages of the journal files of one day."""

    def __init__(self, path: Path) -> None:
        self.fresh = not path.exists()
        try:
            self._connection = _opened(path)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            _remove(path)
            self.fresh, self._connection = True, _opened(path)

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of some keys that are here."""
        found: set[bytes] = set()
        for start in range(0, len(keys), _AT_ONCE):
            part = keys[start : start + _AT_ONCE]
            marks = ", ".join("?" * len(part))
            rows = self._connection.execute(f"SELECT key FROM seen WHERE key IN ({marks})", part)  # noqa: S608 - only marks
            found.update(key for (key,) in rows)
        return found

    def indexed(self, name: str) -> int:
        """How many bytes of a journal file are known."""
        row = self._connection.execute("SELECT indexed FROM files WHERE name = ?", [name]).fetchone()
        return int(row[0]) if row else 0

    def add(self, keys: Iterable[bytes], name: str, indexed: int) -> None:
        """Remember keys, and with them how far the journal file is known."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(key,) for key in keys])
            self._connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?)", [name, indexed])
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


class Seen:
    """The messages of the last days."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._days: dict[date, SeenDay] = {}

    def day(self, day: date) -> SeenDay:
        """The messages of a day; opened when it is first asked for."""
        if day not in self._days:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._days[day] = SeenDay(self._folder / f"{day}{_ENDING}")
        return self._days[day]

    def forget_before(self, first: date) -> None:
        """Forget the days before one."""
        for day, path in days_in(self._folder, _ENDING):
            if day < first:
                if day in self._days:
                    self._days.pop(day).close()
                _remove(path)

    def known(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of some keys that were accepted in the last days."""
        found: set[bytes] = set()
        for day in self._days.values():
            found |= day.known(keys)
        return found

    def close(self) -> None:
        """Let go of all files; they are opened anew when needed."""
        while self._days:
            self._days.popitem()[1].close()


def _opened(path: Path) -> sqlite3.Connection:
    # One thread after the other uses it, whichever leads the group that is written.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=20)
    try:
        for statement in _TABLES:
            connection.execute(statement)
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _remove(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
