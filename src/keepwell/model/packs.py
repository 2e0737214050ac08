"""Finds models: the packs that are shipped, by name, or a directory of one's own."""

import os
from importlib.resources import files
from pathlib import Path

from keepwell.model.columns import Tables
from keepwell.model.loader import LoadedModel, load_model
from keepwell.model.problems import DefinitionError, Problem, Severity, did_you_mean


def packs_directory() -> Path:
    """Where the shipped packs are."""
    return Path(str(files("keepwell"))) / "packs"


def pack_names() -> tuple[str, ...]:
    """The shipped packs, sorted."""
    root = packs_directory()
    if not root.is_dir():
        return ()
    return tuple(sorted(d.name for d in root.iterdir() if d.is_dir() and any(d.rglob("*.y*ml"))))


def pack_directory(name: str) -> Path:
    """The directory of a shipped pack; raises DefinitionError with the nearest name when there is none."""
    names = pack_names()
    if name in names:
        return packs_directory() / name
    known = ", ".join(names) or "none"
    message = f"there is no pack '{name}'{did_you_mean(name, names) or f'; there are: {known}'}"
    raise DefinitionError([Problem(name, 1, 1, Severity.ERROR, message)])


def resolve_model(name_or_dir: str | os.PathLike[str], *, tables: Tables | None = None) -> LoadedModel:
    """Load a shipped pack by its name, or the model in a directory. A pack's name wins over a directory's."""
    text = os.fspath(name_or_dir)
    if isinstance(name_or_dir, str) and text in pack_names():
        return load_model(pack_directory(text), shown=text, tables=tables)
    if Path(text).is_dir():
        return load_model(Path(text), shown=text, tables=tables)
    if os.sep in text or not isinstance(name_or_dir, str):
        raise DefinitionError([Problem(text, 1, 1, Severity.ERROR, "there is no such directory")])
    return load_model(pack_directory(text), shown=text, tables=tables)
