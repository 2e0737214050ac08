"""Segments: order, parents, catch-alls, values, and one segment in the words of another."""

from typing import Any

import pytest

from keepwell.model.expressions import ExpressionError
from keepwell.segments.membership import SegmentsColumns
from tests.evaluation.models import compiled, evaluated


def segments(definitions: dict[str, Any], **values: list[object]) -> SegmentsColumns:
    """Segments over the numbers a and b and the text t."""
    metrics = {"a": "number", "b": "number", "t": "text"}
    return evaluated(compiled(metrics, segments=definitions), values).segments


def names(found: SegmentsColumns) -> list[list[str]]:
    return [list(found.names(row)) for row in range(len(found.primary))]


TWO: dict[str, Any] = {"big": {"when": "a > 10"}, "some": {"when": "a > 5"}, "rest": {"catch_all": True}}


def test_the_first_match_is_primary_and_all_are_in_order() -> None:
    found = segments(TWO, a=[11, 6, 1])
    assert names(found) == [["big", "some"], ["some"], ["rest"]]
    assert found.primary.objects().tolist() == ["big", "some", "rest"]


def test_unknown_does_not_match_and_falls_to_the_catch_all() -> None:
    found = segments(TWO, a=[None])
    assert names(found) == [["rest"]]
    assert found.segments[0].truth.item(0) is None


def test_without_a_catch_all_there_may_be_no_primary() -> None:
    found = segments({"big": {"when": "a > 10"}}, a=[1])
    assert found.primary.item(0) is None


def test_a_child_is_within_its_parent() -> None:
    definitions = {"child": {"when": "b > 1", "parent": "big"}, "big": {"when": "a > 10"}}
    assert names(segments(definitions, a=[11, 1], b=[2, 2])) == [["child", "big"], []]


def test_by_makes_one_segment_for_each_value() -> None:
    definitions = {"industry": {"by": "t", "dimension": "industry"}, "rest": {"catch_all": True}}
    found = segments(definitions, t=["Retail", "Banking", None])
    assert names(found) == [["industry: Retail", "rest"], ["industry: Banking", "rest"], ["rest"]]
    assert found.member("industry: Retail").objects().tolist() == [True, False, None]
    assert found.member("industry").objects().tolist() == [True, True, None]


def test_by_can_be_primary() -> None:
    found = segments({"industry": {"by": "t"}, "rest": {"catch_all": True}}, t=["Retail", None])
    assert found.primary.objects().tolist() == ["industry: Retail", "rest"]


def test_catch_alls_look_at_their_own_dimension() -> None:
    definitions = {
        "big": {"when": "a > 10", "dimension": "size"},
        "other": {"catch_all": True, "dimension": "size"},
        "few": {"when": "b < 2", "dimension": "use"},
        "unclear": {"catch_all": True, "dimension": "use"},
    }
    found = segments(definitions, a=[11, 1], b=[5, 1])
    assert names(found) == [["big", "unclear"], ["other", "few"]]
    assert found.primary.objects().tolist() == ["big", "other"]


def test_the_dimension_primary_goes_before_the_first() -> None:
    definitions = {"tier": {"when": "a > 0", "dimension": "tier"}, "main": {"when": "a > 0"}}
    assert segments(definitions, a=[1]).primary.item(0) == "main"


def test_a_segment_in_the_words_of_another_whatever_the_order() -> None:
    definitions = {
        "both": {"when": {"all": [{"segment": "big"}, {"not": {"segment": "few"}}]}},
        "big": {"when": "a > 10"},
        "few": {"when": "b < 2"},
    }
    assert names(segments(definitions, a=[11, 11, None], b=[3, 1, 3])) == [["both", "big"], ["big", "few"], []]


def test_segments_in_a_circle_are_refused() -> None:
    definitions = {"x": {"when": {"segment": "y"}}, "y": {"when": {"segment": "x"}}}
    with pytest.raises(ExpressionError, match="circle"):
        segments(definitions, a=[1])


def test_an_unknown_segment_is_refused_by_name() -> None:
    with pytest.raises(ExpressionError, match="no segment 'nobody'"):
        segments(TWO, a=[1]).member("nobody")
