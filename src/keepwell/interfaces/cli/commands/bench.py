"""`keepwell bench`: the engine against its floor and against others, equality first."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from keepwell.bench.equality import Check
from keepwell.bench.figures import COLUMNS, figure_lines, machine
from keepwell.bench.measure import bench_measure
from keepwell.bench.world import SIZES, Size
from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.failures import Exit
from keepwell.interfaces.cli.output import note
from keepwell.interfaces.cli.progress import Stages, stages
from keepwell.interfaces.cli.tables import print_table


class SizeName(StrEnum):
    """How much is generated."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


@app.command()
def bench(
    size: Annotated[SizeName, typer.Option(help="1, 10 or 100 million events.")] = SizeName.SMALL,
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the worlds are kept.")] = Path(
        "bench-data"
    ),
    everything: Annotated[bool, typer.Option("--all", help="pandas and PostgreSQL also at the large size.")] = False,
) -> None:
    """Measure full runs, days after and backfills against one pass over the events, and the same metrics by others."""
    wanted = SIZES[size]
    with stages() as shown:
        measured = bench_measure(
            directory, wanted, tell=lambda name, done, total: _tell(shown, name, done, total), everything=everything
        )
    typer.echo(f"{_command(size, directory, everything)}: {_amounts(wanted)}; {machine()}")
    for check in measured.checks:
        _equality(check)
    print_table(COLUMNS, [line.cells() for line in figure_lines(measured)], styles={"yes": "green", "no": "bold red"})
    raise typer.Exit(Exit.DONE if measured.equal else Exit.PROBLEMS)


def _tell(shown: Stages, name: str, done: int, total: int) -> None:
    """Bars on a terminal, the beginning of each stage elsewhere."""
    if not shown.visible and done in (0, 1) and done < total:
        note(f"{name} …")
    shown.tell(name, done, total)


def _command(size: SizeName, directory: Path, everything: bool) -> str:
    where = "" if directory == Path("bench-data") else f" --dir {directory}"
    return f"keepwell bench --size {size}{where}{' --all' * everything}"


def _amounts(size: Size) -> str:
    return f"{size.events:,} events of {size.customers:,} customers in {size.days} days"


def _equality(check: Check) -> None:
    typer.echo(f"{'equal' if check.passed else 'DIFFERENT'}: {check.name}")
    for difference in check.differences:
        typer.echo(f"  {difference}")
