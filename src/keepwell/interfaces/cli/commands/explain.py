"""`keepwell explain`: why a customer has its score, and what changed."""

from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app, parse_day
from keepwell.interfaces.cli.explain_text import change_lines, explanation_lines
from keepwell.interfaces.cli.opened import AsOf, At, opened
from keepwell.interfaces.cli.output import note, print_json
from keepwell.services.explaining import explain_change, explain_customer


class TextFormat(StrEnum):
    """How explanations are printed."""

    TEXT = "text"
    JSON = "json"


@app.command()
def explain(
    context: typer.Context,
    customer: Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer's id or exact name.")],
    as_of: AsOf = None,
    since: Annotated[
        date | None,
        typer.Option(metavar="DATE", parser=parse_day, help="Also what changed since this published date."),
    ] = None,
    form: Annotated[TextFormat, typer.Option("--format", help="How it is printed.")] = TextFormat.TEXT,
    at: At = None,
) -> None:
    """Contributions that add up to the score, why segments and signals hold, and what changed since a date."""
    workspace = opened(context, at)
    explained = explain_customer(workspace, customer=customer, as_of=as_of, on_wait=note)
    changed = explain_change(workspace, explained, since=since, on_wait=note) if since else None
    for text in explained.notes:
        note(text)
    if form is TextFormat.JSON:
        print_json(explained.as_dict() | ({"change": changed.as_dict()} if changed else {}))
        return
    for line in explanation_lines(explained):
        typer.echo(line)
    for line in change_lines(changed, explained) if changed else ():
        typer.echo(line)
