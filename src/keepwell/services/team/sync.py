"""Sync: everything that waits goes into the canonical tables; files of the inbox, and rows that the workspace learned.

Whatever is loaded twice changes nothing, so a sync that was killed anywhere is simply repeated.
"""

import json
import os
import shutil
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from keepwell.model.problems import DefinitionError
from keepwell.model.words import counted
from keepwell.services.ingest import load_journal
from keepwell.services.loading import load_files
from keepwell.services.team.outbox.written_back import catch_up
from keepwell.services.workspace import CONFIG, Workspace
from keepwell.store.models import CanonicalWrite
from keepwell.warehouse.loading import LoadReport, read_mapping
from keepwell.warehouse.loading.files import SUFFIXES, file_form, matches
from keepwell.warehouse.tables import TABLES

INBOX: Final = "inbox"
LOADED: Final = "done"
MAPPING: Final = ".map.yaml"
_ROWS_AT_ONCE: Final = 2_000

Waits = Callable[[str], None] | None


@dataclass(frozen=True)
class Synced:
    """What a sync loaded: files, rows read, rows that went to quarantine, and what is wrong."""

    files: int = 0
    rows: int = 0
    quarantined: int = 0
    problems: tuple[str, ...] = ()

    def __add__(self, other: "Synced") -> "Synced":
        return Synced(
            self.files + other.files,
            self.rows + other.rows,
            self.quarantined + other.quarantined,
            self.problems + other.problems,
        )


def inbox_of(workspace: Workspace) -> Path:
    """The folder whose files every sync loads: `[sync] inbox` in keepwell.toml, `inbox` if left out."""
    config = tomllib.loads((workspace.root / CONFIG).read_text(encoding="utf-8"))
    return workspace.root / str(config.get("sync", {}).get("inbox", INBOX))


def inbox_files(workspace: Workspace) -> tuple[Path, ...]:
    """The data files that wait. Names with a leading dot are still being written."""
    inbox = inbox_of(workspace)
    if not inbox.is_dir():
        return ()
    found = (path for path in inbox.iterdir() if path.is_file() and not path.name.startswith("."))
    return tuple(sorted(path for path in found if file_form(path) is not None))


def sync(workspace: Workspace, *, now: datetime, today: date, step: Callable[[str], None], on_wait: Waits) -> Synced:
    """Load the inbox, then the rows that the workspace learned, in the order in which it did."""
    batches, problems = _batches(workspace)
    done = Synced(problems=problems)
    for mapping, paths in batches:
        step(f"Loading {len(paths)} files" if len(paths) > 1 else f"Loading {paths[0].name}")
        report = load_files(workspace, paths=paths, now=now, mapping=mapping, on_wait=on_wait)
        _move_away([file.path for file in report.files], inbox_of(workspace) / LOADED / today.isoformat())
        done += _synced(report)
    for report in load_journal(workspace, now=now, step=step, on_wait=on_wait):
        done += _synced(report)
    catch_up(workspace, now)
    while rows := list(CanonicalWrite.objects.filter(loaded_at=None).order_by("pk")[:_ROWS_AT_ONCE]):
        step("Loading what the workspace learned")
        done += _load_rows(workspace, rows, now, on_wait)
    return done


def _batches(workspace: Workspace) -> tuple[list[tuple[Path | None, list[Path]]], tuple[str, ...]]:
    """The waiting files, those that a mapping of the inbox names apart from those named after their table."""
    left = list(inbox_files(workspace))
    found: list[tuple[Path | None, list[Path]]] = []
    problems: list[str] = []
    for mapping in sorted(inbox_of(workspace).glob(f"*{MAPPING}")):
        try:
            patterns = tuple(read_mapping(mapping).patterns)
        except DefinitionError as error:
            problems += [str(problem) for problem in error.problems]
            continue
        mapped = [path for path in left if any(matches(path, pattern) for pattern in patterns)]
        left = [path for path in left if path not in mapped]
        found += [(mapping, mapped)] if mapped else []
    return [*found, *([(None, left)] if left else [])], tuple(problems)


def _move_away(paths: Sequence[Path], target: Path) -> None:
    """Loaded files leave the inbox; those that could not be loaded stay until somebody looks at them."""
    for path in dict.fromkeys(paths):
        target.mkdir(parents=True, exist_ok=True)
        if path.exists():
            os.replace(path, free_name(target / path.name))


def free_name(path: Path) -> Path:
    """This path, or one beside it that no file has yet."""
    number, found = 1, path
    while found.exists():
        number += 1
        found = path.with_name(f"{number}-{path.name}")
    return found


def _load_rows(workspace: Workspace, rows: list[CanonicalWrite], now: datetime, on_wait: Waits) -> Synced:
    folder = workspace.data_dir / "web" / f"learned-{rows[0].pk}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        # Columns that a file does not have stay as they are, so rows with other columns are a file of their own.
        for number, (table, group) in enumerate(_alike(rows)):
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in group)
            (folder / f"{table}_{number:05d}.ndjson").write_text(lines, encoding="utf-8")
        report = load_files(workspace, paths=[folder], now=now, on_wait=on_wait)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    CanonicalWrite.objects.filter(pk__in=[row.pk for row in rows]).update(loaded_at=now)
    return _synced(report)


def _alike(rows: list[CanonicalWrite]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows that follow each other and fit into one file: of one table, with the same columns, each key once."""
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for write in rows:
        row = {"synced_at": write.made_at.isoformat(), **write.row}
        if not groups or groups[-1][0] != write.table or not _fits(row, groups[-1][1], TABLES[write.table].key):
            groups.append((write.table, []))
        groups[-1][1].append(row)
    return groups


def _fits(row: dict[str, Any], others: list[dict[str, Any]], key: str) -> bool:
    return others[0].keys() == row.keys() and all(other.get(key) != row.get(key) for other in others)


def _synced(report: LoadReport) -> Synced:
    named = ((file.path.name, rows, reason) for file in report.files for reason, rows in file.reasons)
    reasons = {f"{name}: {counted(rows, 'row')}: {reason}" for name, rows, reason in named}
    problems = (*report.problems, *(f"quarantined: {reason}" for reason in sorted(reasons)))
    files = {file.path for file in report.files}
    return Synced(len(files), sum(file.read for file in report.files), report.quarantined, problems)


ENDINGS: Final = tuple(SUFFIXES)
"""What a file in the inbox may end with (also with .gz)."""
