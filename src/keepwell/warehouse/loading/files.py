"""Which files a load takes, for which table, and in which order."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keepwell.warehouse.tables import TABLES, Table

SUFFIXES: Final = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".ndjson": "json",
    ".jsonl": "json",
    ".json": "json",
    ".parquet": "parquet",
}

_ORDER: Final = {name: position for position, name in enumerate(TABLES)}


@dataclass(frozen=True)
class InputFile:
    """A file to load; `table` is None when only a mapping can say where its rows go."""

    path: Path
    form: str
    table: Table | None


def file_form(path: Path) -> str | None:
    """How a file is read, from its ending: delimited, json, parquet, or None when the ending says nothing."""
    return SUFFIXES.get(Path(_plain_name(path)).suffix.lower())


def file_table(path: Path) -> Table | None:
    """The table a file is named after: `events.csv`, `events_2026-01.csv.gz`, `events-part1.parquet`."""
    stem = _stem(path)
    names = sorted((n for n in TABLES if re.fullmatch(rf"{n}([_.\- ].*)?", stem)), key=len)
    return TABLES[names[-1]] if names else None


@dataclass
class Found:
    """The files to load in loading order, what is wrong with others, and what was passed over without harm."""

    files: list[InputFile] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_files(paths: Sequence[Path], *, mapped: Mapping[str, Collection[str]] | None = None) -> Found:
    """The files under `paths`: customers first, then people, then the rest.

    `mapped` gives the file patterns of a mapping, each with the tables its rows go to: files that match are taken
    under any name.
    """
    patterns = mapped or {}
    found = Found()
    for path in paths:
        for file in _expand(path, found.problems):
            _take(file, tuple(patterns), found)
    found.files.sort(key=lambda f: (_place(f, patterns), str(f.path)))
    return found


def _place(file: InputFile, patterns: Mapping[str, Collection[str]]) -> int:
    """What others refer to comes first, so that few rows have to wait for their customer."""
    if file.table is not None:
        return _ORDER[file.table.name]
    tables = next(tables for pattern, tables in patterns.items() if matches(file.path, pattern))
    return min(_ORDER[name] for name in tables)


def matches(path: Path, pattern: str) -> bool:
    """Whether a mapping's file pattern means this file: by its name, or by its path when the pattern has a slash."""
    return path.match(pattern)


def _expand(path: Path, problems: list[str]) -> list[Path]:
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        if not files:
            problems.append(f"{path}: no files in this folder")
        return files
    if not path.exists():
        problems.append(f"{path}: no such file or folder")
        return []
    return [path]


def _take(file: Path, patterns: Sequence[str], found: Found) -> None:
    form = file_form(file)
    mapped = any(matches(file, p) for p in patterns)
    table = None if mapped else file_table(file)
    if form is not None and (mapped or table is not None):
        found.files.append(InputFile(file, form, table))
    elif mapped or table is not None:
        endings = ", ".join(SUFFIXES)
        found.problems.append(f"{file}: skipped, its ending says no format; use {endings} (also with .gz)")
    elif form is not None:
        found.problems.append(_unknown(file))
    else:
        found.notes.append(f"{file}: not a data file, passed over")


def _unknown(file: Path) -> str:
    near = difflib.get_close_matches(_stem(file), list(TABLES), n=1, cutoff=0.6)
    hint = (
        f"did you mean {near[0]}?" if near else "a file is named after its table, or a mapping says where its rows go"
    )
    return f"{file}: skipped, no table has this name; {hint}"


def _plain_name(path: Path) -> str:
    return path.name[:-3] if path.name.lower().endswith(".gz") else path.name


def _stem(path: Path) -> str:
    return Path(_plain_name(path)).stem.lower()
