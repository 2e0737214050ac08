"""`keepwell export`: tables as files."""

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from keepwell.interfaces.cli.app import app
from keepwell.interfaces.cli.failures import BadInputError
from keepwell.interfaces.cli.opened import AsOf, At, opened
from keepwell.interfaces.cli.output import note
from keepwell.model.words import counted
from keepwell.services.exporting import EXPORTS, export_csv, export_parquet
from keepwell.services.workspace import Workspace


class FileFormat(StrEnum):
    """What exports are written as."""

    CSV = "csv"
    PARQUET = "parquet"


@app.command()
def export(
    context: typer.Context,
    table: Annotated[str, typer.Argument(metavar="TABLE", help=f"One of {', '.join(EXPORTS)}.")],
    form: Annotated[FileFormat, typer.Option("--format", help="The file format.")] = FileFormat.CSV,
    as_of: AsOf = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to; standard output if left out.")
    ] = None,
    at: At = None,
) -> None:
    """Write a table as CSV or Parquet: published customers, segments, signals and metrics, or what was loaded."""
    workspace = opened(context, at)
    if out is not None and not out.parent.is_dir():
        raise BadInputError(f"{out.parent}: there is no such folder")
    count = _csv(workspace, table, as_of, out) if form is FileFormat.CSV else _parquet(workspace, table, as_of, out)
    note(f"{counted(count, 'row')} of {table}" + (f" in {out}" if out else ""))


def _csv(workspace: Workspace, table: str, as_of: date | None, out: Path | None) -> int:
    if out is None:
        return export_csv(workspace, table=table, handle=sys.stdout, as_of=as_of, on_wait=note)
    with out.open("w", encoding="utf-8", newline="") as handle:
        return export_csv(workspace, table=table, handle=handle, as_of=as_of, on_wait=note)


def _parquet(workspace: Workspace, table: str, as_of: date | None, out: Path | None) -> int:
    if out is not None:
        return export_parquet(workspace, table=table, target=out, as_of=as_of, on_wait=note)
    if sys.stdout.isatty():
        raise BadInputError("Parquet is not for the screen: name a file with --out FILE")
    with TemporaryDirectory(prefix="keepwell-") as folder:
        target = Path(folder) / "export.parquet"
        count = export_parquet(workspace, table=table, target=target, as_of=as_of, on_wait=note)
        sys.stdout.buffer.write(target.read_bytes())
    return count
