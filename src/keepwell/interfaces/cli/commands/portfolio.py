"""`keepwell show segments`, `show movement` and `show kpis`: the portfolio between two dates."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Final

import typer

from keepwell.interfaces.cli.app import parse_day
from keepwell.interfaces.cli.colours import band_styles
from keepwell.interfaces.cli.commands.show import show_app
from keepwell.interfaces.cli.opened import At, Form, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.model.words import counted
from keepwell.reporting.kpis import Kpi
from keepwell.reporting.movement import Movement, Mover, Totals
from keepwell.reporting.plain import Plain, table
from keepwell.reporting.segments import SegmentRow
from keepwell.reporting.weekly import Week
from keepwell.services.figures import kpis_computed, kpis_weekly, movement_compared, segments_compared
from keepwell.services.reading import read_published

To = Annotated[
    date | None,
    typer.Option(
        "--to", "--as-of", metavar="DATE", parser=parse_day, help="The published date; the latest if left out."
    ),
]
Since = Annotated[
    date | None,
    typer.Option("--from", metavar="DATE", parser=parse_day, help="The published date to compare with."),
]
By = Annotated[
    str | None,
    typer.Option(metavar="DIMENSION", help="A dimension of segments, or bands; the primary dimension if left out."),
]
_NOBODY: Final = "(nobody)"
_DECIMALS: Final = {"points": 1, "stars": 2, "hours": 1}
_TRENDS: Final = {"↑ better": "green", "↓ better": "green", "↑ worse": "red", "↓ worse": "red"}
_WEEK: Final = ("week", "customers", "churn", "healthy", "at risk", "critical", "tickets", "first h", "solved h", "nps")


@show_app.command()
def segments(
    context: typer.Context,
    last: To = None,
    first: Since = None,
    by: By = None,
    form: Form = Format.TABLE,
    at: At = None,
) -> None:
    """Segments side by side: customers, ARR, health, retention since --from (90 days ago), risk."""
    workspace = opened(context, at)
    found = segments_compared(workspace, as_of=last, since=first, by=by)
    rows = [*found.rows, found.total]
    if form is Format.JSON:
        print_json(found.as_dict())
    elif form is Format.CSV:
        _print_flat(rows)
    else:
        note(f"{found.title} on {found.as_of}" + (f", retention since {found.since}" if found.since else ""))
        columns = ("segment", "customers", "share", "arr", "health", "nrr", "grr", "churn", "at risk")
        styles = band_styles(read_published(workspace, found.as_of).model.model)
        print_rows(columns, map(_segment_row, rows), form, styles=styles)
        note(f"at risk: {found.at_risk_rule}")


@show_app.command()
def movement(
    context: typer.Context,
    first: Since = None,
    last: To = None,
    by: By = None,
    members: Annotated[bool, typer.Option("--customers", help="Every customer that moved, not the sums.")] = False,
    form: Form = Format.TABLE,
    at: At = None,
) -> None:
    """Who changed segment (or band) between two dates, who joined and who left, with their ARR."""
    found = movement_compared(opened(context, at), first=first, last=last, by=by)
    if form is Format.JSON:
        print_json(found.as_dict())
        return
    if form is Format.CSV:
        _print_flat(_moved(found) if members else found.moves)
        return
    note(f"{found.title} from {found.first} to {found.last}" + (" (the models differ)" if found.models_differ else ""))
    _movement_table(found, members)
    note(_balance(found.totals))


@show_app.command()
def kpis(
    context: typer.Context, last: To = None, first: Since = None, form: Form = Format.TABLE, at: At = None
) -> None:
    """Key figures with target, previous value and trend; week by week when --from says since when."""
    workspace = opened(context, at)
    if first is not None:
        weeks = kpis_weekly(workspace, first=first, last=last, on_wait=note)
        _print_weeks(weeks, form)
        return
    found = kpis_computed(workspace, as_of=last, on_wait=note)
    if form is Format.JSON:
        print_json(found.as_dict())
    elif form is Format.CSV:
        _print_flat(found.rows)
    else:
        note(f"on {found.as_of}" + (f", compared with {found.since}" if found.since else ""))
        columns = ("figure", "target", "current", "previous", "trend", "note")
        print_rows(columns, map(_kpi_row, found.rows), form, styles=_TRENDS)


def _print_weeks(weeks: tuple[Week, ...], form: Format) -> None:
    if form is Format.JSON:
        print_json([week.as_dict() for week in weeks])
    elif form is Format.CSV:
        _print_flat(weeks)
    else:
        print_rows(_WEEK, map(_week_row, weeks), form)


def _print_flat(rows: Iterable[Plain]) -> None:
    flat = table(rows)
    columns = list(dict.fromkeys(name for row in flat for name in row))
    print_rows(columns, ([row.get(name) for name in columns] for row in flat), Format.CSV)


def _segment_row(row: SegmentRow) -> list[object]:
    rates = [_percent(figure.value) for figure in (row.nrr, row.grr, row.churn)]
    health = None if row.health.value is None else round(row.health.value, 1)
    return [row.name or row.label, row.customers, _percent(row.customers_share), row.arr, health, *rates, row.at_risk]


def _movement_table(found: Movement, members: bool) -> None:
    if members:
        columns = ("customer", "name", "from", "to", "move", "arr before", "arr after")
        rows = [
            [m.customer_id, m.name, m.source or _NOBODY, m.target or _NOBODY, m.kind, m.arr_before, m.arr_after]
            for m in _moved(found)
        ]
        print_rows(columns, rows, Format.TABLE)
        return
    moves = [
        [m.source or _NOBODY, m.target or _NOBODY, m.kind, m.customers, m.arr_before, m.arr_after] for m in found.moves
    ]
    print_rows(("from", "to", "move", "customers", "arr before", "arr after"), moves, Format.TABLE)


def _moved(found: Movement) -> list[Mover]:
    return [mover for mover in found.movers if mover.kind != "stayed"]


def _balance(totals: Totals) -> str:
    start = counted(totals.customers_start, "customer")
    customers = f"{start} + {totals.customers_joined} joined - {totals.customers_left} left"
    return f"{customers} = {totals.customers_end}; ARR {totals.arr_start:,.2f} -> {totals.arr_end:,.2f}"


def _kpi_row(row: Kpi) -> list[object]:
    why = row.current.why if row.current.value is None else row.note
    figures = (_figure(figure.value, row.unit) for figure in (row.current, row.previous))
    return [row.label, row.target_text, *figures, f"{row.arrow} {row.trend or ''}".strip(), why]


def _week_row(week: Week) -> list[object]:
    shares = (_percent(share) for share in (week.churn_rate, week.healthy, week.at_risk, week.critical))
    hours = (_figure(value, "hours") for value in (week.first_response_hours, week.resolution_hours))
    return [week.week_start, week.customers, *shares, week.tickets, *hours, _figure(week.nps, "points")]


def _figure(value: float | None, unit: str) -> str:
    """A value as its unit is written."""
    if value is None:
        return ""
    if unit == "share":
        return _percent(value)
    return f"{value:,.{_DECIMALS.get(unit, 0)}f}"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"
