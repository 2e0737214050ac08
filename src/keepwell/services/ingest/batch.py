"""Canonical rows of one journal file, gathered so that loading them in any order comes out the same."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from keepwell.services.ingest.values import sound_tree
from keepwell.warehouse.tables import TABLES

Row = dict[str, Any]
_EVENTS: Final = "events"
_CUSTOMERS: Final = "customers"


@dataclass
class Batch:
    """Rows by table, and ids that stand for customers from now on."""

    links: dict[str, str] = field(default_factory=dict)
    _rows: dict[tuple[str, ...], Row] = field(default_factory=dict)
    _latest: dict[str, Row] = field(default_factory=dict)

    def event(self, row: Row) -> None:
        """An event; each id is there once."""
        self._rows.setdefault((_EVENTS, row["event_id"]), row)

    def customer(self, row: Row) -> None:
        """What is known of a customer from `synced_at` on: what earlier rows here said, and what this one says."""
        identity = row["customer_id"]
        earlier = self._latest.get(identity, {})
        whole = {**earlier, **row, "traits": {**earlier.get("traits", {}), **row["traits"]}}
        self._latest[identity] = whole
        self._rows[(_CUSTOMERS, identity, row["synced_at"])] = whole

    def part_of_customer(self, row: Row) -> None:
        """Columns of a customer that are news at `synced_at`; whatever else is known of it stays as it was then."""
        self._rows[(_CUSTOMERS, row["customer_id"], row["synced_at"], *sorted(row))] = row

    def put(self, table: str, row: Row) -> None:
        """A row of another table; columns of the later one win, those that only the earlier one has stay."""
        place = (table, row[TABLES[table].key])
        there = self._rows.get(place, {})
        older, newer = (there, row) if there.get("synced_at", "") <= row["synced_at"] else (row, there)
        self._rows[place] = {**older, **newer}

    def files(self) -> Iterator[tuple[str, str]]:
        """Names and contents of files to load: rows of one table with the same columns each.

        Columns that a file does not have stay as they are, so rows with other columns are a file of their own.
        Events never change and are many: they are one file.
        """
        groups: dict[tuple[str, ...], list[Row]] = {}
        for (table, *_), row in self._rows.items():
            columns = () if table == _EVENTS else tuple(sorted(row))
            groups.setdefault((table, *columns), []).append(row)
        for number, ((table, *_), rows) in enumerate(groups.items()):
            yield f"{table}_{number:05d}.ndjson", "".join(map(_line, rows))


def _line(row: Row) -> str:
    return json.dumps(sound_tree(row), ensure_ascii=True) + "\n"
