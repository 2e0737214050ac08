"""Tables as files: CSV and XLSX that no spreadsheet takes for formulas."""

import csv
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import IO, Any, Final

import xlsxwriter

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_AT_ONCE: Final = 500


def safe_text(value: Any) -> Any:
    """A cell: text that a spreadsheet would take for a formula gets an apostrophe before it; numbers stay numbers."""
    if isinstance(value, str):
        return "'" + value if value.startswith(_FORMULA) else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return safe_text("; ".join(str(one) for one in value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else value


def csv_chunks(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """CSV in pieces, with a byte order mark so that spreadsheets read names in any script."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\N{ZERO WIDTH NO-BREAK SPACE}")
    writer.writerow([safe_text(name) for name in columns])
    for count, row in enumerate(rows, 1):
        writer.writerow([safe_text(value) for value in row])
        if count % _AT_ONCE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def xlsx_file(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str) -> IO[bytes]:
    """A workbook in a temporary file, written row by row; texts are written as texts."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet(title[:31])
    heading = book.add_format({"bold": True})
    dated = {
        date: book.add_format({"num_format": "yyyy-mm-dd"}),
        datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
    }
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name, heading)
    sheet.freeze_panes(1, 0)
    for line, row in enumerate(rows, 1):
        for at, value in enumerate(row):
            _write(sheet, line, at, value, dated.get(type(value)))
    book.close()
    file.seek(0)
    return file


def _write(sheet: Any, line: int, at: int, value: Any, dated: Any) -> None:
    if dated is not None:
        sheet.write_datetime(line, at, value.replace(tzinfo=None) if isinstance(value, datetime) else value, dated)
        return
    cell = safe_text(value)
    if isinstance(cell, int | float):
        sheet.write_number(line, at, cell)
    elif cell != "":
        sheet.write_string(line, at, str(cell))
