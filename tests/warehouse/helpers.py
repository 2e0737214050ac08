"""What the tests of the warehouse share."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keepwell.warehouse.loading import LoadReport, Mapping, load_paths
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SMALL = [t for t in TABLES.values() if not t.facts and t.name != "customers"]


def csv_text(columns: str, *rows: str) -> str:
    """A comma file from a header and rows as written."""
    return "\n".join([columns, *rows]) + "\n"


def csv_rows(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """A comma file from dictionaries."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def put(folder: Path, name: str, content: str | bytes) -> Path:
    """Write a file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def load(warehouse: Warehouse, *paths: Path, now: datetime = NOW, mapping: Mapping | None = None) -> LoadReport:
    """Load with a fixed moment."""
    return load_paths(warehouse, paths, now=now, mapping=mapping)


def versions(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    """Which fact days there are, with their versions."""
    return warehouse.connection.execute(
        "SELECT table_name, day, version, rows FROM fact_days ORDER BY table_name, day"
    ).fetchall()


def content(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """Everything a load stores that metrics read, in outside words."""
    query = warehouse.connection.execute
    found = {"fact_days": versions(warehouse)}
    found["history"] = query(
        "SELECT customer_id, h.* EXCLUDE (customer) FROM customer_history h JOIN customer_keys USING (customer)"
        " ORDER BY customer_id, valid_from"
    ).fetchall()
    for table in SMALL:
        found[table.name] = query(
            f"SELECT customer_id, t.* EXCLUDE (customer) FROM {table.name} t LEFT JOIN customer_keys k"
            f" ON k.customer = t.customer ORDER BY t.{table.key}"
        ).fetchall()
    found["tombstones"] = query("SELECT * FROM tombstones ORDER BY ALL").fetchall()
    found["quarantine"] = query(
        "SELECT table_name, file, line, column_name, value, reason, code, row, state FROM quarantine ORDER BY ALL"
    ).fetchall()
    return found


def facts(warehouse: Warehouse, table: str, columns: str) -> list[tuple[Any, ...]]:
    """Columns of all live rows of a fact table, sorted."""
    paths = warehouse.connection.execute("SELECT path FROM fact_days WHERE table_name = ?", [table]).fetchall()
    if not paths:
        return []
    files = [str(warehouse.root / p) for (p,) in paths]
    return warehouse.connection.execute(
        f"SELECT {columns} FROM read_parquet(?) f JOIN customer_keys USING (customer) ORDER BY ALL", [files]
    ).fetchall()


def at(*parts: int) -> datetime:
    """A moment as the warehouse stores it: in UTC, without saying so."""
    return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001
