"""Conditions in words: labels instead of names, units, and nothing of the language left."""

import re

import pytest

from keepwell.evaluation.compiled import compile_model
from keepwell.model.conditions import condition_expression
from keepwell.model.expressions import parse_expression
from keepwell.model.loader import LoadedModel
from keepwell.model.packs import pack_names, resolve_model
from keepwell.reporting.condition_words import ConditionWords, segment_words
from keepwell.warehouse.columns import TABLE_COLUMNS

RAW = re.compile(r"\b[a-z]+_[a-z0-9_]+\b|>=|<=|!=")


def test_a_segment_says_who_is_in_it(agency: LoadedModel) -> None:
    assert segment_words(agency, "revenue_at_risk") == (
        "Days to renewal is at most 60 and (Payment status is failed or Tickets in 30 days is at least 3"
        " or Days since the last login is at least 14)"
    )
    assert segment_words(agency, "monitor") == "everybody whom no other segment takes"
    assert segment_words(agency, "nothing") == ""


@pytest.mark.parametrize("pack", pack_names())
def test_no_condition_of_a_pack_shows_a_name_of_the_model(pack: str) -> None:
    loaded = resolve_model(pack, tables=TABLE_COLUMNS)
    model, compiled = loaded.model, compile_model(loaded)
    words = ConditionWords(model)
    found = [one.when for one in (*model.segments.values(), *model.signals.values()) if one.when is not None]
    texts = [words.sentence(compiled.conditions[when]) for when in found]
    texts += [words.expression(parse_expression(metric.expr)) for metric in model.metrics.values() if metric.expr]
    assert [text for text in texts if RAW.search(text.replace("AT_RISK", ""))] == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("usage_change_30d <= -0.2", "Change of usage is at most -20 %"),
        ("days_inactive > 7", "Days without activity is more than 7"),
        ("account_age_days > 1", "Account age is more than 1 day"),
        ("champion_left and not has_cancelled", "Champion left in 90 days and not Cancelled to the end of the period"),
        ("plan not in ('a', 'b')", "Plan is none of a or b"),
        ("is_unknown(csat_90d)", "CSAT in 90 days is unknown"),
        ("health_score between 40 and 60", "Health is from 40 to 60"),
        ("coalesce(has_cancelled, false)", "Cancelled to the end of the period (no without data)"),
        ("before(health_score, 30) < 50", "Health 30 days before is less than 50"),
        ("mrr / nullif(seats, 0) > 2", "(MRR ÷ Seats) is more than 2"),
    ],
)
def test_expressions(text: str, said: str) -> None:
    words = ConditionWords(resolve_model("b2b-saas").model)
    assert words.sentence(condition_expression(text)) == said


def test_titles_speak_of_the_customer() -> None:
    words = ConditionWords(resolve_model("b2b-saas").model)
    assert words.title("URGENT: Call {company} about {mrr}") == "URGENT: Call the customer about MRR"
    assert words.title("Braces {{ stay") == "Braces { stay"
