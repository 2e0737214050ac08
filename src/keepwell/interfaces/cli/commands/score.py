"""`keepwell score`: scores, segments and signals for metric values in a file, without a workspace."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from keepwell.evaluation.api import ScoreResult, score_table
from keepwell.interfaces.cli.app import app, parse_day
from keepwell.interfaces.cli.failures import BadInputError, Exit
from keepwell.interfaces.cli.metrics_file import read_metrics_file
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.interfaces.python import today
from keepwell.model.loader import LoadedModel, load_model
from keepwell.model.packs import pack_names, resolve_model
from keepwell.warehouse.columns import TABLE_COLUMNS


@app.command()
def score(
    metrics: Annotated[Path, typer.Option(metavar="FILE", help="CSV, NDJSON or Parquet with customer_id and metrics.")],
    pack: Annotated[str | None, typer.Option(metavar="PACK", help="A shipped pack.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="A directory with a model.")] = None,
    as_of: Annotated[
        date | None,
        typer.Option(metavar="DATE", parser=parse_day, help="The day the values are of; today if left out."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How results are printed.")] = Format.JSON,
) -> None:
    """Score the customers in a file of metric values."""
    loaded = _loaded(pack, model)
    table = read_metrics_file(metrics, loaded.model.metrics)
    scored = score_table(loaded, table.columns, as_of or today())
    for warning in (*table.notes, *scored.warnings):
        note(f"warning: {warning}")
    unread = (replace(problem, row=table.rows[problem.row - 1]) for problem in scored.problems)
    problems = [*table.problems, *(f"{metrics}: {problem}" for problem in unread)]
    for problem in problems:
        note(f"problem: {problem}")
    _print(scored.results, form)
    raise typer.Exit(Exit.PROBLEMS if problems else Exit.DONE)


def _loaded(pack: str | None, model: Path | None) -> LoadedModel:
    if (pack is None) == (model is None):
        raise BadInputError(f"give exactly one of --pack PACK and --model DIR; packs: {', '.join(pack_names())}")
    return (
        resolve_model(pack, tables=TABLE_COLUMNS)
        if pack is not None
        else load_model(model or Path(), tables=TABLE_COLUMNS)
    )


def _print(results: Sequence[ScoreResult], form: Format) -> None:
    if form is Format.JSON:
        print_json([result.as_dict() for result in results])
        return
    rows = [dict(_flat(result)) for result in results]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    print_rows(columns, ([row.get(name) for name in columns] for row in rows), form)


def _flat(result: ScoreResult) -> Iterator[tuple[str, object]]:
    yield "customer_id", result.customer_id
    yield "as_of", result.as_of.isoformat()
    if result.health:
        yield "health_score", result.health.score
        yield "health_raw", result.health.raw
        yield "health_band", result.health.band
        yield "health_coverage", result.health.coverage
        yield from ((f"component_{name}", value) for name, value in result.health.components.items())
    if result.churn_risk:
        yield "churn_risk_score", result.churn_risk.score
        yield "churn_risk_band", result.churn_risk.band
    yield "primary_segment", result.primary
    yield "segments", result.segments
    yield "signals", result.signals
    yield "missing", result.missing
