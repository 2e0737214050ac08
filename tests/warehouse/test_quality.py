from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from keepwell.warehouse.quality import QualityFinding, data_quality
from keepwell.warehouse.quality_checks import CHECKS
from keepwell.warehouse.storage import Warehouse

from .helpers import NOW, csv_text, load, put

GOOD: dict[str, tuple[str, ...]] = {
    "customers": (
        "customer_id,name,status,customer_since,renewal_date,deleted_at,churned",
        "c1,A,active,2025-01-01,2027-01-01,,",
        "c3,C,churned,2025-01-01,,,",
    ),
    "people": ("person_id,customer_id", "p1,c1"),
    "subscriptions": (
        "subscription_id,customer_id,product,started_at,ended_at",
        "s1,c1,app,2025-01-01,2026-02-01",
        "s2,c1,addon,2025-06-01,2025-09-01",
    ),
    "subscription_changes": (
        "change_id,customer_id,change_type,occurred_at",
        "x1,c1,new,2025-01-01",
        "x3,c3,churned,2025-05-01",
    ),
    "invoices": ("invoice_id,customer_id,issued_at", "i1,c1,2025-02-01"),
    "payments": ("payment_id,customer_id,invoice_id,status,attempted_at", "m1,c1,i1,succeeded,2025-02-01"),
    "tickets": ("ticket_id,customer_id,created_at,resolved_at", "t1,c1,2025-03-01,2025-03-02"),
    "survey_responses": (
        "response_id,customer_id,survey,score,responded_at",
        "r1,c1,nps,0,2025-04-01",
        "r2,c1,nps,10,2025-04-01",
        "r3,c1,csat,4.5,2025-04-01",
        "r4,c1,ces,7,2025-04-01",
    ),
    "events": ("customer_id,person_id,name,occurred_at,subscription_id", "c1,p1,login,2025-04-01,s1"),
    "sessions": ("session_id,customer_id,started_at", "z1,c1,2025-04-01"),
}


@dataclass(frozen=True)
class Case:
    """One more row for a table, and the one finding that it makes, of how many looked at."""

    table: str
    row: str
    code: str
    example: str
    total: int | None = None


ADDON = "s2: used on 2025-05-01,"
LATER = "s2: used on 2025-10-01,"
TWICE = "c3: churned on 2025-05-01"
CASES = (
    Case("events", "c1,p1,login,2024-12-31,", "usage_before_start", "c1: used on 2024-12-31"),
    Case("sessions", "z2,c1,2024-12-30", "usage_before_start", "c1: used on 2024-12-30"),
    Case("events", "c1,p1,login,2026-02-03,", "usage_after_end", "c1: used on 2026-02-03, ended on 2026-02-01"),
    Case("events", "c1,p1,login,2025-05-01,s2", "usage_before_subscription", f"{ADDON} started on 2025-06-01", 2),
    Case("events", "c1,p1,login,2025-10-01,s2", "usage_after_subscription", f"{LATER} ended on 2025-09-01", 2),
    Case("subscriptions", "s3,c1,app,2026-01-31,", "subscriptions_overlap", "c1: s1 and s3", 3),
    Case("customers", "c2,B,active,2025-01-01,2026-02-28,,", "renewal_overdue", "c2: 2026-02-28"),
    Case("customers", "c2,B,churned,2025-01-01,2026-02-28,,", "churned_without_event", "c2"),
    Case("customers", "c2,B,active,2025-01-01,2027-02-28,,Yes", "churn_mark_without_event", "c2", 1),
    Case("customers", "c3,C,churned,2025-01-01,,,FALSE", "churn_event_without_mark", "c3", 1),
    Case("subscriptions", "s3,c3,app,2025-01-01,2025-05-03", "churn_while_subscribed", "c3: churned on 2025-05-01", 1),
    Case("subscription_changes", "x4,c3,churned,2025-06-01", "churned_again", f"{TWICE} and on 2025-06-01", 2),
    Case("subscription_changes", "x2,c1,churned,2026-02-01", "churn_contradicted", "c1: active, churned on 2026-02-01"),
    Case("payments", "m2,c1,i9,failed,2026-01-01", "payment_without_invoice", "m2: invoice i9"),
    Case("tickets", "t2,c1,2026-01-02,2026-01-01", "ticket_resolved_before_created", "t2"),
    Case("survey_responses", "r5,c1,nps,11,2025-04-02", "answer_off_the_scale", "r5: nps 11.0"),
    Case("survey_responses", "r5,c1,nps,8.5,2025-04-02", "answer_off_the_scale", "r5: nps 8.5"),
    Case("survey_responses", "r5,c1,csat,0,2025-04-02", "answer_off_the_scale", "r5: csat 0.0"),
    Case("events", "c1,p9,login,2025-04-01,", "person_unknown", "p9"),
    Case("customers", "c1,A,active,2025-01-01,2027-01-01,2026-01-01,", "person_without_customer", "p1: c1"),
)


def stock(warehouse: Warehouse, folder: Path) -> None:
    for name, rows in GOOD.items():
        put(folder, f"{name}.csv", csv_text(*rows))
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
    found = [(f.code, f.count, f.examples, f.total) for f in contradictions(warehouse)]
    assert found == [(case.code, 1, (case.example,), case.total)]


def test_every_check_has_a_case() -> None:
    assert {c.code for c in CHECKS} == {c.code for c in CASES}


def test_missing_and_stale_feeds_are_named(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    load(warehouse, tmp_path / "in" / "tickets.csv", now=NOW + timedelta(days=9))
    found = {f.table: f for f in data_quality(warehouse) if f.code == "feed_stale"}
    assert "tickets" not in found
    assert found["events"].message == "the feed file of events is 9 days behind the freshest feed"
    missing = {f.table for f in data_quality(warehouse) if f.code == "feed_missing"}
    assert missing == {"interactions", "milestones", "service_metrics"}


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


def test_usage_of_a_subscription_is_counted_by_rows_and_shared_out(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    rows = [f"c1,p1,login,2025-05-0{day},s2" for day in (1, 1, 2)]
    load(warehouse, put(tmp_path / "more", "events.csv", csv_text(GOOD["events"][0], *rows)))
    (found,) = contradictions(warehouse)
    assert (found.count, found.total, found.share, len(found.examples)) == (3, 4, 0.75, 2)


def test_three_subscriptions_at_once_are_two_that_overlap(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    # The longest one still runs although the one before has ended.
    rows = ["s4,c1,app,2025-02-01,2025-03-01", "s5,c1,app,2025-12-01,2025-12-02"]
    load(warehouse, put(tmp_path / "more", "subscriptions.csv", csv_text(GOOD["subscriptions"][0], *rows)))
    (found,) = contradictions(warehouse)
    assert (found.count, found.examples) == (2, ("c1: s1 and s4", "c1: s1 and s5"))


def overdue(warehouse: Warehouse, as_of: date | None = None) -> list[tuple[str, tuple[str, ...]]]:
    found = data_quality(warehouse, as_of)
    return [(f.message, f.examples) for f in found if f.code == "renewal_overdue"]


def test_a_renewal_is_overdue_from_the_day_after_as_of_any_date(warehouse: Warehouse, tmp_path: Path) -> None:
    stock(warehouse, tmp_path / "in")
    assert overdue(warehouse) == overdue(warehouse, date(2027, 1, 1)) == []
    words = "active customers whose renewal date had passed on 2027-01-02"
    assert overdue(warehouse, date(2027, 1, 2)) == [(words, ("c1: 2027-01-01",))]


def test_overdue_is_who_was_known_to_be_so_then(warehouse: Warehouse, tmp_path: Path) -> None:
    header = "customer_id,name,status,customer_since,renewal_date,churned_at,deleted_at"
    before = ("c1,A,active,,2026-02-01,,", "c2,B,active,,2026-02-01,,", "c3,C,active,,2026-02-01,,")
    after = (
        "c1,A,active,,2027-02-01,,",
        "c2,B,churned,,2026-02-01,2026-03-05T10:00:00Z,",
        "c3,C,active,,2026-02-01,,2026-03-05T10:00:00Z",
        "c4,D,active,2026-03-05,2026-02-01,,",
    )
    load(warehouse, put(tmp_path / "1", "customers.csv", csv_text(header, *before)))
    load(warehouse, put(tmp_path / "2", "customers.csv", csv_text(header, *after)), now=NOW + timedelta(days=9))
    everybody = ("c1: 2026-02-01", "c2: 2026-02-01", "c3: 2026-02-01")
    on = {day: [examples for _, examples in overdue(warehouse, day)] for day in map(date.fromisoformat, DAYS)}
    assert list(on.values()) == [
        [],
        [everybody],
        [everybody],
        [("c1: 2026-02-01", "c4: 2026-02-01")],
        [("c4: 2026-02-01",)],
    ]


DAYS = ("2026-02-01", "2026-02-02", "2026-03-04", "2026-03-05", "2026-03-10")
