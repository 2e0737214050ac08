"""Tickets and measurements of the service as support looks at them: as they were known at a moment."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keepwell.services.published.copies import CURRENT, PEOPLE, SERVICE, TICKETS, Copies, copies_current
from keepwell.services.published.reader import read_copies, rows_of
from keepwell.services.workspace import Workspace


@dataclass(frozen=True)
class TicketRow:
    """A ticket with its customer, who may have `left`. Moments are in UTC; what lies after the moment of asking has not
    happened.
    """

    ticket_id: str
    customer_id: str
    company: str
    owner_email: str
    plan: str
    tier: str
    mrr: float | None
    left: bool
    subject: str
    body: str
    person_id: str
    person: str
    category: str
    type: str
    urgency: str
    impact: str
    priority: str
    severity: str
    status: str
    channel: str
    assignee: str
    tags: str
    created_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True)
class Measured:
    """One measurement of the product: a latency, a rate of errors; `baseline` is what is usual."""

    name: str
    at: datetime
    value: float
    baseline: float | None


@dataclass(frozen=True)
class Account:
    """What an escalation says of a customer."""

    customer_id: str
    plan: str
    mrr: float | None
    score: int | None
    band: str
    risk_score: int | None
    people: int


_SELECT = (
    "SELECT t.*, coalesce(c.name, t.customer_id) AS company, c.owner_key AS owner_email, c.plan, c.tier, c.mrr,"
    " coalesce(c.status = 'churned', false) AS \"left\""
    " FROM read_parquet(?) t LEFT JOIN read_parquet(?) c USING (customer_id) WHERE t.created_at <= ?"
)
_OPEN = (
    "CASE WHEN t.resolved_at IS NULL THEN coalesce(t.status, 'open') NOT IN ('solved', 'closed')"
    " ELSE t.resolved_at > ? END"
)
_MOMENTS = ("first_response_at", "resolved_at")


def tickets_version(workspace: Workspace) -> str:
    """Changes whenever the tickets may have changed; empty before the first publishing."""
    copies = copies_current(workspace)
    return copies.version if copies else ""


def tickets_known(
    workspace: Workspace,
    now: datetime,
    *,
    since: datetime | None = None,
    open_only: bool = False,
    ticket_id: str = "",
) -> tuple[TicketRow, ...]:
    """The tickets that are open, and those of the last half-year or since a moment, or one; the oldest first."""
    plain = now.astimezone(UTC).replace(tzinfo=None)
    where, values = "", list[Any]()
    if ticket_id:
        where, values = " AND t.ticket_id = ?", [ticket_id]
    elif open_only:
        where, values = f" AND {_OPEN}", [plain]
    elif since is not None:
        where, values = f" AND (t.created_at >= ? OR {_OPEN})", [since.astimezone(UTC).replace(tzinfo=None), plain]

    def read(copies: Copies) -> tuple[TicketRow, ...]:
        if not Path(copies.path(TICKETS)).exists():
            return ()
        rows = rows_of(
            f"{_SELECT}{where} ORDER BY t.created_at, t.ticket_id",
            [copies.path(TICKETS), copies.path(CURRENT), plain, *values],
        )
        return tuple(_ticket(row, now) for row in rows)

    return read_copies(workspace, read)


def service_known(workspace: Workspace, now: datetime) -> tuple[Measured, ...]:
    """What was measured of the product in the last half-year, by name and time."""
    plain = now.astimezone(UTC).replace(tzinfo=None)

    def read(copies: Copies) -> tuple[Measured, ...]:
        if not Path(copies.path(SERVICE)).exists():
            return ()
        rows = rows_of(
            "SELECT name, measured_at, value, baseline FROM read_parquet(?) WHERE measured_at <= ?"
            " ORDER BY name, measured_at",
            [copies.path(SERVICE), plain],
        )
        return tuple(Measured(r["name"], r["measured_at"].replace(tzinfo=UTC), r["value"], r["baseline"]) for r in rows)

    return read_copies(workspace, read)


def accounts_known(workspace: Workspace, customers: Collection[str]) -> dict[str, Account]:
    """What is known of these customers on the current day."""
    wanted: Sequence[str] = sorted(customers)

    def read(copies: Copies) -> dict[str, Account]:
        rows = rows_of(
            "SELECT c.customer_id, coalesce(c.plan, '') AS plan, c.mrr, c.score, coalesce(c.band, '') AS band,"
            " c.risk_score, (SELECT count(*) FROM read_parquet(?) p WHERE p.customer_id = c.customer_id"
            " AND p.left_company_at IS NULL) AS people FROM read_parquet(?) c"
            " WHERE list_contains(CAST(? AS VARCHAR[]), c.customer_id) ORDER BY c.customer_id",
            [copies.path(PEOPLE), copies.path(CURRENT), wanted],
        )
        return {row["customer_id"]: Account(**row) for row in rows}

    return read_copies(workspace, read)


def _ticket(row: dict[str, Any], now: datetime) -> TicketRow:
    found: dict[str, Any] = {name: value if value is not None or name == "mrr" else "" for name, value in row.items()}
    found["created_at"] = row["created_at"].replace(tzinfo=UTC)
    for name in _MOMENTS:
        at = row[name].replace(tzinfo=UTC) if row[name] is not None else None
        found[name] = at if at is not None and at <= now else None
    if found["resolved_at"] is None and row["resolved_at"] is not None:
        found["status"] = "open"
    return TicketRow(**found)
