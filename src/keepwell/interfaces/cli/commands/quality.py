"""`keepwell show quality` and `keepwell show quarantine`: what the data are like."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Final

import typer

from keepwell.interfaces.cli.commands.show import show_app
from keepwell.interfaces.cli.opened import AsOf, At, Form, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.services.customer_rows import plain
from keepwell.services.freshness import FeedAge, feed_ages
from keepwell.services.quality import FeedQuality, Quality, WaitingRow, read_quality, read_quarantine
from keepwell.services.reading import Published, read_published
from keepwell.services.workspace import Workspace

_FEED: Final = (*(field.name for field in fields(FeedQuality)), "fresh_until", "state")
_FEED_TABLE: Final = ("table", "state", "rows", "fresh_until", "quarantined", "source", "last_sync_at")
_FINDING: Final = ("code", "table", "count", "total", "share", "message", "examples")
_FINDING_TABLE: Final = ("table", "count", "finding")
_STATES: Final = {"fresh": "green", "stale": "yellow", "absent": "bright_black"}


@show_app.command()
def quality(context: typer.Context, as_of: AsOf = None, form: Form = Format.TABLE, at: At = None) -> None:
    """Every feed with its age, what waits in quarantine, and contradictions in the data, counted, with examples."""
    workspace = opened(context, at)
    published = _published(workspace, as_of)
    ages = _ages(published) if published else {}
    found = read_quality(workspace, as_of=published.as_of if published else None, on_wait=note)
    findings = [[getattr(finding, name) for name in _FINDING] for finding in found.findings]
    if form is Format.JSON:
        print_json({"as_of": plain(published.as_of) if published else None, **_as_dict(found, ages)})
    elif form is Format.CSV:
        print_rows(_FINDING, findings, form)
    else:
        print_rows(_FEED_TABLE, _feed_table(found, ages), form, styles=_STATES)
        if findings:
            typer.echo("")
            print_rows(_FINDING_TABLE, ([f.table, f.count, f.message] for f in found.findings), form)


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


def _published(workspace: Workspace, as_of: AsOf) -> Published | None:
    """The published date asked for, the latest if none is; none before the first run."""
    if as_of is None and not workspace.snapshots.dates():
        return None
    return read_published(workspace, as_of)


def _ages(published: Published) -> dict[str, FeedAge]:
    """How fresh the feeds were on a published date."""
    ages = feed_ages(published.model.model, published.as_of, published.about)
    return {age.table: age for age in ages}


def _feed_rows(found: Quality, ages: dict[str, FeedAge]) -> list[list[object]]:
    rows: list[list[object]] = []
    for feed in found.feeds:
        age = ages.get(feed.table)
        own = [getattr(feed, field.name) for field in fields(FeedQuality)]
        rows.append([*own, age.until if age else None, age.state if age else None])
    absent = [age for age in ages.values() if age.used and age.state == "absent"]
    rows += [[age.table, *[None] * (len(_FEED) - 2), age.state] for age in absent]
    return rows


def _feed_table(found: Quality, ages: dict[str, FeedAge]) -> Iterator[list[object]]:
    """The columns that fit on a screen."""
    for row in _feed_rows(found, ages):
        named = dict(zip(_FEED, row, strict=True))
        yield [named[name] for name in _FEED_TABLE]


def _as_dict(found: Quality, ages: dict[str, FeedAge]) -> dict[str, object]:
    feeds = [{k: plain(v) for k, v in zip(_FEED, row, strict=True)} for row in _feed_rows(found, ages)]
    return {"feeds": feeds, "findings": [{name: getattr(f, name) for name in _FINDING} for f in found.findings]}
