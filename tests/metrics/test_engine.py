"""The engine against a naive reading, with late, repeated and deleted rows, in one run, day by day and in sweeps."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepwell.metrics.compute import Computed, Engine
from keepwell.metrics.frame import day_number, number_day
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse
from tests.metrics.engine_model import engine_model, naive_values
from tests.metrics.naive import Event, Ticket

START = datetime(2026, 1, 20, tzinfo=UTC)
CUSTOMERS = ("a", "b", "c")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
TOLERANCE = 1e-6  # an amount is kept to six places

# Amounts of a million and more are made whole in another way than small ones.
LARGE = (
    Fraction(-3, 4),
    Fraction(999_999_999_999, 1_000_000),
    Fraction(1_000_000),
    Fraction(-2_500_000),
    Fraction(10**9, 8),
)
amounts = st.one_of(st.none(), st.integers(0, 4000).map(lambda i: Fraction(i, 4)), st.sampled_from(LARGE))
moments = st.integers(0, 60 * 24 * 4).map(lambda quarter: START + timedelta(minutes=15 * quarter))
events = st.lists(
    st.builds(
        Event,
        event_id=st.integers(0, 40).map(lambda i: f"e{i}"),
        customer_id=st.sampled_from(CUSTOMERS),
        person_id=st.sampled_from([None, "p1", "p2", "p3"]),
        name=st.sampled_from(["login", "use", "used_other", "export"]),
        feature=st.sampled_from([None, "reports", "leads", "api"]),
        occurred_at=moments,
        value=amounts,
    ),
    max_size=30,
    unique_by=lambda e: e.event_id,
)
tickets = st.lists(
    st.builds(
        Ticket,
        ticket_id=st.integers(0, 12).map(lambda i: f"t{i}"),
        customer_id=st.sampled_from(CUSTOMERS),
        created_at=moments,
        resolved_at=st.one_of(st.none(), st.integers(1, 2000)),
        csat=st.one_of(st.none(), st.integers(1, 5)),
        category=st.sampled_from(["bug", "how-to"]),
    ),
    max_size=8,
    unique_by=lambda t: t.ticket_id,
).map(lambda found: [_resolved(t) for t in found])


def _resolved(ticket: Ticket) -> Ticket:
    hours = ticket.resolved_at
    at = None if hours is None else ticket.created_at + timedelta(hours=int(hours))  # type: ignore[call-overload]
    return Ticket(ticket.ticket_id, ticket.customer_id, ticket.created_at, at, ticket.csat, ticket.category)


@contextmanager
def warehouse_with_customers(zone: str) -> Iterator[tuple[Warehouse, Path]]:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        rows = [{"customer_id": c, "name": c.upper(), "customer_since": "2025-01-01"} for c in CUSTOMERS]
        with Warehouse.open(root / "data", zone=zone) as warehouse:
            load(warehouse, root, "customers", rows)
            yield warehouse, root


def load(warehouse: Warehouse, root: Path, table: str, rows: list[dict[str, object]]) -> None:
    path = root / f"{table}.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    load_paths(warehouse, [path], now=NOW)


def event_row(event: Event, **more: object) -> dict[str, object]:
    row: dict[str, object] = dict(vars(event))
    row["occurred_at"] = event.occurred_at.isoformat()
    if event.value is not None:
        row["value"] = float(event.value)
    return {**row, **more}


def ticket_row(ticket: Ticket) -> dict[str, object]:
    row: dict[str, object] = dict(vars(ticket))
    return row | {k: v.isoformat() for k, v in row.items() if isinstance(v, datetime)}


def check(found: Computed, kept: list[Event], open_tickets: list[Ticket], zone: str) -> None:
    for row in range(found.frame.rows):
        customer, day = found.frame.customers[row], number_day(int(found.frame.days[row]))
        expected = naive_values(
            [e for e in kept if e.customer_id == customer],
            [t for t in open_tickets if t.customer_id == customer],
            day,
            zone,
        )
        for name, value in expected.items():
            actual = found.frame.columns[name].item(row)
            if not known_yet(name, kept, open_tickets, day):
                continue
            where = f"{name} of {customer} on {day}"
            if isinstance(value, float) and not isinstance(value, bool):
                assert actual == pytest.approx(value, abs=TOLERANCE), where
            else:
                assert actual == value, where


def known_yet(name: str, kept: list[Event], open_tickets: list[Ticket], day: date) -> bool:
    """Before a feed's first row there is nothing to compare: unknown is right."""
    ticket = name in naive_values([], [], day, "UTC") and name in _TICKETS
    return bool(open_tickets) if ticket else any(e.occurred_at.date() < day for e in kept)


_TICKETS = frozenset(naive_values([], [], date(2026, 1, 1), "UTC")) & frozenset(
    (
        "tickets_30",
        "tickets_open",
        "resolved_10",
        "csat_mean",
        "hours_mean",
        "last_category",
        "bug_share",
        "since_ticket",
    )
)


def same(left: Computed, right: Computed) -> None:
    assert left.frame.customers.tolist() == right.frame.customers.tolist()
    assert left.frame.days.tolist() == right.frame.days.tolist()
    for name, column in left.frame.columns.items():
        other = right.frame.columns[name]
        np.testing.assert_array_equal(column.quality, other.quality, err_msg=name)
        assert column.objects().tolist() == other.objects().tolist(), name


def at(found: Computed, day: int) -> Computed:
    keep = found.frame.days == day
    return Computed(found.frame.take(keep), found.population.take(keep), found.attributes, found.feeds)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # An example takes about a second: shrinking one would take many minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(
    rows=events,
    some_tickets=tickets,
    order=st.randoms(use_true_random=False),
    cuts=st.lists(st.integers(0, 30), min_size=1, max_size=3),
    deleted=st.sets(st.integers(0, 40).map(lambda i: f"e{i}"), max_size=6),
    visits=st.lists(st.integers(0, 70), min_size=1, max_size=3),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]),
)
def test_run_backfill_and_incremental_agree_with_a_naive_reading(
    rows: list[Event],
    some_tickets: list[Ticket],
    order: object,
    cuts: list[int],
    deleted: set[str],
    visits: list[int],
    zone: str,
) -> None:
    first = day_number(START.date())
    with warehouse_with_customers(zone) as (warehouse, root):
        order.shuffle(rows)  # type: ignore[attr-defined]
        parts = _parts(rows, cuts)
        if some_tickets:
            load(warehouse, root, "tickets", [ticket_row(t) for t in some_tickets])
        for i, part in enumerate(parts):
            load(warehouse, root, "events", [event_row(e) for e in part + parts[i - 1]])
            Engine(warehouse, engine_model()).compute([first + visits[i % len(visits)]])
        gone = [e for e in rows if e.event_id in deleted]
        load(warehouse, root, "events", [event_row(e, deleted_at="2026-05-01T00:00:00Z") for e in gone])
        kept = [e for e in rows if e.event_id not in deleted]

        engine = Engine(warehouse, engine_model())
        days = list(range(first, first + 72, 3))
        incremental = [engine.compute([day]) for day in days]
        swept = engine.compute(days, sweep=True)
        check(swept, kept, some_tickets, zone)
        for day, found in zip(days, incremental, strict=True):
            same(found, at(swept, day))
        engine.forget_other_state(keep=())
        _drop_state(warehouse)
        same(Engine(warehouse, engine_model()).compute(days, sweep=False), swept)


def _parts(rows: list[Event], cuts: list[int]) -> list[list[Event]]:
    bounds = sorted({0, len(rows), *(c for c in cuts if c < len(rows))})
    return [rows[a:b] for a, b in pairwise(bounds)] or [[]]


def _drop_state(warehouse: Warehouse) -> None:
    tables = warehouse.connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'state\\_%' ESCAPE '\\'"
    ).fetchall()
    for (table,) in tables:
        warehouse.connection.execute(f"DROP TABLE {table}")
