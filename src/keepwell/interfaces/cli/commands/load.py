"""`keepwell load`: files into the canonical tables."""

from pathlib import Path
from typing import Annotated, Any

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.clock import now
from keepwell.interfaces.cli.failures import Exit
from keepwell.interfaces.cli.opened import At, Form, here, opened
from keepwell.interfaces.cli.output import Format, note, print_json, print_rows
from keepwell.interfaces.cli.progress import Stages, stages
from keepwell.model.words import counted
from keepwell.services.loading import load_files
from keepwell.warehouse.loading import FileReport, LoadReport, ProgressStep, QuarantinedRow

_COUNTS = ("read", "added", "changed", "unchanged", "repeated", "differing", "deleted", "quarantined")


@app.command()
def load(
    context: typer.Context,
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files named after their table, or folders.")],
    mapping: Annotated[
        Path | None, typer.Option("--map", metavar="FILE", help="Where the columns of foreign files go (YAML).")
    ] = None,
    form: Form = Format.TABLE,
    at: At = None,
) -> None:
    """Load customers, events, tickets … from CSV, NDJSON or Parquet; rows that do not fit go to quarantine."""
    workspace = opened(context, at)
    with stages() as shown:
        report = load_files(
            workspace,
            paths=paths,
            now=now(),
            mapping=mapping,
            progress=lambda step: _show(shown, step),
            on_wait=shown.wait,
        )
    _print(report, form)
    _tell(report, f"{here(context, at)} show quarantine")
    if not report.files:
        note("nothing was loaded")
    raise typer.Exit(Exit.DONE if report.clean and report.files else Exit.PROBLEMS)


def _show(shown: Stages, step: ProgressStep) -> None:
    rows = max(step.rows, 1)
    shown.tell(step.path.name, rows * step.done / max(step.total, 1), rows, "rows")


def report_dict(report: LoadReport) -> dict[str, Any]:
    """A load report as plain data."""
    return {
        "files": [
            {"file": str(f.path), "table": f.table, **{name: getattr(f, name) for name in _COUNTS}}
            | {"reasons": [{"reason": reason, "rows": rows} for reason, rows in f.reasons]}
            for f in report.files
        ],
        "problems": list(report.problems),
        "notes": list(report.notes),
        "resolved": report.resolved,
        "quarantine": [vars(row) for row in report.sample],
    }


def _print(report: LoadReport, form: Format) -> None:
    if form is Format.JSON:
        print_json(report_dict(report))
        return
    columns = ("file", "table", *_COUNTS)
    print_rows(columns, map(_row, report.files), form)


def _row(file: FileReport) -> list[object]:
    return [file.path.name, file.table, *(getattr(file, name) for name in _COUNTS)]


def _tell(report: LoadReport, command: str) -> None:
    for text in report.notes:
        note(f"note: {text}")
    if report.resolved:
        waited = "row that waited for its customer was", "rows that waited for their customer were"
        note(f"{counted(report.resolved, *waited)} loaded")
    for problem in report.problems:
        note(f"problem: {problem}")
    for row in report.sample:
        note(f"quarantined: {quarantine_words(row)}")
    if report.quarantined:
        kept = counted(report.quarantined, "row is", "rows are")
        note(f"{kept} in quarantine; '{command}' lists them with their reasons")


def quarantine_words(row: QuarantinedRow) -> str:
    """Where a row stands and what is wrong with it."""
    place = f"{row.file}:{row.line}"
    value = "" if row.value is None else f" ({row.value!r})"
    return " ".join(filter(None, [f"{place}: {row.table}:", row.column, f"{row.reason}{value}"]))
