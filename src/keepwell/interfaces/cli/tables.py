"""Tables for people: numbers to the right, nothing wrapped, and on a terminal no wider than it is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from keepwell.services.csv_text import cell_text

UNLIMITED: Final = 10_000
_GAP: Final = 2
_NARROW: Final = 12
_FEWEST: Final = 2
_THOUSAND: Final = 1000
_FIGURE: Final = re.compile(r"[+-]?[\d,]+(\.\d+)?( %)?")
Rows = Iterable[Sequence[object]]


def print_table(columns: Sequence[str], rows: Rows, styles: Mapping[str, str]) -> tuple[str, ...]:
    """Print a table on stdout; returns the columns that the terminal had no room for.

    Where nobody looks (a pipe, a file) a table is as wide as it takes.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=UNLIMITED)
    held = [list(row) for row in rows]
    texts = [[table_text(value) for value in row] for row in held]
    wanted = [max([len(name), *(len(row[i]) for row in texts)]) for i, name in enumerate(columns)]
    widths = fitted(wanted, [_least(name, wanted[i], held, i) for i, name in enumerate(columns)], console.width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, width in enumerate(widths):
        side: JustifyMethod = "right" if _numeric(row[i] for row in held) else "left"
        table.add_column(columns[i], justify=side, no_wrap=True, overflow="ellipsis", width=width)
    for row in texts:
        table.add_row(*[Text(text, style=styles.get(text, "")) for text in row[: len(widths)]])
    console.print(table)
    return tuple(columns[len(widths) :])


def fitted(wanted: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """Widths for as many columns, from the left, as there is room for; what is over goes to the left ones first."""
    count = len(wanted)
    while count > _FEWEST and sum(least[:count]) + _GAP * (count - 1) > room:
        count -= 1
    over = room - sum(least[:count]) - _GAP * (count - 1)
    widths = []
    for i in range(count):
        more = max(0, min(wanted[i] - least[i], over))
        widths.append(least[i] + more)
        over -= more
    return widths


def table_text(value: object) -> str:
    """A value as a table shows it: large numbers without decimals."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= _THOUSAND else f"{value:,.2f}".removesuffix(".00")
    return cell_text(value)


def _least(name: str, wanted: int, rows: Sequence[Sequence[object]], place: int) -> int:
    """Numbers and short words are never cut off; long texts may be."""
    return wanted if _numeric(row[place] for row in rows) else min(wanted, max(_NARROW, len(name)))


def _numeric(values: Iterable[object]) -> bool:
    known = [value for value in values if value is not None and value != ""]
    return bool(known) and all(map(_is_figure, known))


def _is_figure(value: object) -> bool:
    if isinstance(value, str):
        return bool(_FIGURE.fullmatch(value))
    return isinstance(value, int | float) and not isinstance(value, bool)
