"""Criteria on a published date: what the builder of segments shows."""

from datetime import date
from pathlib import Path

import pytest

from keepwell.model.problems import DefinitionError
from keepwell.segments.trait_sql import CriteriaError
from keepwell.services.reading import read_published
from keepwell.services.segment_preview import attribute_names, definition_in_words, evaluate_definition
from keepwell.services.workspace import Workspace, workspace_open
from tests.interfaces.cli_world import LAST, keepwell


@pytest.fixture(scope="module")
def workspace(scored: Path) -> Workspace:
    return workspace_open(scored)


def members(workspace: Workspace, definition: str, *, exact: bool = False) -> set[str]:
    return set(evaluate_definition(workspace, definition, exact=exact).members)


def test_attributes_metrics_scores_segments_and_signals(workspace: Workspace) -> None:
    rows = keepwell("-w", workspace.root, "show", "customers", "--format", "json").json
    low = {row["customer_id"] for row in rows if row["health"]["score"] is not None and row["health"]["score"] < 60}
    assert members(workspace, "health_score < 60") == low
    assert members(workspace, "not health_score >= 60") == low
    segment = next(row["segments"]["primary"] for row in rows)
    inside = {row["customer_id"] for row in rows if segment in row["segments"]["all"]}
    assert members(workspace, f"{{segment: '{segment}'}}") == inside
    assert members(workspace, f"{{not: {{segment: '{segment}'}}}}") == {row["customer_id"] for row in rows} - inside
    found = evaluate_definition(workspace, "everyone: true", as_of=LAST)
    assert (found.as_of, found.customers, found.unknown) == (LAST, len(rows), 0)
    kinds = attribute_names(read_published(workspace))
    assert kinds["segments"] == "list"
    assert kinds["health_score"] == "number"
    assert kinds["renewal_date"] == "date"


@pytest.mark.parametrize(
    "definition",
    [
        "{event: login, count: '>= 5', within: 7d}",
        "{stopped: login, for: 2d, within: 20d}",
        "{regularly: '*', every: 1d, periods: 10, at_least: 5, count: '>= 3'}",
        "{first_time: feature_used, within: 20d}",
    ],
)
def test_counting_by_day_is_exact_for_days(workspace: Workspace, definition: str) -> None:
    by_day, exact = members(workspace, definition), members(workspace, definition, exact=True)
    assert by_day == exact
    assert exact or definition.startswith(("{stopped", "{first_time"))


def test_what_is_not_published_is_said(workspace: Workspace) -> None:
    with pytest.raises(CriteriaError, match="properties of events are not published"):
        evaluate_definition(workspace, "{event: login, where: x = 1}")
    assert members(workspace, "{event: login, where: x = 1}", exact=True) == set()
    with pytest.raises(CriteriaError, match="is not published, so it is not known how long"):
        evaluate_definition(workspace, "{attribute: plan, operator: has_been_for, value: x, for: 300d}")
    with pytest.raises(CriteriaError, match="there is no attribute 'helth_score'; did you mean 'health_score'"):
        evaluate_definition(workspace, "helth_score < 60")
    with pytest.raises(DefinitionError, match="unknown segment 'nobody'"):
        evaluate_definition(workspace, "{segment: nobody}")


def test_how_long_a_value_has_stood_is_read_from_published_dates(workspace: Workspace) -> None:
    def bands(day: date) -> dict[str, str]:
        rows = keepwell("-w", workspace.root, "show", "customers", "--format", "json", "--as-of", day).json
        return {row["customer_id"]: row["health"]["band"] for row in rows}

    days = [bands(date.fromordinal(LAST.toordinal() - back)) for back in range(6)]
    band = next(iter(days[0].values()))
    stood = {who for who in days[0] if all(day.get(who) == band for day in days)}
    definition = f"{{attribute: health_band, operator: has_been_for, value: '{band}', for: '%s 5d'}}"
    assert members(workspace, definition % ">=") == stood
    assert members(workspace, definition % "<") == {who for who, now in days[0].items() if now == band} - stood


def test_words() -> None:
    text = "all: [health_score < 60, {segment: rest}]"
    assert definition_in_words(text, names=["rest"]) == "health_score is less than 60 and is in segment 'rest'"
