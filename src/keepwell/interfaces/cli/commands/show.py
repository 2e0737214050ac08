"""`keepwell show …`: what was published, straight from the snapshots."""

from typing import Annotated, Final

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.clock import today_in
from keepwell.interfaces.cli.colours import band_styles
from keepwell.interfaces.cli.failures import BadInputError
from keepwell.interfaces.cli.opened import AsOf, At, Form, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.model.problems import did_you_mean
from keepwell.services.customer_rows import (
    SIGNAL_COLUMNS,
    customers_flat,
    customers_listed,
    metric_names,
    metrics_listed,
    signals_listed,
    summaries,
)
from keepwell.services.metric_sql import planned_statements
from keepwell.services.reading import Published, read_published
from keepwell.services.workspace import Workspace

show_app = typer.Typer(no_args_is_help=True, help="Show what was published, as a table, CSV or JSON.")
app.add_typer(show_app, name="show")

_CUSTOMER_TABLE: Final = {
    "customer_id": "customer",
    "name": "name",
    "health_score": "health",
    "health_band": "band",
    "churn_risk_band": "churn risk",
    "primary_segment": "segment",
    "mrr": "mrr",
    "renewal_date": "renewal",
    "signals": "signals",
}
_SIGNAL_TABLE: Final = {
    "severity": "severity",
    "signal": "signal",
    "customer_id": "customer",
    "name": "name",
    "value": "value",
    "value_period": "per",
    "reason": "reason",
}
_SUMMARY: Final = ("metric", "known", "unknown", "lowest", "median", "highest", "most frequent")


@show_app.command()
def customers(
    context: typer.Context,
    as_of: AsOf = None,
    churned: Annotated[bool, typer.Option("--churned", help="Also those who left: they have attributes only.")] = False,
    form: Form = Format.TABLE,
    at: At = None,
) -> None:
    """Every customer with its scores, segments and signals."""
    published = read_published(opened(context, at), as_of)
    if form is Format.JSON:
        print_json([c for c in customers_listed(published) if churned or c["status"] != "churned"])
        return
    names, rows = customers_flat(published)
    status = names.index("status")
    kept = [row for row in rows if churned or row[status] != "churned"]
    if form is Format.TABLE:
        _headline(published)
        names, kept = _narrowed(names, kept, _CUSTOMER_TABLE)
    print_rows(names, kept, form, styles=band_styles(published.model.model))


@show_app.command()
def signals(context: typer.Context, as_of: AsOf = None, form: Form = Format.TABLE, at: At = None) -> None:
    """Every signal that is on, the most severe first."""
    published = read_published(opened(context, at), as_of)
    listed = signals_listed(published)
    if form is Format.JSON:
        print_json(listed)
        return
    names, rows = list(SIGNAL_COLUMNS), [[signal[name] for name in SIGNAL_COLUMNS] for signal in listed]
    if form is Format.TABLE:
        _headline(published)
        names, rows = _narrowed(names, rows, _SIGNAL_TABLE)
    print_rows(names, rows, form, styles=band_styles(published.model.model))


@show_app.command()
def metrics(
    context: typer.Context,
    as_of: AsOf = None,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only this customer.")] = None,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that computes the metrics.")] = False,
    form: Form = Format.TABLE,
    at: At = None,
) -> None:
    """Metric values: a summary as a table, every customer's values as CSV or JSON; the planned SQL with --sql."""
    workspace = opened(context, at)
    if sql:
        _print_sql(workspace, as_of)
        return
    published = read_published(workspace, as_of)
    listed, names = metrics_listed(published, customer), metric_names(published)
    if customer is not None and not listed:
        raise BadInputError(_no_customer(published, customer))
    if form is Format.JSON:
        print_json(listed)
    elif form is Format.CSV:
        rows = ([c["customer_id"], c["as_of"], *(c["metrics"][name] for name in names)] for c in listed)
        print_rows(["customer_id", "as_of", *names], rows, form)
    else:
        _headline(published)
        _metric_table(listed, names, customer)


def _metric_table(listed: list[dict[str, dict[str, object]]], names: list[str], customer: str | None) -> None:
    if customer is None:
        print_rows(_SUMMARY, summaries(listed, names), Format.TABLE)
        return
    (found,) = listed
    rows = ([name, found["metrics"][name], found["quality"].get(name, "known")] for name in names)
    print_rows(("metric", "value", "quality"), rows, Format.TABLE)


def _print_sql(workspace: Workspace, as_of: AsOf) -> None:
    day = as_of or workspace.snapshots.latest() or today_in(workspace.zone)
    for statement in planned_statements(workspace, as_of=day, on_wait=note):
        typer.echo(f"-- {statement.table}: {statement.purpose}")
        typer.echo(f"-- computes: {', '.join(statement.metrics)}")
        typer.echo(f"{statement.sql};\n")


def _no_customer(published: Published, customer: str) -> str:
    known = [row["customer_id"] for row in published.rows(["customer_id"])]
    return f"there is no customer '{customer}' on {published.as_of}{did_you_mean(customer, known)}"


def _headline(published: Published) -> None:
    about = published.about
    note(f"as of {published.as_of}, model {about['keepwell.model']} {about['keepwell.model_version']}")
    for warning in published.warnings:
        note(f"warning: {warning}")


def _narrowed(
    names: list[str], rows: list[list[object]], wanted: dict[str, str]
) -> tuple[list[str], list[list[object]]]:
    """The columns that fit on a screen, under short names."""
    kept = {shown: names.index(name) for name, shown in wanted.items() if name in names}
    return list(kept), [[row[place] for place in kept.values()] for row in rows]
