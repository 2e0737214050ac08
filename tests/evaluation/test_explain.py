"""Explanations: lines that add up exactly, tests with their truth, what is missing and what is near."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.evaluation.compiled import compile_model
from keepwell.evaluation.explain import Explanation, explain
from tests.evaluation.models import compiled, frame, score_of

MEASURES: dict[str, Any] = {
    "up": {"metric": "a", "linear": {"points": 30, "to": 7}, "reason": "a is only {value}"},
    "more": {"metric": "b", "linear": {"points": 21, "to": 9}, "missing": {"neutral": 3}},
    "down": {"metric": "d", "per_unit": {"points": -4, "limit": 30}, "missing": "zero"},
}
SUM = {"start": 10, "maximum": 45, "floor": 5, "weight": 0.55, "measures": MEASURES}
MEAN = {
    "method": "mean",
    "weight": 0.45,
    "override": [{"when": "d > 8", "score": 12.5}],
    "measures": {"a": {"metric": "a", "value": True, "weight": 3}, "e": {"metric": "e", "value": True}},
}
METRICS: dict[str, Any] = dict.fromkeys("abde", "number")


def explained(values: dict[str, Any], method: str = "mean", **more: Any) -> Explanation:
    scores = score_of({"sum": SUM, "mean": MEAN}, method=method, **more.pop("score", {}))
    model = compiled(METRICS, scores=scores, **more)
    return explain(model, frame(model, {name: [value] for name, value in values.items()}))


NUMBERS = st.none() | st.floats(-5, 120).map(lambda x: round(x, 3))


@settings(max_examples=60)
@given(st.fixed_dictionaries(dict.fromkeys("abde", NUMBERS)), st.sampled_from(["mean", "sum"]))
def test_lines_add_up_to_the_shown_score_exactly(values: dict[str, Any], method: str) -> None:
    score = explained(values, method).scores[0]
    if score.score is None:
        assert score.lines == ()
        return
    assert score.total == score.score
    assert all(line.amount == line.amount.quantize(Decimal("0.0001")) for line in score.lines)
    rounding = score.lines[-1]
    assert rounding.kind == "rounding"
    assert abs(rounding.amount) <= Decimal("0.501")


def lines(score: Any) -> dict[tuple[str, str], float]:
    return {(line.component or line.kind, line.measure or line.kind): float(line.amount) for line in score.lines}


def test_every_line_of_a_worked_example() -> None:
    # Sum: 10 + 30 x 3.5/7 + 21 x 3/9 - 8 = 24; mean: (3 x 40 + ...) overridden by nothing; 0.55 x 24 + 0.45 x mean.
    found = explained({"a": 3.5, "b": 3, "d": 2, "e": 60}).scores[0]
    assert lines(found) == {
        ("sum", "start"): 5.5,
        ("sum", "up"): 8.25,
        ("sum", "more"): 3.85,
        ("sum", "down"): -4.4,
        ("mean", "a"): 1.1813,
        ("mean", "e"): 6.75,
        ("rounding", "rounding"): -0.1313,
    }
    assert found.score == 21


def test_limits_and_overrides_have_their_own_lines() -> None:
    found = explained({"a": 7, "b": 9, "d": 0, "e": 60}).scores[0]
    assert lines(found)[("sum", "limit")] == pytest.approx(0.55 * -16)
    overridden = explained({"a": 7, "b": 9, "d": 9, "e": 60}).scores[0]
    assert lines(overridden)[("mean", "override")] == pytest.approx(0.45 * 12.5)
    assert ("mean", "a") not in lines(overridden)


def test_a_measure_says_its_metric_value_quality_and_reason() -> None:
    up, more, down = explained({"a": 3.5, "d": 0}).scores[0].lines[1:4]
    assert (up.metric, up.value, up.quality, up.reason) == ("a", "3.5", "known", "a is only 3.5")
    assert (more.value, more.quality, more.points) == ("unknown", "no source has delivered this", 3)
    assert (down.points, down.reason) == (0, "")


def test_the_next_band_and_what_could_reach_it() -> None:
    ahead = explained({"a": 0, "b": 9, "d": 0, "e": 60}).scores[0].ahead
    assert ahead is not None
    assert (ahead.band, ahead.needs) == ("High", 50)
    assert [(m.measure, float(m.points)) for m in ahead.movers] == [("a", 33.75), ("up", 16.5), ("e", 4.5)]


def test_the_better_band_of_a_risk_is_below() -> None:
    score = explained({"a": 100, "b": 9, "d": 0, "e": 100}, score={"kind": "risk"}).scores[0]
    assert score.ahead is not None
    assert (score.score, score.ahead.band, score.ahead.needs) == (70, "Low", 49)
    assert score.ahead.points == 21


def test_carried_values_are_shown_as_such() -> None:
    measure = {"metric": "a", "value": True, "missing": {"carry_forward": 3}}
    model = compiled(METRICS, scores=score_of({"c": {"measures": {"m": measure}}}))
    found = explain(model, frame(model, {"a": [42, None]}, customers=["x", "x"], days=[0, 1]))
    assert found.scores[0].lines[0].value == "42"
    assert found.scores[0].lines[0].quality == "carried forward from an earlier day"


SEGMENTS = {
    "vip": {
        "when": {"all": ["a > 5", {"any": ["b > 1", {"attribute": "d", "operator": "is_unknown"}]}, {"not": "e > 9"}]}
    },
    "big": {"when": "a > 50 and b > 50 and e > 50"},
    "child": {"when": "a > 1", "parent": "big"},
    "rest": {"catch_all": True},
}


def test_segments_show_every_test_with_its_truth_and_values() -> None:
    found = explained({"a": 3, "b": None, "d": 1, "e": 2}, segments=SEGMENTS)
    vip = found.segments[0]
    assert vip.condition is not None
    first, group, negated = vip.condition.items
    assert (first.text, first.truth, first.values) == ("a > 5", False, {"a": "3"})
    assert [(i.text, i.truth) for i in group.items] == [("b > 1", None), ("is_unknown(d)", False)]
    assert group.items[0].values == {"b": "unknown: empty in the source"}
    assert (negated.kind, negated.truth) == ("not", True)
    assert (group.truth, vip.condition.truth, vip.member) == (None, False, False)


def test_a_catch_all_names_the_nearest_segment_and_what_is_missing() -> None:
    found = explained({"a": 3, "b": None, "d": 1, "e": 2}, segments=SEGMENTS)
    assert (found.primary, found.segments[3].member) == ("rest", True)
    assert found.nearest is not None
    assert (found.nearest.name, found.nearest.unmet) == ("child", ("is in 'big'",))
    assert found.segments[0].unmet == ("a > 5", "b > 1 (unknown)")


def test_a_bare_name_has_a_value_where_it_does_not_hold() -> None:
    model = compiled(
        {"left": {"given": True, "type": "boolean"}, "n": "number"}, segments={"s": {"when": {"all": ["left", "n"]}}}
    )
    (segment,) = explain(model, frame(model, {"left": [False], "n": [0]})).segments
    assert [(t.text, t.values) for t in segment.unmet_tests] == [("left", {"left": "no"}), ("n", {"n": "0"})]
    (member,) = explain(model, frame(model, {"left": [True], "n": [2]})).segments
    assert member.condition is not None
    assert [item.values for item in member.condition.items] == [{}, {}]


def test_unmet_tests_have_the_values_that_keep_them_from_holding() -> None:
    plan = {"given": True, "values": ["Basic"]}
    model = compiled(
        {**METRICS, "plan": plan},
        segments={
            "vip": SEGMENTS["vip"],
            "calm": {"when": {"all": ["a > 1", {"not": {"any": ["a > 2", "e > 1"]}}]}},
            "by_plan": {"by": "plan", "dimension": "plan"},
        },
    )
    found = explain(model, frame(model, {"a": [3], "d": [1], "e": [2], "plan": [None]}))
    vip, calm, by_plan = found.segments
    assert [(t.text, t.truth, t.values) for t in vip.unmet_tests] == [
        ("a > 5", False, {"a": "3"}),
        ("b > 1 (unknown)", None, {"b": "unknown: no source has delivered this"}),
    ]
    assert [(t.truth, t.values) for t in calm.unmet_tests] == [(False, {"a": "3", "e": "2"})]
    assert found.nearest is not None
    assert (found.nearest.name, found.nearest.unmet_tests) == ("calm", calm.unmet_tests)
    assert by_plan.unmet == ("plan is unknown",)
    assert by_plan.unmet_tests[0].values == {"plan": "unknown: empty in the source"}
    assert found.as_dict()["nearest"]["unmet_tests"][0]["values"] == {"a": "3", "e": "2"}


def test_signals_and_missing_data() -> None:
    signals = {"grow": {"when": "a > 1", "value": "a * 10", "kind": "expansion"}, "fall": {"when": "b < 1"}}
    found = explained({"a": 3}, signals=signals)
    assert [(s.name, s.on, s.value) for s in found.signals] == [("grow", True, 30.0), ("fall", False, None)]
    assert found.missing == dict.fromkeys("bde", "no source has delivered this")
    assert found.metrics["a"] == "3"


def test_an_explanation_is_plain_data() -> None:
    data = explained({"a": 3, "b": 1, "d": 1, "e": 1}, segments=SEGMENTS).as_dict()
    assert data["as_of"] == "2026-01-31"
    assert sum(line["amount"] for line in data["scores"][0]["lines"]) == pytest.approx(data["scores"][0]["score"])


def test_one_row_of_several_is_explained() -> None:
    model = compiled(METRICS, scores=score_of({"sum": SUM}))
    both = frame(model, {"a": [1, 7], "b": [1, 9], "d": [1, 0]})
    assert [explain(model, both, row).scores[0].score for row in (0, 1, -1)] == [13, 45, 45]
    assert compile_model(model.loaded) is model
