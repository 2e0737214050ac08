"""One mistake in a definition does not hide the others in it, and does not bring up new ones."""

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]

MODEL = """\
model: {name: m, version: "1"}
metrics:
  logins: {table: events, aggregate: count, window: 30}
  status: {attribute: payment_status, values: [current, failed]}
scores:
  health:
    components:
      usage:
        weight: 60
        measures:
          logins: {metric: logins, linear: {points: 60, to: 20}}
          often: {metric: logins, steps: [{at_least: 5, points: 40}]}
      money:
        weight: 40
        measures:
          status: {metric: status, lookup: {current: 100, failed: 0}}
    bands:
      - {name: Good, from: 60, color: green}
      - {name: Bad, from: 0, color: red}
segments:
  good: {color: green, when: health_score >= 60}
  rest: {catch_all: true}
"""

HIDING = [
    ("color: green}", "colour: green}", "unknown key 'colour'"),
    ("color: red", "color: rde", "must be 'green'"),
    ("linear: {points: 60, to: 20}", "linaer: {points: 100, to: 20}", "unknown key 'linaer'"),
    ("linear: {points: 60, to: 20}", "linear: {points: many, to: 20}", "must be a number"),
    ("  health:\n", "  health:\n    labl: x\n", "unknown key 'labl'"),
]


@pytest.mark.parametrize(("good", "bad", "said"), HIDING)
def test_the_rest_of_a_definition_is_checked(problems: Problems, good: str, bad: str, said: str) -> None:
    assert problems(MODEL) == []
    alone = problems(MODEL.replace(good, bad))
    assert len(alone) == 1
    assert said in alone[0]
    worse = MODEL.replace(good, bad).replace("weight: 40", "weight: 30").replace("metric: status", "metric: statsu")
    found = "\n".join(problems(worse))
    assert said in found
    assert "the weights of the components sum to 90" in found
    assert "unknown metric or column 'statsu'; did you mean 'status'?" in found


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("weight: 60", "wieght: 60"),
        ("weight: 60", "weight: lots"),
        ("name: Bad, from: 0", "name: Bad, from: low"),
        ("name: Bad, from: 0", "name: Bad, form: 0"),
        ("catch_all: true", "catchall: true"),
        ("window: 30", "windw: 30"),
        ("values: [current, failed]", "value: [current, failed]"),
        ("when: health_score >= 60", "wenn: health_score >= 60"),
    ],
)
def test_what_was_left_out_is_not_missed(problems: Problems, good: str, bad: str) -> None:
    found = problems(MODEL.replace(good, bad))
    line = MODEL[: MODEL.index(good)].count("\n") + 1
    assert found
    assert {int(problem.split(":")[1]) for problem in found} == {line}, found


def test_places_in_a_list_stay_right(problems: Problems) -> None:
    """A condition that cannot be read takes its list with it: those behind it would be told at the wrong place."""
    several = "when: {all: [{segmnt: x}, healthy, logins > setting.x]}, parent: rset, action: '{logns}'"
    found = problems(MODEL.replace("when: health_score >= 60", several))
    assert [problem.split(":")[1] for problem in found] == ["21", "21"], found


def test_a_definition_that_cannot_be_read_at_all_is_left_out(problems: Problems) -> None:
    found = problems(MODEL.replace("  good: {color: green, when: health_score >= 60}", "  good: 5"))
    assert found == ["m/model.yaml:21:9: error: must be a mapping of keys to values"]
