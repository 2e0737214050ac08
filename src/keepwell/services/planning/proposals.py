"""What somebody proposes with paths: a directory, some files, or the model on disk itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path

from keepwell.model.definitions import ACTIONS
from keepwell.model.loader import LoadedModel
from keepwell.services.planning.sources import SUFFIXES, Sources, load_sources, model_sources, read_sources
from keepwell.services.reading import read_published
from keepwell.services.workspace import Workspace, WorkspaceError


@dataclass(frozen=True)
class Proposal:
    """A proposed model, its files, and the model it is compared with; None is the workspace's on disk."""

    sources: Sources
    loaded: LoadedModel
    against: LoadedModel | None


def read_proposal(workspace: Workspace, paths: Sequence[Path]) -> Proposal:
    """Read what is proposed: one directory with a whole model, files that replace those of the same name, or nothing.

    The model on disk, all of it or some of its files, is compared with the model of the last published date; anything
    else with the model on disk. Raises DefinitionError with every problem, WorkspaceError for paths that cannot be
    meant.
    """
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise WorkspaceError(f"{missing[0]}: there is no such file or directory")
    own = all(_inside(workspace, path) for path in paths)
    if len(paths) == 1 and paths[0].is_dir():
        sources, shown = read_sources(paths[0]), str(paths[0])
    else:
        sources, shown = _overlaid(workspace, paths), relpath(workspace.model_dir)
    loaded = load_sources(sources, shown=shown)
    return Proposal(sources, loaded, _published(workspace, loaded) if own else None)


def _published(workspace: Workspace, proposed: LoadedModel) -> LoadedModel:
    """The model of the last published date. What only acts is not kept with it, and changes no figure."""
    published = read_published(workspace).model
    actions = {name: getattr(proposed.model, name) for name in ACTIONS}
    return replace(published, model=published.model.model_copy(update=actions))


def _overlaid(workspace: Workspace, paths: Sequence[Path]) -> dict[str, str]:
    sources = model_sources(workspace)
    for path in paths:
        if not path.is_file() or path.suffix not in SUFFIXES:
            raise WorkspaceError(f"{path}: give one directory with a whole model, or files that end in .yaml or .yml")
        if not _inside(workspace, path):
            sources[_name(sources, path)] = path.read_bytes().decode("utf-8", errors="replace")
    return sources


def _name(sources: Sources, path: Path) -> str:
    """The file of the model that a file stands for: the one of the same name, else it is a new one."""
    same = [name for name in sources if Path(name).name == path.name]
    if len(same) > 1:
        raise WorkspaceError(f"{path}: the model has several files of this name ({', '.join(same)}); give a directory")
    return same[0] if same else path.name


def _inside(workspace: Workspace, path: Path) -> bool:
    return path.resolve().is_relative_to(workspace.model_dir.resolve())
