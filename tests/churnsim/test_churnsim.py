"""Metrics, active periods and retention as fight-churn's SQL computes them, from the same simulated data.

How its definitions map to ours (D is its `metric_time` or its date; our values are as of the end of a day):

- `X_per_month` counts events in [D - 28 days, D): our count with window 28 as of the day before D. It has no row where
  there is no event; we say 0. Its ratios have rows where the denominator has one: ours are unknown for a denominator of
  0. Its change of four weeks is our `change` with window 28 as of the day before D.
- `days_since_newfriend` counts from the day of the last event up to and including day D: our `days_since` as of D.
- A subscription is active on D when start <= D and end > D: our `ended_at is null` as of D, for one that ends on D at
  midnight has ended by the end of D. `account_tenure` goes back over subscriptions with gaps of up to 31 days, and has
  a row only while one is active; no subscription here has a gap, so it is the age of the first start.
- An active period joins days with an active subscription over gaps of up to 7 days; its churn date is the first day
  after it, and unknown while it goes on.
- `net_retention` sums what accounts of the start pay at the end (our NRR, expansion included); `mrr_churn` is what
  left or shrank (1 - our GRR); `account_churn` is our logo churn. Scaled rates are ours. `activity_churn` looks at
  accounts with an event in the month before the start, (start - 1 month, start], and in the one before the end. Ours
  begins and ends with whole days, [start - 1 month, start), which differs for an event at midnight sharp only.

Whole numbers are equal, rates of retention to 1e-12. Ratios and changes are kept in single precision there; ours,
rounded like that, are the same numbers.
"""

import csv
import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from keepwell.reporting.retention import Retention, annualised, converted, monthly, retention_of
from keepwell.warehouse.storage import Warehouse

from .world import DATA, EVENTS, METRICS, Measured, Values, load_world

DAY = timedelta(days=1)
GRID = [date(2020, 2, 2) + timedelta(weeks=week) for week in range(15)]
OBSERVED = (date(2020, 2, 9), date(2020, 5, 10))
GAP, LEAD = timedelta(days=7), timedelta(days=5)
MONTHS = [date(2020, month, 1) for month in range(2, 7)]
AS_OF_THE_DAY = ("account_tenure", "days_since_newfriend")
OTHERS = ("first_start", "open_subscriptions", "mrr", "events_in_29_days", "events_in_30_days", "events_in_31_days")
COMPARED = tuple(name for name in METRICS if name not in OTHERS)
RETENTION: dict[str, Any] = json.loads((DATA / "expected_retention.json").read_text(encoding="utf-8"))
PERIODS = tuple(name for name in RETENTION if ".." in name)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Measured]:
    with Warehouse.open(tmp_path_factory.mktemp("churnsim") / "data", zone="UTC") as warehouse:
        report = load_world(warehouse)
        assert [(f.table, f.read, f.added) for f in report.files] == [
            ("customers", 220, 220),
            ("subscriptions", 863, 863),
            ("events", 281789, 281789),
        ]
        yield Measured(warehouse)


@pytest.fixture(scope="module")
def on_grid(measured: Measured) -> dict[str, Values]:
    """Our metrics by account and fight-churn's metric_time."""
    counted = measured.values([n for n in COMPARED if n not in AS_OF_THE_DAY], [day - DAY for day in GRID])
    found = {name: {(who, day + DAY): v for (who, day), v in values.items()} for name, values in counted.items()}
    return found | measured.values(AS_OF_THE_DAY, GRID)


@pytest.fixture(scope="module")
def mrr(measured: Measured) -> Values:
    """What accounts with an active subscription pay, on the first of each month."""
    return measured.values(["mrr"], MONTHS)["mrr"]


def expected_metrics() -> dict[str, Values]:
    found: dict[str, Values] = {name: {} for name in COMPARED}
    rows = duckdb.execute("FROM read_parquet(?)", [str(DATA / "expected_metrics.parquet")]).fetchall()
    for who, day, name, value in rows:
        found[name][str(who), day] = value
    return found


def read_rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-12, abs=0)


@pytest.mark.parametrize("name", [f"{event}_per_month" for event in EVENTS])
def test_counts_are_equal(name: str, on_grid: dict[str, Values]) -> None:
    ours = {place: value for place, value in on_grid[name].items() if value}
    assert ours == expected_metrics()[name]
    assert len(on_grid[name]) == 220 * len(GRID)


@pytest.mark.parametrize("name", AS_OF_THE_DAY)
def test_days_are_equal(name: str, on_grid: dict[str, Values]) -> None:
    expected = expected_metrics()[name]
    first = min(day for _, day in expected)
    assert {place: value for place, value in on_grid[name].items() if place[1] >= first} == expected


@pytest.mark.parametrize("name", [n for n in COMPARED if "_per_month" not in n and n not in AS_OF_THE_DAY])
def test_ratios_totals_and_changes_are_equal(name: str, on_grid: dict[str, Values]) -> None:
    expected = expected_metrics()[name]
    first = min(day for _, day in expected)
    ours = {place: value for place, value in on_grid[name].items() if place[1] >= first}
    if name == "total_opinions":
        ours = {place: value for place, value in ours.items() if value}
    stored = single_change if name == "newfriend_pcnt_change_4w" else np.float32
    assert {place: stored(value) for place, value in ours.items()} == {p: np.float32(v) for p, v in expected.items()}
    assert expected


def single_change(value: float) -> np.float32:
    """A change as single precision has it: the quotient is rounded before 1 is taken off."""
    return np.float32(value + 1) - np.float32(1)


def active_periods(opened: Values) -> list[tuple[str, date, date]]:
    """Runs of days with an active subscription, joined over short gaps: account, first day, first day after."""
    found: list[tuple[str, date, date]] = []
    for who, day in sorted(place for place, count in opened.items() if count):
        if found and found[-1][0] == who and day - found[-1][2] <= GAP:
            found[-1] = (who, found[-1][1], day + DAY)
        else:
            found.append((who, day, day + DAY))
    return found


def observed_periods(measured: Measured) -> list[tuple[str, date, date | None]]:
    """The periods that go on at the end of the observation, and those that ended within it."""
    first, last = OBSERVED
    # A new subscription within the gap keeps a period going, so days after the last one count.
    days = [date(2020, 1, 1) + n * DAY for n in range((last + GAP - date(2020, 1, 1)).days + 1)]
    periods = active_periods(measured.values(["open_subscriptions"], days)["open_subscriptions"])
    current = [(who, start, None if end > last else end) for who, start, end in periods if start <= last]
    return [(who, start, end) for who, start, end in current if end is None or end >= first]


def test_active_periods_are_equal(measured: Measured) -> None:
    expected = [
        (
            row["account_id"],
            date.fromisoformat(row["start_date"]),
            date.fromisoformat(row["churn_date"] or "9999-12-31"),
        )
        for row in read_rows("expected_active_periods")
    ]
    ours = [(who, start, end or date(9999, 12, 31)) for who, start, end in observed_periods(measured)]
    assert sorted(ours) == sorted(expected)


def month_later(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    year, month = divmod(day.month - 1 + months, 12)
    following = date(day.year + (day.month + months) // 12, (day.month + months) % 12 + 1, 1)
    return min(date(day.year + year, month + 1, 1) + (day.day - 1) * DAY, following - DAY)


def observations(periods: list[tuple[str, date, date | None]]) -> Iterator[tuple[str, date, bool]]:
    """Every month of a period, some days ahead; a churn until the next one makes it a churn.

    Periods that ended within the first month less the lead are left out, as fight-churn does it.
    """
    first, last = OBSERVED
    for who, start, end in periods:
        if end is not None and end <= month_later(first, 1) - LEAD:
            continue
        dates = [month_later(start, n) - LEAD for n in range(1, 8)]
        for position, (day, following) in enumerate(pairwise(dates)):
            # The first one of a period is listed whenever it ended: fight-churn looks at the end from the second on.
            if first <= day <= last and (position == 0 or end is None or day < end):
                yield who, day, end is not None and day <= end < following


def test_observations_are_equal(measured: Measured) -> None:
    expected = {
        (row["account_id"], date.fromisoformat(row["observation_date"]), row["is_churn"] == "True")
        for row in read_rows("expected_observations")
    }
    assert set(observations(observed_periods(measured))) == expected


def test_the_dataset_of_observations_is_equal(on_grid: dict[str, Values]) -> None:
    rows = read_rows("expected_dataset")
    for row in rows:
        seen = date.fromisoformat(row["observation_date"])
        place = (row["account_id"], max(day for day in GRID if day <= seen))
        names = [name for name in row if name.endswith("_per_month") or name == "account_tenure"]
        assert {n: on_grid[n].get(place, 0.0) for n in names} == {n: float(row[n]) for n in names}
    assert len(rows) == 493


def paid(mrr: Values, day: date) -> dict[str, float]:
    return {who: value for (who, on), value in mrr.items() if on == day}


def between(mrr: Values, first: date, last: date) -> Retention:
    return retention_of(paid(mrr, first), paid(mrr, last), first=first, last=last)


@pytest.mark.parametrize("period", PERIODS)
def test_retention_is_equal(period: str, mrr: Values) -> None:
    expected = RETENTION[period]
    found = between(mrr, *map(date.fromisoformat, period.split("..")))
    net, account, lost, scaled = (expected[n] for n in ("net_retention", "account_churn", "mrr_churn", "scaled_churn"))
    assert (found.customers, found.lost, found.days) == (account["n_start"], account["n_churn"], scaled["period_days"])
    assert (found.start, found.churned, found.contraction) == (
        net["start_mrr"],
        lost["churn_mrr"],
        lost["downsell_mrr"],
    )
    assert found.nrr == close(net["net_mrr_retention_rate"])
    assert found.start * (found.nrr or 0) == close(net["retain_mrr"])
    assert found.logo_churn == close(account["churn_rate"]) == close(scaled["measured_churn"])
    assert 1 - (found.grr or 0) == close(lost["mrr_churn_rate"])
    assert found.revenue_churn == close(lost["mrr_churn_rate"])
    assert annualised(found.logo_churn or 0, found.days or 0) == close(scaled["annual_churn"])
    assert monthly(found.logo_churn or 0, found.days or 0) == close(scaled["monthly_churn"])


@pytest.mark.parametrize("position", range(4), ids=["February", "March", "April", "May"])
def test_retention_by_month_is_equal(position: int, mrr: Values) -> None:
    found = between(mrr, MONTHS[position], MONTHS[position + 1])
    accounts, lost, net = (
        RETENTION[f"monthly_{name}"][position] for name in ("account_churn", "mrr_churn", "net_retention")
    )
    assert (found.customers, found.lost) == (accounts["n_start"], accounts["n_churn"])
    assert (found.start, found.churned) == (lost["start_mrr"], lost["churn_mrr"])
    assert found.start * (found.nrr or 0) == close(net["retained_mrr"])
    assert converted(found.logo_churn or 0, 1, 12) == close(accounts["annual_churn_rate"])
    assert converted(found.revenue_churn or 0, 1, 12) == close(lost["annual_mrr_churn_rate"])
    assert (found.nrr or 0) ** 12 == close(net["annual_net_retention_rate"])


@pytest.mark.parametrize("period", PERIODS)
def test_activity_churn_is_equal(period: str, measured: Measured) -> None:
    expected = RETENTION[period]["activity_churn_1_month"]
    start, end = (active_in_month_before(measured, date.fromisoformat(day)) for day in period.split(".."))
    found = retention_of(start, end)
    assert (found.customers, found.lost) == (expected["n_start"], expected["n_churn"])
    assert found.logo_churn == close(expected["churn_rate"]) if expected["churn_rate"] else found.logo_churn == 0
    assert 1 - (found.logo_churn or 0) == close(expected["retention_rate"])


def active_in_month_before(measured: Measured, day: date) -> dict[str, float]:
    name = f"events_in_{(day - month_later(day, -1)).days}_days"
    counts = measured.values([name], [day - DAY])[name]
    return {who: count for (who, _), count in counts.items() if count}


def test_the_sources_are_named() -> None:
    assert "fight-churn" in (DATA / "SOURCE.txt").read_text(encoding="utf-8")
    assert "Copyright 2020 Carl Gold" in Path(DATA / "LICENSE").read_text(encoding="utf-8")
