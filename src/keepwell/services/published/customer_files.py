"""What happened with each customer, who its people are and what it pays for, each sorted by customer."""

from pathlib import Path
from typing import Final

from keepwell.services.published.copies import IDENTITIES, PEOPLE, SERVICE, SUBSCRIPTIONS, TICKETS, TIMELINE
from keepwell.services.published.month_files import PARQUET
from keepwell.warehouse.sql import listed, literal
from keepwell.warehouse.storage import Warehouse

TIMELINE_KINDS: Final = (
    "ticket",
    "payment",
    "invoice",
    "interaction",
    "survey",
    "milestone",
    "subscription",
    "renewal",
)
PERSON_COLUMNS: Final = (
    "person_id", "name", "email", "phone", "title", "role", "is_executive", "seat_status", "first_seen_at",
    "last_seen_at", "left_company_at", "unsubscribed",
)  # fmt: skip
SUBSCRIPTION_COLUMNS: Final = (
    "subscription_id", "product", "plan", "status", "quantity", "billing_interval", "mrr", "arr", "discount_pct",
    "started_at", "trial_end", "current_period_end", "renewal_date", "auto_renew", "cancel_at_period_end",
    "canceled_at", "ended_at", "cancellation_reason", "paused_at",
)  # fmt: skip
TICKET_COLUMNS: Final = (
    "ticket_id", "subject", "category", "type", "urgency", "impact", "priority", "severity", "status", "channel",
    "assignee", "tags", "created_at", "first_response_at", "resolved_at",
)  # fmt: skip
KEPT_DAYS: Final = 180
"""So far back from the newest ticket the support pages see; what is open they see however old it is."""
MOST_BODY: Final = 4000
FILES: Final = (TIMELINE, PEOPLE, SUBSCRIPTIONS, IDENTITIES, TICKETS, SERVICE)


def write_customers(warehouse: Warehouse, folder: Path) -> None:
    """Write the timeline, the people and the subscriptions of all customers, and whose every id of a person is."""
    selects = (_timeline(), _people(), _subscriptions(), _identities(), _tickets(), _service())
    for name, select in zip(FILES, selects, strict=True):
        warehouse.connection.execute(f"COPY ({select}) TO {literal(str(folder / name))} {PARQUET}")


def _timeline() -> str:
    every = " UNION ALL ".join(f"SELECT customer, {entry}" for entry in _ENTRIES)
    return (
        "SELECT k.customer_id, e.happened_at, e.kind, e.title, nullif(e.detail, '') AS detail, CAST(e.amount AS DOUBLE)"  # noqa: S608
        f" AS amount, e.ref, coalesce(p.name, p.email) AS person FROM ({every}) e JOIN customer_keys k USING (customer)"
        " LEFT JOIN people p ON p.person_id = e.person_id AND p.customer = e.customer AND p.deleted_at IS NULL"
        " ORDER BY customer_id, happened_at DESC, kind, ref"
    )


def _people() -> str:
    # No table of people has a telephone; who has one keeps it among the traits.
    phone = "coalesce(json_extract_string(t.traits, '$.phone'), json_extract_string(t.traits, '$.Phone')) AS phone"
    names = listed((c for c in PERSON_COLUMNS if c != "phone"), "t.")
    return (
        f"SELECT k.customer_id, {names}, {phone} FROM people t JOIN customer_keys k USING (customer)"  # noqa: S608
        " WHERE t.deleted_at IS NULL ORDER BY customer_id, person_id"
    )


def _subscriptions() -> str:
    numbers = ("quantity", "mrr", "arr", "discount_pct")
    names = ", ".join(f"CAST(t.{c} AS DOUBLE) AS {c}" if c in numbers else f"t.{c}" for c in SUBSCRIPTION_COLUMNS)
    return (
        f"SELECT k.customer_id, {names} FROM subscriptions t JOIN customer_keys k USING (customer)"  # noqa: S608
        " WHERE t.deleted_at IS NULL ORDER BY customer_id, started_at DESC, subscription_id"
    )


def _identities() -> str:
    """Whose an id is that events come with: of a person, of an anonymous visitor, or one that was linked by hand."""
    person = "FROM people t JOIN customer_keys k USING (customer) WHERE t.deleted_at IS NULL"
    anonymous = "json_extract_string(t.traits, '$.anonymous_id')"
    return (
        "SELECT id, min(customer_id) AS customer_id, min_by(person_id, customer_id) AS person_id FROM"  # noqa: S608
        f" (SELECT t.person_id AS id, k.customer_id, t.person_id {person}"
        f" UNION ALL SELECT t.product_user_id, k.customer_id, t.person_id {person}"
        f" UNION ALL SELECT 'anonymous:' || {anonymous}, k.customer_id, t.person_id {person}"
        " UNION ALL SELECT unknown_id, customer_id, NULL FROM identity_links)"
        " WHERE id IS NOT NULL GROUP BY id ORDER BY id"
    )


def _tickets() -> str:
    """The tickets that support works on or has lately worked on, with whose they are."""
    names = listed(TICKET_COLUMNS, "t.")
    return (
        f"SELECT k.customer_id, {names}, left(t.body, {MOST_BODY}) AS body, t.person_id, p.name AS person"  # noqa: S608
        " FROM tickets t JOIN customer_keys k USING (customer) LEFT JOIN people p ON p.person_id = t.person_id"
        " AND p.customer = t.customer AND p.deleted_at IS NULL WHERE t.deleted_at IS NULL AND (t.resolved_at IS NULL"
        f" OR t.created_at >= (SELECT max(created_at) FROM tickets) - INTERVAL {KEPT_DAYS} DAY)"
        " ORDER BY t.created_at, t.ticket_id"
    )


def _service() -> str:
    """What was measured of the product itself."""
    return (
        "SELECT name, measured_at, CAST(value AS DOUBLE) AS value, CAST(baseline AS DOUBLE) AS baseline"  # noqa: S608
        " FROM service_metrics WHERE deleted_at IS NULL AND customer IS NULL AND measured_at >="
        f" (SELECT max(measured_at) FROM service_metrics) - INTERVAL {KEPT_DAYS} DAY ORDER BY name, measured_at"
    )


def _entry(table: str, at: str, kind: str, title: str, detail: str, amount: str, ref: str, person: str) -> str:
    return (
        f"{at} AS happened_at, {kind} AS kind, {title} AS title, {detail} AS detail, {amount} AS amount, {ref} AS ref,"
        f" {person} AS person_id FROM {table} WHERE deleted_at IS NULL AND {at} IS NOT NULL"
    )


def _worded(column: str) -> str:
    """A word of the canonical tables as people write it: `feature_request` is `Feature request`."""
    return f"upper({column}[1]) || replace({column}[2:], '_', ' ')"


def _joined(*parts: str) -> str:
    return f"concat_ws(' · ', {', '.join(parts)})"


def _on(words: str, column: str) -> str:
    return f"'{words} ' || strftime({column}, '%Y-%m-%d')"


def _number(column: str) -> str:
    """A number without the zeros that its type has."""
    return f"regexp_replace(CAST({column} AS VARCHAR), '\\.?0+$', '')"


_KINDS: Final = f"CASE kind WHEN 'qbr' THEN 'QBR' WHEN 'email' THEN 'E-mail' ELSE {_worded('kind')} END"
_SURVEYS: Final = "CASE survey WHEN 'custom' THEN 'Survey' ELSE upper(survey) END"

_ENTRIES: Final = (
    _entry(
        "tickets",
        "created_at",
        "'ticket'",
        "coalesce(subject, 'Ticket ' || ticket_id)",
        _joined(
            "priority",
            "status",
            "replace(category, '_', ' ')",
            "if(is_escalated, 'escalated', NULL)",
            _on("resolved", "resolved_at"),
            "'CSAT ' || CAST(CAST(csat AS INTEGER) AS VARCHAR)",
            "csat_comment",
        ),
        "NULL",
        "ticket_id",
        "person_id",
    ),
    _entry(
        "payments",
        "attempted_at",
        "'payment'",
        "'Payment ' || status",
        _joined("replace(failure_code, '_', ' ')", "'invoice ' || invoice_id"),
        "amount",
        "payment_id",
        "CAST(NULL AS VARCHAR)",
    ),
    _entry(
        "invoices",
        "issued_at",
        "'invoice'",
        "'Invoice ' || coalesce(status, 'issued')",
        _joined(
            _on("due", "due_at"), _on("paid", "paid_at"), "if(attempt_count > 1, attempt_count || ' attempts', NULL)"
        ),
        "amount_due",
        "invoice_id",
        "CAST(NULL AS VARCHAR)",
    ),
    _entry(
        "interactions",
        "occurred_at",
        "'interaction'",
        _KINDS,
        _joined(
            "direction",
            "replace(outcome, '_', ' ')",
            "if(with_executive, 'with an executive', NULL)",
            "owner_email",
            _on("answered", "responded_at"),
            "json_extract_string(properties, '$.summary')",
        ),
        "NULL",
        "interaction_id",
        "person_id",
    ),
    _entry(
        "survey_responses",
        "responded_at",
        "'survey'",
        f"{_SURVEYS} || ' ' || {_number('score')}",
        _joined("comment"),
        "NULL",
        "response_id",
        "person_id",
    ),
    _entry(
        "milestones",
        "coalesce(completed_at, started_at)",
        "'milestone'",
        "coalesce(name, key, " + _worded("kind") + ")",
        _joined("replace(kind, '_', ' ')", "replace(status, '_', ' ')", _on("due", "due_at")),
        "value",
        "milestone_id",
        "person_id",
    ),
    _entry(
        "subscription_changes",
        "occurred_at",
        "if(change_type = 'renewal', 'renewal', 'subscription')",
        _worded("change_type"),
        _joined(
            "if(plan_before IS DISTINCT FROM plan_after, concat_ws(' → ', plan_before, plan_after), NULL)",
            "if(quantity_before IS DISTINCT FROM quantity_after,"
            f" concat_ws(' → ', {_number('quantity_before')}, {_number('quantity_after')}) || ' seats', NULL)",
            "reason",
            _on("effective", "effective_at"),
        ),
        "mrr_after - mrr_before",
        "change_id",
        "CAST(NULL AS VARCHAR)",
    ),
)
