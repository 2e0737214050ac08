"""Risks with reasons, the expansion list, and what must be known of the data."""

from datetime import date
from typing import Any

import pytest

from keepwell.model.loader import LoadedModel
from keepwell.reporting.expansion import expansion_list
from keepwell.reporting.quality import data_quality
from keepwell.reporting.reading import read_day
from keepwell.reporting.reasons import filled
from keepwell.reporting.risks import top_risks
from keepwell.warehouse.snapshots import Snapshots

from .days import LATER, publish


def _row(customer: str, segment: str, arr: float | None, **more: Any) -> dict[str, Any]:
    values = {"tickets_30d": 0.0, "days_to_renewal": 200.0, "days_since_login": 1.0, "logins_30d": 9.0}
    values |= {key: more.pop(key) for key in list(more) if key in values}
    metrics = {f"m.{name}": value for name, value in values.items()}
    metrics |= {f"q.{name}": 14 if value is None else 0 for name, value in values.items()}
    return {"customer_id": customer, "segment": segment, "segments": (segment,), "arr": arr, **metrics, **more}


def test_risks_are_ranked_by_money_and_severity(snapshots: Snapshots, agency: LoadedModel) -> None:
    rows = [
        _row("drop", "engagement_drop", 1500.0, days_since_login=40.0, logins_30d=0.0),
        _row(
            "urgent", "revenue_at_risk", 1000.0, days_to_renewal=12.0, tickets_30d=4.0, renewal_date=date(2026, 4, 13)
        ),
        _row("fine", "healthy_stable", 9000.0),
        _row("gone", "revenue_at_risk", 5000.0, status="churned"),
    ]
    publish(snapshots, LATER, rows, agency)
    found = top_risks(snapshots, agency, read_day(snapshots, LATER))
    assert [risk.customer_id for risk in found.top] == ["urgent", "drop"]
    assert (found.customers, found.arr) == (2, 2500.0)
    first, second = found.top
    assert first.reasons == ("4 support tickets in 30 days.", "Renewal in 12 days")
    assert (first.days_to_renewal, first.action, first.signals) == (12, "Call within 24 hours", ())
    assert second.reasons == ("Days since the last login: 40 days", "Logins in 30 days: 0")


def test_a_metric_is_spoken_of_once(snapshots: Snapshots, agency: LoadedModel) -> None:
    row = _row("late", "revenue_at_risk", 10.0, days_to_renewal=-3.0, days_since_login=20.0)
    publish(snapshots, LATER, [row], agency)
    (risk,) = top_risks(snapshots, agency, read_day(snapshots, LATER)).top
    assert risk.reasons == (
        "The renewal date lies −3 days from today, but the customer is active.",
        "Days since the last login: 20 days",
    )
    assert (risk.name, risk.owner) == ("", "")


def test_lost_points_are_reasons_and_unknown_values_are_none(snapshots: Snapshots, tiers: LoadedModel) -> None:
    health = {"health_score": 20.0, "health_raw": 20.0, "health_band": "At risk", "health_coverage": 0.6}
    row = {"customer_id": "a", "segment": "SMB", "segments": ("SMB",), "arr": 100.0, **health}
    metrics = {"m.support_ticket_rate": 4.0, "q.support_ticket_rate": 0, "m.nps_score": None, "q.nps_score": 10}
    metrics |= {"m.adoption_score": 80.0, "q.adoption_score": 0}
    publish(snapshots, LATER, [{**row, **metrics}], tiers)
    found = top_risks(snapshots, tiers, read_day(snapshots, LATER))
    assert found.ranked_by == "ARR × lost health"
    (risk,) = found.top
    assert (risk.reasons, risk.weight, risk.score) == (
        ("4 tickets a month", "Adoption score is 80"),
        pytest.approx(0.8),
        20,
    )


def test_expansion_is_ranked_by_value_in_a_year(snapshots: Snapshots, tiers: LoadedModel) -> None:
    def row(customer: str, value: float | None, **more: Any) -> dict[str, Any]:
        signal = {"signals": ("near_next_tier",), "signal_value.near_next_tier": value}
        metrics = {"m.arr": 23000.0, "q.arr": 0}
        return {
            "customer_id": customer,
            "segment": "SMB",
            "segments": ("SMB",),
            "arr": 23000.0,
            **signal,
            **metrics,
            **more,
        }

    rows = [row("small", 500.0), row("large", 2000.0, health_band="At risk"), row("none", None)]
    publish(snapshots, LATER, rows, tiers)
    found = expansion_list(snapshots, tiers, read_day(snapshots, LATER))
    assert [(e.customer_id, e.yearly, e.at_risk) for e in found.top] == [
        ("large", 2000.0, True),
        ("small", 500.0, False),
        ("none", None, False),
    ]
    assert (found.yearly, found.customers, found.top[2].why_no_value) == (2500.0, 3, "its value is unknown")
    assert (found.top[0].reason, found.top[0].urgency) == ("ARR is $23K.", "MEDIUM")


def test_segments_stand_in_where_no_signal_is_about_growth(snapshots: Snapshots, agency: LoadedModel) -> None:
    publish(snapshots, LATER, [_row("a", "expansion_opportunity", 10.0), _row("b", "monitor", 10.0)], agency)
    (only,) = expansion_list(snapshots, agency, read_day(snapshots, LATER)).top
    assert (only.customer_id, only.value, only.action) == ("a", None, "Upsell conversation")


def test_quality_says_what_a_reader_must_know(snapshots: Snapshots, agency: LoadedModel) -> None:
    rows = [_row("a", "monitor", None, currency="EUR", tickets_30d=None), _row("b", "monitor", 1.0, currency="USD")]
    publish(snapshots, LATER, rows, agency, freshness={"tickets": "2026-03-01"}, warnings=["tickets: stale"])
    found = data_quality(agency, read_day(snapshots, LATER), currency="USD")
    assert found.warnings == (
        "tickets: stale",
        "customers pay in EUR and USD: amounts are added up as they are, without exchange rates;"
        " put them into [rates] of keepwell.toml",
        "1 customer without a known ARR: counted as customers, and as no money",
    )
    tickets = next(f for f in found.freshness if f.table == "tickets")
    assert (tickets.days_old, tickets.used) == (31, True)
    metric = next(m for m in found.metrics if m.name == "tickets_30d")
    assert (metric.known, metric.customers, metric.why) == (1, 2, "empty in the source")


def test_placeholders_are_names_and_nothing_more() -> None:
    assert filled("{a} of {b}, {{not}}", {"a": "1", "b": "{a}"}) == "1 of {a}, {not}"
