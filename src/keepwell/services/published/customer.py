"""One customer: what it is now, how it went, what happened, how it uses the product, who its people are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from keepwell.services.published.copies import CURRENT, HISTORY, PEOPLE, SUBSCRIPTIONS, TIMELINE, Copies
from keepwell.services.published.customer_files import PERSON_COLUMNS, SUBSCRIPTION_COLUMNS
from keepwell.services.published.reader import read_copies, row_of, rows_of
from keepwell.services.workspace import Workspace

_HISTORY: Final = (
    "as_of", "score", "band", "coverage", "risk_score", "risk_band", "segment", "mrr", "arr", "status",
)  # fmt: skip


@dataclass(frozen=True)
class CustomerOwner:
    """Whose customer it is: what access is decided by."""

    customer_id: str
    name: str
    owner_email: str | None
    status: str


@dataclass(frozen=True)
class HistoryPoint:
    """A customer on one published date."""

    as_of: date
    score: int | None
    band: str | None
    coverage: float | None
    risk_score: int | None
    risk_band: str | None
    segment: str | None
    mrr: float | None
    arr: float | None
    status: str


@dataclass(frozen=True)
class TimelineEntry:
    """Something that happened; `at` is in UTC."""

    at: datetime
    kind: str
    title: str
    detail: str | None
    amount: float | None
    ref: str
    person: str | None


@dataclass(frozen=True)
class TimelinePage:
    """A part of a timeline, the newest first; `next_before` asks for what is older."""

    entries: tuple[TimelineEntry, ...]
    next_before: datetime | None


@dataclass(frozen=True)
class PersonRow:
    """A user or contact of a customer."""

    person_id: str
    name: str | None
    email: str | None
    phone: str | None
    title: str | None
    role: str | None
    is_executive: bool | None
    seat_status: str | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    left_company_at: datetime | None
    unsubscribed: bool | None


@dataclass(frozen=True)
class SubscriptionRow:
    """What a customer pays for, or paid."""

    subscription_id: str
    product: str | None
    plan: str | None
    status: str | None
    quantity: float | None
    billing_interval: str | None
    mrr: float | None
    arr: float | None
    discount_pct: float | None
    started_at: datetime
    trial_end: datetime | None
    current_period_end: datetime | None
    renewal_date: date | None
    auto_renew: bool | None
    cancel_at_period_end: bool | None
    canceled_at: datetime | None
    ended_at: datetime | None
    cancellation_reason: str | None
    paused_at: datetime | None


def customer_owner(workspace: Workspace, customer_id: str) -> CustomerOwner | None:
    """Whose customer it is; None when there is no such customer."""

    def read(copies: Copies) -> CustomerOwner | None:
        row = row_of(
            "SELECT customer_id, coalesce(name, customer_id) AS name, owner_email, status FROM read_parquet(?)"
            " WHERE customer_id = ?",
            [copies.path(CURRENT), customer_id],
        )
        return None if row is None else CustomerOwner(**row)

    return read_copies(workspace, read)


def customer_currency(workspace: Workspace, customer_id: str) -> str:
    """What a customer's own amounts are in (subscriptions, invoices, payments); the workspace's if nothing is said."""

    def read(copies: Copies) -> str:
        row = row_of("SELECT currency FROM read_parquet(?) WHERE customer_id = ?", [copies.path(CURRENT), customer_id])
        said = str(row["currency"] or "").strip().upper() if row else ""
        return said or workspace.currency

    return read_copies(workspace, read)


def customer_history(workspace: Workspace, customer_id: str, days: int = 180) -> tuple[HistoryPoint, ...]:
    """The published dates of the last `days` days, the oldest first; those after a customer left are not there."""

    def read(copies: Copies) -> tuple[HistoryPoint, ...]:
        first = copies.as_of - timedelta(days=max(days, 1) - 1)
        found = _of_months(copies, HISTORY, ", ".join(_HISTORY), customer_id, first, "as_of", "ORDER BY as_of")
        return tuple(HistoryPoint(**row) for row in found)

    return read_copies(workspace, read)


def customer_timeline(
    workspace: Workspace,
    customer_id: str,
    kinds: Sequence[str] = (),
    before: datetime | None = None,
    limit: int = 50,
) -> TimelinePage:
    """What happened with a customer, the newest first; what happened at one moment is never torn apart."""

    def read(copies: Copies) -> TimelinePage:
        where = ["customer_id = ?"]
        values: list[Any] = [copies.path(TIMELINE), customer_id]
        if kinds:
            where.append("list_contains(CAST(? AS VARCHAR[]), kind)")
            values.append(list(kinds))
        if before is not None:
            where.append("happened_at < ?")
            values.append(before.replace(tzinfo=None))
        found = rows_of(
            "WITH mine AS MATERIALIZED (SELECT happened_at AS moment, kind, title, detail, amount, ref, person"  # noqa: S608
            f" FROM read_parquet(?) WHERE {' AND '.join(where)}), edge AS (SELECT min(moment) AS last FROM"
            " (SELECT moment FROM mine ORDER BY moment DESC LIMIT ?)) SELECT m.*, EXISTS (SELECT 1 FROM mine o WHERE"
            " o.moment < e.last) AS more FROM mine m JOIN edge e ON m.moment >= e.last"
            " ORDER BY m.moment DESC, m.kind, m.ref",
            [*values, max(limit, 1)],
        )
        entries = tuple(_entry(row) for row in found)
        return TimelinePage(entries, entries[-1].at if found and found[0]["more"] else None)

    return read_copies(workspace, read)


def customer_people(workspace: Workspace, customer_id: str) -> tuple[PersonRow, ...]:
    """The people of a customer: those with a role and seen lately first, those who left last."""

    def read(copies: Copies) -> tuple[PersonRow, ...]:
        found = rows_of(
            f"SELECT {', '.join(PERSON_COLUMNS)} FROM read_parquet(?) WHERE customer_id = ?"  # noqa: S608 - own names
            " ORDER BY left_company_at IS NOT NULL, coalesce(role, 'user') = 'user', last_seen_at DESC NULLS LAST,"
            " person_id",
            [copies.path(PEOPLE), customer_id],
        )
        return tuple(PersonRow(**row) for row in found)

    return read_copies(workspace, read)


def customer_subscriptions(workspace: Workspace, customer_id: str) -> tuple[SubscriptionRow, ...]:
    """The subscriptions of a customer: the running ones first, then the latest."""

    def read(copies: Copies) -> tuple[SubscriptionRow, ...]:
        found = rows_of(
            f"SELECT {', '.join(SUBSCRIPTION_COLUMNS)} FROM read_parquet(?) WHERE customer_id = ?"  # noqa: S608
            " ORDER BY ended_at IS NOT NULL, started_at DESC, subscription_id",
            [copies.path(SUBSCRIPTIONS), customer_id],
        )
        return tuple(SubscriptionRow(**row) for row in found)

    return read_copies(workspace, read)


def _entry(row: dict[str, Any]) -> TimelineEntry:
    return TimelineEntry(
        at=row["moment"],
        kind=row["kind"],
        title=row["title"],
        detail=row["detail"],
        amount=row["amount"],
        ref=row["ref"],
        person=row["person"],
    )


def _of_months(
    copies: Copies, kind: str, select: str, customer_id: str, first: date, day: str, rest: str
) -> list[dict[str, Any]]:
    """A customer's rows from a day on, from the files of the months since."""
    files = months_since(copies, kind, first)
    if not files:
        return []
    return rows_of(
        f"SELECT {select} FROM read_parquet(?) WHERE customer_id = ? AND {day} >= ? {rest}",  # noqa: S608 - own names
        [files, customer_id, first],
    )


def months_since(copies: Copies, kind: str, first: date) -> list[str]:
    """The files of the months from the one of a day on."""
    start = f"{kind}-{first:%Y-%m}.parquet"
    return [path for path in copies.months(kind) if path.rpartition("/")[2] >= start]
