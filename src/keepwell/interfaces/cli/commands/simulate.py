"""`keepwell simulate`: a world of customers who do not exist, to try things on."""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app, parse_day
from keepwell.interfaces.cli.clock import today_in
from keepwell.interfaces.cli.failures import BadInputError
from keepwell.interfaces.cli.opened import Zone
from keepwell.interfaces.cli.output import Format, print_rows
from keepwell.interfaces.cli.progress import stages
from keepwell.simulation import simulate_world


@app.command()
def simulate(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 850,
    days: Annotated[int, typer.Option(min=7, help="How many days.")] = 240,
    end: Annotated[
        date | None, typer.Option(metavar="DATE", parser=parse_day, help="The last day; yesterday if left out.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another world.")] = 1,
    timezone: Zone = "UTC",
) -> None:
    """Write a simulated world: files for 'keepwell load', and in truth/ what really went on."""
    if directory.exists() and not directory.is_dir():
        raise BadInputError(f"{directory}: is a file; give a folder")
    with stages() as shown:
        world = simulate_world(
            out=directory,
            customers=customers,
            days=days,
            end=end or today_in(timezone) - timedelta(days=1),
            seed=seed,
            zone=timezone,
            progress=lambda name, done, total: shown.tell(f"simulating {name}", done, total, "customers"),
        )
    print_rows(("table", "rows"), world.counts.items(), Format.TABLE)
    typer.echo(f"the world is in {world.out}, the truth about it in {world.truth}")
