"""The health score, churn risk, segments and early warnings of the second document."""

from fractions import Fraction
from typing import Any

from .logic import (
    Group,
    Part,
    Row,
    added,
    both,
    either,
    ge,
    gt,
    le,
    lt,
    named,
    no,
    number,
    one_of,
    part,
    scored,
    segmented,
    share,
    stairs,
    text,
)

PACK = "household-app"
METRICS: dict[str, list[Any]] = {
    "total_members": [0, 1, 3, 4, 7],
    "daily_active_users": [0, 1, 2, 3, 9],
    "tasks_completed_weekly": [0, 1, 6, 12, 13, 14, 40],
    "pets_managed": [0, 1, 2],
    "app_opens_weekly": [0, 5, 13, 14, 20],
    "is_premium": [True, False],
    "recurring_tasks_enabled": [True, False],
    "reminders_enabled": [True, False],
    "photos_uploaded": [0, 1, 4, 5, 50],
    "calendar_sync_enabled": [True, False],
    "notifications_enabled": [True, False],
    "tickets_last_30_days": [0, 1, 2, 3, 4, 5, 9],
    "critical_tickets": [0, 1, 2, 4],
    "avg_resolution_hours": [0, 23.9, 24, 24.1, 48, 48.1, 200],
    "csat_score": [1, 2.9, 3, 3.9, 4, 4.4, 4.5, 5],
    "logins_last_7_days": [0, 1, 2, 3, 4, 5, 7],
    "logins_last_30_days": [0, 4, 5, 9, 10, 19, 20, 30],
    "avg_session_minutes": [0, 1.9, 2, 4.9, 5, 9.9, 10, 60],
    "features_used_count": [0, 4, 5, 9, 10, 14],
    "payment_status": ["current", "overdue", "failed", "cancelled", "Current"],
    "failed_payments_last_3_months": [0, 1, 2, 3, 7],
    "plan_type": ["Free", "Premium", "Enterprise", "free", "PREMIUM", "Premium", "Enterprise"],
    "days_since_last_payment": [0, 30, 40, 41, 300],
    "days_inactive": [0, 6, 7, 13, 14, 60],
    "critical_tickets_unresolved": [0, 1, 3, 12],
    "failed_payments": [0, 1, 2, 12],
    "has_downgraded": [True, False],
    "has_cancelled": [True, False],
    "nps_score": [0, 4, 6, 7, 8, 9, 10],
    "active_members_change": [-1, -0.51, -0.5, 0, 2],
    "tasks_change": [-1, -0.76, -0.75, 0],
    "critical_unresolved_48h": [0, 1],
    "responses_overdue": [0, 2],
    "responses_due_soon": [0, 2, 3],
    "resolutions_overdue": [0, 2],
    "resolutions_due_soon": [0, 2, 3],
    "new_pets_60d": [0, 1],
    "days_since_member_invited": [0, 59, 60],
    "new_features_90d": [0, 1],
    "account_age_days": [10, 59, 60, 89, 90, 400],
    "mrr": [0, 9.99],
}
HEALTH_BANDS = [(80, "Healthy"), (60, "At Risk"), (40, "Unhealthy"), (0, "Critical")]
RISK_BANDS = [(70, "High"), (40, "Medium"), (20, "Low"), (0, "Healthy")]


def _active(row: Row) -> Fraction | None:
    members, active = number(row, "total_members"), number(row, "daily_active_users")
    if members == 0:
        return Fraction(0)
    return None if members is None or active is None else active / members


def _usage(row: Row) -> Group:
    tasks = share(number(row, "tasks_completed_weekly"), 14, 30)
    opens = share(number(row, "app_opens_weekly"), 14, 10)
    pets = stairs(number(row, "pets_managed"), [(1, 10)])
    return added([part(share(_active(row), 1, 50), 50), part(tasks, 30), part(pets, 10), part(opens, 10)])


def _switch(row: Row, name: str, points: int) -> Part:
    on = row.get(name)
    return part(None if on is None else points * on, points)


def _adoption(row: Row) -> Group:
    switches = {"is_premium": 30, "recurring_tasks_enabled": 25, "reminders_enabled": 20}
    switches |= {"calendar_sync_enabled": 5, "notifications_enabled": 5}
    photos = stairs(number(row, "photos_uploaded"), [(5, 15), (1, 10)])
    return added([*(_switch(row, name, points) for name, points in switches.items()), part(photos, 15)])


def _support(row: Row) -> Group:
    tickets, critical = number(row, "tickets_last_30_days"), number(row, "critical_tickets")
    slow = stairs(number(row, "avg_resolution_hours"), [(48, -15), (24, -10)], strict=True)
    csat = stairs(number(row, "csat_score"), [(4.5, 15), (4, 10)])
    return added(
        [
            part(None if tickets is None else -min(10 * tickets, Fraction(40)), 40, gain=False),
            part(None if critical is None else -min(20 * critical, Fraction(30)), 30, gain=False),
            part(slow, 15, zero=True, gain=False),
            part(csat, 15, zero=True),
        ],
        start=100,
    )


def _engagement(row: Row) -> Group:
    return added(
        [
            part(stairs(number(row, "logins_last_7_days"), [(5, 40), (3, 30), (1, 20)]), 40),
            part(stairs(number(row, "logins_last_30_days"), [(20, 30), (10, 20), (5, 10)]), 30),
            part(stairs(number(row, "avg_session_minutes"), [(10, 20), (5, 15), (2, 10)]), 20),
            part(stairs(number(row, "features_used_count"), [(10, 10), (5, 5)]), 10),
        ]
    )


def _payment(row: Row) -> Group:
    if text(row, "plan_type") == "free":
        return Group(Fraction(70), Fraction(1), Fraction(1))
    status, failed = text(row, "payment_status"), number(row, "failed_payments_last_3_months")
    lost = {"current": 0, "overdue": -50, "failed": -70, "cancelled": -100}
    late = both(gt(number(row, "days_since_last_payment"), 40), no(one_of(status, "cancelled")))
    return added(
        [
            part(None if status is None else lost[status], 100, gain=False),
            part(None if failed is None else -min(15 * failed, Fraction(40)), 40, gain=False),
            part(None if late is None else -20 * late, 20, gain=False),
        ],
        start=100,
    )


def _risk(row: Row, health: int | None) -> dict[str, Any]:
    tickets, critical = number(row, "tickets_last_30_days"), number(row, "critical_tickets_unresolved")
    failed, cancelled = number(row, "failed_payments"), row.get("has_cancelled")
    downgraded = both(row.get("has_downgraded"), not cancelled)
    by_health = None if health is None else 40 if health < 40 else 25 if health < 60 else 10 if health < 80 else 0
    factors = [
        part(by_health, 40, zero=True),
        part(stairs(number(row, "days_inactive"), [(14, 30), (7, 15)]), 30, zero=True),
        part(None if tickets is None else min(5 * tickets, Fraction(15)), 15, zero=True),
        part(None if critical is None else 10 * critical, 10, zero=True),
        part(None if failed is None else 10 * failed, 10, zero=True),
        part(None if cancelled is None else 50 * cancelled, 50, zero=True),
        part(None if downgraded is None else 25 * downgraded, 25, zero=True),
    ]
    return scored({"factors": (100, added(factors))}, RISK_BANDS, full=100)


def _signals(row: Row, health: Fraction | None, risk: Fraction | None) -> list[str]:
    near, over = number(row, "resolutions_due_soon"), number(row, "resolutions_overdue")
    late = number(row, "responses_overdue")
    still = both(le(number(row, "new_features_90d"), 0), ge(number(row, "account_age_days"), 90))
    return named(
        {
            "high_churn_risk": ge(risk, 70),
            "medium_churn_risk": both(ge(risk, 40), lt(risk, 70)),
            "low_churn_risk": both(ge(risk, 20), lt(risk, 40)),
            "active_members_dropped": lt(number(row, "active_members_change"), -0.5),
            "no_logins": ge(number(row, "days_inactive"), 7),
            "tasks_dropped": lt(number(row, "tasks_change"), -0.75),
            "many_tickets": ge(number(row, "tickets_last_30_days"), 3),
            "critical_ticket_waiting": ge(number(row, "critical_unresolved_48h"), 1),
            "low_csat": lt(number(row, "csat_score"), 3),
            "sla_breached": either(ge(late, 1), ge(over, 1)),
            "sla_near_breach": either(gt(number(row, "responses_due_soon"), late), gt(near, over)),
            "failed_payment": either(
                one_of(text(row, "payment_status"), "failed"), ge(number(row, "failed_payments"), 1)
            ),
            "downgraded": row.get("has_downgraded"),
            "cancelled_still_active": row.get("has_cancelled"),
            "no_new_pets": both(le(number(row, "new_pets_60d"), 0), ge(number(row, "account_age_days"), 60)),
            "no_new_members": ge(number(row, "days_since_member_invited"), 60),
            "no_new_features": still,
            "detractor_answer": le(number(row, "nps_score"), 6),
            "premium_upsell": both(one_of(text(row, "plan_type"), "free"), ge(health, 70)),
        }
    )


def reading(row: Row) -> dict[str, Any]:
    """What the document says about one household."""
    groups = {
        "product_usage": (40, _usage(row)),
        "feature_adoption": (20, _adoption(row)),
        "support_health": (15, _support(row)),
        "engagement": (15, _engagement(row)),
        "payment_health": (10, _payment(row)),
    }
    health = scored(groups, HEALTH_BANDS)
    risk = _risk(row, health["score"])
    shown = None if health["score"] is None else Fraction(health["score"])
    nps = number(row, "nps_score")
    segments = {
        "Champion": both(ge(shown, 80), ge(nps, 9)),
        "Loyalist": both(ge(shown, 70), ge(nps, 7)),
        "At-Risk": both(ge(shown, 40), le(shown, 60)),
        "Detractor": either(lt(shown, 40), le(nps, 6)),
    }
    worse = None if risk["score"] is None else Fraction(risk["score"])
    return {
        "health": health,
        "churn_risk": {"score": risk["score"], "band": risk["band"]},
        "segments": segmented(segments, "Unclassified"),
        "signals": _signals(row, shown, worse),
    }
