"""Printing: results on stdout, everything else on stderr."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


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


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[object]], form: Format) -> None:
    """Rows as CSV, as a table for people, or as JSON objects."""
    if form is Format.CSV:
        _print_csv(columns, rows)
    elif form is Format.TABLE:
        _print_table(columns, rows)
    else:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])


def cell(value: object) -> str:
    """One value as text: nothing for None, lists joined with semicolons, truth in small letters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "; ".join(map(cell, value))
    return str(value)


def _print_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    table = Table(*columns)
    for row in rows:
        table.add_row(*[Text(cell(value)) for value in row])
    Console().print(table)
