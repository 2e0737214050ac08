"""`keepwell run` and `keepwell backfill`: compute days and publish them."""

from datetime import date
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app, parse_day
from keepwell.interfaces.cli.clock import today_in
from keepwell.interfaces.cli.failures import Exit
from keepwell.interfaces.cli.opened import At, here, opened
from keepwell.interfaces.cli.output import note
from keepwell.interfaces.cli.progress import stages
from keepwell.services.freshness import feed_ages, stale_feeds
from keepwell.services.published import publish_copies
from keepwell.services.reading import read_published
from keepwell.services.runs import RunReport, backfill_days, run_day
from keepwell.services.workspace import Workspace
from keepwell.warehouse.tables import TABLES

Day = Annotated[date, typer.Option(metavar="DATE", parser=parse_day)]


@app.command()
def run(
    context: typer.Context,
    as_of: Annotated[
        date | None, typer.Option(metavar="DATE", parser=parse_day, help="The day to compute; today if left out.")
    ] = None,
    at: At = None,
) -> None:
    """Compute metrics, scores, segments and signals of one day and publish its snapshot."""
    workspace = opened(context, at)
    day = as_of or today_in(workspace.zone)
    with stages() as shown:
        shown.start(f"run of {day}")
        report = run_day(workspace, as_of=day, on_wait=shown.wait)
        shown.start("copies for the workspace")
        publish_copies(workspace, on_wait=shown.wait)
    _print(workspace, report)
    stale = tell_stale(workspace, day, here(context, at))
    raise typer.Exit(Exit.PROBLEMS if stale else Exit.DONE)


@app.command()
def backfill(
    context: typer.Context,
    first: Annotated[date, typer.Option("--from", metavar="DATE", parser=parse_day, help="The first day.")],
    last: Annotated[date, typer.Option("--to", metavar="DATE", parser=parse_day, help="The last day.")],
    at: At = None,
) -> None:
    """Compute and publish every day of a range, many days at once."""
    workspace = opened(context, at)
    with stages() as shown:
        shown.start("backfill")
        reports = backfill_days(
            workspace,
            first=first,
            last=last,
            step=lambda name, done, total: shown.tell(name, done, total, "days"),
            on_wait=shown.wait,
        )
        shown.start("copies for the workspace")
        publish_copies(workspace, on_wait=shown.wait)
    typer.echo(f"{len(reports)} days published, {first} to {last}")
    _print(workspace, reports[-1])


def tell_stale(workspace: Workspace, day: date, command: str) -> bool:
    """Say which feeds are out of date on a published day, and which day has data; returns whether there are any."""
    published = read_published(workspace, day)
    ages = feed_ages(published.model.model, day, published.about)
    stale = stale_feeds(ages)
    newest = max((a.until for a in ages if a.until and a.used and TABLES[a.table].facts), default=None)
    if any(TABLES[a.table].facts for a in stale) and newest is not None:
        note(
            f"the newest usage data are of {newest}, {(day - newest).days} days before {day}: what needs them is"
            f" unknown. For the last day with data: {command} run --as-of {newest}"
        )
    return bool(stale)


def _print(workspace: Workspace, report: RunReport) -> None:
    typer.echo(f"{report.as_of}: {report.customers} customers, {report.churned} churned")
    for title, counts in (("bands", report.bands), ("segments", report.segments)):
        if counts:
            spread = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
            typer.echo(f"{title}: " + ", ".join(f"{name} {count}" for name, count in spread))
    typer.echo(f"published: {workspace.snapshots.path(report.as_of)}")
    for warning in report.warnings:
        note(f"warning: {warning}")
