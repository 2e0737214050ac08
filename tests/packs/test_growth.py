"""ARR against 12 months ago: what a subscription cost then is in its changes when its row was written over since."""

from collections.abc import Iterator
from typing import Any

import pytest

from keepwell.evaluation.model_run import Evaluation

from .small_world import Rows, ago, holding
from .test_from_tables import evaluated, values

# Case: (started, ended, MRR), (days ago, kind, before, after), ARR 12 months ago, growth.
Case = tuple[
    list[tuple[int, int | None, float]], list[tuple[int, str, float | None, float | None]], float | None, float | None
]
CASES: dict[str, Case] = {
    "written over": ([(700, None, 1300)], [(180, "expansion", 1000, 1300)], 12000, 0.3),
    "exactly 20 percent": ([(700, None, 1200)], [(180, "expansion", 1000, 1200)], 12000, 0.2),
    "20 percent in cents": ([(700, None, 79.92)], [(180, "expansion", 66.60, 79.92)], 799.2, 0.2),
    "written over twice": (
        [(700, None, 900)],
        [(300, "seat_change", 1000, 1200), (9, "contraction", 1200, 900)],
        12000,
        -0.1,
    ),
    "a row for each": ([(700, 180, 400), (180, None, 600)], [(180, "expansion", 400, 600)], 4800, 0.5),
    "rows without changes": ([(700, 180, 400), (180, None, 600)], [], 4800, 0.5),
    "a second one": ([(700, None, 500), (90, None, 250)], [(90, "new", None, 250)], 6000, 0.5),
    "begun since": ([(200, None, 700)], [(200, "new", None, 500), (20, "expansion", 500, 700)], None, None),
    "begun that day": ([(365, None, 700)], [(365, "new", 0, 500), (364, "expansion", 500, 700)], 6000, 0.4),
    "only scheduled": (
        [(700, None, 500)],
        [(20, "cancellation_scheduled", 500, 0), (9, "renewal", 500, 500)],
        6000,
        0.0,
    ),
    "changed before": ([(800, None, 500)], [(365, "expansion", 300, 500)], 6000, 0.0),
    "amounts not told": ([(700, None, 500)], [(30, "plan_change", None, 500)], 6000, 0.0),
}


def _rows() -> dict[str, Rows]:
    customers: Rows = [{"customer_id": name, "name": name, "status": "active"} for name in CASES]
    subscriptions: Rows = []
    changes: Rows = []
    for name, (owned, changed, _, _) in CASES.items():
        for index, (began, ended, mrr) in enumerate(owned):
            end: dict[str, Any] = (
                {"status": "active"} if ended is None else {"status": "canceled", "ended_at": ago(ended)}
            )
            row = {"subscription_id": f"{name} {index}", "customer_id": name, "started_at": ago(began), "mrr": mrr}
            subscriptions.append(row | end)
        for index, (days, kind, before, after) in enumerate(changed):
            amounts = {"mrr_before": before, "mrr_after": after}
            row = {"change_id": f"{name} {index}", "customer_id": name, "occurred_at": ago(days), "change_type": kind}
            changes.append(row | {k: v for k, v in amounts.items() if v is not None})
    return {"customers": customers, "subscriptions": subscriptions, "subscription_changes": changes}


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluation]:
    for warehouse in holding(tmp_path_factory.mktemp("growth"), _rows()):
        yield evaluated(warehouse, "portfolio-segments")


@pytest.mark.parametrize("case", CASES)
def test_growth_over_12_months(portfolio: Evaluation, case: str) -> None:
    then, growth = CASES[case][2:]
    found = values(portfolio, case)
    assert (found["arr_12_months_ago"], found["arr_growth_12m"]) == (pytest.approx(then), growth)


def test_high_growth_is_more_than_20_percent(portfolio: Evaluation) -> None:
    """The overlay lies over whoever grew by more, and not over who grew by just as much."""
    row = {name: index for index, name in enumerate(portfolio.frame.customers)}
    members = {name for name in CASES if "High-Growth" in portfolio.segments.names(row[name])}
    assert members == {name for name, (_, _, _, growth) in CASES.items() if growth is not None and growth > 0.2}
