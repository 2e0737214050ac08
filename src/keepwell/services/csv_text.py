"""CSV that opens safely in spreadsheets: no cell is taken for a formula."""

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, TextIO

_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def cell_text(value: object) -> str:
    """One value as text: nothing for None, lists joined with semicolons, truth in small letters."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "; ".join(map(cell_text, value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="auto") + ("" if value.tzinfo else "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def safe_cell(value: object) -> str:
    """A value as a CSV cell; texts that a spreadsheet would compute get a leading apostrophe, numbers do not."""
    text = cell_text(value)
    return f"'{text}" if text.startswith(_RISKY) and not _NUMBER.fullmatch(text) else text


def write_csv(handle: TextIO, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a header and rows; returns how many rows there were."""
    writer = csv.writer(handle, lineterminator="\n")
    writer.writerow([safe_cell(name) for name in columns])
    count = 0
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        count += 1
    return count
