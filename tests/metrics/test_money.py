"""Amounts in several currencies: which metrics are money, and what they are worth on a day."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from keepwell.metrics.compute import Computed, Engine
from keepwell.metrics.frame import Quality, day_number, number_column
from keepwell.metrics.money import converted, money_powers
from keepwell.metrics.plan import plan_metrics
from keepwell.model.definitions import Model
from keepwell.warehouse.loading import load_paths
from keepwell.warehouse.rates import Rates, Steps
from keepwell.warehouse.storage import Warehouse

FIRST = date(2026, 3, 1)
DAYS = range(day_number(FIRST), day_number(FIRST) + 60)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
METRICS: dict[str, dict[str, Any]] = {
    "mrr": {"attribute": "mrr"},
    "seats": {"attribute": "seats_purchased"},
    "paid": {"table": "payments", "aggregate": "sum", "of": "amount", "window": 30},
    "paid_mean": {"table": "payments", "aggregate": "mean", "of": "amount"},
    "paid_most": {"table": "payments", "aggregate": "max", "of": "amount", "where": "status = 'succeeded'"},
    "paid_last": {"table": "payments", "aggregate": "latest", "of": "amount * 12 + 0"},
    "paid_trend": {"table": "payments", "aggregate": "slope", "of": "amount", "window": 20},
    "payments": {"table": "payments", "aggregate": "count"},
    "paid_change": {"table": "payments", "aggregate": "change", "of": "amount", "window": 20},
    "large_share": {"table": "payments", "aggregate": "share", "matching": "amount / amount >= 1"},
    "per_payment": {"table": "payments", "aggregate": "ratio", "of": "amount", "per": "1"},
    "seat_price": {"table": "subscriptions", "aggregate": "latest", "of": "mrr / quantity"},
}


def model(metrics: dict[str, dict[str, Any]] = METRICS) -> Model:
    limits = {"payments": 3000, "customers": 3000, "subscriptions": 3000}
    about = {"name": "money", "version": "1"}
    return Model.model_validate({"model": about, "settings": {"stale_after_days": limits}, "metrics": metrics})


@pytest.mark.parametrize(
    ("aggregate", "of", "more", "power"),
    [
        ("sum", "amount_due", {}, 1),
        ("min", "amount_due - amount_paid", {}, 1),
        ("mean", "coalesce(0, amount_paid)", {}, 1),
        ("latest", "case when amount_paid > 5 then 0 else amount_due end", {}, 1),
        ("first", "if(status = 'paid', 0, -amount_paid)", {}, 1),
        ("max", "amount_due * amount_paid", {}, 2),
        ("slope", "amount_due / attempt_count", {"window": 9}, 1),
        ("sum", "attempt_count / amount_due", {}, -1),
        ("sum", "amount_paid / amount_due", {}, 0),
        ("sum", "attempt_count", {}, 0),
        ("latest", "issued_at", {}, 0),
        ("sum", "days_between(issued_at, due_at)", {}, 0),
        ("change", "amount_due", {"window": 9}, 0),
        ("count", None, {"where": "amount_due > 5"}, 0),
        ("share", None, {"matching": "amount_due > 5"}, 0),
        ("ratio", "amount_paid", {"per": "amount_due"}, 0),
        ("ratio", "amount_paid", {"per": "attempt_count"}, 1),
    ],
)
def test_money_is_found_from_the_columns(aggregate: str, of: str | None, more: dict[str, Any], power: int) -> None:
    body = {"table": "invoices", "aggregate": aggregate, **({"of": of} if of else {}), **more}
    powers = money_powers(plan_metrics(model({"metric": body})))
    assert powers == ({"metric": power} if power else {})


def test_zero_needs_no_rate_and_the_own_currency_stays_exact() -> None:
    column = number_column([10, 0, 7, 3, 1 / 3, np.nan], [0, 0, 1, 0, 0, Quality.STALE])
    rates = np.array([1.1, np.nan, np.nan, 1.1, 1.0, np.nan])
    found = converted(column, rates)
    assert found.objects().tolist() == [11.0, 0.0, None, 3.3, 1 / 3, None]
    assert found.quality.tolist() == [0, 0, Quality.NO_RATE, 0, 0, Quality.STALE]
    assert converted(column, rates, -1).values[0] == pytest.approx(10 / 1.1, abs=1e-6)
    assert converted(column, None) is column


@contextmanager
def loaded(tables: dict[str, list[dict[str, Any]]], rates: Rates | None) -> Iterator[Warehouse]:
    with TemporaryDirectory() as folder, Warehouse.open(Path(folder) / "data", zone="UTC", rates=rates) as warehouse:
        for table, rows in tables.items():
            path = Path(folder) / f"{table}.ndjson"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            report = load_paths(warehouse, [path], now=NOW)
            assert all(file.quarantined == 0 for file in report.files)
        yield warehouse


def customer(name: str, currency: str | None, mrr: int, **more: Any) -> dict[str, Any]:
    base = {"customer_id": name, "name": name, "customer_since": "2025-01-01", "synced_at": "2026-01-01T00:00:00Z"}
    return base | {"currency": currency, "mrr": mrr, "seats_purchased": 5} | more


def payment(number: int, name: str, back: int, amount: int) -> dict[str, Any]:
    at = (FIRST + timedelta(days=60 - back)).isoformat()
    return {
        "payment_id": f"p{number}", "customer_id": name, "status": "succeeded", "amount": amount, "attempted_at": at,
    }  # fmt: skip


def worth(rows: Iterable[dict[str, Any]], rate: dict[str, float], *columns: str) -> list[dict[str, Any]]:
    """The same rows with amounts as they are in the workspace's currency."""
    rate = {"a": rate["USD"], "b": rate["GBP"]}
    factors = [(row, rate.get(row["customer_id"], 1.0)) for row in rows]
    changed = [row | {c: round(row[c] * by, 2) for c in columns if c in row} for row, by in factors]
    return [row | ({"currency": "EUR"} if "currency" in row else {}) for row in changed]


def values(found: Computed) -> dict[str, list[Any]]:
    return {name: column.objects().tolist() for name, column in found.frame.columns.items()}


amounts = st.integers(0, 3_000_000)
cents = st.integers(1, 500).map(lambda i: i / 100)
paid = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 70), amounts), min_size=1, max_size=12)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(dollar=cents, pound=cents, paid=paid, mrr=st.lists(amounts, min_size=4, max_size=4))
def test_a_constant_rate_is_the_same_as_loading_converted_amounts(
    dollar: float, pound: float, paid: list[tuple[str, int, int]], mrr: list[int]
) -> None:
    rate = {"USD": dollar, "GBP": pound}
    currencies = ("USD", "gbp ", "EUR", None)
    customers = [customer(n, c, m) for n, c, m in zip("abcd", currencies, mrr, strict=True)]
    payments = [payment(i, *row) for i, row in enumerate(paid)]
    quantity = {"quantity": 1, "started_at": "2026-01-05"}
    subscriptions = [
        {"subscription_id": n, "customer_id": n, "mrr": m, **quantity} for n, m in zip("abcd", mrr, strict=True)
    ]
    days = list(DAYS)[::7]
    given_tables = {"customers": customers, "payments": payments, "subscriptions": subscriptions}
    with loaded(given_tables, Rates("EUR", rate, {})) as warehouse:
        found = Engine(warehouse, model()).compute(days)
    changed = {
        "customers": worth(customers, rate, "mrr"),
        "payments": worth(payments, rate, "amount"),
        "subscriptions": worth(subscriptions, rate, "mrr"),
    }
    with loaded(changed, None) as warehouse:
        expected = values(Engine(warehouse, model()).compute(days))
    for name, column in values(found).items():
        assert column == pytest.approx(expected[name], abs=1e-6, nan_ok=True), name
    for name in ("mrr", "paid", "paid_most", "seats", "payments", "large_share"):
        assert values(found)[name] == expected[name], name


def test_many_days_at_once_are_the_same_as_one_by_one() -> None:
    steps = Steps((DAYS[10], DAYS[30]), (0.9, 1.7))
    later = customer("a", "GBP", 50, synced_at=f"{FIRST + timedelta(days=40)}T00:00:00Z")
    tables = {
        "customers": [customer("a", "USD", 100), customer("b", "GBP", 70), customer("c", None, 30)],
        "payments": [payment(i, "abc"[i % 3], i * 3, 100 + i) for i in range(20)],
        "subscriptions": [],
    }
    with loaded(tables, Rates("EUR", {"GBP": 1.25}, {"USD": steps})) as warehouse:
        path = warehouse.root / "customers.ndjson"
        path.write_text(json.dumps(later) + "\n")
        load_paths(warehouse, [path], now=NOW)
        engine = Engine(warehouse, model())
        whole = engine.compute(list(DAYS))
        for day in DAYS:
            one, here = Engine(warehouse, model()).compute([day]).frame, whole.frame.days == day
            for name, column in one.columns.items():
                assert column.objects().tolist() == whole.frame.take(here).columns[name].objects().tolist(), name
                assert column.quality.tolist() == whole.frame.columns[name].quality[here].tolist(), name
        mine = whole.frame.take(whole.frame.customers == "a").columns["mrr"]
    assert [mine.item(i) for i in (0, 9, 10, 29, 30, 39, 40, 59)] == [None, None, 90, 90, 170, 170, 62.5, 62.5]
    assert set(mine.quality[:10]) == {Quality.NO_RATE}
