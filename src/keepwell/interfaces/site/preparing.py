"""The application database and the static files, brought up to date by one process at a time and only where needed."""

import fcntl
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from keepwell import __version__
from keepwell.services.workspace import WorkspaceError

_LOCK_NUMBER: Final = 7_210_403
"""Any number, but the same for every process that shares a PostgreSQL database."""


def prepared(call: Callable[..., Any]) -> None:
    """Migrate and collect static files where something is missing; `call` runs a command of Django."""
    root = Path(settings.STATIC_ROOT)
    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(root.parent / "prepare.lock"):
            if migrations_missing():
                call("migrate", interactive=False, verbosity=0)
            _collect(call, root)
    except OperationalError as error:
        raise WorkspaceError(
            f"the application database cannot be reached: {str(error).strip()}; look at [web] database in keepwell.toml"
            " and at KEEPWELL_DATABASE_URL"
        ) from None
    finally:
        connection.close()


def migrations_missing() -> int:
    """How many migrations the database lacks."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: on this machine by a file, on a shared PostgreSQL by a lock of the database."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [_LOCK_NUMBER])
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK_NUMBER])


def _collect(call: Callable[..., Any], root: Path) -> None:
    stamp, made = root.parent / "static.stamp", _made_of()
    if root.is_dir() and stamp.exists() and stamp.read_text(encoding="utf-8") == made:
        return
    call("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(made, encoding="utf-8")


def _made_of() -> str:
    """What the static files are made of: changes when one of them does, or the version."""
    known = [__version__, str(settings.STATIC_ROOT)]
    for finder in get_finders():
        for name, storage in finder.list(None):
            assert isinstance(storage, FileSystemStorage)  # noqa: S101 - finders of folders have no other
            found = Path(storage.path(name)).stat()
            known.append(f"{name} {found.st_size} {found.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(known)).encode()).hexdigest()
