"""Previews come from published values, agree with plans and explanations, and wait for nobody."""

import re
from datetime import timedelta

import pytest

from keepwell.evaluation.model_run import compile_model, evaluate_model
from keepwell.model.problems import DefinitionError
from keepwell.services.explaining import explain_customer
from keepwell.services.planning.edits import Edit, edit_model
from keepwell.services.planning.frames import published_frames
from keepwell.services.planning.plan import plan_model
from keepwell.services.planning.preview import distribution, try_one
from keepwell.services.planning.reuse import reusable_metrics
from keepwell.services.planning.sources import load_sources, model_sources
from keepwell.services.reading import read_published
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.warehouse.lock import lock_acquire, lock_release
from tests.services.planning.conftest import LAST
from tests.services.planning.test_plan import STRICTER, SWAPPED


def test_the_distribution_is_that_of_the_plan(scored: Workspace) -> None:
    proposed = edit_model(model_sources(scored), SWAPPED)
    shown = distribution(scored, proposed)
    planned = plan_model(scored, proposed, replay_days=0)
    assert shown.scores == planned.scores
    assert (shown.as_of, shown.customers, shown.unavailable) == (LAST, planned.customers, ())
    assert any(score.bands for score in shown.scores)


def test_segments_are_counted_where_there_are_no_scores(grouped: Workspace) -> None:
    proposed = edit_model(model_sources(grouped), STRICTER)
    shown = distribution(grouped, proposed)
    assert shown.scores == ()
    assert shown.segment_counts == plan_model(grouped, proposed, replay_days=0).segment_counts
    assert any(row.before != row.after for row in shown.segment_counts)


def test_a_scope_is_kept(scored: Workspace) -> None:
    shown = distribution(scored, model_sources(scored), customers=["c-00001", "c-00002", "nobody"])
    assert shown.customers <= 2
    assert all(sum(bucket.before for bucket in score.histogram) <= 2 for score in shown.scores)


def test_nobody_is_waited_for(scored: Workspace) -> None:
    held = lock_acquire(scored.data_dir / "warehouse.lock", doing="test", wait_seconds=0, on_wait=None)
    try:
        distribution(scored, edit_model(model_sources(scored), SWAPPED))
        try_one(scored, model_sources(scored), "c-00001")
    finally:
        lock_release(held)


def test_one_customer_is_explained_as_published_and_as_planned(scored: Workspace) -> None:
    proposed = edit_model(model_sources(scored), SWAPPED)
    planned = plan_model(scored, proposed, replay_days=0)
    for row in planned.top[:5]:
        tried = try_one(scored, proposed, row.customer_id)
        published = explain_customer(scored, customer=row.customer_id).explanation
        assert tried.before.scores == published.scores
        assert tried.before.segments == published.segments
        assert tried.before.metrics == published.metrics
        health = next(score for score in tried.after.scores if score.name == "health")
        assert (health.score, health.band) == (row.score_after, row.band_after)
        assert tried.after.primary == row.segment_after
        assert tried.as_dict()["after"]["primary"] == row.segment_after


def test_a_customer_can_be_named(scored: Workspace) -> None:
    tried = try_one(scored, model_sources(scored), "c-00003")
    assert try_one(scored, model_sources(scored), tried.name).customer_id == "c-00003"
    with pytest.raises(WorkspaceError, match="there is no customer"):
        try_one(scored, model_sources(scored), "c-99999")


def statuses(workspace: Workspace) -> dict[str, str]:
    rows = read_published(workspace).rows(["customer_id", "status"])
    return {str(row["customer_id"]): str(row["status"]) for row in rows}


def test_who_left_is_not_looked_at(scored: Workspace) -> None:
    gone = [customer for customer, status in statuses(scored).items() if status == "churned"]
    assert gone
    with pytest.raises(WorkspaceError, match="it left"):
        try_one(scored, model_sources(scored), gone[0])


def changed_window(sources: dict[str, str]) -> dict[str, str]:
    name = next(n for n, text in sources.items() if "\n  features_used_30d:" in text)
    wider = re.sub(r"(\n  features_used_30d:(?:\n    .*)*?\n    window: )30", r"\g<1>7", sources[name])
    assert wider != sources[name]
    return {**sources, name: wider}


def test_what_reads_other_rows_is_said_and_unknown(scored: Workspace) -> None:
    proposed = changed_window(model_sources(scored))
    assert distribution(scored, proposed).unavailable == ("features_used_30d",)
    tried = try_one(scored, proposed, "c-00001")
    assert tried.unavailable == ("features_used_30d",)
    assert "features_used_30d" in tried.after.missing
    assert "features_used_30d" not in tried.before.missing


def test_values_are_reused_only_where_nothing_under_them_changed(scored: Workspace) -> None:
    sources = model_sources(scored)
    old = load_sources(sources).model
    everything = {name for name, metric in old.metrics.items() if metric.entity == "customer"}
    assert reusable_metrics(old, old) == everything
    labelled = edit_model(sources, [Edit(("metrics", "tickets_30d", "label"), "Tickets")])
    assert reusable_metrics(old, load_sources(labelled).model) == everything
    changed = reusable_metrics(old, load_sources(changed_window(sources)).model)
    assert "features_used_30d" not in changed
    assert "tickets_30d" in changed
    stale = edit_model(sources, [Edit(("settings", "stale_after_days", "events"), 3)])
    assert "tickets_30d" not in reusable_metrics(old, load_sources(stale).model)


def test_a_look_back_reads_earlier_published_days(grouped: Workspace) -> None:
    """A segment of those who left another one needs the days before; they are read from their snapshots."""
    sources = model_sources(grouped)
    more = "signals:\n  calmed_down:\n    when: {left: engagement_drop, within_days: 7}\n    action: Say hello\n"
    proposed = {**sources, "more.yaml": more}
    planned = plan_model(grouped, proposed, replay_days=0)
    shift = next(signal for signal in planned.signals if signal.name == "calmed_down")
    assert shift.on > 0
    compiled = compile_model(load_sources(proposed))
    (frame,) = published_frames(read_published(grouped), [compiled])
    evaluation = evaluate_model(compiled, frame)
    (calmed,) = (signal.matches for signal in evaluation.signals if signal.name == "calmed_down")
    on = frame.customers[calmed & (frame.days == frame.days.max())].tolist()
    assert len(on) == shift.on
    (tried,) = (s for s in try_one(grouped, proposed, on[0]).after.signals if s.name == "calmed_down")
    assert tried.on
    assert LAST - timedelta(days=7) in grouped.snapshots.dates()


def test_a_bad_model_is_refused(scored: Workspace) -> None:
    bad = edit_model(model_sources(scored), SWAPPED[:1])
    with pytest.raises(DefinitionError):
        distribution(scored, bad)
    with pytest.raises(DefinitionError):
        try_one(scored, bad, "c-00001")
