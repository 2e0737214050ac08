from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from keepwell.warehouse.quality import QualityFinding, data_quality
from keepwell.warehouse.quality_checks import CHECKS
from keepwell.warehouse.storage import Warehouse

from .helpers import NOW, csv_text, load, put

GOOD = {
    "customers": (
        "customer_id,name,status,customer_since,renewal_date,deleted_at",
        "c1,A,active,2025-01-01,2027-01-01,",
    ),
    "people": ("person_id,customer_id", "p1,c1"),
    "subscriptions": ("subscription_id,customer_id,product,started_at,ended_at", "s1,c1,app,2025-01-01,2026-02-01"),
    "subscription_changes": ("change_id,customer_id,change_type,occurred_at", "x1,c1,new,2025-01-01"),
    "invoices": ("invoice_id,customer_id,issued_at", "i1,c1,2025-02-01"),
    "payments": ("payment_id,customer_id,invoice_id,status,attempted_at", "m1,c1,i1,succeeded,2025-02-01"),
    "tickets": ("ticket_id,customer_id,created_at,resolved_at", "t1,c1,2025-03-01,2025-03-02"),
    "events": ("customer_id,person_id,name,occurred_at", "c1,p1,login,2025-04-01"),
    "sessions": ("session_id,customer_id,started_at", "z1,c1,2025-04-01"),
}


@dataclass(frozen=True)
class Case:
    """One more row for a table, and the one finding that it makes."""

    table: str
    row: str
    code: str
    example: str


CASES = (
    Case("events", "c1,p1,login,2024-12-31", "usage_before_start", "c1: used on 2024-12-31"),
    Case("sessions", "z2,c1,2024-12-30", "usage_before_start", "c1: used on 2024-12-30"),
    Case("events", "c1,p1,login,2026-02-03", "usage_after_end", "c1: used on 2026-02-03, ended on 2026-02-01"),
    Case("subscriptions", "s2,c1,app,2026-01-31,", "subscriptions_overlap", "c1: s1 and s2"),
    Case("customers", "c2,B,active,2025-01-01,2026-02-28,", "renewal_overdue", "c2: 2026-02-28"),
    Case("customers", "c2,B,churned,2025-01-01,2026-02-28,", "churned_without_event", "c2"),
    Case("subscription_changes", "x2,c1,churned,2026-01-01", "churn_contradicted", "c1: active, churned on 2026-01-01"),
    Case("payments", "m2,c1,i9,failed,2026-01-01", "payment_without_invoice", "m2: invoice i9"),
    Case("tickets", "t2,c1,2026-01-02,2026-01-01", "ticket_resolved_before_created", "t2"),
    Case("events", "c1,p9,login,2025-04-01", "person_unknown", "p9"),
    Case("customers", "c1,A,active,2025-01-01,2027-01-01,2026-01-01", "person_without_customer", "p1: c1"),
)


def stock(warehouse: Warehouse, folder: Path) -> None:
    for name, (header, row) in GOOD.items():
        put(folder, f"{name}.csv", csv_text(header, row))
    load(warehouse, folder)


def contradictions(warehouse: Warehouse) -> list[QualityFinding]:
    return [f for f in data_quality(warehouse) if not f.code.startswith("feed_")]


def test_good_data_has_no_contradictions(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    assert contradictions(warehouse) == []


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.code} in {c.table}")
def test_each_contradiction_is_named_and_counted(case: Case, warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    later = NOW + timedelta(seconds=1)
    load(warehouse, put(tmp_path / "more", f"{case.table}.csv", csv_text(GOOD[case.table][0], case.row)), now=later)
    assert [(f.code, f.count, f.examples) for f in contradictions(warehouse)] == [(case.code, 1, (case.example,))]


def test_every_check_has_a_case() -> None:
    assert {c.code for c in CHECKS} == {c.code for c in CASES}


def test_missing_and_stale_feeds_are_named(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    load(warehouse, tmp_path / "in" / "tickets.csv", now=NOW + timedelta(days=9))
    found = {f.table: f for f in data_quality(warehouse) if f.code == "feed_stale"}
    assert "tickets" not in found
    assert found["events"].message == "the feed file of events is 9 days behind the freshest feed"
    missing = {f.table for f in data_quality(warehouse) if f.code == "feed_missing"}
    assert missing == {"survey_responses", "interactions", "milestones", "service_metrics"}


def test_quarantine_is_counted_by_reason(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    header = GOOD["tickets"][0]
    path = put(tmp_path / "more", "tickets.csv", csv_text(header, "t5,c1,never,", "t6,c1,soon,", "t7,c9,2026-01-01,"))
    load(warehouse, path)
    found = [(f.code, f.count, f.examples) for f in contradictions(warehouse)]
    assert found == [
        ("quarantine_invalid", 2, (f"{path}:2", f"{path}:3")),
        ("quarantine_unknown_customer", 1, (f"{path}:4",)),
    ]
