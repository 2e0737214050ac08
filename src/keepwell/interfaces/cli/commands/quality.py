"""`keepwell show quality` and `keepwell show quarantine`: what the data are like."""

from dataclasses import asdict, fields
from typing import Annotated, Final

import typer

from keepwell.interfaces.cli.commands.show import show_app
from keepwell.interfaces.cli.opened import AsOf, At, Form, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.services.customer_rows import plain
from keepwell.services.freshness import FeedAge, feed_ages
from keepwell.services.quality import FeedQuality, Quality, WaitingRow, read_quality, read_quarantine
from keepwell.services.reading import read_published
from keepwell.services.workspace import Workspace

_FEED: Final = tuple(field.name for field in fields(FeedQuality))


@show_app.command()
def quality(context: typer.Context, as_of: AsOf = None, form: Form = Format.TABLE, at: At = None) -> None:
    """Every feed with its age, and how many rows wait in quarantine for which reason."""
    workspace = opened(context, at)
    ages = _ages(workspace, as_of)
    found = read_quality(workspace, on_wait=note)
    if form is Format.JSON:
        print_json(_as_dict(found, ages))
        return
    columns = (*_FEED, "fresh_until", "state")
    print_rows(columns, _feed_rows(found, ages), form)
    if form is Format.TABLE:
        for reason in found.reasons:
            note(f"quarantine: {reason.rows} rows of {reason.table}: {reason.column or 'row'} {reason.reason}")


@show_app.command()
def quarantine(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many rows.")] = None,
    form: Form = Format.TABLE,
    at: At = None,
) -> None:
    """Every row that was not loaded: file, line, column, value and reason."""
    rows = read_quarantine(opened(context, at), limit=limit, on_wait=note)
    names = [field.name for field in fields(WaitingRow)]
    if form is Format.TABLE:
        names.remove("row")
        if not rows:
            note("nothing is in quarantine")
    print_rows(names, ([getattr(row, name) for name in names] for row in rows), form)


def _ages(workspace: Workspace, as_of: AsOf) -> dict[str, FeedAge]:
    """How fresh the feeds were on a published date; nothing before the first run."""
    if as_of is None and not workspace.snapshots.dates():
        return {}
    published = read_published(workspace, as_of)
    ages = feed_ages(published.model.model, published.as_of, published.about)
    return {age.table: age for age in ages}


def _feed_rows(found: Quality, ages: dict[str, FeedAge]) -> list[list[object]]:
    rows: list[list[object]] = []
    for feed in found.feeds:
        age = ages.get(feed.table)
        rows.append([*(getattr(feed, name) for name in _FEED), age.until if age else None, age.state if age else None])
    absent = [age for age in ages.values() if age.used and age.state == "absent"]
    rows += [[age.table, *[None] * (len(_FEED) - 1), None, age.state] for age in absent]
    return rows


def _as_dict(found: Quality, ages: dict[str, FeedAge]) -> dict[str, object]:
    columns = (*_FEED, "fresh_until", "state")
    feeds = [{k: plain(v) for k, v in zip(columns, row, strict=True)} for row in _feed_rows(found, ages)]
    return {"feeds": feeds, "quarantine": [asdict(reason) for reason in found.reasons]}
