"""Near and past the service levels, for answers as for solutions: hours of open tickets when the day began."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from keepwell.evaluation.model_run import Evaluation

from .small_world import Rows, holding
from .test_from_tables import evaluated, values

DAY_BEGAN = datetime(2026, 6, 30, tzinfo=UTC)
# Priority, then hours ago: created, answered, solved; then: answers due soon, overdue, solutions due soon, overdue.
CASES: dict[str, tuple[str, float, float | None, float | None, tuple[int, int, int, int]]] = {
    "P4 new": ("P4", 35, None, None, (0, 0, 0, 0)),
    "P4 answer near": ("P4", 37, None, None, (1, 0, 0, 0)),
    "P4 answer late": ("P4", 49, None, None, (1, 1, 0, 0)),
    "P4 answered": ("P4", 49, 20, None, (0, 0, 0, 0)),
    "P4 solution near": ("P4", 91, 20, None, (0, 0, 1, 0)),
    "P4 solution late": ("P4", 121, 20, None, (0, 0, 1, 1)),
    "P3 answer near": ("P3", 19, None, None, (1, 0, 0, 0)),
    "P2 answer late": ("P2", 5, None, None, (1, 1, 0, 0)),
    "P1 answer near": ("P1", 1.75, None, None, (1, 0, 0, 0)),
    "P4 solved late": ("P4", 200, 190, 1, (0, 0, 0, 0)),
    "P0 solution late": ("P0", 4.25, 1, None, (0, 0, 1, 1)),
}
NAMES = ("responses_due_soon", "responses_overdue", "resolutions_due_soon", "resolutions_overdue")


def _ticket(name: str) -> dict[str, Any]:
    priority, *hours, _ = CASES[name]
    times = dict(zip(("created_at", "first_response_at", "resolved_at"), hours, strict=True))
    ticket = {"ticket_id": name, "customer_id": name, "priority": priority, "status": "open"}
    return ticket | {k: (DAY_BEGAN - timedelta(hours=h)).isoformat() for k, h in times.items() if h is not None}


@pytest.fixture(scope="module")
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evaluation]:
    customers: Rows = [{"customer_id": name, "name": name, "status": "active"} for name in CASES]
    tickets = [_ticket(name) for name in CASES]
    for warehouse in holding(tmp_path_factory.mktemp("levels"), {"customers": customers, "tickets": tickets}):
        yield evaluated(warehouse, "household-app")


@pytest.mark.parametrize("case", CASES)
def test_both_clocks_are_counted(household: Evaluation, case: str) -> None:
    found = values(household, case)
    assert tuple(found[name] for name in NAMES) == CASES[case][-1]


@pytest.mark.parametrize("case", CASES)
def test_breaches_and_near_breaches_are_signals(household: Evaluation, case: str) -> None:
    """Either clock gives a signal: near until it is over, and breached from then on."""
    row = list(household.frame.customers).index(case)
    matching = {signal.name for signal in household.signals if signal.matches[row]}
    answer_near, answer_late, solution_near, solution_late = CASES[case][-1]
    assert ("sla_near_breach" in matching) == (answer_near > answer_late or solution_near > solution_late)
    assert ("sla_breached" in matching) == bool(answer_late or solution_late)
