"""Files that people upload: they are written into the inbox under a hidden name, then take their own in one step."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePath
from typing import Final

from django.db import transaction

from keepwell.model.problems import DefinitionError
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.job_requests import load_ask
from keepwell.services.team.sync import ENDINGS, MAPPING, free_name, inbox_files, inbox_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job
from keepwell.warehouse.loading import read_mapping
from keepwell.warehouse.loading.files import file_form, file_table, matches
from keepwell.warehouse.tables import TABLES

LONGEST_NAME: Final = 120
REMOVED: Final = "removed"


class UploadRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """A file that is not taken; the message says why."""


@dataclass(frozen=True)
class Uploaded:
    """A file that has arrived: where it lies, and what it is called."""

    path: Path
    name: str
    size: int


@dataclass(frozen=True)
class Waiting:
    """A file in the inbox; `problem` says why it could not be loaded, where a load has tried."""

    name: str
    problem: str


def upload_place(workspace: Workspace) -> tuple[int, Path]:
    """An open file in the inbox that no load takes yet, for the bytes that arrive."""
    inbox = inbox_of(workspace)
    inbox.mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix=".upload-", suffix=".part", dir=inbox)
    return handle, Path(path)


@transaction.atomic
def upload_keep(who: Actor, workspace: Workspace, files: Sequence[Uploaded], *, now: datetime) -> Job:
    """Put files into the inbox, all or none, and have them loaded. Raises UploadRefused."""
    if not files:
        raise UploadRefused("Choose at least one file.")
    for file in files:
        _check(workspace, file)
    for file in files:
        name = _place(inbox_of(workspace), file, now)
        record(
            who,
            at=now,
            action="data.uploaded",
            kind="data",
            object_id=name,
            summary=f"Uploaded {name}, {file.size:,} bytes",
            after={"file": name, "bytes": file.size},
        )
    return load_ask(who, now=now)


def inbox_waiting(workspace: Workspace) -> tuple[Waiting, ...]:
    """What lies in the inbox: data files and mappings, each with what the last load said is wrong with it."""
    inbox = inbox_of(workspace)
    mappings = tuple(sorted(inbox.glob(f"*{MAPPING}"))) if inbox.is_dir() else ()
    said = _last_problems()
    return tuple(Waiting(path.name, _problem(said, path)) for path in (*inbox_files(workspace), *mappings))


@transaction.atomic
def inbox_remove(who: Actor, workspace: Workspace, name: str, *, now: datetime) -> Path:
    """Take a file out of the inbox: it is put aside, into a folder `removed`. Raises UploadRefused."""
    if name not in {one.name for one in inbox_waiting(workspace)}:
        raise UploadRefused(f"{name} does not lie in the inbox any more.")
    target = inbox_of(workspace) / REMOVED / f"{now:%Y-%m-%d}"
    target.mkdir(parents=True, exist_ok=True)
    kept = free_name(target / name)
    record(
        who,
        at=now,
        action="data.removed",
        kind="data",
        object_id=name,
        summary=f"Took {name} out of the inbox",
        after={"file": name, "kept": f"{REMOVED}/{target.name}/{kept.name}"},
    )
    try:
        os.replace(inbox_of(workspace) / name, kept)
    except FileNotFoundError:
        raise UploadRefused(f"{name} does not lie in the inbox any more.") from None
    return kept


def _last_problems() -> Sequence[str]:
    """What the last work that loaded the inbox met."""
    kinds = (Job.Kind.LOAD, Job.Kind.DAILY)
    last = Job.objects.filter(kind__in=kinds, finished_at__isnull=False).order_by("-finished_at").first()
    return tuple(map(str, last.warnings)) if last else ()


def _problem(said: Sequence[str], path: Path) -> str:
    """The first problem that names a file, without the folders before it."""
    found = next((text for text in said if path.name in text and not text.startswith("quarantined: ")), "")
    return found.replace(f"{path.parent}{os.sep}", "")


def _check(workspace: Workspace, file: Uploaded) -> None:
    path = Path(PurePath(file.name).name)
    if not file.size:
        raise UploadRefused(f"{file.name} is empty.")
    if not path.name or path.name.startswith(".") or len(path.name) > LONGEST_NAME or not path.name.isprintable():
        raise UploadRefused(f"The name of a file has 1 to {LONGEST_NAME} characters and does not begin with a dot.")
    if file_form(path) is None:
        raise UploadRefused(f"{path.name}: its ending says no format; use {', '.join(ENDINGS)} (also with .gz).")
    if file_table(path) is None and not _mapped(workspace, path):
        known = ", ".join(TABLES)
        raise UploadRefused(
            f"{path.name}: name the file after its table, such as customers.csv or events_2026-06.parquet."
            f" Tables: {known}."
        )


def _mapped(workspace: Workspace, path: Path) -> bool:
    """Whether a mapping in the inbox says where the rows of a file go."""
    for mapping in sorted(inbox_of(workspace).glob(f"*{MAPPING}")):
        try:
            if any(matches(path, pattern) for pattern in read_mapping(mapping).patterns):
                return True
        except DefinitionError:
            continue
    return False


def _place(inbox: Path, file: Uploaded, now: datetime) -> str:
    """Give a file its name. A file of this name that still waits is kept beside it, for nobody has loaded it yet."""
    name = PurePath(file.name).name
    stem, dot, rest = name.partition(".")
    for attempt in range(100):
        free = name if attempt == 0 else f"{stem}_{now:%Y-%m-%d-%H%M%S}-{attempt}{dot}{rest}"
        try:
            os.link(file.path, inbox / free)
        except FileExistsError:
            continue
        except OSError:
            # Some file systems have no links.
            os.replace(file.path, inbox / free)
            return free
        file.path.unlink()
        return free
    raise UploadRefused(f"{name}: too many files of this name wait already. Load them first.")
