"""What the data says against itself: each contradiction named, counted, with examples."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from keepwell.model.words import counted
from keepwell.warehouse.facts import fact_days, scan
from keepwell.warehouse.loading.dates import local_day
from keepwell.warehouse.loading.quarantine import SHORT_REASON
from keepwell.warehouse.quality_checks import CHECKS, QualityCheck
from keepwell.warehouse.schema import FACT_COLUMNS
from keepwell.warehouse.sql import literal
from keepwell.warehouse.storage import Warehouse
from keepwell.warehouse.tables import TABLES, Table

EXAMPLES: Final = 5
STALE: Final = timedelta(days=7)
"""A feed this far behind the freshest one is named."""


@dataclass(frozen=True)
class QualityFinding:
    """One kind of finding in one table: how many rows, what it means, and a few of them; `total` is all looked at."""

    code: str
    table: str
    count: int
    message: str
    examples: tuple[str, ...] = ()
    total: int | None = None

    @property
    def share(self) -> float | None:
        """The part of all that was looked at; None where that is no number of rows."""
        return self.count / self.total if self.total else None


def data_quality(warehouse: Warehouse, as_of: date | None = None) -> list[QualityFinding]:
    """Every finding about the data as it is stored: quarantine, contradictions between tables, feeds.

    What has passed by a day is held against `as_of`, the day of the last load if left out. What counts something comes
    first; tables that were never loaded count nothing and come last.
    """
    day = as_of or _last_load(warehouse)
    _prepare(warehouse, day)
    contradictions = (f for c in CHECKS for f in _contradictions(warehouse, c, day))
    return sorted([*_quarantine(warehouse), *contradictions, *_feeds(warehouse)], key=lambda f: f.count == 0)


def _last_load(warehouse: Warehouse) -> date:
    """The newest moment that the data know of; without any there is nothing that could have passed."""
    newest = local_day("max(last_sync_at)", warehouse.zone)
    found = warehouse.connection.execute(f"SELECT {newest} FROM feeds").fetchone()  # noqa: S608
    return found[0] if found and found[0] else date.min


def _prepare(warehouse: Warehouse, day: date) -> None:
    """Give the checks relations of usage, and of the customers as they were on a day."""
    warehouse.connection.execute(_customers_then(warehouse.zone, day))
    usage = " UNION ALL ".join(_usage(warehouse, TABLES[name]) for name in FACT_COLUMNS)
    warehouse.connection.execute(
        "CREATE OR REPLACE TEMP TABLE usage AS SELECT customer, min(first_at) AS first_at, max(last_at) AS last_at,"  # noqa: S608
        f" sum(n) AS n FROM ({usage}) GROUP BY customer"
    )
    named = " UNION ALL ".join(_subscription_usage(warehouse, TABLES[name]) for name in FACT_COLUMNS)
    warehouse.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE subscription_usage AS SELECT subscription_id, day, sum(n) AS n FROM ({named})"  # noqa: S608
        " GROUP BY ALL"
    )


def _customers_then(zone: str, day: date) -> str:
    """The last state known on a day, the first one where none was yet, as runs take it.

    When somebody left is a fact about the past that the latest state knows best.
    """
    then = f"DATE '{day}'"
    known, left = f"{local_day('h.valid_from', zone)} <= {then}", local_day("c.churned_at", zone)
    back = f"{local_day('h.valid_from', zone)} > {left}"
    return (
        "CREATE OR REPLACE TEMP TABLE customers_then AS SELECT c.customer_id, h.renewal_date,"  # noqa: S608
        f" CASE WHEN {left} <= {then} AND NOT (h.status IS DISTINCT FROM 'churned' AND {back}) THEN 'churned'"
        f" WHEN {left} > {then} AND h.status = 'churned' THEN 'active' ELSE h.status END AS status"
        " FROM customer_history h JOIN customers c USING (customer)"
        f" WHERE (c.deleted_at IS NULL OR {local_day('c.deleted_at', zone)} > {then})"
        f" AND coalesce(c.customer_since, {local_day('c.created_at', zone)}, {then}) <= {then}"
        f" QUALIFY row_number() OVER (PARTITION BY h.customer ORDER BY {known} DESC,"
        f" CASE WHEN {known} THEN h.valid_from END DESC, h.valid_from) = 1"
    )


def _usage(warehouse: Warehouse, table: Table) -> str:
    files = [f.path for f in fact_days(warehouse, table).values()]
    if not files:
        none = "CAST(NULL AS TIMESTAMP)"
        return f"SELECT 0 AS customer, {none} AS first_at, {none} AS last_at, 0 AS n WHERE false"
    return (
        f"SELECT customer, min({table.time}) AS first_at, max({table.time}) AS last_at, count(*) AS n"  # noqa: S608
        f" FROM {scan(files)} GROUP BY customer"
    )


def _subscription_usage(warehouse: Warehouse, table: Table) -> str:
    files = [f.path for f in fact_days(warehouse, table).values()]
    if not files:
        return "SELECT '' AS subscription_id, CAST(NULL AS DATE) AS day, 0 AS n WHERE false"
    # Most sources name no subscription; looking for the word first saves them reading every row's JSON.
    return (
        f"SELECT json_extract_string(properties, '$.subscription_id') AS subscription_id,"  # noqa: S608
        f" {local_day(str(table.time), warehouse.zone)} AS day, count(*) AS n FROM {scan(files)}"
        " WHERE contains(properties, '\"subscription_id\"') GROUP BY ALL"
    )


def _feeds(warehouse: Warehouse) -> list[QualityFinding]:
    """Tables that never came, and feeds that stopped while others went on."""
    known = warehouse.connection.execute(
        "SELECT table_name, source, last_sync_at FROM feeds ORDER BY table_name, source"
    ).fetchall()
    present = {name for name, *_ in known}
    found = [
        QualityFinding("feed_missing", name, 0, f"no file for {name} was ever loaded; what needs it is unknown")
        for name in TABLES
        if name not in present
    ]
    newest = max((moment for *_, moment in known), default=None)
    for name, source, moment in known:
        if newest is not None and moment < newest - STALE:
            behind = (newest - moment).days
            message = f"the feed {source} of {name} is {counted(behind, 'day')} behind the freshest feed"
            found.append(QualityFinding("feed_stale", name, behind, message, (f"{source}: {moment:%Y-%m-%d %H:%M}",)))
    return found


def _quarantine(warehouse: Warehouse) -> list[QualityFinding]:
    """Rows that wait in quarantine, by table and reason."""
    rows = warehouse.connection.execute(
        f"SELECT table_name, code, {SHORT_REASON} AS what, count(*),"  # noqa: S608
        f" list(concat(file, ':', line) ORDER BY file, line)[:{EXAMPLES}] FROM quarantine WHERE state = 'open'"
        " GROUP BY ALL ORDER BY table_name, count(*) DESC, what"
    ).fetchall()
    return [
        QualityFinding(
            f"quarantine_{code}", table, count, f"{what} ({counted(count, 'row waits', 'rows wait')})", tuple(examples)
        )
        for table, code, what, count, examples in rows
    ]


def _contradictions(warehouse: Warehouse, check: QualityCheck, day: date) -> list[QualityFinding]:
    """The rows of one check: a query that gives one text per row."""
    query = _localized(check.query, warehouse.zone, day)
    found = warehouse.connection.execute(
        f"SELECT {check.cases}, list(example ORDER BY example)[:{EXAMPLES}] FROM ({query})"  # noqa: S608
    ).fetchone()
    if found is None or not found[0]:
        return []
    total = warehouse.connection.execute(check.total).fetchone() if check.total else None
    count, everything = int(found[0]), int(total[0]) if total else None
    said = check.message.replace("{day}", day.isoformat())
    message = f"{said} ({count / everything:.1%} of {everything})" if everything else said
    return [QualityFinding(check.code, check.table, count, message, tuple(found[1]), everything)]


def _localized(query: str, zone: str, day: date) -> str:
    """Queries compare days in the workspace's zone: `{zone}` stands for it, `{day}` for the day looked at."""
    return query.replace("{zone}", literal(zone)).replace("{day}", day.isoformat())
