"""However the same rows are cut into files, and in whatever order and how often these load, the result is one."""

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepwell.warehouse.storage import Warehouse

from .helpers import content, csv_rows, csv_text, load, put

EVENT = ["event_id", "customer_id", "person_id", "name", "occurred_at", "value", "deleted_at"]
SESSION = ["session_id", "customer_id", "person_id", "started_at", "device", "synced_at", "deleted_at"]
TICKET = ["ticket_id", "customer_id", "created_at", "subject", "synced_at", "deleted_at"]
CUSTOMER = ["customer_id", "name", "plan", "synced_at"]

Row = dict[str, Any]
days = st.integers(1, 3)
keys = st.integers(1, 4)


def event(key: int, day: int, deleted: bool) -> Row:
    """What an event holds depends on its key alone: the first one stands, so two must not differ."""
    row = {"event_id": f"e{key}" if key < 4 else "", "customer_id": f"c{key % 3}", "person_id": f"p{key}"}
    at = f"2026-01-0{1 + key % 3}T0{key}:00Z" if key < 4 else f"2026-01-0{day}"
    return row | {"name": f"n{key}", "occurred_at": at, "value": key, "deleted_at": "2026-02-01" if deleted else ""}


def session(key: int, day: int, stamp: int, deleted: bool) -> Row:
    row = {
        "session_id": f"s{key}",
        "customer_id": f"c{key % 3}",
        "person_id": f"p{day}",
        "started_at": f"2026-01-0{day}",
    }
    gone = "2026-02-01" if deleted else ""
    return row | {"device": f"d{stamp}", "synced_at": f"2026-01-10T00:{stamp:02}:{key:02}Z", "deleted_at": gone}


def ticket(key: int, stamp: int, deleted: bool) -> Row:
    row = {"ticket_id": f"t{key}", "customer_id": f"c{key % 3}", "created_at": "2026-01-01", "subject": f"is {stamp}"}
    return row | {"synced_at": f"2026-01-10T00:{stamp:02}Z", "deleted_at": "2026-02-01" if deleted else ""}


def customer(key: int, stamp: int, plan: str) -> Row:
    return {"customer_id": f"c{key}", "name": "x", "plan": plan, "synced_at": f"2026-01-01T00:{stamp:02}Z"}


def _unique(rows: list[Row], *columns: str) -> list[Row]:
    return list({tuple(r[c] for c in columns): r for r in rows}.values())


worlds = st.fixed_dictionaries(
    {
        "customers": st.lists(st.builds(customer, keys, st.integers(0, 9), st.sampled_from("ab")), max_size=8).map(
            lambda rows: _unique(rows, "customer_id", "synced_at")
        ),
        "events": st.lists(st.builds(event, keys, days, st.booleans()), max_size=10).map(
            lambda rows: _unique(rows, "event_id", "occurred_at", "deleted_at")
        ),
        "sessions": st.lists(
            st.builds(session, keys, days, st.integers(0, 9), st.sampled_from([False, False, True])), max_size=8
        ).map(lambda rows: _unique(rows, "session_id", "synced_at")),
        "tickets": st.lists(st.builds(ticket, keys, st.integers(0, 9), st.booleans()), max_size=8).map(
            lambda rows: _unique(rows, "ticket_id", "synced_at")
        ),
    }
)
COLUMNS = {"customers": CUSTOMER, "events": EVENT, "sessions": SESSION, "tickets": TICKET}
LATE = csv_text("customer_id,name,synced_at", *(f"c{k},x,2025-01-01" for k in range(4)))


def result(folder: Path, batches: list[tuple[str, list[Row]]], *, late: bool) -> dict[str, Any]:
    """What is stored after these files; with `late` the customers come last, and everything waits for them."""
    with Warehouse.open(folder / "data", zone="America/New_York") as warehouse:
        if not late:
            load(warehouse, put(folder, "customers_0.csv", LATE))
        for name, rows in batches:
            load(warehouse, put(folder, f"{name}_1.csv", csv_rows(COLUMNS[name], rows)))
        if late:
            load(warehouse, put(folder, "customers_0.csv", LATE))
        found = content(warehouse)
    del found["quarantine"]
    return found


PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # to shrink an example would take minutes


@settings(max_examples=10, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(worlds, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_loads_does_not_matter(world: dict[str, list[Row]], random: Any, late: bool) -> None:
    batches: list[tuple[str, list[Row]]] = []
    for name, rows in world.items():
        random.shuffle(rows)
        cuts = sorted({0, len(rows), *(random.randint(0, len(rows)) for _ in range(2))})
        batches += [(name, rows[a:b]) for a, b in pairwise(cuts)]
    batches += random.sample(batches, min(2, len(batches)))
    random.shuffle(batches)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        whole = result(Path(first), list(world.items()), late=False)
        assert result(Path(second), batches, late=late) == whole


def test_a_state_that_begins_anew_has_its_own_sync(warehouse: Warehouse, tmp_path: Path) -> None:
    for position, rows in enumerate(([customer(1, 6, "b"), customer(1, 9, "b")], [customer(1, 8, "a")])):
        load(warehouse, put(tmp_path, f"customers_{position}.csv", csv_rows(CUSTOMER, rows)))
    found = warehouse.connection.execute(
        "SELECT minute(valid_from), plan, minute(synced_at) FROM customer_history ORDER BY valid_from"
    ).fetchall()
    assert found == [(6, "b", 6), (8, "a", 8), (9, "b", 9)]
