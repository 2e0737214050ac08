"""The 17 measures, levels, alerts and expansion signals of the third document."""

from fractions import Fraction
from typing import Any

from .logic import Row, both, ge, gt, lt, mean, named, number, part, scored, segmented

PACK = "saas-monitoring"
WEIGHTS: dict[str, dict[str, int]] = {
    "usage": {
        "daily_active_rate": 15,
        "feature_adoption_depth": 10,
        "usage_trend_30_days": 10,
        "plan_utilization_rate": 5,
    },
    "engagement": {
        "support_interaction_sentiment": 10,
        "feature_request_frequency": 8,
        "community_participation": 5,
        "onboarding_completion_rate": 4,
        "documentation_engagement": 3,
    },
    "business": {
        "payment_health": 8,
        "contract_utilization_trend": 6,
        "team_adoption_rate": 4,
        "integration_usage": 2,
    },
    "relationship": {
        "success_manager_interactions": 4,
        "executive_engagement": 3,
        "referral_generation": 2,
        "case_study_participation": 1,
    },
}
METRICS: dict[str, list[Any]] = {
    name: [0, 10, 19.5, 20, 33, 39.5, 40, 59.5, 60, 79.5, 80, 87.25, 100]
    for group in WEIGHTS.values()
    for name in group
} | {
    "usage_percentage": [0, 80, 80.1, 140],
    "overage_months": [0, 2, 3, 6],
    "average_overage": [0, 12.5],
    "advanced_feature_usage": [0, 0.7, 0.71, 1],
    "multi_user_activity": [True, False],
    "team_size_estimate": [0, 4],
    "integration_requests": [0, 1, 3],
    "api_usage_growth_rate": [0.2, 1.5, 1.51, 4],
    "mrr": [0, 500],
    "events_3d": [0, 1, 3, 6, 15, 100],
    "events_previous_28d": [0, 9, 10, 56, 112, 280, 1000],
    "failed_payments_2d": [0, 1],
    "abandoned_core_features": [0, 1, 2],
}
BANDS = [(80, "THRIVING"), (60, "HEALTHY"), (40, "AT_RISK"), (20, "HIGH_RISK"), (0, "CRITICAL")]


def _cliff(row: Row) -> bool | None:
    """At most half of the mean 3-day total of the 28 days before, which hold at least 10 events."""
    now, before = number(row, "events_3d"), number(row, "events_previous_28d")
    half = None if before is None else before / 28 * 3 / 2
    fell = None if now is None or half is None else now <= half
    return both(fell, ge(before, 10))


def reading(row: Row) -> dict[str, Any]:
    """What the document says about one customer."""
    groups = {
        group: (sum(weights.values()), mean([part(number(row, name), weight) for name, weight in weights.items()]))
        for group, weights in WEIGHTS.items()
    }
    health = scored(groups, BANDS)
    shown = None if health["score"] is None else Fraction(health["score"])
    signals = {
        "critical_health_drop": lt(shown, 20),
        "usage_cliff_detected": _cliff(row),
        "payment_failure": ge(number(row, "failed_payments_2d"), 1),
        "feature_abandonment": ge(number(row, "abandoned_core_features"), 1),
        "USAGE_LIMIT_APPROACHING": gt(number(row, "usage_percentage"), 80),
        "CONSISTENT_OVERAGE": ge(number(row, "overage_months"), 3),
        "POWER_USER_BEHAVIOR": gt(number(row, "advanced_feature_usage"), 0.7),
        "TEAM_EXPANSION_OPPORTUNITY": row.get("multi_user_activity"),
        "INTEGRATION_EXPANSION": gt(number(row, "integration_requests"), 0),
        "API_SCALING_OPPORTUNITY": gt(number(row, "api_usage_growth_rate"), 1.5),
    }
    segments = {name: health["band"] == name for _, name in BANDS}
    return {
        "health": health,
        "churn_risk": None,
        "segments": segmented(segments, "NOT_SCORED"),
        "signals": named(signals),
    }
