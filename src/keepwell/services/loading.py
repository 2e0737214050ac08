"""The load verb: files into a workspace's canonical tables, a report out."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.loading import LoadReport, Progress, load_paths, read_mapping


def load_files(
    workspace: Workspace,
    *,
    paths: Sequence[Path],
    now: datetime,
    mapping: Path | None = None,
    progress: Progress | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> LoadReport:
    """Load files and folders into the workspace; each file goes in whole or not at all, and repeating is harmless.

    Raises WorkspaceError for paths that do not exist, before anything is touched, and DefinitionError for a mapping
    with problems.
    """
    for path in (*paths, *([mapping] if mapping else [])):
        if not path.exists():
            raise WorkspaceError(f"{path}: there is no such file or folder; nothing was loaded")
    rules = read_mapping(mapping) if mapping else None
    with workspace.warehouse("load", on_wait) as warehouse:
        return load_paths(warehouse, paths, now=now, mapping=rules, progress=progress)
