"""History and usage, a file for each month: months whose data did not change are taken from the version before."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from keepwell.services.published.copies import HISTORY, USAGE, Copies, reuse_part
from keepwell.services.published.current_rows import score_columns
from keepwell.services.workspace import Workspace
from keepwell.warehouse.facts import FactDay, fact_days, scan
from keepwell.warehouse.sql import literal
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import EVENTS, SESSIONS

KEPT_DAYS: Final = 400
PARQUET: Final = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
_HISTORY_FORM: Final = "1"
_USAGE_FORM: Final = "1"
_DAY: Final = r"CAST(regexp_extract(filename, '(\d{4}-\d{2}-\d{2})\.parquet$', 1) AS DATE)"
_FACT_DAY: Final = r"CAST(regexp_extract(filename, '(\d{4}-\d{2}-\d{2})/[^/]*$', 1) AS DATE)"

Facts = Mapping[str, Mapping[date, FactDay]]


def kept_dates(workspace: Workspace, as_of: date) -> tuple[date, ...]:
    """The published dates that are copied."""
    first = as_of - timedelta(days=KEPT_DAYS)
    return tuple(day for day in workspace.snapshots.dates() if first < day <= as_of)


def kept_facts(warehouse: Warehouse, as_of: date) -> Facts:
    """The fact files that are copied, by table and day. Days after the current date are: they are on their way."""
    first = as_of - timedelta(days=KEPT_DAYS)
    tables = (EVENTS, SESSIONS)
    return {t.name: {day: f for day, f in fact_days(warehouse, t).items() if day > first} for t in tables}


def history_parts(workspace: Workspace, dates: Sequence[date], scores: Sequence[str | None]) -> dict[str, str]:
    """The files of history with a digest of what each is made from."""
    parts: dict[str, list[str]] = {}
    for day in dates:
        about = workspace.snapshots.path(day).stat()
        parts.setdefault(_month(HISTORY, day), []).append(f"{day} {about.st_size} {about.st_mtime_ns}")
    return {name: digest(_HISTORY_FORM, *map(str, scores), *found) for name, found in parts.items()}


def usage_parts(facts: Facts) -> dict[str, str]:
    """The files of usage with a digest of what each is made from."""
    parts: dict[str, list[str]] = {}
    for table, days in facts.items():
        for day, fact in days.items():
            parts.setdefault(_month(USAGE, day), []).append(f"{table} {day} {fact.version}")
    return {name: digest(_USAGE_FORM, *sorted(found)) for name, found in parts.items()}


def digest(*words: str) -> str:
    """A short digest of some words."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def write_history(
    workspace: Workspace, warehouse: Warehouse, copies: Copies, kept: Sequence[Copies], folder: Path
) -> None:
    """Write the months of history that no version before has."""
    for name in copies.months(HISTORY):
        part = Path(name).name
        if not reuse_part(part, copies.parts[part], kept, folder / part):
            days = [day for day in copies.dates if _month(HISTORY, day) == part]
            _copy(warehouse, _history(workspace, warehouse, copies, days), folder / part)


def write_usage(warehouse: Warehouse, copies: Copies, facts: Facts, kept: Sequence[Copies], folder: Path) -> None:
    """Write the months of usage that no version before has."""
    for name in copies.months(USAGE):
        part = Path(name).name
        if not reuse_part(part, copies.parts[part], kept, folder / part):
            _copy(warehouse, _usage(facts, part), folder / part)


def _month(kind: str, day: date) -> str:
    return f"{kind}-{day:%Y-%m}.parquet"


def _copy(warehouse: Warehouse, select: str, target: Path) -> None:
    warehouse.connection.execute(f"COPY ({select}) TO {literal(str(target))} {PARQUET}")


def _history(workspace: Workspace, warehouse: Warehouse, copies: Copies, days: Sequence[date]) -> str:
    files = ", ".join(literal(str(workspace.snapshots.path(day))) for day in days)
    source = f"read_parquet([{files}], union_by_name=true, hive_partitioning=false, filename=true)"
    described = warehouse.connection.execute(f"SELECT * FROM {source} LIMIT 0").description or ()  # noqa: S608
    scores = ", ".join(score_columns(copies, frozenset(name for name, *_ in described)))
    return (
        f"SELECT customer_id, {_DAY} AS as_of, status, {scores}, segment, mrr, arr FROM {source}"  # noqa: S608
        " WHERE status <> 'churned' ORDER BY customer_id, as_of"
    )


def _usage(facts: Facts, part: str) -> str:
    """Every customer's day: events, sessions and people in all, and how often each event and feature came."""
    events = [f.path for day, f in facts[EVENTS.name].items() if _month(USAGE, day) == part]
    sessions = [f.path for day, f in facts[SESSIONS.name].items() if _month(USAGE, day) == part]
    selects = [*([_events(events)] if events else []), *([_sessions(sessions)] if sessions else [])]
    every = " UNION ALL ".join(selects)
    return (
        f"SELECT k.customer_id, u.* EXCLUDE (customer) FROM ({every}) u JOIN customer_keys k USING (customer)"  # noqa: S608
        " ORDER BY customer_id, day, kind, name"
    )


def _events(files: list[Path]) -> str:
    source = f"(SELECT customer, {_FACT_DAY} AS day, name, feature, person FROM {scan(files)})"  # noqa: S608
    return (
        "SELECT customer, day, 'total' AS kind, '' AS name, count(*) AS n, count(DISTINCT person) AS people"  # noqa: S608
        f" FROM {source} GROUP BY ALL"
        f" UNION ALL {_named('name', 'event', source)} UNION ALL {_named('feature', 'feature', source)}"
    )


def _named(column: str, kind: str, source: str) -> str:
    return (
        f"SELECT customer, day, '{kind}' AS kind, s.text AS name, n, 0 AS people FROM"  # noqa: S608
        f" (SELECT customer, day, {column} AS code, count(*) AS n FROM {source} GROUP BY ALL) u"
        f" JOIN symbols s ON s.code = u.code AND s.kind = 'events.{column}'"
    )


def _sessions(files: list[Path]) -> str:
    return (
        f"SELECT customer, {_FACT_DAY} AS day, 'session' AS kind, '' AS name, count(*) AS n,"  # noqa: S608
        f" count(DISTINCT person) AS people FROM {scan(files)} GROUP BY ALL"
    )
