"""The data-quality report: what each source delivered, what is stale or absent, what waits in quarantine."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from keepwell.services.workspace import Workspace
from keepwell.warehouse.quality import QualityFinding, data_quality
from keepwell.warehouse.storage import Warehouse


@dataclass(frozen=True)
class FeedQuality:
    """One source's deliveries for one table."""

    table: str
    source: str
    rows: int
    first_row_at: datetime | None
    last_row_at: datetime | None
    last_sync_at: datetime | None
    quarantined: int


@dataclass(frozen=True)
class WaitingRow:
    """A row in quarantine: where it stood, what is wrong, and the row itself."""

    table: str
    file: str
    line: int
    column: str | None
    value: str | None
    reason: str
    code: str
    row: str


@dataclass(frozen=True)
class Quality:
    """Everything about the data that a person should look at."""

    feeds: tuple[FeedQuality, ...]
    findings: tuple[QualityFinding, ...]


def read_quality(
    workspace: Workspace, *, as_of: date | None = None, on_wait: Callable[[str], None] | None = None
) -> Quality:
    """Read the state of all feeds, what waits in quarantine, and what the data say against themselves.

    Findings that depend on a date are of `as_of`, of the day of the last load if left out.
    """
    with workspace.warehouse("show quality", on_wait) as warehouse:
        return Quality(tuple(_feeds(warehouse)), tuple(data_quality(warehouse, as_of)))


def read_quarantine(
    workspace: Workspace, *, limit: int | None = None, on_wait: Callable[[str], None] | None = None
) -> list[WaitingRow]:
    """The rows that wait in quarantine, in the order in which they came."""
    with workspace.warehouse("show quarantine", on_wait) as warehouse:
        found = warehouse.connection.execute(
            "SELECT table_name, file, line, column_name, value, reason, code, row FROM quarantine"
            " WHERE state = 'open' ORDER BY load_id, file, line, code LIMIT ?",
            [limit if limit is not None else 2**62],
        ).fetchall()
    return [WaitingRow(*row) for row in found]


def _feeds(warehouse: Warehouse) -> list[FeedQuality]:
    found = warehouse.connection.execute(
        "SELECT f.table_name, f.source, f.rows, f.first_row_at, f.last_row_at, f.last_sync_at, count(q.table_name)"
        " FROM feeds f LEFT JOIN quarantine q ON q.table_name = f.table_name AND q.state = 'open'"
        " GROUP BY ALL ORDER BY 1, 2"
    ).fetchall()
    return [FeedQuality(*row) for row in found]
