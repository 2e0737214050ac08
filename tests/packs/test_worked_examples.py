"""The numbers that the documents print themselves."""

from datetime import date
from typing import Any

import pytest

from keepwell.evaluation.api import score_rows
from keepwell.model.packs import resolve_model

AS_OF = date(2026, 6, 30)


def score(pack: str, **metrics: Any) -> dict[str, Any]:
    return score_rows(resolve_model(pack), [{"customer_id": "one", **metrics}], AS_OF)[0].as_dict()


def test_household_usage_is_83_2() -> None:
    """Four members, three active, 12 tasks, two pets, 20 opens: 37.5 + 25.7 + 10 + 10."""
    found = score(
        "household-app",
        total_members=4,
        daily_active_users=3,
        tasks_completed_weekly=12,
        pets_managed=2,
        app_opens_weekly=20,
    )
    assert found["health"]["components"]["product_usage"] == pytest.approx(37.5 + 12 / 14 * 30 + 20)
    assert round(found["health"]["components"]["product_usage"], 1) == 83.2


OPERATOR = {
    "login_days_30d": 20,
    "tickets_vs_baseline": 5500 / 5000,
    "approval_utilization": 0.75,
    "dashboard_views_30d": 15,
    "operator_nps": 40,
    "csat_trend_90d": 0.3,
    "support_sentiment": 0.9,
    "feature_requests_30d": 3,
    "training_completion": 1,
    "kb_updates_30d": 12,
    "community_active": True,
    "outreach_response_rate": 0.8,
    "late_payments_90d": 0,
    "ticket_volume_change": 0,
    "angry_tickets_30d": 0,
    "operators_lost_30d": 0,
    "usage_change_30d": 0,
}


def test_operator_example_is_95() -> None:
    health = score("operator-points", **OPERATOR)["health"]
    assert health["components"] == {"usage": 35, "satisfaction": 30, "engagement": 20, "risk": 10}
    assert (health["score"], health["band"], health["coverage"]) == (95, "Thriving", 1)


def test_red_flags_never_eat_into_other_parts() -> None:
    flags = {"late_payments_90d": 3, "angry_tickets_30d": 9, "operators_lost_30d": 2}
    health = score("operator-points", **{**OPERATOR, **flags})["health"]
    assert (health["components"]["risk"], health["score"]) == (0, 85)


def test_a_new_silent_agency_shows_both_reasons() -> None:
    """The document's order puts it in engagement_drop; onboarding_stuck is shown, too."""
    found = score(
        "agency-signals",
        days_to_renewal=340,
        payment_status="current",
        tickets_30d=0,
        days_since_login=20,
        logins_30d=0,
        features_used_30d=0,
        account_age_days=20,
        plan="basic",
    )
    assert found["health"] is None
    assert found["segments"] == {"primary": "engagement_drop", "all": ["engagement_drop", "onboarding_stuck"]}


def test_free_households_have_neutral_payment_health() -> None:
    found = score("household-app", plan_type="Free", payment_status="failed", failed_payments_last_3_months=3)
    assert found["health"]["components"]["payment_health"] == 70


def test_without_data_there_is_no_guess() -> None:
    found = score("saas-monitoring", daily_active_rate=10)
    assert found["health"]["score"] is None
    assert found["health"]["band"] == "Not enough data"
    assert found["health"]["coverage"] == 0.15
    assert found["segments"]["primary"] == "NOT_SCORED"
    assert found["signals"] == []
