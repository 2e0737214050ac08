"""The order of evaluation, the past it needs, and settings put in place."""

from typing import Any

import pytest
import yaml

from keepwell.model.definitions import Model
from keepwell.model.expression_text import expression_text
from keepwell.model.expressions import ExpressionError, parse_expression
from keepwell.model.graph import (
    History,
    Values,
    evaluation_order,
    longest_history,
    substitute_settings,
)

TEXT = """
model: {name: g, version: "1"}
settings: {values: {days: 14}}
metrics:
  trend: {expr: "health_score - before(health_score, 30)"}
  double: {expr: base * 2}
  base: {table: events, aggregate: count, where: "name = 'double'"}
  person_days: {entity: person, table: events, aggregate: count_distinct, of: days}
  busy: {table: people_metrics, aggregate: count, where: person_days > 3}
scores:
  risk: {kind: risk, components: {c: {measures: {m: {cases: [{when: health_band = 'Low', points: 9}]}}}},
         bands: [{name: Any, from: 0}]}
  health:
    components:
      c: {measures: {m: {metric: double, flag: 1, missing: {carry_forward: 5}}, n: {metric: busy, flag: 1}}}
    bands: [{name: High, from: 50}, {name: Low, from: 0}]
segments:
  child: {parent: top, when: {segment: other}}
  top: {when: "trend > 0 and before(base, setting.days) > 1"}
  other: {when: {left: Low, within_days: 40}}
signals:
  s: {when: {all: [{segment: top}, {entered: other, within_days: 3}]}, value: base * 3}
"""


@pytest.fixture
def model() -> Model:
    data: dict[str, Any] = yaml.safe_load(TEXT)
    return Model.model_validate(data)


def test_every_node_comes_after_its_inputs(model: Model) -> None:
    order = evaluation_order(model)
    place = {node.key: index for index, node in enumerate(order)}
    assert len(place) == len(order) == 5 + 2 + 3 + 1 + 1
    assert all(place[i] < place[n.key] for n in order for i in n.inputs)


def test_inputs_are_the_values_of_the_same_day(model: Model) -> None:
    inputs = {node.key: node.inputs for node in evaluation_order(model)}
    assert inputs["metric:base"] == ()
    assert inputs["metric:trend"] == ("score:health",)
    assert inputs["metric:busy"] == ("metric:person_days",)
    assert inputs["score:health"] == ("metric:double", "metric:busy")
    assert inputs["score:risk"] == ("score:health",)
    assert inputs["segment:top"] == ("metric:trend",)
    assert inputs["segment:child"] == ("segment:other", "segment:top")
    assert inputs["segments"] == ("segment:child", "segment:top", "segment:other")
    assert inputs["signal:s"] == ("metric:base", "segment:top")


def test_history_names_what_is_read_from_the_past(model: Model) -> None:
    order = evaluation_order(model)
    history = {node.key: node.history for node in order}
    assert history["metric:trend"] == (History("score:health", "health_score", 30),)
    assert history["score:health"] == (History("metric:double", "double", 5, every=True),)
    assert history["segment:top"] == (History("metric:base", "base", 14),)
    assert history["segment:other"] == (History("score:health", "Low", 40, every=True),)
    assert history["signal:s"] == (History("segment:other", "other", 3, every=True),)
    assert longest_history(order) == 40


def test_segments_come_after_the_segments_they_name(model: Model) -> None:
    order = [node.name for node in evaluation_order(model) if node.kind == "segment"]
    assert order == ["other", "top", "child"]


def test_a_circle_has_no_order(model: Model) -> None:
    data = yaml.safe_load(TEXT) | {"metrics": {"a": {"expr": "b"}, "b": {"expr": "a"}}}
    data |= {"scores": {}, "segments": {}, "signals": {}}
    with pytest.raises(ValueError, match="a circle among metric:a, metric:b"):
        evaluation_order(Model.model_validate(data))
    data |= {"metrics": {}, "segments": {"a": {"parent": "b"}, "b": {"when": {"segment": "a"}}}}
    with pytest.raises(ValueError, match="a circle among segment:a, segment:b"):
        evaluation_order(Model.model_validate(data))


def test_a_segment_reads_a_signal_that_reads_another_segment() -> None:
    data = yaml.safe_load(TEXT) | {"scores": {}, "metrics": {"a": {"given": True}}}
    data["segments"] = {
        "low": {"when": "loud"},
        "rest": {"catch_all": True},
        "size": {"dimension": "d", "when": "a > 1"},
    }
    data["signals"] = {"loud": {"when": {"segment": "size"}}, "late": {"when": "segment = 'low' and loud"}}
    order = [node.key for node in evaluation_order(Model.model_validate(data))]
    assert order.index("segment:size") < order.index("signal:loud") < order.index("segment:low")
    assert order.index("segment:low") < order.index("segments") < order.index("signal:late")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a * setting.price", "a * 30"),
        ("a in (setting.many)", "a in ('x', 'it''s')"),
        ("a not in ('y', setting.many, setting.word)", "a not in ('y', 'x', 'it''s', 'w')"),
        ("setting.word in (a)", "'w' in (a)"),
        ("if(setting.yes, b, 0)", "case when true then b else 0 end"),
    ],
)
def test_settings_are_put_in_place(text: str, expected: str) -> None:
    values: Values = {"price": 30, "many": ("x", "it's"), "word": "w", "yes": True}
    assert expression_text(substitute_settings(parse_expression(text), values)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a > setting.prise", "unknown setting 'prise'; did you mean 'price'"),
        ("a = setting.many", "setting.many is a list"),
        ("setting.many in (1)", "setting.many is a list"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(text: str, message: str) -> None:
    values: Values = {"price": 30, "many": ("x",)}
    with pytest.raises(ExpressionError, match=message):
        substitute_settings(parse_expression(text), values)
