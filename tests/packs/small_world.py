"""A world of three customers, small enough to count by hand; what is counted stands in `test_from_tables.py`."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse

TODAY = datetime(2026, 6, 30, 12, tzinfo=UTC)
Rows = list[dict[str, Any]]


def ago(days: float) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def day(days: int) -> str:
    """So many days from today, as a date."""
    return (TODAY + timedelta(days=days)).date().isoformat()


def _numbered(key: str, rows: Rows) -> Rows:
    return [{key: f"{key}-{i}", "customer_id": "busy", **row} for i, row in enumerate(rows)]


def _customers() -> Rows:
    common = {"status": "active", "customer_since": day(-730)}
    busy = {"plan": "standard", "mrr": 500, "payment_status": "overdue", "renewal_date": day(60), "industry": "Tech"}
    sizes = {"plan_limit": 100, "seats_purchased": 4, "company_size": 250}
    traits = {"traits": {"reminders_enabled": True, "ticket_baseline": 4}}
    return [
        {"customer_id": "busy", "name": "Busy", **common, **busy, **sizes, **traits},
        {"customer_id": "silent", "name": "Silent", **common, "plan": "Free", "customer_since": day(-20)},
    ]


def _people() -> Rows:
    rows: Rows = [{"person_id": f"p{i}", "first_seen_at": ago(700), "seat_status": "active"} for i in range(3)]
    rows.append({"person_id": "p3", "first_seen_at": ago(700), "seat_status": "deactivated"})
    return [{"customer_id": "busy", **row} for row in rows]


def _events() -> Rows:
    def event(
        name: str, days: float, feature: str | None = None, value: float | None = None, **more: Any
    ) -> dict[str, Any]:
        row: dict[str, Any] = {"name": name, "occurred_at": ago(days), "feature": feature, "value": value, **more}
        return {k: v for k, v in row.items() if v is not None}

    logins = [event("login", days, person_id=p) for days, p in ((0, "p0"), (0.1, "p1"), (6, "p0"), (7, "p2"))]
    logins += [event("login", 29, person_id="p0"), event("login", 30, person_id="p0")]
    used = [event("feature_used", 10, "tasks"), event("dashboard_viewed", 1, "dashboard"), event("app_open", 3)]
    used += [event("task_completed", 2, "tasks_done"), event("kb_updated", 5, "knowledge_base"), event("doc_viewed", 9)]
    metered = [event("plan_usage", days, None, units) for days, units in ((1, 90), (31, 120), (61, 130), (91, 50))]
    calls = [event("api_call", 2, "api", 25), event("api_call", 3, "api"), event("api_call", 40, "api", 13)]
    handled = [event("ticket_handled", d, "queue") for d in (1, 1, 2, 40)] + [event("ticket_approved", 2, "queue")]
    pets = [event("pet_managed", 3, "pets", properties={"pet_id": pet}) for pet in ("rex", "rex", "mia")]
    photos = [event("photo_uploaded", d, "photos") for d in (100, 300)]
    return _numbered("event_id", [*logins, *used, *metered, *calls, *handled, *pets, *photos])


def _tickets() -> Rows:
    def solved(days: float, hours: float, csat: int, tone: float) -> dict[str, Any]:
        return {
            "created_at": ago(days),
            "first_response_at": ago(days - 1 / 24),
            "resolved_at": ago(days - hours / 24),
            "status": "solved",
            "csat": csat,
            "sentiment": tone,
        }

    waiting = {"created_at": ago(3), "severity": "Critical", "priority": "P0", "status": "open", "category": "Bug"}
    wish = {**solved(20, 30, 5, -0.5), "category": "Feature Request"}
    older = [solved(31, 5, 3, 0.9), solved(120, 5, 2, 0.1)]
    return _numbered("ticket_id", [waiting, {**solved(10, 10, 4, 0.5), "category": "How-To"}, wish, *older])


def _billing() -> dict[str, Rows]:
    payments = [{"status": "failed", "attempted_at": ago(d)} for d in (0, 89, 90)]
    payments.append({"status": "succeeded", "attempted_at": ago(10)})
    invoices = [
        {"status": "paid", "issued_at": ago(60), "due_at": ago(46), "paid_at": ago(40)},
        {"status": "open", "issued_at": ago(30), "due_at": ago(16)},
        {"status": "open", "issued_at": ago(20), "due_at": ago(-10)},
    ]
    subscriptions = [
        {"started_at": ago(700), "ended_at": ago(180), "status": "canceled", "mrr": 400, "quantity": 3},
        {"started_at": ago(180), "status": "active", "mrr": 600, "quantity": 4, "cancel_at_period_end": False},
    ]
    changes = [{"change_type": "expansion", "occurred_at": ago(180), "mrr_before": 400, "mrr_after": 600}]
    return {
        "payments": _numbered("payment_id", payments),
        "invoices": _numbered("invoice_id", invoices),
        "subscriptions": _numbered("subscription_id", subscriptions),
        "subscription_changes": _numbered("change_id", changes),
    }


def _relationship() -> dict[str, Rows]:
    answers: Rows = [
        {"survey": "nps", "score": s, "responded_at": ago(d)} for s, d in ((9, 1), (6, 5), (10, 8), (0, 200))
    ]
    touches: Rows = [
        {"kind": "meeting", "occurred_at": ago(5), "with_executive": True, "outcome": "completed"},
        {"kind": "meeting", "occurred_at": ago(6), "outcome": "no_show"},
        {"kind": "email", "direction": "outbound", "occurred_at": ago(7), "responded_at": ago(6)},
        {"kind": "email", "direction": "outbound", "occurred_at": ago(8)},
    ]
    steps = [("training", 50, 40), ("training", 20, None), ("onboarding", 700, 690), ("onboarding", 700, None)]
    steps += [("feature_request", 3, None), ("community", 4, 4), ("integration", 90, 80), ("integration", 30, None)]
    steps += [("referral", 100, 90), ("case_study", 100, None)]
    begun: Rows = [{"kind": kind, "key": f"{kind}-{i}", "started_at": ago(d)} for i, (kind, d, _) in enumerate(steps)]
    ends: Rows = [{} if done is None else {"completed_at": ago(done)} for _, _, done in steps]
    milestones: Rows = [row | end for row, end in zip(begun, ends, strict=True)]
    return {
        "survey_responses": _numbered("response_id", answers),
        "interactions": _numbered("interaction_id", touches),
        "milestones": _numbered("milestone_id", milestones),
    }


def tables() -> dict[str, Rows]:
    """All rows, by table."""
    visits: Rows = [{"started_at": ago(d), "duration_seconds": 240 * d} for d in (1, 2)]
    sessions = _numbered("session_id", visits)
    small = {"customers": _customers(), "people": _people(), "tickets": _tickets(), **_billing(), **_relationship()}
    return {**small, "events": _events(), "sessions": sessions}


def opened(root: Path, only: tuple[str, ...] = ()) -> Iterator[Warehouse]:
    """A warehouse with the world in it, or with some of its tables."""
    yield from holding(root, {name: rows for name, rows in tables().items() if not only or name in only})


def holding(root: Path, rows_of: dict[str, Rows]) -> Iterator[Warehouse]:
    """A warehouse with these rows, all of which have to be good."""
    with Warehouse.open(root / "data", zone="UTC") as warehouse:
        for name, rows in rows_of.items():
            path = root / f"{name}.ndjson"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            report = load_paths(warehouse, [path], now=TODAY)
            assert not any(file.quarantined for file in report.files), report
        yield warehouse
