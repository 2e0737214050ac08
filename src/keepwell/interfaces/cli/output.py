"""Printing: results on stdout, everything else on stderr."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keepwell.services.csv_text import cell_text, write_csv

_UNLIMITED: Final = 10_000
_FIGURE: Final = re.compile(r"[+-]?[\d,]+(\.\d+)?( %)?")


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
        print_table(columns, rows, styles=styles)
    else:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])


def cell(value: object) -> str:
    """One value as text: nothing for None, lists joined with semicolons, truth in small letters."""
    return cell_text(value)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, styles: Mapping[str, str] | None = None
) -> None:
    """A table: numbers to the right, nothing wrapped; on a terminal in its width and with colour."""
    held = [list(row) for row in rows]
    console = stdout_console()
    table = Table(box=SIMPLE_HEAD if console.is_terminal else None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        number = _numeric(row[place] for row in held)
        table.add_column(name, justify="right" if number else "left", no_wrap=True, overflow="ellipsis")
    for row in held:
        table.add_row(*[_styled(value, styles or {}) for value in row])
    console.print(table)


def stdout_console() -> Console:
    """The console for results: as wide as it takes where nobody looks, so that nothing is cut off."""
    console = Console()
    return console if console.is_terminal else Console(width=_UNLIMITED)


def _styled(value: object, styles: Mapping[str, str]) -> Text:
    text = f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else cell(value)
    return Text(text, style=styles.get(text, ""))


def _numeric(values: Iterable[object]) -> bool:
    known = [value for value in values if value is not None and value != ""]
    return bool(known) and all(map(_right, known))


def _right(value: object) -> bool:
    if isinstance(value, str):
        return bool(_FIGURE.fullmatch(value))
    return isinstance(value, int | float) and not isinstance(value, bool)
