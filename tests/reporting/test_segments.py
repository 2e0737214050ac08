"""Segments side by side, and their profiles."""

from datetime import date
from typing import Any

import pytest

from keepwell.model.loader import LoadedModel
from keepwell.reporting.plain import table
from keepwell.reporting.profiles import segment_profiles
from keepwell.reporting.reading import read_day
from keepwell.reporting.segments import segment_table
from keepwell.warehouse.snapshots import Snapshots

from .days import LATER, START, publish


def _row(customer: str, tier: str, mrr: float | None, **more: Any) -> dict[str, Any]:
    arr = None if mrr is None else 12 * mrr
    health = {"health_raw": 60.0, "health_score": 60.0, "health_band": "Needs attention", "health_coverage": 1.0}
    return {"customer_id": customer, "segment": tier, "segments": (tier,), "mrr": mrr, "arr": arr, **health, **more}


@pytest.fixture
def published(snapshots: Snapshots, tiers: LoadedModel) -> Snapshots:
    first = [_row("a", "SMB", 100.0), _row("b", "SMB", 300.0), _row("c", "Mid-Market", 3000.0)]
    last = [
        _row("a", "Mid-Market", 2500.0, industry="Legal", company_size=40.0, customer_since=date(2025, 4, 1)),
        _row("b", "SMB", 300.0, status="churned"),
        _row("c", "Mid-Market", 1500.0, industry="Tech", company_size=60.0, health_raw=20.0, health_band="At risk"),
        _row("d", "Mid-Market", 2600.0, industry="Tech"),
    ]
    publish(snapshots, START, first, tiers)
    publish(snapshots, LATER, last, tiers)
    return snapshots


def test_retention_belongs_to_the_segment_at_the_start(published: Snapshots, tiers: LoadedModel) -> None:
    found = segment_table(tiers, "tier", read_day(published, START), read_day(published, LATER))
    rows = {row.name: row for row in (*found.rows, found.total)}
    smb, middle, everybody = rows["SMB"], rows["Mid-Market"], rows[""]
    assert (smb.customers, smb.nrr.value, smb.grr.value, smb.churn.value) == (0, 6.25, 0.25, 0.5)
    assert (middle.customers, middle.nrr.value, middle.churn.value) == (3, 0.5, 0)
    assert (everybody.label, everybody.customers, everybody.arr) == ("All customers", 3, 79200.0)
    assert everybody.churn.value == pytest.approx(1 / 3)
    assert sum(row.customers for row in found.rows) == everybody.customers
    assert (middle.at_risk, middle.health.value) == (1, pytest.approx(140 / 3))


def test_without_an_earlier_day_retention_says_why(published: Snapshots, tiers: LoadedModel) -> None:
    found = segment_table(tiers, "tier", None, read_day(published, LATER))
    assert (found.since, found.total.nrr.value, found.total.nrr.why) == (
        None,
        None,
        "there is no earlier snapshot to compare with",
    )
    assert table(found.rows)[0]["nrr.why"] == "there is no earlier snapshot to compare with"


def test_a_profile_answers_every_field_or_says_why_not(published: Snapshots, tiers: LoadedModel) -> None:
    (profile,) = segment_profiles(tiers, "tier", read_day(published, START), read_day(published, LATER))
    assert profile.segment.name == "Mid-Market"
    assert profile.criteria == "arr >= 25000 and arr < 100000"
    who = profile.demographics
    assert (who.avg_arr.value, who.avg_company_size.value, who.avg_company_size.n) == (26400.0, 50.0, 2)
    assert [(i.name, i.customers, i.share) for i in who.top_industries] == [
        ("Tech", 2, pytest.approx(2 / 3)),
        ("Legal", 1, pytest.approx(1 / 3)),
    ]
    assert who.avg_tenure_months.value == pytest.approx(12.0, abs=0.05)
    assert profile.performance.avg_health_score.value == pytest.approx(140 / 3)
    adoption, meetings = profile.performance.avg_adoption_score, profile.engagement.avg_meetings_per_quarter
    assert (adoption.value, adoption.why) == (None, "no customer has a known adoption")
    assert (meetings.value, meetings.why) == (None, "the model has no metric meetings_per_quarter or meetings_90d")
    assert profile.recommendations[0] == "Monthly check-ins and a business review twice a year"
    data = profile.as_dict()
    assert set(data["engagement"]) == {
        "avg_meetings_per_quarter",
        "avg_email_response_rate",
        "support_ticket_rate",
    }
