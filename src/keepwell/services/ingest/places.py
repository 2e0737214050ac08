"""Where the journal is: files being written, sealed files that are being loaded, and loaded ones."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from keepwell.services.workspace import Workspace

FOLDER: Final = "inbox_events"
_NAME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d-(\d{4,})\.ndjson")


@dataclass(frozen=True)
class Places:
    """The folders of a journal."""

    root: Path

    @property
    def loading(self) -> Path:
        """Sealed files, and the canonical rows that are made of them."""
        return self.root / "loading"

    @property
    def lock(self) -> Path:
        """Held by whoever writes or seals."""
        return self.root / ".lock"

    @property
    def seen(self) -> Path:
        """What was accepted in the last days."""
        return self.root / "seen"

    def done(self, day: date) -> Path:
        """The loaded files of a day."""
        return self.root / "done" / day.isoformat()

    def open_files(self) -> list[Path]:
        """The files that are being written, oldest first."""
        return files_in(self.root)

    def sealed(self) -> list[Path]:
        """The files that wait to be loaded, oldest first."""
        return files_in(self.loading)

    def of_day(self, day: date) -> list[Path]:
        """Every journal file of a day, wherever it stands."""
        everywhere = [*self.open_files(), *self.sealed(), *files_in(self.done(day))]
        return [path for path in everywhere if day_of(path) == day]

    def fresh(self, now: datetime) -> Path:
        """A name that no file of this hour ever had: loaded files keep theirs."""
        hour = f"{now:%Y-%m-%dT%H}-"
        numbers = [int(path.stem[len(hour) :]) for path in self.of_day(now.date()) if path.name.startswith(hour)]
        return self.root / f"{hour}{max(numbers, default=0) + 1:04d}.ndjson"


def journal_of(workspace: Workspace) -> Places:
    """The places of a workspace's journal."""
    return Places(workspace.data_dir / FOLDER)


def files_in(folder: Path) -> list[Path]:
    """The journal files of a folder, oldest first; none when it does not exist."""
    try:
        return sorted(folder / name for name in os.listdir(folder) if _NAME.fullmatch(name))
    except FileNotFoundError:
        return []


def day_of(path: Path) -> date:
    """The day on which the messages of a file were received."""
    return date.fromisoformat(path.name[:10])


def days_in(folder: Path, ending: str) -> Iterator[tuple[date, Path]]:
    """The files of a folder that are named after a day."""
    for path in sorted(folder.glob(f"????-??-??{ending}")):
        yield date.fromisoformat(path.name.removesuffix(ending)), path


def sync_folder(folder: Path) -> None:
    """Let the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
