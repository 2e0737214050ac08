"""Signals as names in conditions: on, off or unknown, and explained as such."""

from typing import Any

import pytest

from keepwell.evaluation.compiled import required_lags
from keepwell.evaluation.explain import explain_row
from keepwell.model.expressions import ExpressionError
from tests.evaluation.models import compiled, evaluated, score_of

METRICS = {"a": "number", "b": "number"}
SIGNALS: dict[str, Any] = {
    "loud": {"when": "a > 10"},
    "late": {"when": {"segment": "busy"}},
    "in two words": {"when": "b > 1"},
}
SEGMENTS: dict[str, Any] = {
    "hit": {"when": {"all": ["loud", {"attribute": "late", "operator": "equals", "value": False}]}},
    "both": {"when": '"in two words" or late'},
    "rest": {"catch_all": True},
    "busy": {"dimension": "work", "when": "b > 5"},
}


def members(**values: list[object]) -> list[list[str]]:
    found = evaluated(compiled(METRICS, segments=SEGMENTS, signals=SIGNALS), values).segments
    return [list(found.names(row)) for row in range(len(found.primary))]


def test_segments_read_signals_and_signals_segments() -> None:
    assert members(a=[11, 11, 1, 1], b=[0, 9, 9, 0]) == [["hit"], ["both", "busy"], ["both", "busy"], ["rest"]]


def test_an_unknown_signal_does_not_match() -> None:
    assert members(a=[None, 11], b=[0, None]) == [["rest"], ["rest"]]


def test_a_metric_of_the_same_name_comes_first() -> None:
    model = compiled(METRICS, segments={"x": {"when": "a > 3"}}, signals={"a": {"when": "b > 1"}})
    assert model.signals() == frozenset()
    assert evaluated(model, {"a": [4], "b": [0]}).segments.names(0) == ("x",)


def test_a_formula_and_a_score_can_use_a_signal_and_its_past() -> None:
    metrics = {**METRICS, "points": "if(loud, 40, 10)", "new": "loud and not before(loud, 1)"}
    scores = score_of({"c": {"measures": {"m": {"metric": "points", "value": True}}}})
    model = compiled(metrics, signals=SIGNALS, segments=SEGMENTS, scores=scores)
    assert required_lags(model) == (0, 1)
    found = evaluated(model, {"a": [11, 11, 1], "b": [0, 0, 0]}, customers=["c", "c", "d"], days=[-1, 0, 0])
    assert found.scores["health"].shown.tolist() == [40, 40, 10]
    assert found.columns["new"].objects().tolist() == [None, False, False]


def test_a_signal_that_reads_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="a circle"):
        compiled(METRICS, segments={"x": {"when": "y"}}, signals={"y": {"when": {"segment": "x"}}})
    with pytest.raises(ExpressionError, match="a circle"):
        compiled(METRICS, signals={"y": {"when": "before(y, 1)"}})


def test_an_explanation_says_on_and_off() -> None:
    model = compiled(METRICS, segments=SEGMENTS, signals=SIGNALS)
    explained = explain_row(evaluated(model, {"a": [11], "b": [9]}), 0)
    hit, both = explained.segments[:2]
    assert hit.condition is not None
    assert [(t.text, t.truth, dict(t.values)) for t in hit.condition.items] == [
        ("signal 'loud' is on", True, {"loud": "on"}),
        ("signal 'late' is off", False, {"late": "on"}),
    ]
    assert hit.unmet == ("signal 'late' is off",)
    assert both.condition is not None
    assert both.condition.text == "signal 'in two words' is on or signal 'late' is on"
    assert explained.nearest is not None
    assert explained.nearest.name == "hit"
