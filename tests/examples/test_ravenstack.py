"""The RavenStack example: every row accounted for, every contradiction counted, a sensible result.

Counts are taken from the files with the csv module, so that they do not depend on the loader.
"""

import csv
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from keepwell.reporting.reading import read_day
from keepwell.services.loading import load_files
from keepwell.services.runs import RunReport, run_day
from keepwell.services.workspace import Workspace, workspace_init
from keepwell.warehouse.loading import LoadReport
from keepwell.warehouse.quality import QualityFinding, data_quality

EXAMPLE = Path(__file__).parents[2] / "examples" / "ravenstack"
AS_OF = date(2024, 12, 31)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Built:
    """The example's workspace, loaded and run."""

    workspace: Workspace
    load: LoadReport
    findings: dict[str, QualityFinding]
    run: RunReport


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    workspace = workspace_init(tmp_path_factory.mktemp("ravenstack") / "w", pack="b2b-saas")
    load = load_files(
        workspace,
        paths=sorted(EXAMPLE.glob("*.csv")),
        now=datetime(2025, 1, 1, tzinfo=UTC),
        mapping=EXAMPLE / "mapping.yaml",
    )
    with workspace.warehouse("test") as warehouse:
        findings = {f.code: f for f in data_quality(warehouse) if f.code != "feed_missing"}
    return Built(workspace, load, findings, run_day(workspace, as_of=AS_OF))


def rows(name: str) -> list[dict[str, str]]:
    """The rows of one of the files as they stand."""
    with (EXAMPLE / f"ravenstack_{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def kept_usage() -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Usage rows, the first of each id, with their subscription."""
    subscriptions = {row["subscription_id"]: row for row in rows("subscriptions")}
    seen: set[str] = set()
    for row in rows("feature_usage"):
        if row["usage_id"] not in seen:
            seen.add(row["usage_id"])
            yield row, subscriptions[row["subscription_id"]]


def test_every_row_is_loaded_repeated_or_quarantined(built: Built) -> None:
    assert (built.load.problems, built.load.resolved) == ((), 0)
    (note,) = built.load.notes
    assert note.endswith("21 events have the id of an earlier one and other values; the first one stays")
    found = {f.table: (f.read, f.added, f.differing, f.quarantined) for f in built.load.files}
    assert found == {
        "customers": (500, 500, 0, 0),
        "subscriptions": (5000, 5000, 0, 0),
        "subscription_changes": (600, 600, 0, 0),
        "tickets": (2000, 2000, 0, 0),
        "events": (25000, 24979, 21, 0),
    }
    for file in built.load.files:
        assert file.read == len(rows(file.path.stem.removeprefix("ravenstack_")))
        assert file.read == file.added + file.differing + file.quarantined


def test_usage_outside_its_subscription_is_counted(built: Built) -> None:
    usage = list(kept_usage())
    before = sum(row["usage_date"] < own["start_date"] for row, own in usage)
    after = sum(bool(own["end_date"]) and row["usage_date"] > own["end_date"] for row, own in usage)
    found = [built.findings[f"usage_{side}_subscription"] for side in ("before", "after")]
    assert [(f.count, f.total) for f in found] == [(before, 24979), (after, 24979)] == [(19128, 24979), (289, 24979)]
    assert "(76.6% of 24979)" in found[0].message
    assert "(1.2% of 24979)" in found[1].message


def test_accounts_with_usage_before_their_start_are_counted(built: Built) -> None:
    signup = {row["account_id"]: row["signup_date"] for row in rows("accounts")}
    first_start = {
        row["account_id"]: row["start_date"]
        for row in sorted(rows("subscriptions"), key=lambda r: r["start_date"])[::-1]
    }
    early = {
        own["account_id"]
        for row, own in kept_usage()
        if row["usage_date"] < min(signup[own["account_id"]], first_start[own["account_id"]])
    }
    assert built.findings["usage_before_start"].count == len(early) == 490


def test_churn_flags_that_contradict_churn_events_are_counted(built: Built) -> None:
    churned = {row["account_id"] for row in rows("churn_events")}
    flags = Counter((row["churn_flag"] == "TRUE", row["account_id"] in churned) for row in rows("accounts"))
    assert flags == {(True, True): 75, (True, False): 35, (False, True): 277, (False, False): 113}
    without, unmarked = (built.findings[f"churn_{code}"] for code in ("mark_without_event", "event_without_mark"))
    assert (without.count, without.total, unmarked.count, unmarked.total) == (35, 110, 277, 390)
    assert built.findings["churn_contradicted"].count == len(churned) == 352


def test_overlapping_subscriptions_and_churns_within_them_are_counted(built: Built) -> None:
    until: dict[str, str] = defaultdict(str)
    overlaps = 0
    for row in sorted(rows("subscriptions"), key=lambda r: r["start_date"]):
        overlaps += row["start_date"] < until[row["account_id"]]
        until[row["account_id"]] = max(until[row["account_id"]], row["end_date"] or "9999")
    assert (built.findings["subscriptions_overlap"].count, overlaps) == (4492, 4492)
    assert (built.findings["churn_while_subscribed"].count, built.findings["churn_while_subscribed"].total) == (
        542,
        600,
    )


def test_second_churns_without_a_return_are_counted(built: Built) -> None:
    churns = Counter(row["account_id"] for row in rows("churn_events"))
    assert built.findings["churned_again"].count == sum(n - 1 for n in churns.values()) == 248


def test_nothing_else_is_found(built: Built) -> None:
    known = {"usage_before_start", "usage_before_subscription", "usage_after_subscription", "subscriptions_overlap"}
    known |= {"churn_mark_without_event", "churn_event_without_mark", "churn_while_subscribed", "churned_again"}
    assert set(built.findings) == known | {"churn_contradicted"}


def test_mrr_is_what_the_open_subscriptions_pay(built: Built) -> None:
    open_mrr: dict[str, float] = defaultdict(float)
    for row in rows("subscriptions"):
        if not row["end_date"] and row["is_trial"] == "FALSE":
            open_mrr[row["account_id"]] += float(row["mrr_amount"])
    day = read_day(built.workspace.snapshots, AS_OF).present()
    found = dict(zip(day.ids.tolist(), day.number("mrr").tolist(), strict=True))
    assert found == open_mrr
    assert sum(found.values()) == 10_159_608


def test_the_result_is_spread_and_says_what_it_does_not_know(built: Built) -> None:
    assert (built.run.customers, built.run.churned) == (500, 0)
    assert set(built.run.bands) == {"Thriving", "Healthy", "At Risk", "Critical", "Not enough data"}
    assert max(built.run.bands.values()) < 250
    assert len(built.run.segments) >= 4
    day = read_day(built.workspace.snapshots, AS_OF).present()
    coverage = day.number("health_coverage")
    assert 0.4 < float(np.mean(coverage)) < 0.7
    assert {w.split(":")[0] for w in built.run.warnings} == {
        "interactions", "milestones", "payments", "people", "survey_responses",
    }  # fmt: skip


def test_the_script_gives_the_commands_of_the_readme(tmp_path: Path) -> None:
    fake = tmp_path / "keepwell"
    fake.write_text(f'#!/bin/sh\necho keepwell "$@" >> {tmp_path}/said\n', encoding="utf-8")
    fake.chmod(0o755)
    subprocess.run(
        [EXAMPLE / "run.sh", "ravenstack"],
        env={"KEEPWELL": str(fake), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        check=True,
    )
    said = (tmp_path / "said").read_text(encoding="utf-8").splitlines()
    files = " ".join(str(path) for path in sorted(EXAMPLE.glob("*.csv")))
    shown = [
        line.replace(files, "examples/ravenstack/*.csv").replace(str(EXAMPLE), "examples/ravenstack") for line in said
    ]
    readme = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    assert "\n".join(shown) in readme
