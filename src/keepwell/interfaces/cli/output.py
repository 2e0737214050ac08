"""Printing: results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import typer

from keepwell.interfaces.cli.tables import print_table
from keepwell.services.csv_text import write_csv


class Format(StrEnum):
    """How results are printed."""

    JSON = "json"
    CSV = "csv"
    TABLE = "table"


def note(text: str) -> None:
    """One line for people, on stderr."""
    typer.echo(text, err=True)


def print_json(data: Any) -> None:
    """Data as JSON on stdout."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False))


def print_rows(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    form: Format,
    *,
    styles: Mapping[str, str] | None = None,
) -> None:
    """Rows as CSV, as a table for people, or as JSON objects; `styles` colours words of a table, such as bands."""
    if form is Format.CSV:
        write_csv(sys.stdout, columns, rows)
    elif form is Format.TABLE:
        left_out = print_table(columns, rows, styles or {})
        if left_out:
            note(f"no room for: {', '.join(left_out)}; widen the terminal, or use --format csv")
    else:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
