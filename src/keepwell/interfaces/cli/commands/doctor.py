"""`keepwell doctor`: whether a workspace is in order."""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import typer

from keepwell.interfaces.cli.app import app, shared
from keepwell.interfaces.cli.clock import now
from keepwell.interfaces.cli.failures import Exit
from keepwell.interfaces.cli.opened import At, Form
from keepwell.interfaces.cli.output import Format, print_json, print_rows
from keepwell.interfaces.cli.site import launched
from keepwell.interfaces.site.configuration import WebConfig, web_config
from keepwell.services.doctor import Finding, State, examine
from keepwell.services.workspace import WorkspaceError, workspace_open

_STYLES = {
    State.OK.value: "green",
    State.NOTE.value: "cyan",
    State.WARNING.value: "yellow",
    State.ERROR.value: "bold red",
}


@app.command()
def doctor(context: typer.Context, form: Form = Format.TABLE, at: At = None) -> None:
    """Check configuration, model, engine, lock, disk, snapshots, freshness; database, pages, worker and jobs."""
    folder = at if at is not None else shared(context).workspace
    web, broken = _web(folder)
    findings = [*examine(folder, today=_today(web)), *broken]
    if web is not None:
        findings += _site(context, folder, web)
    if form is Format.JSON:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = ([f.state.value, f.check, f.message] for f in findings)
        print_rows(("state", "check", "finding"), rows, form, styles=_STYLES)
    states = {finding.state for finding in findings}
    if State.ERROR in states:
        raise typer.Exit(Exit.WRONG_USE)
    raise typer.Exit(Exit.PROBLEMS if State.WARNING in states else Exit.DONE)


def _web(folder: Path) -> tuple[WebConfig | None, list[Finding]]:
    """The configuration of the web; without a workspace there is nothing to say about it."""
    try:
        workspace_open(folder)
    except WorkspaceError:
        return None, []
    try:
        return web_config(folder), []
    except WorkspaceError as error:
        return None, [Finding("web", State.ERROR, str(error))]


def _today(web: WebConfig | None) -> date:
    """In a demo it is the day that its configuration says."""
    return web.today if web is not None and web.today else now().date()


def _site(context: typer.Context, folder: Path, web: WebConfig) -> list[Finding]:
    workspace = workspace_open(folder)
    if not web.database and not (workspace.data_dir / "web" / "keepwell.sqlite3").exists():
        return [Finding("web", State.NOTE, "never served yet; 'keepwell serve' makes the application database")]
    launch: Any = launched(context, folder, ready=False)
    moment = launch.late("keepwell.interfaces.site.clock").now()
    found: list[Finding] = launch.late("keepwell.services.team.doctor").examine_web(workspace, now=moment)
    return found
