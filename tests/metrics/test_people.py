"""Metrics of people: who is there on a date, who left, and roll-ups from persons to customers."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from keepwell.metrics.compute import Engine
from keepwell.metrics.frame import day_number
from keepwell.model.definitions import Model
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse

MODEL = Model.model_validate(
    {
        "model": {"name": "people", "version": "1"},
        "settings": {"stale_after_days": {"events": 400}},
        "metrics": {
            "people": {"table": "people", "aggregate": "count"},
            "champions": {"table": "people", "aggregate": "exists", "where": "role = 'champion'"},
            "left_30d": {"table": "people", "aggregate": "count", "time": "left_company_at", "window": 30},
            "logins": {
                "entity": "person",
                "table": "events",
                "aggregate": "count",
                "where": "name = 'login'",
                "window": 10,
            },
            "active_share": {"table": "people_metrics", "aggregate": "share", "matching": "logins >= 1"},
            "most_logins": {"table": "people_metrics", "aggregate": "max", "of": "logins"},
            "mean_logins": {"table": "people_metrics", "aggregate": "mean", "of": "logins", "where": "logins > 0"},
        },
    }
)
PEOPLE = (
    {"person_id": "ann", "role": "champion", "first_seen_at": "2026-01-01", "left_company_at": "2026-03-10"},
    {"person_id": "bob", "role": "user", "first_seen_at": "2026-01-01", "left_company_at": None},
    {"person_id": "cem", "role": "user", "first_seen_at": "2026-03-20", "left_company_at": None},
)
LOGINS = (("ann", "2026-03-01"), ("ann", "2026-03-02"), ("bob", "2026-03-02"), ("cem", "2026-03-21"))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    tables = {
        "customers": [{"customer_id": "a", "name": "A", "customer_since": "2025-01-01"}],
        "people": [{"customer_id": "a", **person} for person in PEOPLE],
        "events": [
            {
                "customer_id": "a",
                "event_id": f"e{i}",
                "person_id": p,
                "name": "login",
                "occurred_at": f"{day}T10:00:00Z",
            }
            for i, (p, day) in enumerate(LOGINS)
        ],
    }
    warehouse = Warehouse.open(tmp_path / "data", zone="UTC")
    for table, rows in tables.items():
        path = tmp_path / f"{table}.ndjson"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        assert load_paths(warehouse, [path], now=datetime(2026, 6, 1, tzinfo=UTC)).clean
    return Engine(warehouse, MODEL)


EXPECTED = {
    # Two people, one of them a champion, both active.
    date(2026, 3, 5): {
        "people": 2,
        "champions": True,
        "left_30d": 0,
        "active_share": 1.0,
        "most_logins": 2,
        "mean_logins": 1.5,
    },
    # The champion left on the 10th; Bob's login on the 2nd is in the window on the 11th, and no longer on the 12th.
    date(2026, 3, 11): {
        "people": 1,
        "champions": False,
        "left_30d": 1,
        "active_share": 1.0,
        "most_logins": 1,
        "mean_logins": 1.0,
    },
    date(2026, 3, 12): {
        "people": 1,
        "champions": False,
        "left_30d": 1,
        "active_share": 0.0,
        "most_logins": 0,
        "mean_logins": None,
    },
    # A new colleague joined.
    date(2026, 3, 25): {
        "people": 2,
        "champions": False,
        "left_30d": 1,
        "active_share": 0.5,
        "most_logins": 1,
        "mean_logins": 1.0,
    },
}


@pytest.mark.parametrize("sweep", [False, True])
def test_people_are_counted_as_they_were(engine: Engine, sweep: bool) -> None:
    found = engine.compute([day_number(day) for day in EXPECTED], sweep=sweep)
    for row, (day, values) in enumerate(EXPECTED.items()):
        for name, value in values.items():
            assert found.frame.columns[name].item(row) == value, f"{name} on {day}"
