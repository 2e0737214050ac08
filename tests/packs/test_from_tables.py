"""Every metric of the packs from canonical tables: values counted by hand, zero and unknown kept apart."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keepwell.evaluation.model_run import Evaluation, compile_model, evaluate_model
from keepwell.metrics.compute import Engine
from keepwell.metrics.frame import day_number
from keepwell.model.packs import pack_names, resolve_model
from keepwell.warehouse.storage import Warehouse

from .small_world import TODAY, opened

BUSY: dict[str, dict[str, Any]] = {
    "agency-signals": {
        "days_to_renewal": 60,
        "payment_status": "overdue",
        "plan": "standard",
        "tickets_30d": 3,
        "tickets_open": 1,
        "days_since_login": 0,
        "logins_30d": 5,
        "features_used_30d": 7,
        "account_age_days": 730,
        "mrr": 600,
        "usage_level": "low",
    },
    "household-app": {
        "total_members": 3,
        "daily_active_users": 2,
        "dau_ratio": 2 / 3,
        "tasks_completed_weekly": 1,
        "pets_managed": 2,
        "new_pets_60d": 2,
        "app_opens_weekly": 1,
        "reminders_enabled": True,
        "calendar_sync_enabled": False,
        "photos_uploaded": 2,
        "tickets_last_30_days": 3,
        "critical_tickets": 1,
        "critical_tickets_unresolved": 1,
        "critical_unresolved_48h": 1,
        "resolutions_overdue": 1,
        "responses_overdue": 1,
        "avg_resolution_hours": 20,
        "csat_score": 4.5,
        "logins_last_7_days": 2,
        "logins_last_30_days": 4,
        "avg_session_minutes": 6,
        "failed_payments_last_3_months": 2,
        "days_since_last_payment": 10,
        "days_inactive": 0,
        "has_downgraded": False,
        "has_cancelled": False,
        "nps_score": 9,
    },
    "operator-points": {
        "login_days_30d": 4,
        "tickets_vs_baseline": 0.75,
        "approval_utilization": 1 / 3,
        "dashboard_views_30d": 1,
        "operator_nps": 100 / 3,
        "csat_trend_90d": 2,
        "support_sentiment": 0.5,
        "feature_requests_30d": 2,
        "training_completion": 0.5,
        "kb_updates_30d": 1,
        "community_active": True,
        "outreach_response_rate": 0.5,
        "late_payments_90d": 2,
        "ticket_volume_change": 2,
        "angry_tickets_30d": 1,
    },
    "saas-monitoring": {
        "daily_active_rate": 15,
        "feature_adoption_depth": 87.5,
        "plan_utilization_rate": 100,
        "support_interaction_sentiment": 65,
        "feature_request_frequency": 100,
        "community_participation": 50,
        "onboarding_completion_rate": 50,
        "documentation_engagement": 20,
        "payment_health": 20,
        "contract_utilization_trend": 48,
        "team_adoption_rate": 75,
        "integration_usage": 100,
        "success_manager_interactions": 50,
        "executive_engagement": 100,
        "referral_generation": 100,
        "case_study_participation": 50,
        "usage_percentage": 90,
        "overage_months": 2,
        "average_overage": 25,
        "advanced_feature_usage": 0.2,
        "multi_user_activity": False,
        "team_size_estimate": 0,
        "integration_requests": 1,
        "api_usage_growth_rate": 2,
        "failed_payments_2d": 1,
        "abandoned_core_features": 1,
        "mrr": 600,
    },
    "portfolio-segments": {
        "arr": 7200,
        "arr_12_months_ago": 4800,
        "arr_growth_12m": 0.5,
        "company_size": 250,
        "tenure_months": 24,
        "industry": "Tech",
        "meetings_per_quarter": 1,
        "email_response_rate": 0.5,
        "support_ticket_rate": 4 / 3,
        "nps_score": 9,
    },
    "b2b-saas": {
        "days_inactive": 0,
        "features_used_30d": 7,
        "seat_share": 0.75,
        "onboarding_share": 0.5,
        "usage_percentage": 90,
        "contacts_90d": 1,
        "outreach_response_rate": 0.5,
        "nps_score": 25 / 3,
        "tickets_30d": 3,
        "urgent_tickets_open": 1,
        "csat_90d": 4,
        "failed_payments_90d": 2,
        "has_downgraded": False,
        "has_cancelled": False,
        "arr": 7200,
    },
}
# What is known of a customer of whom no feed says anything: nothing happened, and that is known.
SILENT: dict[str, dict[str, Any]] = {
    "agency-signals": {"logins_30d": 0, "days_since_login": 20, "tickets_30d": 0, "mrr": None, "days_to_renewal": None},
    "household-app": {"total_members": 0, "dau_ratio": 0, "plan_type": "Free", "is_premium": False, "csat_score": None},
    "operator-points": {
        "kb_updates_30d": 0,
        "operator_nps": None,
        "tickets_vs_baseline": None,
        "usage_change_30d": None,
    },
    "saas-monitoring": {"usage_trend_30_days": 0, "support_interaction_sentiment": None, "usage_percentage": None},
    "portfolio-segments": {"arr": None, "arr_growth_12m": None, "industry": None, "tenure_months": 20 / 30},
    "b2b-saas": {"days_inactive": 20, "seat_share": None, "failed_payments_90d": 0, "payment_status": None},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield from opened(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def only_customers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    yield from opened(tmp_path_factory.mktemp("customers"), ("customers",))


def evaluated(warehouse: Warehouse, pack: str, days_back: int = 0) -> Evaluation:
    loaded = resolve_model(pack)
    moment = day_number((TODAY - timedelta(days=days_back)).date())
    computed = Engine(warehouse, loaded.model).compute([moment])
    return evaluate_model(compile_model(loaded), computed.frame)


def values(evaluation: Evaluation, customer: str) -> dict[str, Any]:
    row = list(evaluation.frame.customers).index(customer)
    return {name: column.item(row) for name, column in evaluation.columns.items()}


@pytest.mark.parametrize("pack", sorted(BUSY))
def test_values_are_what_one_counts_by_hand(world: Warehouse, pack: str) -> None:
    found = values(evaluated(world, pack), "busy")
    for name, expected in BUSY[pack].items():
        assert found[name] == (pytest.approx(expected) if isinstance(expected, float) else expected), name


@pytest.mark.parametrize("pack", sorted(SILENT))
def test_nothing_happened_is_zero_and_not_unknown(world: Warehouse, pack: str) -> None:
    found = values(evaluated(world, pack), "silent")
    for name, expected in SILENT[pack].items():
        assert found[name] == (pytest.approx(expected) if isinstance(expected, float) else expected), name


@pytest.mark.parametrize("pack", pack_names())
def test_without_feeds_there_is_no_score(only_customers: Warehouse, pack: str) -> None:
    evaluation = evaluated(only_customers, pack)
    assert all(set(score.band.objects()) == {"Not enough data"} for score in evaluation.scores.values())
    assert evaluation.segments.primary.known.all()


def test_the_default_pack_scores_what_most_companies_have(tmp_path: Path) -> None:
    """Usage, tickets and contracts are enough; no surveys, contacts, people, onboarding or payments."""
    for warehouse in opened(tmp_path, ("customers", "events", "tickets", "subscriptions")):
        health = evaluated(warehouse, "b2b-saas").scores["health"]
        assert "Not enough data" not in health.band.objects()
        assert health.coverage.max() < 1


@pytest.mark.parametrize("pack", pack_names())
def test_every_metric_can_be_computed_on_an_earlier_day(world: Warehouse, pack: str) -> None:
    """Also half a year back, when little had happened, every metric has a value or says why not."""
    evaluation = evaluated(world, pack, days_back=180)
    assert set(evaluation.columns) >= set(resolve_model(pack).model.metrics)
    assert evaluation.segments.primary.known.all()


def test_a_ticket_was_open_until_it_was_solved(world: Warehouse) -> None:
    found = values(evaluated(world, "household-app", days_back=10), "busy")
    assert (found["tickets_last_30_days"], found["csat_score"]) == (3, 4)


def test_signals_say_what_is_at_stake(world: Warehouse) -> None:
    """Per month, but for the overage, which the document multiplies by 12; constants come from the settings."""
    evaluation = evaluated(world, "saas-monitoring")
    row = list(evaluation.frame.customers).index("busy")
    found = {s.name: s.value.item(row) if s.value else None for s in evaluation.signals}
    assert {name: value for name, value in found.items() if name.isupper()} == {
        "USAGE_LIMIT_APPROACHING": 300,
        "CONSISTENT_OVERAGE": 300,
        "POWER_USER_BEHAVIOR": 300,
        "TEAM_EXPANSION_OPPORTUNITY": 0,
        "INTEGRATION_EXPANSION": 300,
        "API_SCALING_OPPORTUNITY": 600,
    }
    matching = {signal.name for signal in evaluation.signals if signal.matches[row]}
    assert matching == {
        "payment_failure",
        "feature_abandonment",
        "USAGE_LIMIT_APPROACHING",
        "INTEGRATION_EXPANSION",
        "API_SCALING_OPPORTUNITY",
    }
