"""`keepwell init`: a workspace folder from a pack."""

from pathlib import Path
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.opened import Zone
from keepwell.model.packs import pack_names
from keepwell.services.workspace import workspace_init


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to make.")],
    pack: Annotated[str, typer.Option(metavar="PACK", help=f"One of {', '.join(pack_names())}.")],
    name: Annotated[str | None, typer.Option(help="The workspace's name; the folder's if left out.")] = None,
    timezone: Zone = "UTC",
    currency: Annotated[str, typer.Option(metavar="CODE", help="The currency that amounts are shown in.")] = "USD",
) -> None:
    """Make a workspace: keepwell.toml, the pack's model to change as you like, and a place for data."""
    workspace_init(directory, pack=pack, name=name, zone=timezone, currency=currency)
    typer.echo(f"{directory} is a workspace now. The model is in {directory / 'model'}: change it as you like.")
    typer.echo(f"Next: keepwell -w {directory} load PATH…")
