"""The files of a model directory put together: one tree of data that still knows where each part came from."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from keepwell.model.definitions import Model
from keepwell.model.message_source import message_files, read_message
from keepwell.model.problems import Problem, Severity, did_you_mean
from keepwell.model.yaml_source import Document, KeyPath, read_yaml

SECTIONS = tuple(Model.model_fields)
NAMED = ("metrics", "scores", "segments", "signals", "playbooks", "messages", "alerts", "surveys", "checklists")
# Mappings that several files may fill together; everything else has exactly one place.
OPEN = frozenset({(), *((s,) for s in (*NAMED, "settings")), ("settings", "values"), ("settings", "stale_after_days")})


@dataclass
class Source:
    """Merged data, the documents it came from, and what was wrong already with the files.

    `rivals` are definitions whose name another has, with the document they are in.
    """

    shown: str
    documents: tuple[Document, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, Document] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    rivals: list[tuple[KeyPath, Document, Any]] = field(default_factory=list)

    def with_rival(self, path: KeyPath, document: Document, value: Any) -> "Source":
        """The same with a rival in place of the definition that has its name."""
        section, name = map(str, path)
        data = self.data | {section: {**self.data[section], name: value}}
        return Source(self.shown, self.documents, data, {**self.origins, path: document})

    def document(self, path: KeyPath) -> Document | None:
        """The file that the definition at `path` is in."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return self.documents[0] if self.documents else None

    def problem(
        self,
        path: KeyPath,
        message: str,
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
        shift: int | None = None,
    ) -> Problem:
        """A problem with the place of `path` in its file; `shift` points into a text."""
        document = self.document(path)
        if document is None:
            return Problem(self.shown, 1, 1, severity, message)
        return document.problem(path, message, key=key, severity=severity, shift=shift)

    def place(self, path: KeyPath) -> str:
        """`file:line` of the key at `path`, for messages that name a second place."""
        document = self.document(path)
        return f"{document.path}:{document.position(path, key=True)[0]}" if document else self.shown


def model_files(directory: Path) -> tuple[Path, ...]:
    """Every YAML file below `directory`, in the order that decides the order of segments."""
    names = (Path(folder, name) for folder, _, names in os.walk(directory) for name in names)
    found = (file for file in names if file.name.endswith((".yaml", ".yml")) and file.is_file())
    return tuple(sorted(found, key=lambda f: f.relative_to(directory).as_posix()))


def read_source(directory: Path, *, shown: str | None = None) -> Source:
    """Read and merge all files of a model directory; problems are on the result."""
    name = shown if shown is not None else str(directory)
    source = Source(name)
    if not directory.is_dir():
        source.problems.append(Problem(name, 1, 1, Severity.ERROR, "is not a directory with a model"))
        return source
    files = model_files(directory)
    if not files:
        source.problems.append(Problem(name, 1, 1, Severity.ERROR, "no *.yaml file in this directory"))
    shown_as = {
        file: "/".join(filter(None, (name, file.relative_to(directory).as_posix())))
        for file in (*files, *message_files(directory))
    }
    return merge(
        source, (read_yaml(f, shown=s) if f in files else read_message(f, shown=s) for f, s in shown_as.items())
    )


def merge(source: Source, documents: Iterable[Document]) -> Source:
    """Put documents together; a name that two files define is a problem that names the first place."""
    source.documents = tuple(documents)
    for document in source.documents:
        source.problems.extend(document.problems)
        if document.data is None:
            continue
        if not isinstance(document.data, dict):
            known = ", ".join(SECTIONS)
            source.problems.append(document.problem((), f"a model file has the keys {known}"))
            continue
        source.problems.extend(_merge(source, document, source.data, document.data, ()))
        # Where another file has no definitions in the section there is nobody whose place a rival could take.
        named = {name for name in NAMED if isinstance(source.data.get(name), dict)}
        source.rivals.extend((path, rival, rival.data) for path, rival in document.rivals if path[0] in named)
    return source


def _merge(
    source: Source, document: Document, into: dict[str, Any], found: dict[str, Any], path: KeyPath
) -> Iterator[Problem]:
    for key, value in found.items():
        where = (*path, key)
        if not path and key not in SECTIONS:
            message = f"unknown key '{key}'{did_you_mean(key, SECTIONS)}"
            yield document.problem(where, message, key=True)
        elif where in OPEN and (value is None or isinstance(value, dict)):
            source.origins.setdefault(where, document)
            inner = into.setdefault(key, {})
            if isinstance(inner, dict):
                yield from _merge(source, document, inner, value or {}, where)
        elif key in into:
            yield document.problem(where, f"duplicate '{key}' (first at {source.place(where)})", key=True)
            if path and path[0] in NAMED:
                source.rivals.append((where, document, value))
        else:
            into[key] = value
            source.origins[where] = document
