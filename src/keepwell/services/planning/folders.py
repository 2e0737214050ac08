"""Puts a folder in the place of another in one step, so that a kill leaves the old one or the new one."""

import ctypes
import errno
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

_HERE: Final = -100
_EXCHANGE: Final = 2
_NEW: Final = ".new"
_OLD: Final = ".old"


def standing(target: Path) -> Path:
    """The folder to read: between the two renames of a system without exchange it is the old one, set aside."""
    real = _real(target)
    return _beside(real, _OLD) if not real.exists() and _beside(real, _OLD).is_dir() else target


def finish_swap(target: Path) -> None:
    """After a kill between those renames put the old folder back; only for who holds the lock."""
    if standing(target) != target:
        os.rename(standing(target), _real(target))


def swap_files(target: Path, written: Mapping[str, str], removed: Collection[str]) -> None:
    """Change files of a folder all at once: a copy is changed aside, and takes the folder's place.

    Whatever else is in the folder stays: unchanged files are linked into the copy where the disk can, not rewritten.
    """
    real = _real(target)
    fresh, old = _beside(real, _NEW), _beside(real, _OLD)
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(real, fresh, symlinks=True, copy_function=_link)
    for name in removed:
        (fresh / name).unlink()
    for name, text in written.items():
        write_synced(fresh / name, text)
    _sync_folder(fresh)
    if _exchange(fresh, real):
        shutil.rmtree(fresh, ignore_errors=True)
    else:
        os.rename(real, old)
        os.rename(fresh, real)
        shutil.rmtree(old, ignore_errors=True)
    _sync_folder(real.parent)


def write_synced(path: Path, text: str) -> None:
    """Write a file aside and put it in place; it is on the disk before it is seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with fresh.open("wb") as handle:
        handle.write(text.encode("utf-8"))
        handle.flush()
        os.fsync(handle.fileno())
    if path.exists():
        shutil.copymode(path, fresh)
    os.replace(fresh, path)


def _real(target: Path) -> Path:
    """A folder behind a link is changed where it is; the link stays."""
    return target.resolve() if target.is_symlink() else target.absolute()


def _beside(real: Path, suffix: str) -> Path:
    return real.with_name(f".{real.name}{suffix}")


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
    return target


def _exchange(left: Path, right: Path) -> bool:
    """Exchange two folders in one step; false where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if rename(_HERE, os.fsencode(left), _HERE, os.fsencode(right), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
        return False
    raise OSError(code, os.strerror(code), str(right))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
