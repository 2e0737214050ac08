"""Contradictions between tables. Each query gives a row per case, with a text to recognise it by in `example`.

`usage` holds the first and last moment of use per customer; `{zone}` stands for the workspace's zone.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class QualityCheck:
    """One kind of contradiction, in which table it shows, and what it means for a reader."""

    code: str
    table: str
    message: str
    query: str


_NOW: Final = "(SELECT CAST(timezone({zone}, timezone('UTC', max(last_sync_at))) AS DATE) FROM feeds)"
"""The day of the last load: the newest moment that the data knows of."""

_SUBSCRIPTIONS: Final = (
    "(SELECT customer, min(started_at) AS first_start, max(coalesce(ended_at, TIMESTAMP 'infinity')) AS last_end"
    " FROM subscriptions WHERE deleted_at IS NULL GROUP BY customer)"
)
_DAY_OF_FIRST_USE: Final = "CAST(timezone({zone}, timezone('UTC', u.first_at)) AS DATE)"

CHECKS: Final = (
    QualityCheck(
        "usage_before_start",
        "events",
        "customers with events or sessions before their first subscription or customer_since",
        "SELECT concat(c.customer_id, ': used on ', CAST(u.first_at AS DATE)) AS example FROM usage u"  # noqa: S608
        f" JOIN customers c USING (customer) LEFT JOIN {_SUBSCRIPTIONS} s USING (customer)"
        f" WHERE c.deleted_at IS NULL AND {_DAY_OF_FIRST_USE} < least(c.customer_since, CAST(s.first_start AS DATE))",
    ),
    QualityCheck(
        "usage_after_end",
        "events",
        "customers with events or sessions more than a day after their last subscription ended",
        "SELECT concat(c.customer_id, ': used on ', CAST(u.last_at AS DATE), ', ended on ', CAST(s.last_end AS DATE))"  # noqa: S608
        f" AS example FROM usage u JOIN customers c USING (customer) JOIN {_SUBSCRIPTIONS} s USING (customer)"
        " WHERE c.deleted_at IS NULL AND isfinite(s.last_end) AND u.last_at > s.last_end + INTERVAL 1 DAY",
    ),
    QualityCheck(
        "subscriptions_overlap",
        "subscriptions",
        "subscriptions that start while another one of the same customer and product is running",
        "SELECT concat(k.customer_id, ': ', a.subscription_id, ' and ', b.subscription_id) AS example"
        " FROM subscriptions a JOIN subscriptions b ON a.customer = b.customer"
        " AND a.product IS NOT DISTINCT FROM b.product"
        " AND (a.started_at, a.subscription_id) < (b.started_at, b.subscription_id)"
        " AND b.started_at < coalesce(a.ended_at, TIMESTAMP 'infinity') JOIN customer_keys k ON k.customer = a.customer"
        " WHERE a.deleted_at IS NULL AND b.deleted_at IS NULL",
    ),
    QualityCheck(
        "renewal_overdue",
        "customers",
        "active customers whose renewal date has passed",
        "SELECT concat(customer_id, ': ', renewal_date) AS example FROM customers"  # noqa: S608
        f" WHERE deleted_at IS NULL AND status = 'active' AND renewal_date < {_NOW}",
    ),
    QualityCheck(
        "churned_without_event",
        "customers",
        "customers marked churned without a churn in subscription_changes",
        "SELECT customer_id AS example FROM customers c WHERE c.deleted_at IS NULL AND c.status = 'churned'"
        " AND EXISTS (SELECT 1 FROM feeds WHERE table_name = 'subscription_changes') AND NOT EXISTS (SELECT 1"
        " FROM subscription_changes x WHERE x.customer = c.customer AND x.change_type = 'churned'"
        " AND x.deleted_at IS NULL)",
    ),
    QualityCheck(
        "churn_contradicted",
        "subscription_changes",
        "customers whose last change is a churn, but whose status is not churned",
        "SELECT concat(c.customer_id, ': ', coalesce(c.status, 'no status'), ', churned on ', CAST(x.at AS DATE))"
        " AS example FROM customers c JOIN (SELECT customer, max(occurred_at) AS at,"
        " max(occurred_at) FILTER (WHERE change_type IN ('new', 'reactivation')) AS back FROM subscription_changes"
        " WHERE deleted_at IS NULL AND change_type IN ('churned', 'new', 'reactivation') GROUP BY customer"
        " HAVING max(occurred_at) FILTER (WHERE change_type = 'churned') = max(occurred_at)) x USING (customer)"
        " WHERE c.deleted_at IS NULL AND c.status IS DISTINCT FROM 'churned' AND x.back IS DISTINCT FROM x.at",
    ),
    QualityCheck(
        "payment_without_invoice",
        "payments",
        "payments for an invoice that does not exist",
        "SELECT concat(payment_id, ': invoice ', invoice_id) AS example FROM payments p WHERE p.deleted_at IS NULL"
        " AND p.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices i WHERE i.invoice_id = p.invoice_id)",
    ),
    QualityCheck(
        "ticket_resolved_before_created",
        "tickets",
        "tickets that were resolved before they were created",
        "SELECT ticket_id AS example FROM tickets WHERE deleted_at IS NULL AND resolved_at < created_at",
    ),
    QualityCheck(
        "person_without_customer",
        "people",
        "people whose customer was deleted",
        "SELECT concat(p.person_id, ': ', c.customer_id) AS example FROM people p JOIN customers c USING (customer)"
        " WHERE p.deleted_at IS NULL AND c.deleted_at IS NOT NULL",
    ),
    QualityCheck(
        "person_unknown",
        "events",
        "people named in events or sessions that are not in people",
        "SELECT k.person_id AS example FROM person_keys k ANTI JOIN people p ON p.person_id = k.person_id"
        " WHERE EXISTS (SELECT 1 FROM people)",
    ),
)
