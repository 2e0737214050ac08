"""Whole models: formulas, names of scores and segments, history, and the days that are needed."""

from typing import Any

import numpy as np
import pytest

from keepwell.evaluation.model_run import compile_model, evaluate_model, required_lags
from keepwell.metrics.frame import Quality
from keepwell.model.expressions import ExpressionError
from keepwell.signals.detection import SignalColumns
from tests.evaluation.models import compiled, evaluated, loaded, score_of

VALUE: dict[str, Any] = {"metric": "a", "value": True}


def test_formulas_are_computed_in_any_order() -> None:
    model = compiled({"c": "b * 2", "b": "a + setting.more", "a": "number"}, settings={"values": {"more": 1}})
    ran = evaluated(model, {"a": [1, None]})
    assert ran.columns["c"].objects().tolist() == [4, None]


def test_a_given_column_replaces_the_formula() -> None:
    ran = evaluated(compiled({"b": "a + 1", "a": "number"}), {"b": [7], "a": [1]})
    assert ran.columns["b"].item(0) == 7


def test_what_nobody_gives_is_unknown_for_want_of_a_source() -> None:
    ran = evaluated(compiled({"a": "number", "b": "number"}), {"a": [1]})
    assert ran.columns["b"].quality.tolist() == [Quality.NO_SOURCE]


def test_texts_are_brought_to_the_declared_spelling() -> None:
    plan = {"given": True, "values": ["Basic", "Pro"]}
    raw = compiled({"plan": {"given": True, "type": "text"}, "a": "number"})
    frame = evaluated(raw, {"plan": ["PRO", " basic ", "gold"], "a": [1, 2, 3]}).frame
    from_frame = evaluate_model(compiled({"plan": plan, "a": "number"}), frame)
    assert from_frame.columns["plan"].objects().tolist() == ["Pro", "Basic", None]


def test_names_of_scores_and_segments_can_be_read() -> None:
    metrics = {"a": "number", "twice": "health_score * 2", "told": "health_band = 'High' and segment = 'good'"}
    segments = {"good": {"when": "health_score >= 60"}, "rest": {"catch_all": True}}
    model = compiled(metrics, scores=score_of({"c": {"measures": {"m": VALUE}}}), segments=segments)
    ran = evaluated(model, {"a": [59.5, 59.4, None]})
    assert ran.columns["twice"].objects().tolist() == [120, 118, None]
    assert ran.columns["told"].objects().tolist() == [True, False, False]
    assert ran.columns["health_coverage"].objects().tolist() == [1, 1, 0]


def test_before_reads_scores_of_earlier_days() -> None:
    metrics = {"a": "number", "drop": "before(health_score, 2) - health_score"}
    model = compiled(metrics, scores=score_of({"c": {"measures": {"m": VALUE}}}))
    ran = evaluated(model, {"a": [80, 70, 50, 40]}, customers=list("xxxy"), days=[0, 1, 2, 2])
    assert ran.columns["drop"].objects().tolist() == [None, None, 30, None]


def signal(ran: Any, name: str) -> list[Any]:
    found: SignalColumns = next(s for s in ran.signals if s.name == name)
    return found.truth.objects().tolist()


def test_entering_and_leaving_segments_and_bands() -> None:
    signals = {
        "in": {"when": {"entered": "good", "within_days": 2}},
        "out": {"when": {"left": "good", "within_days": 2}},
        "down": {"when": {"entered": "Low", "within_days": 2}},
    }
    model = compiled(
        {"a": "number"},
        scores=score_of({"c": {"measures": {"m": VALUE}}}),
        segments={"good": {"when": "a >= 50"}},
        signals=signals,
    )
    ran = evaluated(model, {"a": [60, 40, 40, 40, 60]}, customers=["x"] * 5, days=range(5))
    assert signal(ran, "out") == [False, True, True, False, False]
    assert signal(ran, "in") == [None, False, False, False, True]
    assert signal(ran, "down") == [False, True, True, False, False]


def test_signals_carry_money_where_it_can_be_said() -> None:
    signals = {"grow": {"when": "a > 5", "value": "a * setting.price * 12", "value_period": "year"}}
    ran = evaluated(compiled({"a": "number"}, signals=signals, settings={"values": {"price": 30}}), {"a": [6, 1, None]})
    assert ran.signals[0].matches.tolist() == [True, False, False]
    assert ran.signals[0].value is not None
    assert ran.signals[0].value.objects().tolist() == [2160, 360, None]


def test_lists_of_settings_are_read_in_conditions() -> None:
    model = compiled(
        {"t": "text"},
        segments={"core": {"when": "t in (setting.core)"}},
        settings={"values": {"core": ["x", "y"]}},
    )
    assert evaluated(model, {"t": ["x", "z"]}).columns["segment"].objects().tolist() == ["core", None]


def test_a_definition_that_reads_its_own_past_is_refused() -> None:
    with pytest.raises(ExpressionError, match="circle: metric b -> metric b"):
        compiled({"a": "number", "b": "a + before(b, 1)"})


LAGS: list[tuple[dict[str, Any], dict[str, Any], list[int]]] = [
    ({"a": "number"}, {}, [0]),
    ({"a": "number", "b": "before(a, 3)", "c": "before(b, 10) + a"}, {}, [0, 3, 13]),
    (
        {"a": "number", "d": "before(health_score, 30)"},
        {"scores": score_of({"c": {"measures": {"m": {**VALUE, "missing": {"carry_forward": 7}}}}})},
        [*range(8), *range(30, 38)],
    ),
    (
        {"a": "number"},
        {
            "segments": {"s": {"when": "before(a, 5) > 1"}},
            "signals": {"x": {"when": {"left": "s", "within_days": 2}}},
        },
        [0, 1, 2, 5, 6, 7],
    ),
    ({"a": "number"}, {"signals": {"x": {"when": {"attribute": "a", "operator": "is_known"}}}}, [0]),
]


@pytest.mark.parametrize(("metrics", "sections", "expected"), LAGS)
def test_required_lags_are_closed(metrics: dict[str, Any], sections: dict[str, Any], expected: list[int]) -> None:
    assert list(required_lags(compiled(metrics, **sections))) == expected


def test_the_days_needed_give_the_same_as_all_days() -> None:
    metrics = {"a": "number", "drop": "before(health_score, 5)"}
    measure = {**VALUE, "missing": {"carry_forward": 2}}
    signals = {"moved": {"when": {"entered": "Low", "within_days": 3}}}
    model = compiled(metrics, scores=score_of({"c": {"measures": {"m": measure}}}), signals=signals)
    generator = np.random.default_rng(7)
    values = [None if u < 0.4 else float(round(u * 100)) for u in generator.random(40)]
    whole = evaluated(model, {"a": values}, customers=["x"] * 40, days=range(40))
    needed = sorted(39 - lag for lag in required_lags(model))
    part = evaluated(model, {"a": [values[d] for d in needed]}, customers=["x"] * len(needed), days=needed)
    assert len(needed) < 40
    for name, column in whole.columns.items():
        assert part.columns[name].item(-1) == column.item(-1), name
    assert signal(part, "moved")[-1] == signal(whole, "moved")[-1]


def test_a_model_is_made_ready_once() -> None:
    model = loaded({"a": "number"})
    assert compile_model(model) is compile_model(model)


def test_rows_can_be_taken() -> None:
    model = compiled(
        {"a": "number"}, scores=score_of({"c": {"measures": {"m": VALUE}}}), segments={"s": {"when": "a > 5"}}
    )
    part = evaluated(model, {"a": [1, 60]}).take(np.array([1]))
    assert part.frame.customers.tolist() == ["c1"]
    assert part.scores["health"].shown.tolist() == [60]
    assert part.scores["health"].components[0].measures[0].points.tolist() == [60]
    assert part.segments.names(0) == ("s",)
