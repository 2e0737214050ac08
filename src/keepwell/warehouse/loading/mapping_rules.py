"""What a mapping says has to exist: tables, columns, formats, zones, lookups.

Works on plain data, so that all is reported.
"""

from collections.abc import Iterator
from typing import Any
from zoneinfo import available_timezones

from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.yaml_source import Document, KeyPath
from keepwell.warehouse.loading.dates import format_names, known_format
from keepwell.warehouse.tables import TABLES, Table


def semantic_problems(document: Document) -> list[Problem]:
    """Every table, column, format, zone and lookup that does not exist, and required columns that nothing fills."""
    return list(_problems(document))


def _problems(document: Document) -> Iterator[Problem]:
    data = document.data if isinstance(document.data, dict) else {}
    yield from _zone(document, ("defaults",), data.get("defaults"))
    for i, entry in enumerate(_items(data.get("files"))):
        yield from _zone(document, ("files", i), entry)
        for j, target in enumerate(_items(entry.get("targets") if isinstance(entry, dict) else None)):
            if isinstance(target, dict):
                yield from _target(document, ("files", i, "targets", j), target)


def _target(document: Document, path: KeyPath, target: dict[str, Any]) -> Iterator[Problem]:
    name, columns = target.get("table"), target.get("columns")
    table = TABLES.get(name) if isinstance(name, str) else None
    if isinstance(name, str) and table is None:
        yield document.problem((*path, "table"), f"unknown table '{name}'{did_you_mean(name, TABLES)}")
    if table is None or not isinstance(columns, dict):
        return
    missing = [c for c in table.required if c not in columns]
    if missing:
        yield document.problem((*path, "columns"), f"{table.name} needs {', '.join(missing)}", key=True)
    for column, source in columns.items():
        yield from _column(document, (*path, "columns", column), table, source)


def _column(document: Document, path: KeyPath, table: Table, source: Any) -> Iterator[Problem]:
    name = str(path[-1])
    if table.column(name) is None and not name.startswith(f"{table.json_column}."):
        hint = did_you_mean(name, table.column_names) or f"; write {table.json_column}.{name} to keep it all the same"
        yield document.problem(path, f"{table.name} has no column '{name}'{hint}", key=True)
    if not isinstance(source, dict):
        return
    text = source.get("format")
    if isinstance(text, str) and not known_format(text):
        known = ", ".join(format_names())
        yield document.problem((*path, "format"), f"unknown format '{text}'; use {known} or a pattern such as %d.%m.%y")
    yield from _zone(document, path, source)
    yield from _lookup(document, path, source.get("lookup"))


def _lookup(document: Document, path: KeyPath, name: Any) -> Iterator[Problem]:
    known = document.data.get("lookups")
    lookups = known if isinstance(known, dict) else {}
    if isinstance(name, str) and name not in lookups:
        hint = did_you_mean(name, lookups) or "; 'lookups' at the top names the file that says what belongs to a key"
        yield document.problem((*path, "lookup"), f"unknown lookup '{name}'{hint}")


def _zone(document: Document, path: KeyPath, owner: Any) -> Iterator[Problem]:
    zone = owner.get("zone") if isinstance(owner, dict) else None
    if isinstance(zone, str) and zone not in available_timezones():
        hint = did_you_mean(zone, available_timezones())
        yield document.problem((*path, "zone"), f"unknown time zone '{zone}'{hint}")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
