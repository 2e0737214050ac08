"""The portfolio's figures on hand-made days."""

from datetime import date, timedelta
from typing import Any

import pytest

from keepwell.model.loader import LoadedModel
from keepwell.reporting.portfolio import portfolio
from keepwell.reporting.reading import day_back, latest_day
from keepwell.reporting.trend import trend
from keepwell.warehouse.snapshots import Snapshots

from .days import LATER, publish

MONTH_AGO = LATER - timedelta(days=30)


def _row(customer: str, score: float | None, arr: float | None, band: str, **more: Any) -> dict[str, Any]:
    said = {"health_score": score, "health_raw": score, "health_band": band, "health_coverage": 0.8}
    return {"customer_id": customer, "name": customer.upper(), "arr": arr, "segment": "SMB", **said, **more}


@pytest.fixture
def published(snapshots: Snapshots, tiers: LoadedModel) -> Snapshots:
    publish(snapshots, MONTH_AGO, [_row("a", 80.0, 100.0, "Healthy"), _row("b", 75.0, 300.0, "Healthy")], tiers)
    now = [
        _row("a", 60.0, 100.0, "Needs attention"),
        _row("b", 76.0, 300.0, "Healthy"),
        _row("c", 20.0, 600.0, "At risk"),
        _row("d", None, None, "Not enough data", status="trial"),
        _row("e", None, 900.0, "Healthy", status="churned"),
    ]
    publish(snapshots, LATER, now, tiers)
    return snapshots


def test_totals_leave_out_who_left(published: Snapshots, tiers: LoadedModel) -> None:
    found = portfolio(published, tiers, LATER)
    totals = found.totals
    assert (totals.customers, totals.churned, totals.arr, found.arr_unknown) == (4, 1, 1000.0, 1)
    assert totals.average_score == pytest.approx((60 + 76 + 20) / 3)
    assert totals.weighted_score == pytest.approx((60 * 100 + 76 * 300 + 20 * 600) / 1000)
    assert (totals.at_risk, totals.arr_at_risk) == (1, 600.0)


def test_the_spread_covers_everybody(published: Snapshots, tiers: LoadedModel) -> None:
    found = portfolio(published, tiers, LATER)
    bands = {share.name: (share.customers, share.arr) for share in found.bands}
    assert bands == {
        "Healthy": (1, 300.0),
        "Needs attention": (1, 100.0),
        "At risk": (1, 600.0),
        "Not enough data": (1, 0.0),
    }
    assert sum(share.customers for share in found.segments) == 4
    assert sum(share.arr_share or 0 for share in found.bands) == pytest.approx(1)
    assert (found.not_enough_data, found.coverage) == (1, pytest.approx(0.8))


def test_changes_name_the_day_they_compare_with(published: Snapshots, tiers: LoadedModel) -> None:
    found = portfolio(published, tiers, LATER)
    assert found.week is None
    assert found.month is not None
    assert (found.month.since, found.month.customers, found.month.arr) == (MONTH_AGO, 2, 600.0)
    assert [(d.customer_id, d.points, d.band_after) for d in found.declines] == [("a", -20, "Needs attention")]


def test_a_model_without_score_has_segments_and_no_bands(snapshots: Snapshots, agency: LoadedModel) -> None:
    row = {"customer_id": "a", "segment": "revenue_at_risk", "segments": ("revenue_at_risk",), "arr": 5.0}
    publish(snapshots, LATER, [row], agency)
    found = portfolio(snapshots, agency, LATER)
    assert (found.bands, found.coverage, found.totals.average_score) == ((), None, None)
    assert (found.totals.at_risk, found.at_risk_rule[:17]) == (1, "in a red or orang")


def test_trend_ends_with_the_day_and_is_thinned(snapshots: Snapshots, tiers: LoadedModel) -> None:
    days = [LATER - timedelta(days=i) for i in range(5)]
    for day in days:
        publish(snapshots, day, [_row("a", 50.0, 10.0, "Needs attention")], tiers)
    found = trend(snapshots, tiers, LATER, days=4)
    assert [point.as_of for point in found] == sorted(days[:4])
    assert (found[-1].arr, found[-1].score, found[-1].groups) == (10.0, 50.0, {"Needs attention": 1})


def test_the_day_before_is_near_what_was_asked(snapshots: Snapshots) -> None:
    publish(snapshots, LATER, [{"customer_id": "a"}])
    publish(snapshots, LATER - timedelta(days=34), [{"customer_id": "a"}])
    assert day_back(snapshots, LATER, 30) == LATER - timedelta(days=34)
    assert day_back(snapshots, LATER, 90) is None
    assert latest_day(snapshots, LATER - timedelta(days=1)) == LATER - timedelta(days=34)
    snapshots.point(LATER)
    assert latest_day(snapshots, None) == LATER
    assert day_back(snapshots, date(2027, 1, 1), 7) is None
