"""The workspace folder that this process serves."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from keepwell.services.workspace import Workspace, workspace_open


@lru_cache(maxsize=4)
def _opened(root: str, _changed: float) -> Workspace:
    return workspace_open(Path(root))


def workspace() -> Workspace:
    """The workspace; read again when its configuration changes. Raises WorkspaceError when it cannot be used."""
    root = Path(settings.KEEPWELL_WORKSPACE)
    config = root / "keepwell.toml"
    return _opened(str(root), config.stat().st_mtime if config.exists() else 0.0)
