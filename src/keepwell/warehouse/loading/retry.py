"""Rows that waited for their customer load by themselves once it is there."""

from keepwell.warehouse.loading.files import InputFile
from keepwell.warehouse.loading.one_file import FileLoader
from keepwell.warehouse.loading.quarantine import WAITING
from keepwell.warehouse.sql import literal
from keepwell.warehouse.tables import TABLES


def retry_unknown(loader: FileLoader) -> int:
    """Load the rows in quarantine whose customer is known by now; returns how many were resolved."""
    connection = loader.warehouse.connection
    resolved = 0
    waiting = connection.execute(
        f"SELECT table_name, count(*) FROM quarantine WHERE {WAITING} GROUP BY ALL"  # noqa: S608
    ).fetchall()
    for name, rows in sorted(waiting, key=lambda w: list(TABLES).index(w[0])):
        if _retry(loader, name):
            resolved += rows
    return resolved


def _retry(loader: FileLoader, name: str) -> bool:
    path = loader.warehouse.root / f"quarantine_{name}.ndjson"
    rows = f"SELECT row FROM quarantine WHERE table_name = {literal(name)} AND {WAITING}"  # noqa: S608
    loader.warehouse.connection.execute(
        f"COPY ({rows} ORDER BY load_id, file, line)"
        f" TO {literal(str(path))} (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
    )
    try:
        return loader.load(InputFile(path, "json", TABLES[name]), resolves=True)
    finally:
        path.unlink(missing_ok=True)
