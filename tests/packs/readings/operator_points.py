"""The points scorecard of the fourth document."""

from fractions import Fraction
from typing import Any

from .logic import Part, Row, added, ge, le, named, number, one_of, part, scored, segmented, stairs

PACK = "operator-points"
METRICS: dict[str, list[Any]] = {
    "login_days_30d": [0, 1, 3, 4, 19, 20, 30],
    "tickets_vs_baseline": [0, 0.49, 0.5, 0.79, 0.8, 0.99, 1, 1.1, 1.2, 3],
    "approval_utilization": [0, 0.24, 0.25, 0.5, 0.69, 0.7, 0.75, 0.9, 1],
    "dashboard_views_30d": [0, 1, 3, 4, 9, 10, 15, 19, 20],
    "operator_nps": [-100, -31, -30, -1, 0, 29, 30, 40, 49, 50, 100],
    "csat_trend_90d": [-1, -0.21, -0.2, -0.01, 0, 0.19, 0.2, 0.3, 0.5, 2],
    "support_sentiment": [0, 0.49, 0.5, 0.69, 0.7, 0.84, 0.85, 0.9, 0.94, 0.95, 1],
    "feature_requests_30d": [0, 1, 2, 3, 4, 5, 12],
    "training_completion": [0, 0.01, 0.49, 0.5, 0.74, 0.75, 0.99, 1],
    "kb_updates_30d": [0, 1, 4, 5, 9, 10, 12],
    "community_active": [True, False],
    "outreach_response_rate": [0, 0.24, 0.25, 0.5, 0.74, 0.75, 0.8, 1],
    "late_payments_90d": [0, 1, 2, 3],
    "ticket_volume_change": [-1, 0, 0.49, 0.5, 2],
    "angry_tickets_30d": [0, 1, 2, 5, 6],
    "operators_lost_30d": [0, 1, 2, 3],
    "usage_change_30d": [-1, -0.21, -0.2, -0.19, 0, 0.5],
}
BANDS = [(90, "Thriving"), (70, "Healthy"), (50, "At Risk"), (30, "Churning"), (0, "Critical")]
STEPS: dict[str, list[tuple[Any, int]]] = {
    "login_days_30d": [(20, 10), (4, 7), (1, 3)],
    "tickets_vs_baseline": [(1.2, 10), (1, 8), (0.8, 6), (0.5, 3)],
    "approval_utilization": [(0.9, 10), (0.7, 9), (0.5, 7), (0.25, 4)],
    "dashboard_views_30d": [(20, 10), (10, 8), (4, 5), (1, 2)],
    "operator_nps": [(50, 10), (30, 8), (0, 5), (-30, 2)],
    "csat_trend_90d": [(0.5, 10), (0.2, 9), (0, 7), (-0.2, 3)],
    "support_sentiment": [(0.95, 10), (0.85, 9), (0.7, 6), (0.5, 3)],
    "feature_requests_30d": [(5, 10), (3, 7), (1, 4)],
    "kb_updates_30d": [(10, 6), (5, 4), (1, 2)],
    "outreach_response_rate": [(0.75, 5), (0.5, 4), (0.25, 2)],
}


def _step(row: Row, name: str) -> Part:
    return part(stairs(number(row, name), STEPS[name]), STEPS[name][0][1])


def _training(row: Row) -> Part:
    done = number(row, "training_completion")
    points = stairs(done, [(1, 6), (0.75, 4), (0.5, 3)])
    return part(1 if done is not None and 0 < done < Fraction(1, 2) else points, 6)


def _flags(row: Row) -> list[Part]:
    late, spike = number(row, "late_payments_90d"), number(row, "ticket_volume_change")
    angry, lost = number(row, "angry_tickets_30d"), number(row, "operators_lost_30d")
    change = le(number(row, "usage_change_30d"), -0.2)
    return [
        # Without a limit of their own, these two may use up the whole part.
        part(None if late is None else -5 * late, 10, gain=False),
        part(stairs(spike, [(0.5, -3)]), 3, gain=False),
        part(None if angry is None else -2 * angry, 10, gain=False),
        part(stairs(lost, [(2, -5)]), 5, gain=False),
        part(None if change is None else -5 * change, 5, gain=False),
    ]


def reading(row: Row) -> dict[str, Any]:
    """What the document says about one operator."""
    usage = ("login_days_30d", "tickets_vs_baseline", "approval_utilization", "dashboard_views_30d")
    content = ("operator_nps", "csat_trend_90d", "support_sentiment", "feature_requests_30d")
    active = row.get("community_active")
    community = part(None if active is None else 5 * active, 5)
    engaged = [_training(row), _step(row, "kb_updates_30d"), community, _step(row, "outreach_response_rate")]
    groups = {
        "usage": (40, added([_step(row, name) for name in usage], maximum=40)),
        "satisfaction": (30, added([_step(row, name) for name in content], maximum=30)),
        "engagement": (20, added(engaged, maximum=20)),
        "risk": (10, added(_flags(row), start=10, maximum=10)),
    }
    health = scored(groups, BANDS, full=100)
    signals = {
        "churning_alert": one_of(health["band"], "Churning", "Critical"),
        "late_payment": ge(number(row, "late_payments_90d"), 1),
        "ticket_spike": ge(number(row, "ticket_volume_change"), 0.5),
        "angry_tickets": ge(number(row, "angry_tickets_30d"), 1),
        "operator_churn": ge(number(row, "operators_lost_30d"), 2),
        "usage_decline": le(number(row, "usage_change_30d"), -0.2),
        "upsell_opportunity": health["band"] == "Thriving",
    }
    segments = {name: health["band"] == name for _, name in BANDS}
    return {
        "health": health,
        "churn_risk": None,
        "segments": segmented(segments, "Not enough data"),
        "signals": named(signals),
    }
