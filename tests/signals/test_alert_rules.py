"""What an event sets off: conditions on its properties, several causes, what makes it good, and hysteresis."""

from datetime import UTC, datetime
from typing import Any

import pytest

from keepwell.model.alert_definitions import AlertRule
from keepwell.model.criteria_reading import criteria
from keepwell.model.property_definitions import AttributeTest, ItemMatch
from keepwell.model.property_text import property_text
from keepwell.signals.alert_rules import Hit, Incident, Rules, off_long_enough
from keepwell.signals.properties import holds

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "properties", "wanted"),
    [
        ("score <= 6", {"score": 6}, True),
        ("score <= 6", {"score": "6"}, True),
        ("score <= 6", {"score": 7}, False),
        ("score <= 6", {"score": "six"}, False),
        ("score <= 6", {"score": True}, False),
        ("score <= 6", {}, False),
        ("score <= 6", {"score": None}, False),
        ("not score <= 6", {}, True),
        ("priority in ('P0', 'P1')", {"priority": "P1"}, True),
        ("priority in ('P0', 'P1')", {"priority": "p1"}, False),
        ("priority in ('P0', 'P1')", {"priority": ["P1"]}, False),
        ("plan != 'free'", {}, True),
        ("ticket.priority = 'P0'", {"ticket": {"priority": "P0"}}, True),
        ("ticket.priority = 'P0'", {"ticket.priority": "P0"}, True),
        ("ticket.priority = 'P0'", {"ticket": "P0"}, False),
        ("trial", {"trial": True}, True),
        ("trial", {"trial": "TRUE"}, True),
        ("amount between 10 and 20 and currency = 'eur'", {"amount": 20, "currency": "eur"}, True),
        ("contains(subject, 'down')", {"subject": "All is down"}, True),
        ("is_known(subject)", {"subject": ""}, False),
    ],
)
def test_texts_test_properties(text: str, properties: dict[str, Any], wanted: bool) -> None:
    assert holds(property_text(text), properties, AT) is wanted


@pytest.mark.parametrize(
    ("operator", "value", "given", "wanted"),
    [
        ("within_last", "2d", "2026-06-29T12:00:01Z", True),
        ("within_last", "2d", "2026-06-28T12:00:00Z", False),
        ("within_last", "2d", "2026-07-01", False),
        ("before", "2026-06-30", "2026-06-29", True),
        ("before", "2026-06-30", 1782691200, True),
        ("after", "2026-06-30", "soon", False),
        ("matches", "^P[01]$", "P1", True),
        ("includes", "api", ["api", "sso"], True),
        ("includes", "api", "api", False),
        ("not_in", ("a", "b"), None, True),
        ("contains_ignoring_case", "DOWN", "it is down", True),
    ],
)
def test_operators_test_properties(operator: Any, value: Any, given: Any, wanted: bool) -> None:
    test = criteria(AttributeTest(attribute="x", operator=operator, value=value))
    assert holds(test, {"x": given}, AT) is wanted


def test_an_item_of_a_list_is_matched_as_a_whole() -> None:
    match = criteria(ItemMatch(any_item="lines", match="plan = 'pro' and seats > 5"))
    assert holds(match, {"lines": [{"plan": "pro", "seats": 6}]}, AT)
    assert not holds(match, {"lines": [{"plan": "pro", "seats": 1}, {"plan": "max", "seats": 9}]}, AT)
    assert not holds(match, {"lines": "pro"}, AT)


RULES = Rules(
    {
        "paid": AlertRule.model_validate(
            {
                "on": [{"event": "payment_failed"}, {"event": "invoice.payment_failed"}, {"signal": "failed"}],
                "resolved_by": {"event": "payment_succeeded"},
            }
        ),
        "big": AlertRule.model_validate({"on": {"event": "payment_failed", "where": "amount >= 100"}}),
    }
)


def incident(*names: str, **properties: Any) -> Incident:
    return Incident("acme", names, AT, "k", properties)


def test_an_event_with_several_names_sets_a_rule_off_once() -> None:
    assert RULES.hits(incident("invoice.payment_failed", "payment_failed", amount=20)) == [
        Hit("paid", "payment_failed")
    ]
    assert [hit.rule for hit in RULES.hits(incident("payment_failed", amount=100))] == ["paid", "big"]


def test_what_makes_it_good_is_told_apart() -> None:
    assert RULES.hits(incident("payment_succeeded")) == [Hit("paid", "payment_succeeded", good=True)]


def test_other_events_are_nobody_s() -> None:
    assert RULES.hits(incident("login")) == []
    assert RULES.signals == {"paid": ("failed",)}
    assert RULES.events == {"payment_failed", "invoice.payment_failed", "payment_succeeded"}


@pytest.mark.parametrize(
    ("on", "days", "wanted"),
    [
        ([True, False, False], 2, True),
        ([False, True, False], 2, False),
        ([False], 2, False),
        ([], 1, False),
        ([True, False], 1, True),
    ],
)
def test_a_signal_must_be_off_for_days_in_a_row(on: list[bool], days: int, wanted: bool) -> None:
    assert off_long_enough(on, days) is wanted
