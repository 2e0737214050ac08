"""The signal segments of the first document."""

from typing import Any

from .logic import Row, both, either, ge, gt, le, lt, named, number, one_of, segmented, text

PACK = "agency-signals"
METRICS: dict[str, list[Any]] = {
    "days_to_renewal": [-400, -1, 0, 1, 59, 60, 61, 200],
    "payment_status": ["current", "overdue", "failed", "cancelled", "FAILED", " Current "],
    "tickets_30d": [0, 1, 2, 3, 9],
    "days_since_login": [0, 6, 7, 8, 13, 14, 15, 90],
    "logins_30d": [0, 1, 7, 8, 14, 15, 60],
    "features_used_30d": [0, 1, 2, 3, 8],
    "account_age_days": [0, 29, 30, 31, 900],
    "plan": ["basic", "standard", "enterprise", "Basic", "ENTERPRISE"],
    "mrr": [0, 49, 1200.5],
}


def reading(row: Row) -> dict[str, Any]:
    """What the document says about one agency."""
    renewal, tickets = number(row, "days_to_renewal"), number(row, "tickets_30d")
    inactive, logins = number(row, "days_since_login"), number(row, "logins_30d")
    features, age = number(row, "features_used_30d"), number(row, "account_age_days")
    payment, plan = text(row, "payment_status"), text(row, "plan")
    trouble = either(one_of(payment, "failed"), ge(tickets, 3), ge(inactive, 14))
    segments = {
        "revenue_at_risk": both(le(renewal, 60), trouble),
        "engagement_drop": both(ge(inactive, 14), lt(logins, 8), gt(renewal, 60)),
        "expansion_opportunity": both(
            ge(logins, 15), ge(features, 3), le(tickets, 1), one_of(plan, "basic", "standard")
        ),
        "onboarding_stuck": both(le(age, 30), either(ge(inactive, 7), lt(features, 2))),
        "healthy_stable": both(ge(logins, 8), one_of(payment, "current"), gt(renewal, 60)),
    }
    signals = {
        "payment_failed": one_of(payment, "failed"),
        "ticket_spike": ge(tickets, 3),
        "renewal_date_passed": lt(renewal, 0),
    }
    return {
        "health": None,
        "churn_risk": None,
        "segments": segmented(segments, "monitor"),
        "signals": named(signals),
    }
