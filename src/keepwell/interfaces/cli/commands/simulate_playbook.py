"""`keepwell simulate-playbook`: what a playbook would have asked for, before it is switched on."""

from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.opened import AsOf, At, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.interfaces.cli.progress import stages
from keepwell.model.words import counted
from keepwell.playbooks.budget import Budget, WeekLoad
from keepwell.services.playbook_simulation import DEFAULT_DAYS, simulate_playbook

_WEEK = ("week", "customers", "tasks", "approvals", "messages", "offers", "notices")


@app.command("simulate-playbook")
def simulate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A playbook of the workspace's model.")],
    days: Annotated[int, typer.Option(min=2, max=3660, help="How many days back.")] = DEFAULT_DAYS,
    as_of: AsOf = None,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="Touchpoints in a week; the model's weekly_capacity if left out.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How results are printed.")] = Format.TABLE,
    at: At = None,
) -> None:
    """Replay a playbook over published days: customers, tasks and messages per week and owner, against capacity."""
    workspace = opened(context, at)
    with stages() as shown:
        found = simulate_playbook(
            workspace,
            name,
            days=days,
            as_of=as_of,
            capacity=capacity,
            progress=lambda done, total: shown.tell("replaying", done, total, "days"),
        )
    if form is Format.JSON:
        print_json(found.as_dict())
        return
    _headline(found)
    print_rows((*_WEEK, "share of capacity"), map(_row, found.weeks), form)
    if form is Format.TABLE and found.owners:
        typer.echo("")
        rows = ((o.owner, o.tasks, o.per_week, o.busiest) for o in found.owners)
        print_rows(("owner", "tasks", "per week", "busiest week"), rows, form)


def _row(week: WeekLoad) -> tuple[object, ...]:
    share = None if week.share is None else f"{week.share:.0%}"
    return (week.week.isoformat(), *(getattr(week, name) for name in _WEEK[1:]), share)


def _headline(found: Budget) -> None:
    note(f"{found.label}: {counted(found.days, 'published day')} from {found.first} to {found.last}")
    note(
        f"{counted(found.runs, 'start')} for {counted(found.customers, 'customer')}, {found.running:,} still going on"
        f"{f', {found.held_out:,} held out' if found.held_out else ''}; nobody answers in a replay"
    )
    for reason, amount in found.ended:
        note(f"ended {amount:,} times: {reason}" if amount != 1 else f"ended once: {reason}")
    for reason, amount in found.refused:
        note(f"not started {amount:,} times: {reason}" if amount != 1 else f"not started once: {reason}")
    if found.busiest is not None and found.busiest.share is not None and found.capacity:
        work = found.busiest.tasks + found.busiest.approvals
        note(
            f"busiest week: {found.busiest.week}, {work:,} of {found.capacity:,} touchpoints, {found.busiest.share:.0%}"
        )
