"""What of a file goes into which column of a table."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from keepwell.model.problems import did_you_mean
from keepwell.warehouse.loading.encoding import UnreadableFileError
from keepwell.warehouse.loading.parse import Cell
from keepwell.warehouse.loading.reading import RawFile
from keepwell.warehouse.sql import quoted
from keepwell.warehouse.tables import Table


@dataclass(frozen=True)
class Plan:
    """How the rows of a file become rows of a table.

    `cells` fill columns, `extras` go into the JSON column, `where` (SQL over the file's columns) picks rows,
    `zone` is where times without a zone are.
    """

    table: Table
    zone: str
    cells: Mapping[str, Cell]
    extras: Mapping[str, Cell] = field(default_factory=lambda: MappingProxyType({}))
    where: str | None = None
    notes: tuple[str, ...] = ()


def normal_name(name: str) -> str:
    """A header as people write it, as a column name: `Customer ID` is `customer_id`."""
    return re.sub(r"[\s\-.]+", "_", name.strip().lower())


def canonical_plan(raw: RawFile, table: Table, zone: str) -> Plan:
    """The plan for a file in the canonical columns; raises UnreadableFileError when a required column is missing."""
    cells: dict[str, Cell] = {}
    extras: dict[str, Cell] = {}
    for column in raw.columns:
        name = normal_name(column.name)
        target = cells if name in table.column_names and name not in cells else extras
        target[name if target is cells else column.name] = Cell(quoted(column.name), column.type)
    if raw.columns:
        require_columns(table, cells, extras)
    notes = [f"unknown column {x!r} kept in {table.json_column}{did_you_mean(x, table.column_names)}" for x in extras]
    return Plan(table, zone, cells, extras, notes=tuple(notes))


def require_columns(table: Table, cells: Mapping[str, Cell], extras: Mapping[str, Cell]) -> None:
    """Raise UnreadableFileError naming every required column that nothing fills."""
    missing = [c for c in table.required if c not in cells]
    if missing:
        hints = [f"{c}{did_you_mean(c, extras)}" for c in missing]
        raise UnreadableFileError(f"required columns are missing for {table.name}: {', '.join(hints)}")
