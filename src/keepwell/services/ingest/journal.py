"""The journal: accepted messages, appended and synced before anybody is told, each once.

Requests that come at the same time are written as a group with one sync: the first one leads, the others wait for
it. A lock on a file makes processes take turns. A kill may leave half a line; whoever writes next cuts it off, for
nobody was told that it was accepted.
"""

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

from keepwell.services.ingest.messages import Accepted, message_of
from keepwell.services.ingest.places import Places, day_of, sync_folder
from keepwell.services.ingest.seen import DAYS, Seen, key_of

FILE_BYTES: Final = 16 * 1024 * 1024
"""A file is loaded in one piece, so a full one is followed by another within the hour."""


class JournalError(Exception):
    """The journal cannot be written; nothing of the request was accepted for certain, and it may be sent again."""


@dataclass
class _Waiting:
    """Messages of one request: which of them were new once they are on disk, or why they are not."""

    records: Sequence[Accepted]
    now: datetime
    new: list[bool] | None = None
    failed: Exception | None = None

    def outcome(self) -> list[bool]:
        if self.new is None:
            raise JournalError(f"the journal cannot be written: {self.failed}") from self.failed
        return self.new


@dataclass
class Journal:
    """Writes messages; one object for all threads of a process."""

    places: Places
    file_bytes: int = FILE_BYTES
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _waiting: list[_Waiting] = field(default_factory=list)
    _leading: bool = False
    _seen: Seen = field(init=False)
    _path: Path | None = None
    _swept: tuple[date, int] | None = None

    def __post_init__(self) -> None:
        self._seen = Seen(self.places.seen)

    def append(self, records: Sequence[Accepted], now: datetime) -> list[bool]:
        """Write messages and return once they are on disk: which of them are new. Raises JournalError."""
        mine = _Waiting(records, now)
        with self._changed:
            self._waiting.append(mine)
            while self._leading and mine.new is None and mine.failed is None:
                self._changed.wait()
            if mine.new is not None or mine.failed is not None:
                return mine.outcome()
            self._leading, group, self._waiting = True, self._waiting, []
        try:
            self._write(group)
        finally:
            with self._changed:
                self._leading = False
                self._changed.notify_all()
        return mine.outcome()

    def seal(self, now: datetime) -> list[Path]:
        """Put the files that were written aside to be loaded; what comes from now on goes into others."""
        if not self.places.open_files():
            return self.places.sealed()
        with self._alone():
            self._sweep(now)
            self.places.loading.mkdir(exist_ok=True)
            for path in self.places.open_files():
                os.replace(path, self.places.loading / path.name)
            sync_folder(self.places.loading)
            sync_folder(self.places.root)
        return self.places.sealed()

    def close(self) -> None:
        """Let go of all files."""
        self._seen.close()
        self._swept = None

    def _write(self, group: list[_Waiting]) -> None:
        try:
            with self._alone():
                written = self._append(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, everybody who waits has to be told
            self.close()
            for one in group:
                one.failed = error
        else:
            for one, new in zip(group, written, strict=True):
                one.new = new

    def _append(self, group: list[_Waiting]) -> list[list[bool]]:
        now = max(one.now for one in group)
        if self._swept != (now.date(), now.hour):
            self._sweep(now)
        with self._current(now) as (path, handle):
            day = self._seen.day(day_of(path))
            start = self._caught_up(path, handle)
            written, lines, keys = self._sorted_out(group)
            if lines:
                _put(handle, start, b"".join(lines))
                day.add(keys, path.name, start + sum(map(len, lines)))
        return written

    def _sorted_out(self, group: list[_Waiting]) -> tuple[list[list[bool]], list[bytes], list[bytes]]:
        """Which messages are new, their lines and their keys."""
        keys = [[key_of(record.id) for record in one.records] for one in group]
        known = self._seen.known([key for some in keys for key in some])
        lines: list[bytes] = []
        fresh: list[bytes] = []
        written: list[list[bool]] = []
        for one, some in zip(group, keys, strict=True):
            written.append([])
            for record, key in zip(one.records, some, strict=True):
                written[-1].append(key not in known)
                if key not in known:
                    known.add(key)
                    fresh.append(key)
                    lines.append(record.line)
        return written, lines, fresh

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time."""
        self.places.root.mkdir(parents=True, exist_ok=True)
        with self.places.lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _current(self, now: datetime) -> Iterator[tuple[Path, BinaryIO]]:
        """The file to write to: of this hour, not sealed in the meantime, not full."""
        path = self._path
        if path is None or not path.name.startswith(f"{now:%Y-%m-%dT%H}-") or not self._room(path):
            ours = [one for one in self.places.open_files() if one.name.startswith(f"{now:%Y-%m-%dT%H}-")]
            path = ours[-1] if ours and self._room(ours[-1]) else self.places.fresh(now)
        new = not path.exists()
        with path.open("ab+", buffering=0) as handle:
            if new:
                sync_folder(self.places.root)
            self._path = path
            yield path, handle

    def _room(self, path: Path) -> bool:
        try:
            return path.stat().st_size < self.file_bytes
        except FileNotFoundError:
            return False

    def _sweep(self, now: datetime) -> None:
        """Bring what is remembered up to the journal: after a start, each hour, and before files are put aside."""
        self._seen.forget_before(now.date() - timedelta(days=DAYS - 1))
        for day in (now.date() - timedelta(days=back) for back in range(DAYS)):
            files = self.places.of_day(day)
            if (files or day == now.date()) and self._seen.day(day).fresh:
                for path in files:
                    self._catch_up(path)
                self._seen.day(day).fresh = False
        for path in self.places.open_files():
            self._catch_up(path)
        self._swept = (now.date(), now.hour)

    def _catch_up(self, path: Path) -> None:
        with path.open("rb+", buffering=0) as handle:
            self._caught_up(path, handle)

    def _caught_up(self, path: Path, handle: BinaryIO) -> int:
        """Remember lines that another process, or one that was killed, wrote; cut off half a line. The file's end."""
        day = self._seen.day(day_of(path))
        known, size = day.indexed(path.name), os.fstat(handle.fileno()).st_size
        if known == size:
            return size
        known = known if known < size else 0
        handle.seek(known)
        rest = handle.read(size - known)
        whole = rest.rfind(b"\n") + 1
        if whole < len(rest):
            os.ftruncate(handle.fileno(), known + whole)
        found = (message_of(line) for line in rest[:whole].splitlines(keepends=True))
        day.add([key_of(one.id) for one in found if one is not None], path.name, known + whole)
        return known + whole


def _put(handle: BinaryIO, start: int, content: bytes) -> None:
    """Append and sync; when that fails, nothing was appended."""
    try:
        view = memoryview(content)
        while view:
            view = view[handle.write(view) :]
        os.fsync(handle.fileno())
    except OSError:
        os.ftruncate(handle.fileno(), start)
        raise
