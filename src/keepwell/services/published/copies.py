"""Where the published reading copies lie: a folder for each version, and a pointer to the current one."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from keepwell.services.workspace import Workspace, WorkspaceError

POINTER: Final = "current.json"
ABOUT: Final = "about.json"
STATUS: Final = "data_status.json"
CURRENT: Final = "current.parquet"
TIMELINE: Final = "timeline.parquet"
PEOPLE: Final = "people.parquet"
SUBSCRIPTIONS: Final = "subscriptions.parquet"
IDENTITIES: Final = "identities.parquet"
TICKETS: Final = "tickets.parquet"
SERVICE: Final = "service_metrics.parquet"
QUARANTINE: Final = "quarantine.parquet"
COVERAGE: Final = "coverage.parquet"
HISTORY: Final = "history"
USAGE: Final = "usage"
_FRESH: Final = ".fresh"


class NothingPublished(WorkspaceError):  # noqa: N818  it is a state, not a fault
    """There are no reading copies yet; the message says how to make them."""


@dataclass(frozen=True)
class Copies:
    """One version of the reading copies. `score` and `risk` name the scores that lists show, where there are any.

    `state` is a digest of what the small tables were copied from, `parts` one for each file of a month.
    """

    version: str
    as_of: date
    folder: Path
    model_hash: str
    score: str | None
    risk: str | None
    dates: tuple[date, ...]
    state: str
    parts: Mapping[str, str]

    def path(self, name: str) -> str:
        """A file of this version."""
        return str(self.folder / name)

    def months(self, kind: str) -> list[str]:
        """The files of a kind that is kept by month, oldest first."""
        return [self.path(name) for name in sorted(self.parts) if name.startswith(f"{kind}-")]


def copies_root(workspace: Workspace) -> Path:
    """Where all versions lie."""
    return workspace.data_dir / "published"


def copies_current(workspace: Workspace) -> Copies | None:
    """The current version; None before the first."""
    root = copies_root(workspace)
    while True:
        version = _version(root, "current")
        found = _read(root, version)
        # Two publishes between the pointer and the folder take the folder away: then the pointer has moved.
        if found is not None or _version(root, "current") == version:
            return found


def copies_needed(workspace: Workspace) -> Copies:
    """The current version; raises NothingPublished with what to do before the first."""
    found = copies_current(workspace)
    if found is None:
        raise NothingPublished("nothing is published yet; 'keepwell run' computes a day and publishes it")
    return found


def kept_copies(workspace: Workspace) -> tuple[Copies, ...]:
    """The current version and the one before it."""
    root = copies_root(workspace)
    versions = (_version(root, key) for key in ("current", "previous"))
    return tuple(found for version in versions if (found := _read(root, version)) is not None)


def write_version(workspace: Workspace, copies: Copies, write: Callable[[Path], None]) -> Copies:
    """Write a version aside, sync it, put it in place and make it the current one; all before the last two go.

    `copies.folder` is where the version will be. The caller holds the warehouse, so nobody else writes here.
    """
    root = copies_root(workspace)
    root.mkdir(parents=True, exist_ok=True)
    before = copies_current(workspace)
    if not (copies.folder / ABOUT).exists():
        fresh = root / _FRESH
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        write(fresh)
        (fresh / ABOUT).write_text(json.dumps(_plain(copies), indent=1) + "\n", encoding="utf-8")
        _sync(fresh)
        shutil.rmtree(copies.folder, ignore_errors=True)
        os.replace(fresh, copies.folder)
    _point(root, copies.version, before.version if before else None)
    _sweep(workspace)
    return copies


def reuse_part(name: str, digest: str, kept: Sequence[Copies], target: Path) -> bool:
    """Take a file from a version in which it was made from the same data; returns whether there was one."""
    for copies in kept:
        source = copies.folder / name
        if copies.parts.get(name) == digest and source.exists():
            _link(source, target)
            return True
    return False


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Not every file system links.
        shutil.copy2(source, target)


def _version(root: Path, key: str) -> str | None:
    try:
        found: str | None = json.loads((root / POINTER).read_text(encoding="utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def _read(root: Path, version: str | None) -> Copies | None:
    if version is None:
        return None
    try:
        data = json.loads((root / version / ABOUT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    data["as_of"] = date.fromisoformat(data["as_of"])
    data["dates"] = tuple(map(date.fromisoformat, data["dates"]))
    return Copies(folder=root / version, **data)


def _plain(copies: Copies) -> dict[str, Any]:
    data = asdict(copies)
    del data["folder"]
    return {**data, "as_of": copies.as_of.isoformat(), "dates": [day.isoformat() for day in copies.dates]}


def _point(root: Path, version: str, before: str | None) -> None:
    if before == version:
        return
    fresh = root / f"{POINTER}.tmp"
    fresh.write_text(json.dumps({"current": version, "previous": before}) + "\n", encoding="utf-8")
    _sync_file(fresh)
    os.replace(fresh, root / POINTER)
    _sync_file(root)


def _sweep(workspace: Workspace) -> None:
    """Keep the last two versions: a page that began to read the one before goes on reading it."""
    kept = {copies.version for copies in kept_copies(workspace)}
    for folder in copies_root(workspace).iterdir():
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    for path in (*sorted(folder.iterdir()), folder):
        _sync_file(path)


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
