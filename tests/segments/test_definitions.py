"""Definitions of criteria: what is read, what is refused and where, and what it is in words."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from keepwell.model.criteria_definitions import CRITERIA_KEYS, CriteriaFile
from keepwell.model.criteria_words import criteria_words
from keepwell.model.problems import DefinitionError
from keepwell.model.translation import field_names
from keepwell.segments.neutral import neutral_criteria
from keepwell.segments.reading import parse_criteria
from tests.model.test_docs import definitions

PAGE = (Path(__file__).parents[2] / "docs" / "segments.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("all:\n  - {event: x, cuont: 3}", "2:16: error: unknown key 'cuont'; did you mean 'count'?"),
        ("{event: x, within: 30}", "1:20: error: '30' is no length of time; write 30s, 15min, 12h, 30d or 2w"),
        ("{evnt: x}", "; did you mean 'event'?"),
        ("{stopped: x}", "1:1: error: 'for' is missing"),
        ("{stopped: x, for: 7d, within: 7d}", "must be longer than 'for' (7d)"),
        ("{event: x, where: 'a + 1 > 3'}", "1:20: error: '(a + 1) > 3' cannot be used here"),
        ("{event: x, within: 1d, since: 2026-01-01}", "takes one of within and since, not both"),
        ("{attribute: x, operator: greater, value: abc}", "operator 'greater' takes numbers or dates, not 'abc'"),
        ("{attribute: x, operator: matches, value: '('}", "1:42: error: not a regular expression that can be used"),
        ("{attribute: x, operator: after, value: soon}", "a length such as 30d means so long ago"),
        ("{regularly: x, every: 1d, periods: 2, at_least: 3}", "at_least (3) is more than there are periods (2)"),
        ("{segment: power}", "1:11: error: unknown segment 'power'"),
        ("{when: {segment: a}, segments: {a: {when: {segment: a}}}}", "segments go in a circle: a -> a"),
        ("segments: {a: {when: x}, b: {when: y}}", "choose one with --segment NAME: a, b"),
        ("{trait: a, op: equals, value: 1}", "1:16: error: unknown op 'equals'"),
        ("{all: [{event: x, count: ['>=', x]}]}", "takes [comparison, whole number]"),
        ("{event: x, within_second: 5, count: ['>=', 1]}", "did you mean 'within_seconds'?"),
        ("{event_stopped: x}", "takes two different lengths"),
        ("", "is empty"),
        ("[1", "not valid YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as error:
        parse_criteria(text)
    assert message in str(error.value)
    assert str(error.value).startswith("definition:")


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(DefinitionError) as error:
        parse_criteria("all:\n  - {event: x, cuont: 3}\n  - {attribute: a, operator: eqals, value: 3}")
    assert [problem.line for problem in error.value.problems] == [2, 3]


NEUTRAL = [
    ({"event_first_time": "x", "within_seconds": 86400}, "{first_time: x, within: 1d}"),
    ({"event_stopped": "x", "within_seconds": 200, "quiet_seconds": 100}, "{stopped: x, for: 100s, within: 200s}"),
    (
        {"event_restarted": "x", "within_seconds": 300, "recent_seconds": 100},
        "{restarted: x, within: 100s, quiet: 200s}",
    ),
    (
        {"event_regularly": "x", "period_seconds": 60, "total_periods": 3, "min_periods": 2, "count": [">", 1]},
        "{regularly: x, every: 1min, periods: 3, at_least: 2, count: '> 1'}",
    ),
    (
        {"event_sequence": ["a", {"event": "b", "where": [{"prop": "k", "op": "eq", "value": 1}]}], "gap_seconds": 60},
        "{sequence: [a, {event: b, where: k = 1}], gap: 60s}",
    ),
    ({"event": "x", "count": ["==", 2], "since": {"$t": 0}}, "{event: x, count: 2, since: 1970-01-01}"),
    ({"trait": "a.b", "op": "within_last", "value": 60}, "{attribute: a.b, operator: within_last, value: 1min}"),
    ({"manual": ["a", "b"]}, "{customers: [a, b]}"),
    ({"in_segment": {"everyone": True}}, "{segment: {everyone: true}}"),
]


@pytest.mark.parametrize(("neutral", "own"), NEUTRAL, ids=lambda value: str(value)[:30])
def test_the_neutral_tree_means_the_same(neutral: Any, own: str) -> None:
    assert neutral_criteria(neutral) == parse_criteria(own).when


def test_a_file_of_either_form_is_told_from_the_other() -> None:
    for neutral, own in NEUTRAL[:6]:
        assert parse_criteria(json.dumps(neutral)) == parse_criteria(own)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plan = 'pro' and seats >= 5", "plan is 'pro' and seats is at least 5"),
        ("{event: login, count: '>= 3', within: 30d}", "did 'login' at least 3 times in the last 30 days"),
        ("{event: login, count: 0, within: 36h}", "did not do 'login' in the last 36 hours"),
        ("{event: 'a*', since: 2026-01-31, where: x = 1}", "did any event 'a*' (where x is 1) since 2026-01-31"),
        ("{first_time: login, within: 1w}", "did 'login' for the first time in the last 7 days"),
        ("{stopped: a, for: 3d, within: 9d}", "stopped: did 'a' in the last 9 days, but not in the last 3 days"),
        ("{restarted: a, within: 3d, quiet: 9d}", "restarted: did 'a' in the last 3 days, after 9 days without"),
        (
            "{regularly: a, every: 1d, periods: 5, at_least: 2, count: '>= 2'}",
            "did 'a' at least 2 times in at least 2 of the last 5 periods of 1 day",
        ),
        (
            "{sequence: [a, b], within: 9d, gap: 1h}",
            "did 'a', then 'b' in the last 9 days, each at most 1 hour after the one before",
        ),
        ("{last_event: a, has: 'x in (1, 2)'}", "the last 'a' has: x is one of 1, 2"),
        (
            "{attribute: s, operator: has_been_for, value: on, for: '< 7d'}",
            "s has been 'on' for less than 7 days",
        ),
        ("{any: [{list: l}, {not: {customers: [a]}}]}", "is on the list 'l' or not (is one of a)"),
        ("{attribute: d, operator: before, value: 90d}", "d is before 90 days ago"),
        ("{any_item: l, match: x = true}", "one item of l meets: x is true"),
    ],
)
def test_words(text: str, words: str) -> None:
    assert criteria_words(parse_criteria(text).when) == words


def test_every_node_and_key_is_on_the_page() -> None:
    code = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", PAGE))))
    assert [key for key in CRITERIA_KEYS if key not in code] == []
    kinds = definitions(CriteriaFile, {})
    assert len(kinds) > 15
    assert [(kind, key) for kind in kinds for key in field_names(kind) if key not in code] == []


def test_every_example_on_the_page_can_be_read() -> None:
    rows = re.findall(r"(?m)^\| `\w+` \|.*\| `(\{.*\})` \|$", PAGE)
    assert len(rows) == 14
    for example in rows:
        parse_criteria(f"{{when: {example}, segments: {{power_users: {{when: {{everyone: true}}}}}}}}")
    (file, _) = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert parse_criteria(file).label == "Evaluating teams that export"
