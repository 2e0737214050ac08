"""Contradictions between tables. Each query gives a row per case, with a text to recognise it by in `example`.

`usage` holds the first and last moment of use per customer, `subscription_usage` how many events and sessions name a
subscription on a day, `customers_then` the customers as they were on the day that is looked at. `{zone}` stands for the
workspace's zone and `{day}` for that day.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class QualityCheck:
    """One kind of contradiction, in which table it shows, and what it means for a reader.

    `cases` counts what a row of `query` stands for, `total` is a query for the number of all that was looked at.
    """

    code: str
    table: str
    message: str
    query: str
    total: str | None = None
    cases: str = "count(*)"


_SUBSCRIPTIONS: Final = (
    "(SELECT customer, min(started_at) AS first_start, max(coalesce(ended_at, TIMESTAMP 'infinity')) AS last_end"
    " FROM subscriptions WHERE deleted_at IS NULL GROUP BY customer)"
)
_DAY_OF_FIRST_USE: Final = "CAST(timezone({zone}, timezone('UTC', u.first_at)) AS DATE)"
_OWN_SUBSCRIPTION: Final = (
    "SELECT concat(u.subscription_id, ': used on ', u.day, ', {word} on ', {day}) AS example, u.n"
    " FROM subscription_usage u JOIN subscriptions s USING (subscription_id) WHERE s.deleted_at IS NULL AND u.day"
)
_OWN_TOTAL: Final = "SELECT sum(u.n) FROM subscription_usage u JOIN subscriptions s USING (subscription_id)"
_MARKED: Final = "lower(json_extract_string(c.traits, '$.churned')) IN ({words})"
_MARKED_CHURNED: Final = _MARKED.format(words="'true', 'yes', '1'")
_MARKED_PRESENT: Final = _MARKED.format(words="'false', 'no', '0'")
_HAS_CHURN: Final = (
    "EXISTS (SELECT 1 FROM subscription_changes x WHERE x.customer = c.customer AND x.change_type = 'churned'"
    " AND x.deleted_at IS NULL)"
)
_HAS_CHANGES: Final = "EXISTS (SELECT 1 FROM feeds WHERE table_name = 'subscription_changes')"
_CHURNS: Final = "SELECT count(*) FROM subscription_changes WHERE change_type = 'churned' AND deleted_at IS NULL"


def _day(moment: str) -> str:
    """The day of a moment in the workspace's zone."""
    return f"CAST(timezone({{zone}}, timezone('UTC', {moment})) AS DATE)"


def _own_subscription(word: str, moment: str, beyond: str) -> str:
    """Usage on a day beyond its own subscription's start or end."""
    return f"{_OWN_SUBSCRIPTION.format(word=word, day=_day(moment))} {beyond} {_day(moment)}"


def _marked_customers(mark: str) -> str:
    """How many customers their source marks so."""
    return f"SELECT count(*) FROM customers c WHERE c.deleted_at IS NULL AND {mark}"  # noqa: S608


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
        "usage_before_subscription",
        "events",
        "events and sessions dated before the start of the subscription that they name (properties.subscription_id)",
        _own_subscription("started", "s.started_at", "<"),
        total=_OWN_TOTAL,
        cases="sum(n)",
    ),
    QualityCheck(
        "usage_after_subscription",
        "events",
        "events and sessions dated after the end of the subscription that they name (properties.subscription_id)",
        _own_subscription("ended", "s.ended_at", ">"),
        total=_OWN_TOTAL,
        cases="sum(n)",
    ),
    QualityCheck(
        "subscriptions_overlap",
        "subscriptions",
        "subscriptions that start while another one of the same customer and product is running",
        "SELECT concat(k.customer_id, ': ', before.id, ' and ', s.subscription_id) AS example FROM (SELECT *, max_by("
        "{'id': subscription_id, 'until': coalesce(ended_at, TIMESTAMP 'infinity')}, coalesce(ended_at, TIMESTAMP"
        " 'infinity')) OVER (PARTITION BY customer, product ORDER BY started_at, subscription_id ROWS BETWEEN UNBOUNDED"
        " PRECEDING AND 1 PRECEDING) AS before FROM subscriptions WHERE deleted_at IS NULL) s"
        " JOIN customer_keys k USING (customer) WHERE s.started_at < before.until",
        total="SELECT count(*) FROM subscriptions WHERE deleted_at IS NULL",
    ),
    QualityCheck(
        "renewal_overdue",
        "customers",
        "active customers whose renewal date had passed on {day}",
        "SELECT concat(customer_id, ': ', renewal_date) AS example FROM customers_then"
        " WHERE status = 'active' AND renewal_date < DATE '{day}'",
    ),
    QualityCheck(
        "churned_without_event",
        "customers",
        "customers marked churned without a churn in subscription_changes",
        "SELECT customer_id AS example FROM customers c WHERE c.deleted_at IS NULL AND c.status = 'churned'"  # noqa: S608
        f" AND {_HAS_CHANGES} AND NOT {_HAS_CHURN}",
    ),
    QualityCheck(
        "churn_mark_without_event",
        "customers",
        "customers that their source marks as churned (traits.churned) without a churn in subscription_changes",
        "SELECT customer_id AS example FROM customers c WHERE c.deleted_at IS NULL"  # noqa: S608
        f" AND {_MARKED_CHURNED} AND {_HAS_CHANGES} AND NOT {_HAS_CHURN}",
        total=_marked_customers(_MARKED_CHURNED),
    ),
    QualityCheck(
        "churn_event_without_mark",
        "customers",
        "customers with a churn in subscription_changes that their source marks as not churned (traits.churned)",
        f"SELECT customer_id AS example FROM customers c WHERE c.deleted_at IS NULL AND {_MARKED_PRESENT}"  # noqa: S608
        f" AND {_HAS_CHURN}",
        total=_marked_customers(_MARKED_PRESENT),
    ),
    QualityCheck(
        "churn_while_subscribed",
        "subscription_changes",
        "churns of customers with a subscription that had begun before and went on for more than a day",
        "SELECT concat(k.customer_id, ': churned on ', CAST(x.occurred_at AS DATE)) AS example"
        " FROM subscription_changes x JOIN customer_keys k USING (customer) WHERE x.change_type = 'churned'"
        " AND x.deleted_at IS NULL AND EXISTS (SELECT 1 FROM subscriptions s WHERE s.customer = x.customer"
        " AND s.deleted_at IS NULL AND s.started_at < x.occurred_at"
        " AND coalesce(s.ended_at, TIMESTAMP 'infinity') > x.occurred_at + INTERVAL 1 DAY)",
        total=_CHURNS,
    ),
    QualityCheck(
        "churned_again",
        "subscription_changes",
        "churns of customers who had churned before, without a reactivation or a new start in between",
        "SELECT concat(k.customer_id, ': churned on ', CAST(before_at AS DATE), ' and on ', CAST(occurred_at AS DATE))"
        " AS example FROM (SELECT customer, change_type, occurred_at, lag(change_type) OVER w AS before,"
        " lag(occurred_at) OVER w AS before_at FROM subscription_changes WHERE deleted_at IS NULL"
        " AND change_type IN ('churned', 'new', 'reactivation')"
        " WINDOW w AS (PARTITION BY customer ORDER BY occurred_at, change_id)) x"
        " JOIN customer_keys k USING (customer) WHERE x.change_type = 'churned' AND x.before = 'churned'",
        total=_CHURNS,
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
        "answer_off_the_scale",
        "survey_responses",
        "answers off the scale of their survey (NPS: whole, 0 to 10; CSAT: 1 to 5), which no metric counts",
        "SELECT concat(response_id, ': ', survey, ' ', CAST(score AS DOUBLE)) AS example FROM survey_responses"
        " WHERE deleted_at IS NULL AND ((survey = 'nps' AND (score < 0 OR score > 10 OR score != floor(score)))"
        " OR (survey = 'csat' AND (score < 1 OR score > 5)))",
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
