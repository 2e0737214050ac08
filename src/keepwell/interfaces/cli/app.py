"""The command line's root: what every command shares."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import typer

from keepwell import __version__

_FIRST: Final = date(1970, 1, 1)
_LAST: Final = date(2199, 12, 31)

app = typer.Typer(
    name="keepwell",
    help="Customer health, risk and segments as code, on your own data, every number explained.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@dataclass(frozen=True)
class Shared:
    """What the options before the command say."""

    workspace: Path


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"keepwell {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", metavar="DIR", help="The workspace folder; this one if left out.")
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Customer health, risk and segments as code, on your own data, every number explained."""
    context.obj = Shared(workspace)


def shared(context: typer.Context) -> Shared:
    """The shared options of a command's context."""
    found = context.find_object(Shared)
    return found if found is not None else Shared(Path())


def parse_day(text: str) -> date:
    """A date given as an option."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"'{text}' is not a date; dates look like 2026-01-31") from None
    if not _FIRST <= day <= _LAST:
        raise typer.BadParameter(f"{day} is out of range; dates are from {_FIRST} to {_LAST}")
    return day
