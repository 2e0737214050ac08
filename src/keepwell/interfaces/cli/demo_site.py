"""The demo's workspaces in the web: each is lived through by a process of its own, for Django knows only one."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from keepwell.interfaces.site.configuration import web_config
from keepwell.services.workspace import Workspace, WorkspaceError

_PORTS_TRIED: Final = 50
_COUNTS: Final = ("customers", "churned", "bands", "segments")


@dataclass(frozen=True)
class SignIn:
    """Somebody of the demo, and how to sign in."""

    email: str
    role: str
    password: str


def live_through(workspaces: Sequence[Workspace], days: Sequence[date]) -> list[dict[str, Any]]:
    """Daily runs of some days and work on their tasks, in all workspaces at once; what the last run of each counted."""
    program = [sys.executable, "-m", "keepwell.interfaces.cli"]
    wanted = [day.isoformat() for day in days]
    started = [
        subprocess.Popen(  # noqa: S603 - our own program
            [*program, "-w", str(workspace.root), "demo-days", *wanted], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for workspace in workspaces
    ]
    return [_counts(workspace, process) for workspace, process in zip(workspaces, started, strict=True)]


def _counts(workspace: Workspace, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    out, err = process.communicate()
    if process.returncode:
        raise WorkspaceError(f"{workspace.root}: the workspace could not be filled: {err.decode().strip()}")
    said = json.loads(out)
    _people_file(workspace).write_text(json.dumps(said["people"]), encoding="utf-8")
    return {name: said[name] for name in _COUNTS}


def sign_ins(workspace: Workspace) -> list[SignIn]:
    """The demo's people."""
    path = _people_file(workspace)
    return [SignIn(**one) for one in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []


def choose_port(workspace: Workspace) -> None:
    """Serve on the next free port when the configured one is taken."""
    web = web_config(workspace.root)
    for port in range(web.port, min(web.port + _PORTS_TRIED, 65536)):
        with closing(socket.socket()) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((web.host, port))
            except OSError:
                continue
        os.environ["KEEPWELL_PORT"] = str(port)
        return


def _people_file(workspace: Workspace) -> Any:
    return workspace.data_dir / "web" / "demo_people.json"
