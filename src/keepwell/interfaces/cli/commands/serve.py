"""`keepwell serve` and `keepwell worker`: the workspace in a browser, and what works in the background."""

import os
import threading
from typing import Annotated, Any

import typer

from keepwell.interfaces.cli.app import app, shared
from keepwell.interfaces.cli.opened import At
from keepwell.interfaces.cli.site import launched

THREADS = 8


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="The address to listen on; [web] host if left out.")] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port to listen on; [web] port if left out.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="How many requests are answered at once.")] = THREADS,
    worker: Annotated[bool, typer.Option(help="Do background work here too.")] = True,
    at: At = None,
) -> None:
    """Serve the workspace to browsers, with the worker that runs every day beside; ends on Ctrl-C or SIGTERM."""
    # The settings read them, and so do the jobs' processes.
    for name, value in (("KEEPWELL_HOST", host), ("KEEPWELL_PORT", port)):
        if value is not None:
            os.environ[name] = str(value)
    serve_site(launched(context, at), threads=threads, worker=worker)


def serve_site(launch: Any, *, threads: int = THREADS, worker: bool = True) -> None:
    """Serve a workspace that is set up, saying where it is and how the first admin gets in."""
    stop = threading.Event()
    launch.end_on_signals(stop, leave=True)
    web = launch.settings.WEB

    def listening() -> None:
        typer.echo(f"{launch.late('keepwell.services.team.here').workspace().name}: {web.url}")
        link = first_admin(launch)
        if link:
            typer.echo(f"No admin yet. This link makes the first one, once, for 7 days: {link}")
        if not worker:
            typer.echo("Background work is left to 'keepwell worker'.", err=True)

    launch.serve(web.host, web.port, threads=threads, worker=worker, stop=stop, listening=listening)


def first_admin(launch: Any) -> str | None:
    """The address that makes the first admin; None when there is one."""
    moment = launch.late("keepwell.interfaces.site.clock").now()
    secret = launch.late("keepwell.services.team.links").first_admin_link(moment)
    return f"{launch.settings.WEB.url}/start/{secret}" if secret else None


@app.command()
def worker(context: typer.Context, at: At = None) -> None:
    """Run daily runs and other background work, without a web server; ends on Ctrl-C or SIGTERM."""
    launch = launched(context, at)
    stop = threading.Event()
    launch.end_on_signals(stop, leave=False)
    typer.echo(f"Working for {shared(context).workspace if at is None else at}; Ctrl-C ends it.", err=True)
    launch.work(stop)


@app.command(hidden=True)
def job(
    context: typer.Context,
    number: Annotated[int, typer.Argument(help="The job's number.")],
    attempt: Annotated[int, typer.Option(help="The attempt that the worker claimed.")],
    parent: Annotated[int | None, typer.Option(help="The worker's process: without it, the job ends.")] = None,
    at: At = None,
) -> None:
    """Do one job that a worker claimed."""
    launch = launched(context, at, ready=False)
    performing = launch.late("keepwell.services.team.perform")
    if parent is not None:
        performing.end_with(parent)
    jobs = launch.late("keepwell.store.models").Job.objects
    found = jobs.filter(pk=number, attempts=attempt, state="running").first()
    if found is None:
        raise typer.BadParameter(f"there is no running job {number} with attempt {attempt}")
    here = launch.late("keepwell.services.team.here").workspace()
    clock = launch.late("keepwell.interfaces.site.clock")
    raise typer.Exit(0 if performing.perform(here, found, now=clock.now) else 1)
