"""Key figures, weeks and adoption against a small warehouse that can be counted by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keepwell.model.loader import LoadedModel
from keepwell.reporting.adoption import adoption_cohorts, feature_adoption
from keepwell.reporting.kpis import ROWS, kpi_table
from keepwell.reporting.moments import window
from keepwell.reporting.reading import read_day
from keepwell.reporting.weekly import weekly_report
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.snapshots import Snapshots
from keepwell.warehouse.storage import Warehouse

from .days import LATER, publish

MONTH_AGO = LATER - timedelta(days=30)
NOW = datetime(2026, 4, 2, tzinfo=UTC)
FILES = {
    "customers.csv": "customer_id,name\na,A\nb,B\nc,C\ngone,G\n",
    "people.csv": "person_id,customer_id,first_seen_at,left_company_at,seat_status\n"
    "p1,a,2026-01-01,,active\np2,a,2026-01-01,,active\np3,b,2026-01-01,,active\np4,b,2026-01-01,2026-03-01,active\n"
    "p5,b,2026-01-01,,invited\np6,gone,2026-01-01,,active\n",
    "tickets.csv": "ticket_id,customer_id,created_at,first_response_at,resolved_at,csat,reopen_count,is_escalated\n"
    "t1,a,2026-03-30T10:00,2026-03-30T11:00,2026-03-30T20:00,5,0,false\n"
    "t2,b,2026-03-20T10:00,2026-03-20T13:00,2026-03-21T12:00,3,1,false\n"
    "t3,gone,2026-03-10T10:00,,,,0,false\n"
    "t4,a,2026-01-05T10:00,2026-01-09T10:00,2026-01-12T10:00,1,0,true\n",
    "survey_responses.csv": "response_id,customer_id,ticket_id,survey,score,responded_at\n"
    "r1,a,,nps,10,2026-03-30\nr2,b,,nps,9,2026-02-15\nr3,b,,nps,2,2026-02-16\nr4,a,,nps,10,2025-12-01\n"
    "r5,a,t1,csat,5,2026-03-30\nr6,c,,csat,1,2026-03-29\n",
    "events.csv": "event_id,customer_id,person_id,name,feature,occurred_at\n"
    "e1,a,p1,feature_used,reports,2026-04-01T08:00\ne2,a,p1,feature_used,reports,2026-03-31T08:00\n"
    "e3,a,p2,login,,2026-03-28T08:00\ne4,b,p4,login,,2026-03-31T08:00\ne5,gone,p6,login,,2026-03-31T08:00\n"
    "e6,b,p3,feature_used,team,2025-12-01T08:00\ne7,c,,feature_used,reports,2026-03-30T08:00\n",
}


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    folder = tmp_path / "files"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Warehouse.open(tmp_path / "data", zone="UTC") as opened:
        report = load_paths(opened, [folder], now=NOW)
        assert not report.problems
        yield opened


def _row(customer: str, score: float | None, mrr: float, since: date, **more: Any) -> dict[str, Any]:
    band = "Not enough data" if score is None else "Healthy"
    health = {"health_score": score, "health_raw": score, "health_band": band}
    return {"customer_id": customer, "mrr": mrr, "arr": 12 * mrr, "customer_since": since, **health, **more}


OLD, NEW = date(2025, 11, 10), date(2026, 3, 15)


@pytest.fixture
def published(snapshots: Snapshots, tiers: LoadedModel) -> Snapshots:
    first = [_row("a", 85.0, 100.0, OLD), _row("b", 79.0, 0.0, OLD), _row("gone", 50.0, 50.0, OLD)]
    first.append(_row("d", None, 0.0, OLD))
    last = [_row("a", 80.0, 120.0, OLD), _row("b", 59.0, 20.0, OLD), _row("c", 60.0, 10.0, NEW)]
    last.append(_row("gone", None, 50.0, OLD, status="churned", churned_on=date(2026, 3, 30)))
    last.append(_row("d", None, 0.0, OLD))
    publish(snapshots, LATER - timedelta(days=90), first, tiers)
    publish(snapshots, MONTH_AGO, first, tiers)
    publish(snapshots, LATER, last, tiers)
    return snapshots


def test_every_row_by_hand(published: Snapshots, tiers: LoadedModel, warehouse: Warehouse) -> None:
    found = kpi_table(published, tiers, LATER, warehouse=warehouse)
    values = {row.name: row.current.value for row in found.rows}
    churn = 1 - (3 / 4) ** (365 / 12 / 30)
    expected = {
        "monthly_churn": churn,
        "monthly_retention": 1 - churn,
        "annual_retention": (3 / 4) ** (365 / 90),
        "healthy": 1 / 3,
        "at_risk": 1 / 3,
        "critical": 1 / 3,
        "nps": 100 / 3,
        "csat": (5 + 3 + 1) / 3,
        "first_response": 2.0,
        "resolution": (10 + 26) / 2,
        "first_contact": 0.5,
        "dau": 3 / 7 / 3,
        "wau": 2 / 3,
        "conversion": 0.5,
        "nrr": (100 + 50 + 20 - 50) / 150,
        "grr": 100 / 150,
        "customers": 4.0,
        "tickets": 3.0,
    }
    assert values == pytest.approx(expected)
    assert len(found.rows) == len(ROWS) == 18


def test_trends_and_targets(published: Snapshots, tiers: LoadedModel, warehouse: Warehouse) -> None:
    found = kpi_table(published, tiers, LATER, warehouse=warehouse)
    healthy, critical, response = (found.row(name) for name in ("healthy", "critical", "first_response"))
    assert (healthy.previous.value, healthy.arrow, healthy.trend) == (pytest.approx(1 / 3), "→", "same")
    assert (critical.target_text, critical.on_target, healthy.on_target) == ("< 10 %", False, False)
    assert (response.trend, response.on_target, response.target_text) == (None, False, "< 2 h")
    assert response.previous.why == "no ticket was answered from 2026-02-01 to 2026-03-02"
    assert found.row("annual_retention").note == "annualised from 90 days"
    assert found.row("nps").target_text == "50+"


def test_what_is_missing_says_why(snapshots: Snapshots, agency: LoadedModel, tmp_path: Path) -> None:
    publish(snapshots, LATER, [{"customer_id": "a", "segment": "monitor"}], agency)
    with Warehouse.open(tmp_path / "empty", zone="UTC") as empty:
        found = kpi_table(snapshots, agency, LATER, warehouse=empty)
    why = {row.name: row.current.why for row in found.rows if row.current.value is None}
    assert why["healthy"] == "the model has no health score"
    assert why["monthly_retention"] == "no snapshot about 30 days earlier"
    assert why["csat"] == why["resolution"] == why["tickets"] == "tickets: nothing has been loaded"
    assert why["dau"] == "people: nothing has been loaded"
    assert all(row.previous.why == "no snapshot to compare with" for row in found.rows)
    without = kpi_table(snapshots, agency, LATER, warehouse=None)
    assert without.row("nps").current.why == "needs the warehouse's tables"


def test_weeks_without_churn_stay_in_the_series(published: Snapshots, tiers: LoadedModel, warehouse: Warehouse) -> None:
    publish(published, LATER - timedelta(days=3), [_row("a", 80.0, 1.0, OLD), _row("gone", 1.0, 1.0, OLD)], tiers)
    found = weekly_report(published, tiers, LATER, warehouse=warehouse, weeks=3)
    assert [(w.week_start, w.last) for w in found] == [
        (date(2026, 3, 30), LATER),
        (date(2026, 3, 23), date(2026, 3, 29)),
    ]
    now, before = found
    assert (now.customers, now.churned, now.churn_rate) == (4, 1, 0.5)
    assert (before.churned, before.churn_rate, before.tickets) == (0, 0.0, 0)
    assert (now.tickets, now.nps, now.nps_answers, now.first_response_hours) == (1, 100.0, 1, 1.0)


def test_adoption_divides_by_all_who_are_old_enough(
    published: Snapshots, tiers: LoadedModel, warehouse: Warehouse
) -> None:
    found = {row.feature: row for row in feature_adoption(warehouse, read_day(published, LATER))}
    reports, team = found["reports"], found["team"]
    assert (reports.eligible, reports.adopters, reports.adoption_rate) == (3, 1, pytest.approx(1 / 3))
    assert reports.days_to_adopt == (date(2026, 3, 31) - OLD).days
    assert (team.adopters, team.using, team.ever, team.ever_rate) == (0, 0, 1, pytest.approx(1 / 3))


def test_cohorts_are_whole(published: Snapshots, tiers: LoadedModel, warehouse: Warehouse) -> None:
    found = {(r.cohort_month, r.feature): r for r in adoption_cohorts(warehouse, read_day(published, LATER))}
    november, march = date(2025, 11, 1), date(2026, 3, 1)
    sizes = {key: (row.cohort_size, row.adopters) for key, row in found.items()}
    assert sizes == {
        (november, "reports"): (4, 1),
        (november, "team"): (4, 1),
        (march, "reports"): (1, 1),
        (march, "team"): (1, 0),
    }


def test_days_begin_where_the_workspace_is() -> None:
    found = window(date(2026, 3, 29), 1, "Europe/Berlin")
    assert (found.start, found.end) == (
        datetime.fromisoformat("2026-03-28T23:00"),
        datetime.fromisoformat("2026-03-29T22:00"),
    )
