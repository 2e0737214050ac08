"""Puts a new model in the place of the old one, as a whole, and keeps every version with who, why and when."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from keepwell.model.diff import diff_models
from keepwell.model.loader import content_hash
from keepwell.model.problems import DefinitionError
from keepwell.services.planning.folders import finish_swap, swap_files, write_synced
from keepwell.services.planning.sources import (
    Sources,
    load_sources,
    model_sources,
    proposed_sources,
    read_sources,
    sources_hash,
)
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.lock import lock_acquire, lock_release

Kind = Literal["start", "apply", "rollback", "edit"]
HISTORY: Final = "model_history.ndjson"
VERSIONS: Final = "model_versions"
_ENTRY: Final = "entry.json"
_FILES: Final = "model"
_SHORT: Final = 12


class ModelChangedError(WorkspaceError):
    """Somebody else changed the model in the meantime."""


@dataclass(frozen=True)
class HistoryEntry:
    """One version of the model. `before` and `after` are hashes; `of` is the version that a rollback went back to."""

    version: int
    kind: Kind
    at: str
    who: str
    why: str
    before: str | None
    after: str
    summary: tuple[str, ...] = ()
    of: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        return asdict(self) | {"summary": list(self.summary)}


@dataclass(frozen=True)
class Applied:
    """A model that is in its place: what the history says of it, and the files that are different."""

    entry: HistoryEntry
    written: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def version(self) -> int:
        return self.entry.version

    @property
    def hash(self) -> str:
        return self.entry.after


def apply_model(
    workspace: Workspace, proposed: Path | Sources, *, who: str, why: str, at: datetime, expected_hash: str
) -> Applied:
    """Put a proposed model (all of its files) in place of the workspace's.

    Parameters
    ----------
    who, why, at
        Kept in the history.
    expected_hash
        What the change was made from (see `current_hash`).

    Raises
    ------
    ModelChangedError
        When the model on disk is not what the change was made from; nothing was changed.
    DefinitionError
        When the proposed model has mistakes; nothing was changed.
    WorkspaceError
        Without a reason, or when there is nothing to change.
    """
    sources = proposed_sources(proposed)
    with _working(workspace):
        return _put(workspace, sources, _blank("apply", who, why, at), expected_hash)


def rollback(workspace: Workspace, version: int, *, who: str, why: str, at: datetime) -> Applied:
    """Put an earlier version in place again, as a new entry of the history: nothing is lost."""
    with _working(workspace):
        sources = version_sources(workspace, version)
        return _put(workspace, sources, replace(_blank("rollback", who, why, at), of=version), None)


def history(workspace: Workspace) -> tuple[HistoryEntry, ...]:
    """Every version of the model that was applied here, the newest first."""
    path = workspace.data_dir / HISTORY
    if not path.is_file():
        return ()
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(_entry(json.loads(line)) for line in reversed(lines) if line.strip())


def version_sources(workspace: Workspace, version: int) -> dict[str, str]:
    """The files of a version; raises WorkspaceError naming the versions there are."""
    for entry in history(workspace):
        if entry.version == version:
            return read_sources(_folder(workspace, entry) / _FILES)
    known = ", ".join(str(entry.version) for entry in reversed(history(workspace))) or "none yet"
    raise WorkspaceError(f"there is no version {version} of the model; there are: {known}")


@contextmanager
def _working(workspace: Workspace) -> Iterator[None]:
    """One process at a time changes the model; what a killed one left is put right first."""
    workspace.data_dir.mkdir(parents=True, exist_ok=True)
    if workspace.model_dir.resolve() in (workspace.data_dir.resolve(), *workspace.data_dir.resolve().parents):
        raise WorkspaceError(f"{workspace.model_dir} holds the data, too; keep the model in a folder of its own")
    lock = workspace.data_dir / "model.lock"
    held = lock_acquire(lock, doing="a change of the model", wait_seconds=workspace.wait_seconds, on_wait=None)
    try:
        _recover(workspace)
        yield
    finally:
        lock_release(held)


def _put(workspace: Workspace, sources: Sources, entry: HistoryEntry, expected: str | None) -> Applied:
    if not entry.why.strip():
        raise WorkspaceError("say why the model changes: the next person will want to know")
    found = model_sources(workspace)
    here = sources_hash(found)
    if expected is not None and here != expected:
        raise ModelChangedError("the model was changed by somebody else in the meantime; look at it, and plan again")
    after = content_hash(load_sources(sources).model)
    if dict(sources) == found:
        raise WorkspaceError("there is nothing to change: the model says this already")
    _keep_what_is_there(workspace, found, here, entry)
    entry = replace(entry, before=here, after=after, summary=_summary(found, sources))
    entry = _stage(workspace, sources, entry)
    written = tuple(name for name in sources if sources[name] != found.get(name))
    removed = tuple(name for name in found if name not in sources)
    swap_files(workspace.model_dir, {name: sources[name] for name in written}, removed)
    _record(workspace, entry)
    return Applied(entry, written, removed)


def _keep_what_is_there(workspace: Workspace, found: Sources, here: str, entry: HistoryEntry) -> None:
    """The model before the first change, or as it was edited by hand since the last one, gets a version, too."""
    entries = history(workspace)
    if entries and version_sources(workspace, entries[0].version) == dict(found):
        return
    kind: Kind = "edit" if entries else "start"
    why = "changed in its files" if entries else "the model before the first change"
    before = entries[0].after if entries else None
    summary = _summary(version_sources(workspace, entries[0].version), found) if entries else ()
    kept = HistoryEntry(0, kind, entry.at, "", why, before, here, summary)
    _record(workspace, _stage(workspace, found, kept))


def _summary(before: Sources, after: Sources) -> tuple[str, ...]:
    """What changed in the definitions, in sentences."""
    try:
        changes = diff_models(load_sources(before).model, load_sources(after).model)
    except DefinitionError:
        return ("one of the two models cannot be read",)
    return tuple(map(str, changes)) or ("only how it is written",)


def _stage(workspace: Workspace, sources: Sources, entry: HistoryEntry) -> HistoryEntry:
    """Write the files of a version before it counts."""
    numbers = [int(path.name.split("-")[0]) for path in _versions(workspace)]
    entry = replace(entry, version=max(numbers, default=0) + 1)
    folder = _folder(workspace, entry)
    for name, text in sources.items():
        write_synced(folder / _FILES / name, text)
    write_synced(folder / _ENTRY, json.dumps(entry.as_dict(), ensure_ascii=False) + "\n")
    return entry


def _record(workspace: Workspace, entry: HistoryEntry) -> None:
    """Add a line to the history; the file is replaced, so that no line is ever half written."""
    path = workspace.data_dir / HISTORY
    earlier = path.read_text(encoding="utf-8") if path.is_file() else ""
    write_synced(path, earlier + json.dumps(entry.as_dict(), ensure_ascii=False) + "\n")


def _recover(workspace: Workspace) -> None:
    """After a kill: a version whose files are in place is recorded, one that did not get there is removed."""
    finish_swap(workspace.model_dir)
    known = {entry.version for entry in history(workspace)}
    for folder in _versions(workspace):
        if int(folder.name.split("-")[0]) in known:
            continue
        if (folder / _ENTRY).is_file() and read_sources(folder / _FILES) == model_sources(workspace):
            _record(workspace, _entry(json.loads((folder / _ENTRY).read_text(encoding="utf-8"))))
        else:
            shutil.rmtree(folder)


def _versions(workspace: Workspace) -> list[Path]:
    found = (workspace.data_dir / VERSIONS).glob("*-*")
    return sorted((p for p in found if p.name.split("-")[0].isdigit()), key=lambda p: int(p.name.split("-")[0]))


def _folder(workspace: Workspace, entry: HistoryEntry) -> Path:
    return workspace.data_dir / VERSIONS / f"{entry.version}-{entry.after.removeprefix('broken-')[:_SHORT]}"


def _blank(kind: Kind, who: str, why: str, at: datetime) -> HistoryEntry:
    return HistoryEntry(0, kind, at.isoformat(), who, why.strip(), None, "")


def _entry(data: dict[str, Any]) -> HistoryEntry:
    return HistoryEntry(**(data | {"summary": tuple(data.get("summary", ()))}))
