"""Daily state stays true to its days, in whatever order they were computed, changed and removed."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from keepwell.metrics.compute import Engine
from keepwell.metrics.frame import day_number
from keepwell.model.definitions import Model
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse

FIRST = date(2026, 3, 1)
MODEL = Model.model_validate(
    {
        "model": {"name": "state", "version": "1"},
        "settings": {"stale_after_days": {"events": 400}},
        "metrics": {
            "events": {"table": "events", "aggregate": "count", "window": 30},
            "people": {"table": "events", "aggregate": "count_distinct", "of": "people", "window": 30},
        },
    }
)


def _load(warehouse: Warehouse, folder: Path, table: str, rows: list[dict[str, object]]) -> None:
    path = folder / f"{table}.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    load_paths(warehouse, [path], now=datetime(2026, 6, 1, tzinfo=UTC))


def _event(day: int, **more: object) -> dict[str, object]:
    moment = f"{FIRST + timedelta(days=day)}T12:00:00Z"
    return {
        "event_id": f"e{day}",
        "customer_id": "a",
        "person_id": f"p{day}",
        "name": "x",
        "occurred_at": moment,
        **more,
    }


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    opened = Warehouse.open(tmp_path / "data", zone="UTC")
    _load(opened, tmp_path, "customers", [{"customer_id": "a", "name": "A", "customer_since": "2025-01-01"}])
    _load(opened, tmp_path, "events", [_event(day) for day in range(6)])
    return opened


def _counts(warehouse: Warehouse, day: int) -> tuple[object, object]:
    found = Engine(warehouse, MODEL).compute([day_number(FIRST) + day]).frame.columns
    return found["events"].item(0), found["people"].item(0)


@pytest.mark.parametrize("order", [(5, 3, 1), (1, 3, 5), (3, 5, 1)])
def test_days_that_lost_all_their_rows_leave_the_state(warehouse: Warehouse, tmp_path: Path, order: list[int]) -> None:
    for day in order:
        assert _counts(warehouse, day) == (day + 1, day + 1)
    gone = [_event(day, deleted_at="2026-05-01T00:00:00Z") for day in (1, 2, 4)]
    _load(warehouse, tmp_path, "events", gone)
    assert _counts(warehouse, 5) == (3, 3)
    assert _counts(warehouse, 3) == (2, 2)


def test_days_that_came_late_leave_the_state_as_well(warehouse: Warehouse, tmp_path: Path) -> None:
    assert _counts(warehouse, 9) == (6, 6)
    for late in (9, 8, 7):  # kept in this order, last day first
        _load(warehouse, tmp_path, "events", [_event(late)])
        _counts(warehouse, 9)
    assert _counts(warehouse, 9) == (9, 9)
    _load(warehouse, tmp_path, "events", [_event(day, deleted_at="2026-05-01T00:00:00Z") for day in (7, 8, 9)])
    assert _counts(warehouse, 9) == (6, 6)


def test_a_late_row_restates_its_day_and_no_other(warehouse: Warehouse, tmp_path: Path) -> None:
    assert _counts(warehouse, 5) == (6, 6)
    before = dict(
        warehouse.connection.execute("SELECT day, version FROM state_days WHERE state LIKE '%days'").fetchall()
    )
    _load(warehouse, tmp_path, "events", [_event(2, event_id="late", person_id="p9")])
    assert _counts(warehouse, 5) == (7, 7)
    after = dict(
        warehouse.connection.execute("SELECT day, version FROM state_days WHERE state LIKE '%days'").fetchall()
    )
    assert {day for day in after if after[day] != before.get(day)} == {day_number(FIRST) + 2}


def _model(short: int) -> Model:
    """Logins over a short window beside all events over a long one: the same atoms whatever `short` is."""
    events = {"table": "events", "aggregate": "count"}
    metrics = {"logins": {**events, "where": "name = 'x'", "window": short}, "events": {**events, "window": 90}}
    return MODEL.model_copy(update={"metrics": Model.model_validate({**_ABOUT, "metrics": metrics}).metrics})


_ABOUT = {"model": {"name": "state", "version": "1"}}


def test_a_longer_window_does_not_read_days_that_a_shorter_one_left_out(warehouse: Warehouse) -> None:
    day = day_number(FIRST) + 50
    assert Engine(warehouse, _model(7)).compute([day]).frame.columns["logins"].item(0) == 0
    assert Engine(warehouse, _model(60)).compute([day]).frame.columns["logins"].item(0) == 6


def _tables(warehouse: Warehouse) -> set[str]:
    found = warehouse.connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    return {name for (name,) in found if name.startswith("state_") and name != "state_days"}


def test_a_table_of_state_goes_with_its_last_day_and_comes_back_with_a_new_one(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    assert _counts(warehouse, 5) == (6, 6)
    assert len(_tables(warehouse)) == 2
    _load(warehouse, tmp_path, "events", [_event(day, deleted_at="2026-05-01T00:00:00Z") for day in range(6)])
    _counts(warehouse, 5)
    assert not _tables(warehouse)
    _load(warehouse, tmp_path, "events", [_event(4, event_id="new")])
    assert _counts(warehouse, 5) == (1, 1)
    assert len(_tables(warehouse)) == 2
