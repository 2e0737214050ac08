"""What a customer pays is what runs: neither a trial nor a pause, and not what was cancelled without saying when."""

from pathlib import Path

import pytest

from .small_world import Rows, ago, holding
from .test_from_tables import evaluated, values

PACKS = ("agency-signals", "household-app", "saas-monitoring", "operator-points", "b2b-saas")
ENDED = ago(9)
# Subscriptions with status, if the source has one, MRR and end; what the customer pays. The CRM says 300.
CASES: dict[str, tuple[list[tuple[str | None, int, str | None]], int]] = {
    "running": ([("active", 50, None), ("past_due", 20, None), ("canceled", 90, ENDED)], 70),
    "a trial beside it": ([("active", 50, None), ("trialing", 20, None)], 50),
    "only a trial": ([("trialing", 20, None), ("canceled", 90, ENDED)], 300),
    "only a pause": ([("paused", 20, None), ("canceled", 90, ENDED)], 300),
    "cancelled without an end": ([("canceled", 20, None), ("canceled", 90, ENDED)], 300),
    "all ended": ([("canceled", 90, ENDED)], 300),
}
BY_END = ("portfolio-segments", "b2b-saas")


def paid(folder: Path, pack: str, owned: list[tuple[str | None, int, str | None]]) -> float:
    """The MRR, a twelfth of the ARR where the pack has that one."""
    customers: Rows = [{"customer_id": "c", "name": "C", "status": "active", "mrr": 300}]
    rows: Rows = []
    for index, (status, mrr, end) in enumerate(owned):
        told = {"status": status, "ended_at": end}
        row = {"subscription_id": f"s{index}", "customer_id": "c", "started_at": ago(90), "mrr": mrr}
        rows.append(row | {name: value for name, value in told.items() if value is not None})
    found = {}
    for warehouse in holding(folder, {"customers": customers, "subscriptions": rows}):
        found = values(evaluated(warehouse, pack), "c")
    return float(found["mrr"] if "mrr" in found else found["arr"] / 12)


@pytest.mark.parametrize("pack", [*PACKS, "portfolio-segments"])
@pytest.mark.parametrize("case", CASES)
def test_only_what_runs_is_revenue(tmp_path: Path, case: str, pack: str) -> None:
    owned, expected = CASES[case]
    assert paid(tmp_path, pack, owned) == expected


@pytest.mark.parametrize("pack", BY_END)
def test_a_source_without_a_status_tells_by_the_end(tmp_path: Path, pack: str) -> None:
    assert paid(tmp_path, pack, [(None, 50, None), (None, 90, ENDED)]) == 50
