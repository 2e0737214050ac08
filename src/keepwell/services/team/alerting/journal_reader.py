"""Reads the journal of accepted events as it grows: files by name, wherever they stand, as far as it is certain."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from keepwell.services.ingest.messages import Message, message_of
from keepwell.services.ingest.places import Places, day_of, files_in

CHUNK: Final = 256 * 1024

MOST_EXPLAINING: Final = 64 * 1024 * 1024
HEAD: Final = 400
"""A line names its kind near its beginning, behind its id."""
_EXPLAIN: Final = (b'"kind":"group"', b'"kind":"identify"', b'"kind":"stripe"')


@dataclass(frozen=True)
class Piece:
    """Whole lines of a file: its messages, and the place behind them."""

    messages: tuple[Message, ...]
    end: int


@dataclass
class JournalReader:
    """The files of one journal."""

    places: Places

    def sizes(self, since: str) -> dict[str, int]:
        """The files from `since` on with how far they can be read: what was written and not taken back."""
        if not self.places.root.exists():
            return {}
        found: dict[str, int] = {}
        with self._settled():
            for path in self._files(since):
                with suppress(FileNotFoundError):
                    found[path.name] = path.stat().st_size
        return found

    def newest_done(self) -> str:
        """The newest file that was loaded already; nothing when there is none."""
        for day in reversed(self._days()):
            if files := files_in(self.places.done(day)):
                return files[-1].name
        return ""

    def read(self, name: str, position: int, end: int) -> Piece:
        """The messages of whole lines between two places, a piece of them at a time."""
        length = CHUNK
        with self._opened(name) as handle:
            while True:
                os.lseek(handle, position, os.SEEK_SET)
                content = _read(handle, min(length, end - position))
                whole = content.rfind(b"\n") + 1
                if whole or position + len(content) >= end:
                    break
                length *= 2
        lines = content[:whole].splitlines(keepends=True)
        return Piece(tuple(found for line in lines if (found := message_of(line)) is not None), position + whole)

    def explaining(self) -> Iterator[Message]:
        """Messages that say whose ids are, of the files that were not loaded yet: what was loaded is published."""
        for path in (*self.places.sealed(), *self.places.open_files()):
            with suppress(FileNotFoundError), path.open("rb") as handle:
                handle.seek(max(0, path.stat().st_size - MOST_EXPLAINING))
                for line in handle:
                    if any(kind in line[:HEAD] for kind in _EXPLAIN) and (found := message_of(line)) is not None:
                        yield found

    def _settled(self) -> "_Settled":
        return _Settled(self.places.lock)

    def _files(self, since: str) -> Iterator[Path]:
        """Whatever stands in two places is on its way; its size is the same."""
        first = day_of(Path(since)) - timedelta(days=1) if since else date.min
        loaded = [path for day in self._days() if day >= first for path in files_in(self.places.done(day))]
        for path in (*loaded, *self.places.sealed(), *self.places.open_files()):
            if path.name > since:
                yield path

    def _days(self) -> list[date]:
        """The days with loaded files."""
        days = []
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(self.places.root / "done")):
                with suppress(ValueError):
                    days.append(date.fromisoformat(name))
        return days

    def _opened(self, name: str) -> "_Opened":
        return _Opened(self.places, name)


class _Settled:
    """Nobody writes meanwhile, so no line is there that may be taken back."""

    def __init__(self, lock: Path) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._handle = self._lock.open("a")
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def __exit__(self, *_: object) -> None:
        self._handle.close()


class _Opened:
    """A file that may be moved while it is looked for: from being written, to being loaded, to the loaded ones."""

    def __init__(self, places: Places, name: str) -> None:
        self._paths = (places.root / name, places.loading / name, places.done(day_of(Path(name))) / name)

    def __enter__(self) -> int:
        for path in (*self._paths, *self._paths):
            with suppress(FileNotFoundError):
                self._handle = os.open(path, os.O_RDONLY)
                return self._handle
        raise FileNotFoundError(f"{self._paths[-1]} is not there any more")

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _read(handle: int, length: int) -> bytes:
    parts = []
    while length > 0 and (part := os.read(handle, length)):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
