"""What docs/packs.md says about the default pack."""

from fractions import Fraction
from typing import Any

from .logic import (
    Group,
    Row,
    added,
    both,
    either,
    ge,
    gt,
    le,
    line,
    lt,
    mean,
    named,
    no,
    number,
    one_of,
    part,
    scored,
    share,
    stairs,
    text,
)

PACK = "b2b-saas"
METRICS: dict[str, list[Any]] = {
    "active_days_28d": [0, 5, 14, 15, 28],
    "days_inactive": [0, 1, 4, 7, 10, 13, 14, 22, 30, 99],
    "usage_change_30d": [-1, -0.5, -0.3, -0.2, 0, 0.1, 0.2, 3],
    "features_used_30d": [0, 1, 2, 5, 8, 11],
    "seat_share": [0, 0.4, 0.8, 1.2],
    "onboarding_share": [0, 0.49, 0.5, 1],
    "nps_score": [0, 3, 5.5, 6, 7, 9, 10],
    "outreach_response_rate": [0, 0.3, 0.6, 1],
    "contacts_90d": [0, 1, 3, 7],
    "tickets_30d": [0, 1, 4, 5, 9],
    "urgent_tickets_open": [0, 1, 2, 4],
    "resolution_hours_90d": [1, 48, 49, 96, 97],
    "csat_90d": [1, 2.9, 3, 4, 4.4, 4.5, 5],
    "ticket_sentiment_90d": [-1, -0.31, -0.3, 0, 1],
    "payment_status": ["current", "overdue", "failed", "cancelled", "Failed"],
    "failed_payments_90d": [0, 1, 2, 3],
    "has_downgraded": [True, False],
    "has_cancelled": [True, False, False],
    "champion_left": [True, False],
    "days_to_renewal": [-5, 60, 90, 91, 300],
    "account_age_days": [5, 30, 31, 60, 61, 800],
    "usage_percentage": [10, 80, 81],
    "active_people_30d": [1, 5, 6, 20],
    "seats": [1, 5, 10],
    "advanced_features_30d": [0, 2, 3],
    "mrr": [0, 2083, 2084, 8333, 8334],
    "events_7d": [0, 1, 7, 14, 35],
    "events_previous_28d": [0, 39, 40, 56, 112, 280],
}
HEALTH_BANDS = [(80, "Thriving"), (60, "Healthy"), (40, "At Risk"), (0, "Critical")]
RISK_BANDS = [(70, "High"), (40, "Medium"), (20, "Low"), (0, "Healthy")]


def _usage(row: Row) -> Group:
    recency = line(number(row, "days_inactive"), (1, 100), (7, 70), (14, 30), (30, 0))
    trend = line(number(row, "usage_change_30d"), (-0.5, 0), (0, 60), (0.2, 100))
    days = share(number(row, "active_days_28d"), 15, 100)
    return mean([part(days, 50), part(recency, 20), part(trend, 30)])


def _adoption(row: Row) -> Group:
    breadth = share(number(row, "features_used_30d"), 8, 100)
    seats = share(number(row, "seat_share"), 0.8, 100)
    return mean([part(breadth, 50), part(seats, 30), part(share(number(row, "onboarding_share"), 1, 100), 20)])


def _relationship(row: Row) -> Group:
    nps = line(number(row, "nps_score"), (3, 0), (7, 60), (9, 100))
    answers = share(number(row, "outreach_response_rate"), 0.6, 100)
    return mean([part(nps, 50), part(answers, 30), part(share(number(row, "contacts_90d"), 3, 100), 20)])


def _support(row: Row) -> Group:
    tickets, urgent = number(row, "tickets_30d"), number(row, "urgent_tickets_open")
    csat, tone = number(row, "csat_90d"), lt(number(row, "ticket_sentiment_90d"), -0.3)
    rated = -20 if csat is not None and csat < 3 else stairs(csat, [(4.5, 15), (4, 10)])
    slow = stairs(number(row, "resolution_hours_90d"), [(96, -15), (48, -10)], strict=True)
    return added(
        [
            part(None if tickets is None else -min(6 * tickets, Fraction(30)), 30, gain=False),
            part(None if urgent is None else -min(20 * urgent, Fraction(30)), 30, gain=False),
            part(slow, 15, zero=True, gain=False),
            part(rated, 20, zero=True),
            part(None if tone is None else -10 * tone, 10, zero=True, gain=False),
        ],
        start=100,
    )


def _commercial(row: Row) -> Group:
    status, failed = text(row, "payment_status"), number(row, "failed_payments_90d")
    lost = {"current": 0, "overdue": -50, "failed": -70, "cancelled": -100}
    smaller, cancelled = row.get("has_downgraded"), row.get("has_cancelled")
    return added(
        [
            part(None if status is None else lost[status], 100, zero=True, gain=False),
            part(None if failed is None else -min(15 * failed, Fraction(40)), 40, zero=True, gain=False),
            part(None if smaller is None else -25 * smaller, 25, gain=False),
            part(None if cancelled is None else -60 * cancelled, 60, gain=False),
        ],
        start=100,
    )


def _risk(row: Row, health: int | None) -> dict[str, Any]:
    urgent, failed = number(row, "urgent_tickets_open"), number(row, "failed_payments_90d")
    champion, cancelled = row.get("champion_left"), row.get("has_cancelled")
    downgraded = both(row.get("has_downgraded"), not cancelled)
    change = number(row, "usage_change_30d")
    decline = None if change is None else 20 if change <= Fraction(-1, 2) else 10 if change <= Fraction(-1, 5) else 0
    by_health = None if health is None else 40 if health < 40 else 25 if health < 60 else 10 if health < 80 else 0
    factors = [
        part(by_health, 40, zero=True),
        part(stairs(number(row, "days_inactive"), [(14, 25), (7, 10)]), 25, zero=True),
        part(decline, 20, zero=True),
        part(None if urgent is None else min(10 * urgent, Fraction(20)), 20, zero=True),
        part(None if failed is None else min(10 * failed, Fraction(20)), 20, zero=True),
        part(None if champion is None else 15 * champion, 15, zero=True),
        part(None if cancelled is None else 50 * cancelled, 50, zero=True),
        part(None if downgraded is None else 25 * downgraded, 25, zero=True),
    ]
    return scored({"factors": (100, added(factors))}, RISK_BANDS, full=100, minimum="0.3")


def _lifecycle(row: Row, health: Fraction | None) -> list[str]:
    inactive, age = number(row, "days_inactive"), number(row, "account_age_days")
    urgent, cancelled = number(row, "urgent_tickets_open"), row.get("has_cancelled")
    failed = one_of(text(row, "payment_status"), "failed")
    trouble = either(failed, lt(health, 40), ge(urgent, 2), ge(inactive, 14))
    slow = both(gt(age, 30), lt(number(row, "onboarding_share"), 0.5))
    not_started = either(ge(inactive, 7), lt(number(row, "features_used_30d"), 2), slow)
    seats = gt(number(row, "active_people_30d"), number(row, "seats"))
    more = either(gt(number(row, "usage_percentage"), 80), seats, ge(number(row, "advanced_features_30d"), 3))
    found = named(
        {
            "revenue_at_risk": either(cancelled, both(le(number(row, "days_to_renewal"), 90), trouble)),
            "engagement_drop": either(ge(inactive, 14), le(number(row, "usage_change_30d"), -0.5)),
            "onboarding_stuck": both(le(age, 60), not_started),
            "needs_attention": lt(health, 60),
            "expansion_opportunity": both(ge(health, 70), more, no(cancelled)),
            "healthy_stable": ge(health, 60),
        }
    )
    return found or ["monitor"]


def _tier(row: Row) -> str:
    mrr = number(row, "mrr")
    if mrr is None:
        return "Tier unknown"
    return "Enterprise" if mrr * 12 >= 100000 else "Mid-Market" if mrr * 12 >= 25000 else "SMB"


def _signals(row: Row, health: Fraction | None, risk: int | None) -> list[str]:
    now, before = number(row, "events_7d"), number(row, "events_previous_28d")
    fell = None if now is None or before is None else now <= before / 4 / 2
    return named(
        {
            "high_churn_risk": None if risk is None else risk >= 70,
            "critical_health": lt(health, 20),
            "usage_cliff": both(fell, ge(before, 40)),
            "payment_failure": one_of(text(row, "payment_status"), "failed"),
            "urgent_tickets": ge(number(row, "urgent_tickets_open"), 2),
            "unhappy": either(le(number(row, "nps_score"), 6), lt(number(row, "csat_90d"), 3)),
            "champion_left": row.get("champion_left"),
            "downgraded": row.get("has_downgraded"),
            "usage_limit_approaching": gt(number(row, "usage_percentage"), 80),
            "seats_exceeded": gt(number(row, "active_people_30d"), number(row, "seats")),
            "power_user": both(ge(number(row, "advanced_features_30d"), 3), ge(health, 70)),
        }
    )


def reading(row: Row) -> dict[str, Any]:
    """What the pack promises about one customer."""
    groups = {
        "product_usage": (35, _usage(row)),
        "adoption": (20, _adoption(row)),
        "relationship": (15, _relationship(row)),
        "support": (15, _support(row)),
        "commercial": (15, _commercial(row)),
    }
    health = scored(groups, HEALTH_BANDS)
    risk = _risk(row, health["score"])
    shown = None if health["score"] is None else Fraction(health["score"])
    lifecycle = _lifecycle(row, shown)
    return {
        "health": health,
        "churn_risk": {"score": risk["score"], "band": risk["band"]},
        "segments": {"primary": lifecycle[0], "all": [*lifecycle, _tier(row)]},
        "signals": _signals(row, shown, risk["score"]),
    }
