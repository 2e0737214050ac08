"""Loading: files in, tables changed, a report out. Each file is all or nothing, and every load can be repeated."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from keepwell.warehouse.loading.files import find_files
from keepwell.warehouse.loading.mapping import Mapping
from keepwell.warehouse.loading.one_file import FileLoader
from keepwell.warehouse.loading.report import LoadReport, Progress
from keepwell.warehouse.loading.retry import retry_unknown
from keepwell.warehouse.storage import Warehouse

SAMPLE = 20


def load_paths(
    warehouse: Warehouse,
    paths: Sequence[Path],
    *,
    now: datetime,
    mapping: Mapping | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Load files and folders of files into the canonical tables.

    Files that `mapping` names go where it says, all others are taken for the table they are named after. Every file
    goes in whole or not at all; a bad row goes to quarantine and the rest of its file loads. `now` is the moment of
    the load (taken as UTC when it has no zone). Repeating a load changes nothing.
    """
    found = find_files(paths, mapped=mapping.patterns if mapping else None)
    loader = FileLoader(warehouse, _utc(now), mapping, progress)
    for file in found.files:
        loader.load(file)
    # Always, for an earlier load may have been interrupted after its customers and before this.
    resolved = retry_unknown(loader)
    return LoadReport(
        files=tuple(loader.reports),
        sample=tuple(loader.sample[:SAMPLE]),
        problems=(*found.problems, *loader.problems),
        notes=(*found.notes, *loader.notes),
        resolved=resolved,
    )


def _utc(now: datetime) -> datetime:
    return (now if now.tzinfo else now.replace(tzinfo=UTC)).astimezone(UTC)
