"""One process at a time works in a data folder; the others wait and say for whom."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.2


class WarehouseError(Exception):
    """Something about the data folder that a person has to change; the message says what."""


class WarehouseBusy(WarehouseError):  # noqa: N818  it is a state, not a fault
    """Another process holds the data folder."""


def lock_acquire(path: Path, *, doing: str, wait_seconds: float, on_wait: Callable[[str], None] | None) -> int:
    """Lock `path` for this process and write into it who holds it; returns the open file descriptor.

    Raises WarehouseBusy when the lock is not free after `wait_seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _wait_for(descriptor, path, wait_seconds, on_wait)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {doing}\n".encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def lock_release(descriptor: int) -> None:
    """Give the lock back; the file stays, for a removed file could be locked by two processes at once."""
    os.ftruncate(descriptor, 0)
    os.close(descriptor)


def _wait_for(descriptor: int, path: Path, wait_seconds: float, on_wait: Callable[[str], None] | None) -> None:
    waited, told = 0.0, ""
    while not _try_lock(descriptor):
        holder = _holder(path)
        if waited >= wait_seconds:
            raise WarehouseBusy(f"{path.parent} is in use by {holder}; try again when it is done")
        if on_wait is not None and holder != told:
            on_wait(f"waiting for {holder}, up to {wait_seconds:g} s")
            told = holder
        time.sleep(POLL_SECONDS)
        waited += POLL_SECONDS


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    pid, _, doing = path.read_text(encoding="utf-8", errors="replace").strip().partition(" ")
    return f"process {pid} ({doing})" if pid else "another process"
