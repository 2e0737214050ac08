"""Workspaces that take seconds to make: the first process of a run makes each, the others copy it.

`make test` names one folder for both of its turns; a run of pytest by itself makes one of its own.
"""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from keepwell.services.workspace import Workspace

_STORE: Final = "KEEPWELL_TEST_WORLDS"


def store() -> Path:
    """Where all processes of a run find what one of them has made."""
    if not os.environ.get(_STORE):
        folder = tempfile.mkdtemp(prefix="keepwell-worlds-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ[_STORE] = folder
    return Path(os.environ[_STORE])


def copied(name: str, into: Path, make: Callable[[Path], object]) -> Path:
    """A copy, `into` a folder, of what `make` puts into the folder that it is given; made once in a run."""
    made = store() / name
    with (store() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = store() / f"{name}.part"
            shutil.rmtree(part, ignore_errors=True)
            make(part)
            part.rename(made)
    shutil.copytree(made, into, dirs_exist_ok=True)
    return into


def take_warehouse(source: Path, workspace: Workspace) -> Workspace:
    """Give a new workspace what another one has loaded, which takes a moment where loading takes seconds."""
    workspace.data_dir.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "warehouse.duckdb", workspace.data_dir)
    shutil.copytree(source / "facts", workspace.data_dir / "facts")
    return workspace
