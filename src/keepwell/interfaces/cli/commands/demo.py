"""`keepwell demo`: the whole product on a simulated world, ending with the workspace in a browser."""

import sys
from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import Annotated, Final

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.commands.serve import serve_site
from keepwell.interfaces.cli.demo_site import choose_port, live_through, sign_ins
from keepwell.interfaces.cli.output import note
from keepwell.interfaces.cli.progress import Stages, stages
from keepwell.interfaces.cli.site import launched
from keepwell.interfaces.html_report.render import render_report
from keepwell.model.words import counted
from keepwell.services.customer_rows import signals_listed
from keepwell.services.demo import DemoSize, DemoWorkspace, demo_build
from keepwell.services.reading import read_published
from keepwell.services.report import write_report

LIVE_DAYS: Final = 4


@app.command()
def demo(
    context: typer.Context,
    directory: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the demo goes.")] = Path("demo"),
    customers: Annotated[int, typer.Option(min=1, help="How many simulated agencies.")] = DemoSize.customers,
    days: Annotated[int, typer.Option(min=1, max=180, help="How many days to compute.")] = DemoSize.days,
    serve: Annotated[bool, typer.Option(help="End with the workspace in a browser.")] = True,
) -> None:
    """Simulate a year of agencies, compute half a year with two models, write reports, and serve the workspace."""
    size = DemoSize(customers=customers, days=days, left=LIVE_DAYS)
    with stages() as shown:
        told = _Teller(shown)
        built = demo_build(directory, tell=told.tell, size=size)
        built = _lived(built, size, told)
        reports = [_report(part, told) for part in built]
    for part, path in zip(built, reports, strict=True):
        _summary(part)
        typer.echo(f"  report: {path}")
    _next(built)
    _sign_ins(built)
    if serve:
        _serve(context, built)


class _Teller:
    """Tells of stages with bars on a terminal, and with one line each elsewhere."""

    def __init__(self, shown: Stages) -> None:
        self._shown, self._last = shown, ""

    def tell(self, name: str, done: float, total: float, unit: str) -> None:
        """Hand a stage on."""
        if name != self._last and not self._shown.visible:
            note(f"{name} …")
        self._last = name
        self._shown.tell(name, done, total, unit)


def _lived(built: tuple[DemoWorkspace, ...], size: DemoSize, told: _Teller) -> tuple[DemoWorkspace, ...]:
    """The last days as daily runs in each workspace, with people who work on their tasks."""
    if not size.live_days:
        return built
    name = f"working {counted(len(size.live_days), 'day')} in the workspaces"
    told.tell(name, 0, 1, "")
    said = live_through([part.workspace for part in built], size.live_days)
    told.tell(name, 1, 1, "")
    return tuple(
        replace(part, report=replace(part.report, as_of=size.last, **counts))
        for part, counts in zip(built, said, strict=True)
    )


def _report(part: DemoWorkspace, told: _Teller) -> Path:
    told.tell(f"writing the report of {part.workspace.name}", 0, 1, "")
    return write_report(part.workspace, render=render_report)


def _summary(part: DemoWorkspace) -> None:
    report = part.report
    spread = sorted((report.bands or report.segments).items(), key=lambda pair: (-pair[1], pair[0]))
    counts = ", ".join(f"{name} {count}" for name, count in spread)
    typer.echo(f"{part.workspace.root}: {counted(report.customers, 'customer')} on {report.as_of}: {counts}")


def _next(built: tuple[DemoWorkspace, ...]) -> None:
    signals, scored = (part.workspace for part in built)
    last, program = built[-1].report.as_of, _program()
    typer.echo("Try next:")
    typer.echo(f"  {program} -w {signals.root} show customers")
    found = signals_listed(read_published(scored))
    if found and last.day > 1:
        typer.echo(f"  {program} -w {scored.root} explain {found[0]['customer_id']} --since {last.replace(day=1)}")
    typer.echo(f"  {program} -w {scored.root} show signals")


def _sign_ins(built: tuple[DemoWorkspace, ...]) -> None:
    people = sign_ins(built[-1].workspace)
    if not people:
        return
    signals, scored = (part.workspace for part in built)
    typer.echo("The workspace in a browser, with a score and with signals alone:")
    typer.echo(f"  {_program()} -w {scored.root} serve")
    typer.echo(f"  {_program()} -w {signals.root} serve")
    typer.echo(f"Sign in as one of the demo's people; the password of all is {people[0].password}")
    for one in people:
        typer.echo(f"  {one.email:<34} {one.role}")


def _serve(context: typer.Context, built: tuple[DemoWorkspace, ...]) -> None:
    shown = built[-1].workspace
    choose_port(shown)
    typer.echo("Serving; Ctrl-C ends it.")
    serve_site(launched(context, shown.root))


def _program() -> str:
    """How the program is called here: by its name, or by its path where the name is not found."""
    return "keepwell" if which("keepwell") else sys.argv[0]
