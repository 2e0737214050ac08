"""`keepwell report`: one self-contained HTML file about the portfolio, good enough to send on."""

from pathlib import Path
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.opened import AsOf, At, opened
from keepwell.interfaces.html_report.render import render_report
from keepwell.services.report import write_report


@app.command()
def report(
    context: typer.Context,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write it; report-DATE.html in the workspace.")
    ] = None,
    at: At = None,
) -> None:
    """Write the portfolio report as one HTML file: figures, movement, risks with reasons, segments, data quality."""
    workspace = opened(context, at)
    typer.echo(write_report(workspace, as_of=as_of, path=out, render=render_report))
