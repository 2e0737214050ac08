"""`keepwell doctor`: whether a workspace is in order."""

from dataclasses import asdict

import typer

from keepwell.interfaces.cli.app import app, shared
from keepwell.interfaces.cli.clock import now
from keepwell.interfaces.cli.failures import Exit
from keepwell.interfaces.cli.opened import At, Form
from keepwell.interfaces.cli.output import Format, print_json, print_rows
from keepwell.services.doctor import State, examine

_STYLES = {
    State.OK.value: "green",
    State.NOTE.value: "cyan",
    State.WARNING.value: "yellow",
    State.ERROR.value: "bold red",
}


@app.command()
def doctor(context: typer.Context, form: Form = Format.TABLE, at: At = None) -> None:
    """Check the configuration, the model, the lock, the disk, the snapshots and how fresh the data are."""
    folder = at if at is not None else shared(context).workspace
    findings = examine(folder, today=now().date())
    if form is Format.JSON:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = ([f.state.value, f.check, f.message] for f in findings)
        print_rows(("state", "check", "finding"), rows, form, styles=_STYLES)
    states = {finding.state for finding in findings}
    if State.ERROR in states:
        raise typer.Exit(Exit.WRONG_USE)
    raise typer.Exit(Exit.PROBLEMS if State.WARNING in states else Exit.DONE)
