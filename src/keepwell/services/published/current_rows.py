"""The current date in one file: everything that a list of customers shows, searches and sorts by."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.model_run import evaluate_model
from keepwell.reporting.frames import rows_of_day, snapshot_frame
from keepwell.reporting.reading import day_back, read_day
from keepwell.reporting.reasons import Reasons
from keepwell.reporting.reasons_of_many import ReasonsOfMany
from keepwell.services.published.copies import CURRENT, Copies
from keepwell.services.reading import Published
from keepwell.services.workspace import Workspace
from keepwell.warehouse.loading.dates import local_day
from keepwell.warehouse.sql import literal, quoted
from keepwell.warehouse.storage import Warehouse

REASONS: Final = 2
SPARK_DAYS: Final = 90
SPARK_POINTS: Final = 31
TENURES: Final = ("under 6 months", "6 to 12 months", "1 to 2 years", "2 years and more")
CHANGES: Final = (7, 30)
SEPARATOR: Final = "\x1f"
_PLAIN: Final = (
    "customer_id", "name", "domain", "status", "churned_on", "owner_email", "industry", "country", "plan", "tier",
    "lifecycle_stage", "payment_status", "company_size", "currency", "customer_since", "email", "phone", "mrr", "arr",
    "segment", "segments", "signals",
)  # fmt: skip
_SEARCHED: Final = ("name", "customer_id", "domain", "owner_email", "email")


def write_current(workspace: Workspace, warehouse: Warehouse, copies: Copies, folder: Path) -> None:
    """Write the rows of the current date, sorted by customer."""
    published = Published(workspace, copies.as_of)
    _register_reasons(warehouse, published)
    target = literal(str(folder / CURRENT))
    warehouse.connection.execute(
        f"COPY ({_select(workspace, copies, published, warehouse.zone)}) TO {target}"
        " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)"
    )
    warehouse.connection.unregister("reasons_found")


def _select(workspace: Workspace, copies: Copies, published: Published, zone: str) -> str:
    earlier = [_earlier(workspace, copies, days) for days in CHANGES]
    changes = ", ".join(f"s.score - c{days}.score AS change_{days}" for days in CHANGES)
    joins = " ".join(
        f"LEFT JOIN ({select}) c{days} USING (customer_id)" for days, select in zip(CHANGES, earlier, strict=True)
    )
    return (
        f"SELECT s.*, {changes}, coalesce(r.reasons, []) AS reasons, t.last_touch_at, t.last_touch_kind,"  # noqa: S608
        " coalesce(k.sparkline, []) AS sparkline"
        f" FROM ({_now(copies, published)}) s {joins} LEFT JOIN ({_REASONS_SQL}) r USING (customer_id)"
        f" LEFT JOIN ({_touches(copies.as_of, zone)}) t USING (customer_id)"
        f" LEFT JOIN ({_sparklines(workspace, copies)}) k USING (customer_id) ORDER BY s.customer_id"
    )


def _now(copies: Copies, published: Published) -> str:
    """The snapshot's own columns under the names that every model's lists share."""
    there, day = frozenset(published.columns), f"DATE '{copies.as_of.isoformat()}'"
    renewal = _first_day([c for c in ("m.renewal_date", "renewal_date") if c in there])
    days = f"coalesce({_or_null('m.days_to_renewal', there, 'DOUBLE')}, date_diff('day', {day}, {renewal}))"
    months = f"greatest(datesub('month', customer_since, {day}), 0)"
    words = ", ".join(f"coalesce({quoted(name)}, '')" for name in _SEARCHED)
    plain = ", ".join(map(quoted, _PLAIN))
    return (
        f"SELECT {plain}, {', '.join(score_columns(copies, there))}, {renewal} AS renewal_date,"  # noqa: S608
        f" CAST({days} AS INTEGER) AS days_to_renewal, {months} AS tenure_months, {_tenure(months)} AS tenure,"
        f" nullif(lower(trim(owner_email)), '') AS owner_key, lower(concat_ws(' ', {words})) AS searched"
        f" FROM {_scan(published.workspace, [copies.as_of])}"
    )


def score_columns(copies: Copies, there: frozenset[str]) -> Iterator[str]:
    """The health and the risk score of a snapshot as SQL, null where it has none."""
    for name, parts in ((copies.score, _SCORE_PARTS), (copies.risk, _RISK_PARTS)):
        for part, (shown, kind) in parts.items():
            yield f"{_or_null(f'{name}_{part}', there, kind)} AS {shown}"


_SCORE_PARTS: Final = {
    "score": ("score", "INTEGER"),
    "raw": ("raw", "DOUBLE"),
    "band": ("band", "VARCHAR"),
    "coverage": ("coverage", "DOUBLE"),
}
_RISK_PARTS: Final = {"score": ("risk_score", "INTEGER"), "band": ("risk_band", "VARCHAR")}
_REASONS_SQL: Final = "SELECT customer_id, string_split(reasons, chr(31)) AS reasons FROM reasons_found"


def _or_null(name: str, there: frozenset[str], kind: str) -> str:
    return quoted(name) if name in there else f"CAST(NULL AS {kind})"


def _first_day(names: Sequence[str]) -> str:
    """The first date that is known; a metric that nobody has a value of is stored as a number."""
    days = [f"TRY_CAST(CAST({quoted(name)} AS VARCHAR) AS DATE)" for name in names]
    return f"coalesce({', '.join([*days, 'CAST(NULL AS DATE)'])})"


def _tenure(months: str) -> str:
    first, second, third, last = map(literal, TENURES)
    return (
        f"CASE WHEN customer_since IS NULL THEN NULL WHEN {months} < 6 THEN {first} WHEN {months} < 12 THEN {second}"
        f" WHEN {months} < 24 THEN {third} ELSE {last} END"
    )


def _earlier(workspace: Workspace, copies: Copies, days: int) -> str:
    found = day_back(workspace.snapshots, copies.as_of, days)
    there = frozenset(Published(workspace, found).columns) if found else frozenset[str]()
    if found is None or f"{copies.score}_score" not in there:
        return "SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST(NULL AS INTEGER) AS score WHERE false"
    return f"SELECT customer_id, {quoted(f'{copies.score}_score')} AS score FROM {_scan(workspace, [found])}"  # noqa: S608


def _touches(as_of: date, zone: str) -> str:
    """The latest interaction of every customer by the current date."""
    return (
        "SELECT k.customer_id, max(i.occurred_at) AS last_touch_at, arg_max(i.kind, i.occurred_at) AS last_touch_kind"  # noqa: S608
        " FROM interactions i JOIN customer_keys k USING (customer) WHERE i.deleted_at IS NULL"
        f" AND {local_day('i.occurred_at', zone)} <= DATE '{as_of.isoformat()}' GROUP BY 1"
    )


def _sparklines(workspace: Workspace, copies: Copies) -> str:
    if copies.score is None:
        return "SELECT CAST(NULL AS VARCHAR) AS customer_id, CAST([] AS INTEGER[]) AS sparkline WHERE false"
    days = spark_dates(copies.dates, copies.as_of)
    return (
        f"SELECT customer_id, list({quoted(f'{copies.score}_score')} ORDER BY parse_filename(filename)) AS sparkline"  # noqa: S608
        f" FROM {_scan(workspace, days)} WHERE status <> 'churned' GROUP BY 1"
    )


def spark_dates(dates: Sequence[date], as_of: date) -> list[date]:
    """At most so many dates, evenly spread over the last quarter, the current one last."""
    recent = [day for day in dates if (as_of - day).days < SPARK_DAYS and day <= as_of]
    step = -(-len(recent) // SPARK_POINTS) or 1
    return recent[::-1][::step][::-1]


def _scan(workspace: Workspace, days: Sequence[date]) -> str:
    listed = ", ".join(literal(str(workspace.snapshots.path(day))) for day in days)
    return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false, filename=true)"


def _register_reasons(warehouse: Warehouse, published: Published) -> None:
    """Send the strongest reasons of every customer, in words."""
    workspace, compiled = published.workspace, compile_model(published.model)
    day = read_day(workspace.snapshots, published.as_of)
    here = [str(name) for name in day.ids[day.here]]
    found: dict[str, str] = {}
    if here:
        frame = snapshot_frame(workspace.snapshots, compiled, day, here)
        evaluation = evaluate_model(compiled, frame, lean=False)
        reasons = ReasonsOfMany(Reasons(compiled.model, evaluation, workspace.currency))
        places = rows_of_day(frame, day)
        found = {name: SEPARATOR.join(reasons.of(row, REASONS)) for name, row in places.items()}
    said = {name: text for name, text in found.items() if text}
    rows = {"customer_id": np.array(list(said), dtype=object), "reasons": np.array(list(said.values()), dtype=object)}
    warehouse.connection.register("reasons_found", rows)
