"""Subscriptions that are written over: on every earlier day their values are those that a run of that day saw."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.metrics.compute import Engine
from keepwell.metrics.frame import day_number
from keepwell.model.definitions import Model
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.storage import Warehouse

FIRST = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = ("mrr", "arr", "plan", "seats")
METRICS = {
    "mrr": {"table": "subscriptions", "aggregate": "sum", "of": "mrr"},
    "arr": {"table": "subscriptions", "aggregate": "sum", "of": "arr"},
    "plan": {"table": "subscriptions", "aggregate": "latest", "of": "plan"},
    "seats": {"table": "subscriptions", "aggregate": "sum", "of": "quantity"},
    "subscriptions": {"table": "subscriptions", "aggregate": "count"},
}
Rows = list[dict[str, Any]]


def moment(day: int) -> str:
    return f"{FIRST + timedelta(days=day)}T12:00:00Z"


def subscription(mrr: int, plan: str = "basic", seats: int = 3, **more: Any) -> dict[str, Any]:
    about = {"subscription_id": "s", "customer_id": "a", "started_at": moment(-10)}
    return about | {"mrr": mrr, "arr": mrr * 12, "plan": plan, "quantity": seats} | more


def change(number: int, day: int, kind: str = "plan_change", **more: Any) -> dict[str, Any]:
    about = {"change_id": f"c{number}", "customer_id": "a", "subscription_id": "s", "change_type": kind}
    return about | {"occurred_at": moment(day)} | more


@contextmanager
def loaded(subscriptions: Rows, changes: Rows) -> Iterator[Warehouse]:
    who = dict.fromkeys(row["customer_id"] for row in subscriptions)
    customers = [{"customer_id": one, "name": one.upper(), "customer_since": "2026-01-01"} for one in who]
    with TemporaryDirectory() as folder, Warehouse.open(Path(folder) / "data", zone="UTC") as warehouse:
        tables = {"customers": customers, "subscriptions": subscriptions, "subscription_changes": changes}
        for table, rows in tables.items():
            path = Path(folder) / f"{table}.ndjson"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            report = load_paths(warehouse, [path], now=NOW)
            assert not report.quarantined
        yield warehouse


def all_values(warehouse: Warehouse, days: Sequence[int]) -> dict[str, list[tuple[Any, ...]]]:
    """For each customer one tuple for each day, counted from the first, in the order of NAMES."""
    limits = {"customers": 3000, "subscriptions": 3000}
    about = {"model": {"name": "m", "version": "1"}, "settings": {"stale_after_days": limits}, "metrics": METRICS}
    frame = Engine(warehouse, Model.model_validate(about)).compute([day_number(FIRST) + day for day in days]).frame
    found = defaultdict(list)
    for who, *one in zip(frame.customers, *(frame.columns[name].objects().tolist() for name in NAMES), strict=True):
        found[str(who)].append(tuple(one))
    return found


def values(warehouse: Warehouse, days: Sequence[int]) -> list[tuple[Any, ...]]:
    """The same of the one customer."""
    return all_values(warehouse, days)["a"]


def test_a_downgrade_is_not_known_before_it_happens() -> None:
    changes = [
        change(1, 5, mrr_before=100, mrr_after=80, plan_before="pro", plan_after="basic"),
        change(2, 20, "seat_change", mrr_before=80, mrr_after=60, quantity_before=4, quantity_after=3),
    ]
    with loaded([subscription(60)], changes) as warehouse:
        found = values(warehouse, [0, 4, 5, 19, 20, 40])
    pro, basic, now = (100, 1200, "pro", 4), (80, 960, "basic", 4), (60, 720, "basic", 3)
    assert found == [pro, pro, basic, basic, now, now]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ([change(1, 5, "new", mrr_before=0, mrr_after=60)], "it was not there before"),
        ([change(1, 5, "trial_started", mrr_before=0)], "a trial begins with the subscription"),
        ([change(1, 5, mrr_after=60, plan_after="basic")], "nothing is said of before"),
        ([change(1, 5, mrr_before=10, subscription_id="other")], "it is about another one"),
        ([change(1, 5, mrr_before=10, subscription_id=None)], "it is about none"),
        ([change(1, -20, mrr_before=10)], "it was before"),
        ([], "there is none"),
    ],
)
def test_the_row_s_own_values_hold_where_no_change_says_otherwise(changes: Rows, why: str) -> None:
    with loaded([subscription(60)], changes) as warehouse:
        assert values(warehouse, [0, 9]) == [(60, 720, "basic", 3)] * 2, why


def test_a_row_without_a_yearly_amount_goes_on_without_one() -> None:
    with loaded([subscription(60, arr=None)], [change(1, 5, mrr_before=100)]) as warehouse:
        assert values(warehouse, [0, 9]) == [(100, 0, "basic", 3), (60, 0, "basic", 3)]


def test_a_trial_and_a_pause_bring_in_nothing_while_they_last() -> None:
    changes = [
        change(1, 2, "trial_ended", mrr_before=0, mrr_after=60),
        change(2, 10, "paused", mrr_before=60, mrr_after=0),
        change(3, 15, "resumed", mrr_before=0, mrr_after=60),
    ]
    with loaded([subscription(60)], changes) as warehouse:
        assert [found[0] for found in values(warehouse, [0, 2, 9, 10, 14, 15])] == [0, 60, 60, 0, 0, 60]


class State(NamedTuple):
    """A subscription from a day on."""

    day: int
    mrr: int
    plan: str
    quantity: int

    def row(self, **more: Any) -> dict[str, Any]:
        return subscription(self.mrr, self.plan, self.quantity, **more)


steps = st.lists(
    st.tuples(st.integers(1, 25), st.integers(0, 9), st.sampled_from("xyz"), st.integers(1, 5)), max_size=5
)


@settings(max_examples=12, deadline=None)
@given(steps=steps)
def test_every_day_is_as_a_run_of_that_day_saw_it(steps: list[tuple[int, int, str, int]]) -> None:
    states, changes = [State(-10, 5, "w", 2)], list[dict[str, Any]]()
    for number, step in enumerate(sorted(steps)):
        old, new = states[-1], State(*step)
        states.append(new)
        told = {f"{name}_before": getattr(old, name) for name in ("mrr", "plan", "quantity")}
        told |= {f"{name}_after": getattr(new, name) for name in ("mrr", "plan", "quantity")}
        changes.append(change(number, new.day) | told)
    days, rows, known = range(0, 28, 3), [states[-1].row()], list(changes)
    for day in days:  # a customer for each day, of whom nothing later is known
        own = {"customer_id": f"a{day}", "subscription_id": f"s{day}"}
        rows.append(next(state for state in reversed(states) if state.day <= day).row(**own))
        seen = [one | own for one in changes if one["occurred_at"] <= moment(day)]
        known += [one | {"change_id": f"{one['change_id']} of {day}"} for one in seen]
    with loaded(rows, known) as warehouse:
        whole, alone = values(warehouse, days), {day: all_values(warehouse, [day]) for day in days}
    assert [alone[day]["a"] for day in days] == [[one] for one in whole], "at once or one by one"
    assert [alone[day][f"a{day}"] for day in days] == [[one] for one in whole]
