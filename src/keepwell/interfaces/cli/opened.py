"""What commands on a workspace share: which one it is, dates, and formats."""

from datetime import date
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from keepwell.interfaces.cli.app import parse_day, shared
from keepwell.interfaces.cli.output import Format
from keepwell.services.workspace import Workspace, workspace_open

At = Annotated[
    Path | None,
    typer.Option("--workspace", "-w", metavar="DIR", help="The workspace folder; also accepted before the command."),
]
AsOf = Annotated[
    date | None, typer.Option(metavar="DATE", parser=parse_day, help="The published date; the latest if left out.")
]
Form = Annotated[Format, typer.Option("--format", help="How results are printed.")]


def opened(context: typer.Context, at: Path | None) -> Workspace:
    """The workspace that the options name."""
    return workspace_open(at if at is not None else shared(context).workspace)


def here(context: typer.Context, at: Path | None) -> str:
    """How a command on the same workspace begins, for hints."""
    folder = at if at is not None else shared(context).workspace
    return "keepwell" if folder == Path() else f"keepwell -w {folder}"


def parse_zone(text: str) -> str:
    """A time zone given as an option."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise typer.BadParameter(f"'{text}' is not a time zone; they look like Europe/Berlin") from None
    return text


Zone = Annotated[str, typer.Option(metavar="ZONE", parser=parse_zone, help="Where days begin and end.")]
