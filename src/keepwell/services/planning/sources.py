"""The files of a model as texts by file name: where edits happen, and what is checked, compared and applied."""

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from keepwell.model.loader import LoadedModel, check_source, content_hash
from keepwell.model.message_source import MESSAGES, SUFFIX, message_files, parse_message
from keepwell.model.problems import DefinitionError, Problem, Severity
from keepwell.model.source import Source, merge, model_files
from keepwell.model.yaml_source import Document, parse_yaml
from keepwell.services.planning.folders import standing
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.columns import TABLE_COLUMNS

SUFFIXES: Final = (".yaml", ".yml")
Sources = Mapping[str, str]


def model_sources(workspace: Workspace) -> dict[str, str]:
    """The workspace's model as it is on disk: the text of every file by its name below the model's folder."""
    folder = standing(workspace.model_dir)
    if not folder.is_dir():
        raise WorkspaceError(f"{workspace.model_dir}: there is no model; 'keepwell init' puts one there")
    return read_sources(folder)


def read_sources(directory: Path) -> dict[str, str]:
    """The YAML files and the messages below a directory as texts, byte for byte."""
    if not directory.is_dir():
        raise WorkspaceError(f"{directory} is not a directory with a model")
    files = (*model_files(directory), *message_files(directory))
    return {file.relative_to(directory).as_posix(): _text(file) for file in files}


def proposed_sources(proposed: Path | Sources) -> dict[str, str]:
    """The files of a proposed model, from its directory or as given; raises DefinitionError for names out of bounds."""
    if isinstance(proposed, Path):
        return read_sources(proposed)
    problems = [Problem(name, 1, 1, Severity.ERROR, _OUT) for name in proposed if not _fits(name)]
    if problems:
        raise DefinitionError(problems)
    return dict(sorted(proposed.items()))


def load_sources(sources: Sources, *, shown: str = "") -> LoadedModel:
    """Check texts as a model, with the tables' columns; raises DefinitionError with every problem.

    `shown` is the folder that messages put before the names of files.
    """
    return _loaded(tuple(sorted(sources.items())), shown)


@lru_cache(maxsize=8)
def _loaded(files: tuple[tuple[str, str], ...], shown: str) -> LoadedModel:
    """The same texts are the same model, read once: a page asks for them again and again."""
    source = Source(shown or "model")
    if not files:
        source.problems.append(Problem(shown or "model", 1, 1, Severity.ERROR, "no *.yaml file in this directory"))
    # Messages after definitions, as in a folder.
    documents = (_document(name, text, shown) for name, text in sorted(files, key=lambda file: is_message(file[0])))
    return check_source(merge(source, documents), tables=TABLE_COLUMNS)


def is_message(name: str) -> bool:
    """Whether a file of a model is the text of a message, and not definitions in YAML."""
    path = PurePosixPath(name)
    return path.suffix == SUFFIX and path.parent.as_posix() == MESSAGES


def _document(name: str, text: str, shown: str) -> Document:
    document, plain = Document(_shown(shown, name)), text.removeprefix("\ufeff")
    return parse_message(plain, document, PurePosixPath(name).stem) if is_message(name) else parse_yaml(plain, document)


def current_model(workspace: Workspace) -> LoadedModel:
    """The workspace's model on disk, its documents named as in `model_sources`."""
    folder = standing(workspace.model_dir)
    return _standing(folder, _signature(folder)) if folder.is_dir() else load_sources(model_sources(workspace))


def _signature(folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """What tells that the files of a folder are the same as a moment ago, without reading them."""
    found = []
    for place, _, names in os.walk(folder):
        for path in (os.path.join(place, name) for name in names):
            with suppress(FileNotFoundError):
                state = os.stat(path)
                found.append((path, state.st_ino, state.st_mtime_ns, state.st_size))
    return tuple(sorted(found))


@lru_cache(maxsize=8)
def _standing(folder: Path, _signature: tuple[tuple[str, int, int, int], ...]) -> LoadedModel:
    """Every message that is sent asks for the model; reading its files takes longer than all the rest of it."""
    return load_sources(read_sources(folder))


def current_hash(workspace: Workspace) -> str:
    """What the model on disk is, for `apply_model`: its hash, or that of its text where it cannot be read."""
    return sources_hash(model_sources(workspace))


def sources_hash(sources: Sources) -> str:
    """The hash of a model by its content, playbooks and messages included; of a broken one, by its text."""
    try:
        return content_hash(load_sources(sources).model)
    except DefinitionError:
        return f"broken-{hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()}"


_OUT: Final = "a model's file has a name below its folder that ends in .yaml or .yml, or is messages/NAME.md"


def _fits(name: str) -> bool:
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and os.sep not in name.replace("/", "")
    return inside and (path.suffix in SUFFIXES or is_message(name)) and path.as_posix() == name and "\0" not in name


def _shown(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise DefinitionError([Problem(str(file), 1, 1, Severity.ERROR, f"cannot be read: {error}")]) from None
