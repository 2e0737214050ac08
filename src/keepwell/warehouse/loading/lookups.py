"""Lookups of a mapping: files that say what belongs to a key, such as the customer of a subscription."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from keepwell.model.problems import did_you_mean
from keepwell.warehouse.loading.encoding import UnreadableFileError
from keepwell.warehouse.loading.files import file_form
from keepwell.warehouse.loading.mapping import LookupFile
from keepwell.warehouse.loading.opening import open_file
from keepwell.warehouse.loading.parse import Cell, text_sql
from keepwell.warehouse.loading.reading import RawFile
from keepwell.warehouse.sql import quoted

KEY: Final = "_lookup_key"
VALUE: Final = "_lookup_value"
EXAMPLES: Final = 3


@dataclass(frozen=True)
class LookupTable:
    """What a lookup file says, in a temporary table; `label` is what people know the file by."""

    relation: str
    label: str

    def value_sql(self, text: str) -> str:
        """The value that belongs to a text; NULL when the file does not have it."""
        return f"(SELECT {VALUE} FROM {self.relation} WHERE {KEY} = {text})"  # noqa: S608


@dataclass
class Lookups:
    """The lookups of a mapping, each file read when it is first needed."""

    connection: duckdb.DuckDBPyConnection
    definitions: Mapping[str, LookupFile]
    beside: Path | None = None
    _read: dict[tuple[str, Path], LookupTable] = field(default_factory=dict)

    def open(self, names: set[str], near: Path, folder: Path) -> dict[str, LookupTable]:
        """The tables of some lookups for a file that lies at `near`; `folder` is for copies.

        Raises UnreadableFileError when a file is missing, lacks a column, or gives one key several values.
        """
        return {name: self._table(name, near, folder) for name in sorted(names)}

    def _table(self, name: str, near: Path, folder: Path) -> LookupTable:
        path = self._find(name, near)
        if (name, path) not in self._read:
            stage = folder / f"lookup-{len(self._read)}"
            stage.mkdir()
            self._read[name, path] = self._fill(name, path, stage)
        return self._read[name, path]

    def _find(self, name: str, near: Path) -> Path:
        """Beside the file that is loaded, for exports come together; else beside the mapping."""
        wanted = self.definitions[name].file
        places = [near.parent, *([self.beside] if self.beside else [])]
        found = next((place / wanted for place in places if (place / wanted).is_file()), None)
        if found is None:
            shown = " or ".join(dict.fromkeys(str(place) for place in places))
            raise UnreadableFileError(f"the lookup {name} needs {wanted}, which is not in {shown}")
        return found

    def _fill(self, name: str, path: Path, stage: Path) -> LookupTable:
        wanted, form = self.definitions[name], file_form(path)
        if form is None:
            raise UnreadableFileError(f"the lookup {name} cannot read {path.name}: its ending says no format")
        names = {wanted.key.lower(), wanted.value.lower()}
        raw = open_file(self.connection, path, form, stage, lambda column: column.strip().lower() in names)
        table = LookupTable(f"lookup_{len(self._read)}", path.name)
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table.relation} AS SELECT DISTINCT {_text(raw, wanted.key, name)} AS {KEY},"  # noqa: S608
            f" {_text(raw, wanted.value, name)} AS {VALUE} FROM {raw.relation}"
            f" WHERE {KEY} IS NOT NULL AND {VALUE} IS NOT NULL"
        )
        self._require_unique(name, table)
        return table

    def _require_unique(self, name: str, table: LookupTable) -> None:
        several = self.connection.execute(
            f"SELECT {KEY}, list({VALUE} ORDER BY {VALUE}) FROM {table.relation} GROUP BY {KEY} HAVING count(*) > 1"  # noqa: S608
            f" ORDER BY {KEY} LIMIT {EXAMPLES}"
        ).fetchall()
        if several:
            shown = "; ".join(f"{key}: {', '.join(values[:EXAMPLES])}" for key, values in several)
            raise UnreadableFileError(f"the lookup {name} gives a key several values in {table.label} ({shown})")


def _text(raw: RawFile, column: str, name: str) -> str:
    """A column of the file as text, found without regard to case."""
    found = next((c for c in raw.columns if c.name.lower() == column.lower()), None)
    if found is None:
        hint = did_you_mean(column, [c.name for c in raw.columns])
        raise UnreadableFileError(f"the lookup {name} needs the column {column!r} of {raw.path.name}{hint}")
    return text_sql(Cell(quoted(found.name), found.type))
