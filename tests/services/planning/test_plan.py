"""A plan says what a run under the proposed model would publish, and changes nothing."""

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from keepwell.model.problems import DefinitionError
from keepwell.services.planning.edits import Edit, edit_model
from keepwell.services.planning.plan import PlanCancelled, plan_model
from keepwell.services.planning.sources import current_model, model_sources
from keepwell.services.reading import Published, read_published
from keepwell.services.runs import backfill_days, run_day
from keepwell.services.workspace import Workspace, WorkspaceError, workspace_init
from tests.services.planning.conftest import LAST

COMPONENTS = ("scores", "health", "components")
SWAPPED = [
    Edit((*COMPONENTS, "product_usage", "weight"), 20),
    Edit((*COMPONENTS, "adoption", "weight"), 35),
]
STRICTER = [Edit(("segments", "healthy_stable", "when", "all", 0), "logins_30d >= 25")]


def published(workspace: Workspace, *columns: str) -> dict[str, dict[str, object]]:
    rows = read_published(workspace).rows(["customer_id", "status", *columns])
    return {str(row["customer_id"]): row for row in rows if row["status"] != "churned"}


def test_a_plan_says_what_a_run_will_publish(own: Workspace) -> None:
    proposed = edit_model(model_sources(own), SWAPPED)
    before = published(own, "health_band", "health_score", "segment", "arr")
    plan = plan_model(own, proposed, replay_days=0)
    for name, text in proposed.items():
        (own.model_dir / name).write_text(text, encoding="utf-8")
    run_day(own, as_of=LAST)
    after = published(own, "health_band", "health_score", "segment")
    moved = {
        customer: (before[customer], row)
        for customer, row in after.items()
        if (row["health_band"], row["segment"]) != (before[customer]["health_band"], before[customer]["segment"])
    }
    assert moved
    assert plan.customers == len(after)
    assert plan.changed == len(moved)
    (health,) = (score for score in plan.scores if score.name == "health")
    changed = [pair for pair in moved.values() if pair[0]["health_band"] != pair[1]["health_band"]]
    assert sum(move.customers for move in health.bands) == len(changed)
    assert plan.arr.total == pytest.approx(sum(float(str(old["arr"])) for old, _ in moved.values() if old["arr"]))
    for row in plan.top:
        old, new = moved[row.customer_id]
        assert (row.score_before, row.score_after) == (old["health_score"], new["health_score"])
        assert (row.band_before, row.band_after) == (old["health_band"], new["health_band"])
        assert (row.segment_before, row.segment_after) == (old["segment"], new["segment"])
    assert sum(bucket.after for bucket in health.histogram) + health.unknown_after == len(after)
    assert sum(bucket.customers for bucket in health.shifts) == len(after) - health.unknown_after
    assert [str(change) for change in plan.changes] == [
        "score health: components: product_usage: weight changed from 35 to 20",
        "score health: components: adoption: weight changed from 20 to 35",
    ]


def test_the_same_model_changes_nothing(scored: Workspace) -> None:
    plan = plan_model(scored, model_sources(scored), replay_days=7)
    assert (plan.changes, plan.changed, plan.top, plan.segments, plan.tasks) == ((), 0, (), (), ())
    assert plan.replay is not None
    assert plan.replay.tasks_before == plan.replay.tasks_after
    assert plan.replay.differing == 0
    assert all(score.bands == () for score in plan.scores)


def test_planning_changes_no_file(scored: Workspace) -> None:
    def contents() -> dict[str, bytes]:
        watched = [*scored.model_dir.rglob("*"), *(scored.data_dir / "snapshots").iterdir()]
        return {str(path): path.read_bytes() for path in watched if path.is_file()}

    before = contents()
    plan_model(scored, edit_model(model_sources(scored), SWAPPED), replay_days=3)
    assert contents() == before


def test_the_replay_counts_entries_like_a_naive_reading_of_snapshots(grouped: Workspace) -> None:
    days = 28
    earlier = [Edit(("segments", "engagement_drop", "when", "all", 0), "days_since_login >= 5")]
    plan = plan_model(grouped, edit_model(model_sources(grouped), earlier), replay_days=days)
    model = current_model(grouped).model
    opened, last_open = 0, {}
    previous: dict[str, str] = {}
    usage = sorted(path.name for path in (grouped.data_dir / "facts" / "events").iterdir())
    for day in [day for day in grouped.snapshots.dates() if day.isoformat() >= usage[0]]:
        rows = Published(grouped, day).rows(["customer_id", "status", "segment"])
        now = {str(r["customer_id"]): str(r["segment"]) for r in rows if r["status"] != "churned"}
        for customer, segment in now.items():
            task = model.segments[segment].task
            if not previous or task is None or previous.get(customer) == segment:
                continue
            pause = task.at_most_once_per_days or 0
            if (day - last_open.get((customer, task.play), date.min)).days >= pause:
                opened += day > LAST - timedelta(days=days)
                last_open[customer, task.play] = day
        previous = now
    assert plan.replay is not None
    assert opened > 0
    assert plan.replay.tasks_before == opened
    assert plan.replay.tasks_after > opened
    assert len(plan.replay.weeks) == 4
    assert sum(week.tasks_before for week in plan.replay.weeks) == opened
    assert sum(play.before for play in plan.replay.plays) == opened


def test_metrics_that_read_other_rows_are_computed_anew(own: Workspace) -> None:
    sources = model_sources(own)
    name = next(n for n, text in sources.items() if "\n  features_used_30d:" in text)
    wider = re.sub(r"(\n  features_used_30d:(?:\n    .*)*?\n    window: )30", r"\g<1>7", sources[name])
    assert wider != sources[name]
    plan = plan_model(own, {**sources, name: wider}, replay_days=2)
    (own.model_dir / name).write_text(wider, encoding="utf-8")
    run_day(own, as_of=LAST)
    means = [row["health_score"] for row in published(own, "health_score").values()]
    (health,) = (score for score in plan.scores if score.name == "health")
    known = [float(str(score)) for score in means if score is not None]
    assert health.mean_after == round(sum(known) / len(known), 2)
    assert health.mean_after != health.mean_before


def test_a_scope_counts_its_customers_only(scored: Workspace) -> None:
    proposed = edit_model(model_sources(scored), SWAPPED)
    everyone = plan_model(scored, proposed, replay_days=0)
    wanted = {row.customer_id for row in everyone.top[:2]} | {"c-unheard-of"}
    plan = plan_model(scored, proposed, replay_days=5, customers=wanted)
    assert (plan.customers, plan.changed) == (2, 2)
    assert {row.customer_id for row in plan.top} == {row.customer_id for row in everyone.top[:2]}
    assert plan.replay is not None
    assert plan.replay.differing <= 2


def test_json_is_the_same_every_time(scored: Workspace) -> None:
    proposed = edit_model(model_sources(scored), SWAPPED)
    first, second = (plan_model(scored, proposed, replay_days=4).to_json() for _ in range(2))
    assert first == second
    assert json.loads(first)["changes"][0]["text"].startswith("score health")


def test_signals_and_tasks_that_would_open(grouped: Workspace) -> None:
    edits = [
        Edit(("signals", "ticket_spike", "when"), "tickets_30d >= 1"),
        Edit(("segments", "healthy_stable", "when", "all", 0), "logins_30d >= 0"),
    ]
    plan = plan_model(grouped, edit_model(model_sources(grouped), edits), replay_days=0)
    spike = next(signal for signal in plan.signals if signal.name == "ticket_spike")
    assert spike.on == spike.after - spike.before > 0
    found = {(task.kind, task.name): task for task in plan.tasks}
    assert found["signal", "ticket_spike"].customers == spike.on
    entered = sum(move.customers for move in plan.segments if move.after == "healthy_stable")
    assert found["segment", "healthy_stable"].customers == entered > 0
    assert found["segment", "healthy_stable"].play == "quarterly_check_in"
    assert all(
        move.direction == "up" for move in plan.segments if (move.before, move.after) == ("monitor", "healthy_stable")
    )
    assert plan.arr.customers_up + plan.arr.customers_down + plan.arr.customers_lateral == plan.changed


def test_warnings_name_what_gets_worse(scored: Workspace) -> None:
    sources = model_sources(scored)
    name = next(n for n, text in sources.items() if "\n  nps_score:" in text)
    broken = {**sources, name: re.sub(r"\n  nps_score:(?:\n    .*)+", "\n  nps_score:\n    given: true", sources[name])}
    plan = plan_model(scored, broken, replay_days=0)
    assert "metric nps_score is unknown for every customer" in plan.warnings
    assert any("the mean coverage falls" in warning for warning in plan.warnings)


def test_a_bad_model_is_refused_with_every_problem(scored: Workspace) -> None:
    bad = edit_model(model_sources(scored), SWAPPED[:1])
    bad = edit_model(bad, [Edit(("scores", "health", "bands", 0, "from"), 10)])
    with pytest.raises(DefinitionError) as raised:
        plan_model(scored, bad)
    assert len(raised.value.problems) > 1
    assert any(p.path == "scores.yaml" and "weights of the components sum" in p.message for p in raised.value.problems)


def test_a_directory_can_be_planned(scored: Workspace, tmp_path: Path) -> None:
    shutil.copytree(scored.model_dir, tmp_path / "next")
    path = tmp_path / "next" / "scores.yaml"
    proposed = edit_model(model_sources(scored), SWAPPED)
    path.write_text(proposed["scores.yaml"], encoding="utf-8")
    assert plan_model(scored, tmp_path / "next", replay_days=0) == plan_model(scored, proposed, replay_days=0)


def test_it_can_be_cancelled(scored: Workspace) -> None:
    steps: list[tuple[str, int, int]] = []
    with pytest.raises(PlanCancelled):
        plan_model(
            scored,
            model_sources(scored),
            replay_days=10,
            step=lambda *told: steps.append(told),
            cancelled=lambda: any(name == "replay" for name, *_ in steps),
        )
    assert steps[:2] == [("compare", 0, 1), ("compare", 1, 1)]


def test_without_a_published_day_it_says_what_to_do(tmp_path: Path) -> None:
    workspace = workspace_init(tmp_path / "ws", pack="b2b-saas")
    with pytest.raises(WorkspaceError, match="keepwell run"):
        plan_model(workspace, model_sources(workspace))


def test_blocks_do_not_matter(grouped: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    proposed = edit_model(model_sources(grouped), STRICTER)
    whole = plan_model(grouped, proposed, replay_days=12)
    monkeypatch.setattr("keepwell.services.planning.engines.ROWS_AT_ONCE", 150)
    monkeypatch.setattr("keepwell.services.planning.engines.VALUES_AT_ONCE", 3000)
    assert plan_model(grouped, proposed, replay_days=12) == whole


def test_a_run_after_a_plan_is_the_run_without_one(own: Workspace) -> None:
    before = own.snapshots.path(LAST).read_bytes()
    sources = model_sources(own)
    plan_model(own, {name: text.replace("window: 30", "window: 14") for name, text in sources.items()}, replay_days=3)
    backfill_days(own, first=LAST, last=LAST)
    assert own.snapshots.path(LAST).read_bytes() == before
