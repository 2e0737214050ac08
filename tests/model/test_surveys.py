"""Surveys and checklists are checked like the rest of a model. `«` marks where the problem must be reported."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keepwell.model.loader import LoadedModel, content_hash
from keepwell.model.loader import load_model as load_directory
from keepwell.model.packs import pack_directory, pack_names
from keepwell.model.survey_definitions import Survey, SurveyKind, group_of
from keepwell.warehouse.columns import TABLE_COLUMNS

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
SURVEYS = """\
surveys:
  after:
    kind: nps
    question: How likely are you to recommend us?
    on:
      - {date: customer_since, after_days: 30}
      - {ticket: resolved}
    delay: 2h
    remind_after_days: 3
    expires_after_days: 14
    tasks:
      low: {task: "Answer {company}: {score}", within: 24h}
checklists:
  daily:
    every: day
    items:
      calls: {text: Call five, page: portfolio, query: "sort=score", done_when: contacts_logged, count: 5}
      queue: {text: Work, page: today, done_when: no_overdue_tasks}
"""
Load = Callable[..., LoadedModel]
Problems = Callable[..., list[str]]
MISTAKES = [
    ("date: customer_since", "date: «customer_sins", "unknown metric 'customer_sins'; did you mean 'customer_since'?"),
    ("date: customer_since", "date: «mrr", "'mrr' is a number; 'date' takes a date"),
    ("- {ticket: resolved}", "- «{tickt: resolved}", "what a survey is sent after has one of date, every_days, ticket"),
    ("- {ticket: resolved}", "- «{date: customer_since, after_days: 30}", "sends it already"),
    ("kind: nps", "kind: «npss", "must be"),
    ("    delay: 2h\n", "    delay: «2 hrs\n", "is no length of time"),
    ("    delay: 2h\n", "    message: «nope\n", "unknown message 'nope'"),
    ("remind_after_days: 3", "remind_after_days: 14", "the reminder comes before the survey expires"),
    ("{score}", "«{scor}", "unknown placeholder '{scor}'; did you mean 'score'?"),
    ("page: today", "page: «todya", "must be"),
    (", count: 5", "", "'count' belongs to 'done_when: contacts_logged'"),
    ("page: portfolio, ", "", "'query' needs a 'page'"),
    ("every: day", "every: «hour", "must be"),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_a_mistake_is_found_at_its_place(problems: Problems, old: str, new: str, message: str) -> None:
    assert SURVEYS.count(old) == 1
    broken = SURVEYS.replace(old, new)
    about = [line for line in problems(GOOD, surveys=broken.replace("«", "")) if message in line]
    assert about, problems(GOOD, surveys=broken.replace("«", ""))
    if "«" in broken:
        index = broken.index("«")
        line, column = broken.count("\n", 0, index) + 1, index - broken.rfind("\n", 0, index)
        assert any(text.startswith(f"m/surveys.yaml:{line}:{column}: ") for text in about), (line, column, about)


def test_the_good_ones_are_good_and_change_no_figure(load: Load) -> None:
    without, with_them = load(GOOD), load(GOOD, surveys=SURVEYS)
    assert with_them.hash == without.hash
    assert content_hash(with_them.model) != content_hash(without.model)
    assert not [str(problem) for problem in with_them.problems if "surveys.yaml" in str(problem)]
    survey = with_them.model.surveys["after"]
    assert (survey.scale, survey.pause_days, survey.tasks.low.within) == (range(11), 30, "24h")


def test_one_trigger_needs_no_list_and_a_low_score_has_a_task(load: Load) -> None:
    text = "surveys: {a: {kind: csat, question: Well?, on: {every_days: 90}}}"
    survey: Survey = load(GOOD, surveys=text.replace("Well?", '"Well?"')).model.surveys["a"]
    assert len(survey.on) == 1
    assert (survey.tasks.low.within, survey.tasks.high) == ("24h", None)


@pytest.mark.parametrize(
    ("kind", "low", "middle", "high"),
    [("nps", range(7), (7, 8), (9, 10)), ("csat", (1, 2), (3,), (4, 5)), ("ces", (1, 2, 3), (4, 5), (6, 7))],
)
def test_answers_belong_to_groups(kind: SurveyKind, low: range, middle: range, high: range) -> None:
    for name, scores in (("low", low), ("middle", middle), ("high", high)):
        assert {group_of(kind, score) for score in scores} == {name}


def test_the_document_s_four_triggers_of_nps() -> None:
    surveys = load_directory(pack_directory("household-app"), tables=TABLE_COLUMNS).model.surveys
    found = {name: survey.on[0].model_dump() for name, survey in surveys.items() if survey.kind == "nps"}
    assert found == {
        "onboarding_nps": {"date": "customer_since", "after_days": 30},
        "transactional_nps": {"ticket": "resolved"},
        "relationship_nps": {"every_days": 90},
        "premium_nps": {"change": "upgrade"},
    }
    assert {survey.kind for survey in surveys.values()} == {"nps", "csat", "ces"}


def test_the_document_s_checklists_are_complete() -> None:
    checklists = load_directory(pack_directory("household-app"), tables=TABLE_COLUMNS).model.checklists
    assert {name: (one.every, len(one.items)) for name, one in checklists.items()} == {
        "daily": ("day", 5),
        "weekly": ("week", 5),
        "monthly": ("month", 5),
    }


@pytest.mark.parametrize("pack", pack_names())
def test_every_pack_asks_for_nps_and_after_tickets(pack: str) -> None:
    surveys = load_directory(pack_directory(pack), tables=TABLE_COLUMNS).model.surveys
    assert {survey.kind for survey in surveys.values()} >= {"nps", "csat"}
