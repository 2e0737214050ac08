"""What `keepwell demo` starts in each of its workspaces: people, daily runs, outcomes."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app, parse_day
from keepwell.interfaces.cli.opened import At
from keepwell.interfaces.cli.output import print_json
from keepwell.interfaces.cli.site import launched


@app.command("demo-days", hidden=True)
def demo_days(
    context: typer.Context,
    days: Annotated[list[date], typer.Argument(metavar="DATE…", parser=parse_day, help="The days to live through.")],
    at: At = None,
) -> None:
    """Make the demo's people in a workspace, and live through some days."""
    launch = launched(context, at)
    here = launch.late("keepwell.services.team.here").workspace()
    now = launch.late("keepwell.interfaces.site.clock").now()
    said = launch.late("keepwell.services.team.demo").demo_days(here, days, clock=_clock, until=_seen(now, days[-1]))
    people = launch.late("keepwell.services.team.demo_people")
    everybody = launch.late("keepwell.store.models").Person.objects.order_by("pk")
    shown = [
        {"email": one.email, "role": one.get_role_display(), "password": people.DEMO_PASSWORD}
        for one in everybody
        if one.email.endswith(f"@{people.DEMO_DOMAIN}")
    ]
    print_json({**said, "people": shown})


def _seen(now: datetime, last: date) -> datetime | None:
    """When somebody looks at the last day: now, where the workspace's clock says that it is this day."""
    return now if now.date() == last else None


def _clock(moment: datetime) -> Callable[[], datetime]:
    """A clock that goes on from a moment."""
    began = time.monotonic()
    return lambda: moment + timedelta(seconds=time.monotonic() - began)
