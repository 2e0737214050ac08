"""The way from the command line to the web: Django is loaded by the commands that need it, not by the others."""

from importlib import import_module
from pathlib import Path
from typing import Any

import typer

from keepwell.interfaces.cli.app import shared
from keepwell.services.workspace import workspace_open


def launched(context: typer.Context, at: Path | None, *, ready: bool = True) -> Any:
    """Django set up for the workspace that the options name; with `ready` its database is brought up to date.

    Returns the module `launch`, whose `late` imports what needs Django.
    """
    root = at if at is not None else shared(context).workspace
    workspace_open(root)
    launch = import_module("keepwell.interfaces.site.launch")
    launch.set_up(root)
    if ready:
        launch.prepare()
    return launch
