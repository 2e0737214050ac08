"""100,000 customers: the first page of the list comes within 300 ms."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest

from keepwell.bench.world import END, Size, make_world
from keepwell.bench.worlds import MODEL
from keepwell.services.published import EVERYONE, PortfolioQuery, portfolio_page, portfolio_summary, publish_copies
from keepwell.services.runs import run_day
from keepwell.services.workspace import Workspace

PAGE_MS = 300
SUMMARY_MS = 1500


def milliseconds(work: Callable[[], object]) -> float:
    """The median of some runs."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


@pytest.mark.long
def test_pages_of_100000_customers_are_quick(tmp_path: Path) -> None:
    make_world(tmp_path / "data", Size("list", 500_000, 100_000, days=20))
    workspace = Workspace(tmp_path, "list", "UTC", "USD", MODEL, tmp_path / "data", 60.0, "600MB")
    for back in (30, 7, 0):
        run_day(workspace, as_of=END - timedelta(days=back))
    publish_copies(workspace)
    queries = [
        PortfolioQuery(),
        PortfolioQuery(sort="name", descending=False),
        PortfolioQuery(sort="score", search="customer 12"),
        PortfolioQuery(sort="change_30", changed_by=-5, changed_days=30),
    ]
    for query in queries:
        assert milliseconds(lambda query=query: portfolio_page(workspace, query)) < PAGE_MS  # type: ignore[misc]
    assert portfolio_page(workspace, queries[0]).total == 100_000
    assert milliseconds(lambda: portfolio_summary(workspace, EVERYONE)) < SUMMARY_MS
