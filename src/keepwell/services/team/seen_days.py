"""Published days as they were when playbooks and alerts looked at them.

The next run computes the last day once more, with all that came in after its own run. Compared with that, what
happened in between would be no news to anybody: a payment that fails at noon is in both days.
"""

import os
from datetime import date
from pathlib import Path
from shutil import copy2
from typing import Final

from keepwell.services.workspace import Workspace
from keepwell.warehouse.snapshots import Snapshots

FOLDER: Final = "seen"
_MODEL: Final = "keepwell.model_hash"
_KEPT: Final = 3
"""The day itself, the one that it is compared with, and one for a run that begins again."""


def keep_day(workspace: Workspace, as_of: date) -> None:
    """Keep a published day as it is now, for the day that comes after it."""
    source, kept = workspace.snapshots.path(as_of), _kept(workspace)
    kept.root.mkdir(parents=True, exist_ok=True)
    fresh = kept.path(as_of).with_suffix(f".{os.getpid()}.tmp")
    fresh.unlink(missing_ok=True)
    _same(source, fresh)
    os.replace(fresh, kept.path(as_of))
    # Renaming a link to a file onto another link to it leaves both.
    fresh.unlink(missing_ok=True)
    for old in kept.dates()[:-_KEPT]:
        kept.path(old).unlink(missing_ok=True)


def as_seen(workspace: Workspace, day: date, today: date) -> Snapshots:
    """Where a day is read to be compared with a later one: as it was seen, if the same model computed both."""
    kept = _kept(workspace)
    if not kept.path(day).exists():
        return workspace.snapshots
    model = workspace.snapshots.about(today).get(_MODEL)
    return kept if kept.about(day).get(_MODEL) == model else workspace.snapshots


def _kept(workspace: Workspace) -> Snapshots:
    return Snapshots(workspace.data_dir / FOLDER)


def _same(source: Path, target: Path) -> None:
    """Published files are replaced and never written again, so a link stays what it was."""
    try:
        os.link(source, target)
    except OSError:
        copy2(source, target)
