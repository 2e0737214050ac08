"""Scores for rows of values: the shape that outside programs rely on."""

from datetime import date
from typing import Any

import pytest

from keepwell.evaluation.api import score_rows, score_table
from tests.evaluation.models import DAY, loaded, score_of

PLAN = {"given": True, "values": ["Basic", "Pro"]}
METRICS: dict[str, Any] = {"a": "number", "plan": PLAN, "renewal": "date", "days_left": "days_until(renewal)"}
COMPONENTS = {
    "use": {"weight": 3, "measures": {"m": {"metric": "a", "value": True}}},
    "plan": {"weight": 1, "measures": {"m": {"metric": "plan", "lookup": {"Pro": 100}}}},
}
RISK = {
    "kind": "risk",
    "bands": [{"name": "High", "from": 50}, {"name": "Low", "from": 0}],
    "minimum_coverage": 0,
    "components": {"c": {"measures": {"m": {"bonus": {"when": "days_left < 30", "points": 60}, "missing": "zero"}}}},
}
MODEL = loaded(
    METRICS,
    scores={**score_of(COMPONENTS, minimum_coverage=0.5), "churn_risk": RISK},
    segments={"good": {"when": "health_score > 50"}, "rest": {"catch_all": True}},
    signals={"second": {"when": "a < 90"}, "first": {"when": "days_left < 30", "kind": "alert"}},
)


def score(**values: object) -> dict[str, Any]:
    return score_rows(MODEL, [{"customer_id": "x", **values}], DAY)[0].as_dict()


def test_the_whole_shape() -> None:
    assert score(a="80", plan="PRO", renewal="2026-02-05") == {
        "customer_id": "x",
        "as_of": "2026-01-31",
        "health": {
            "score": 85,
            "raw": 85.0,
            "band": "High",
            "coverage": 1.0,
            "components": {"use": 80.0, "plan": 100.0},
        },
        "churn_risk": {"score": 60, "band": "High"},
        "segments": {"primary": "good", "all": ["good"]},
        "signals": ["second", "first"],
        "missing": [],
    }


def test_without_enough_data_the_state_has_its_own_name() -> None:
    found = score(plan="Pro")
    assert found["health"] == {
        "score": None,
        "raw": None,
        "band": "Not enough data",
        "coverage": 0.25,
        "components": {"use": None, "plan": 100.0},
    }
    assert found["churn_risk"] == {"score": 0, "band": "Low"}
    assert found["segments"] == {"primary": "rest", "all": ["rest"]}


def test_coverage_has_six_places() -> None:
    model = loaded(
        dict.fromkeys("abc", "number"),
        scores=score_of({k: {"measures": {"m": {"metric": k, "value": True}}} for k in "abc"}),
    )
    assert score_rows(model, [{"customer_id": 1, "a": 1}], DAY)[0].as_dict()["health"]["coverage"] == 0.333333


def test_a_model_without_scores_has_none() -> None:
    model = loaded({"a": "number"}, segments={"rest": {"catch_all": True}})
    found = score_rows(model, [{"customer_id": 7, "a": 1}], DAY)[0].as_dict()
    assert (found["health"], found["churn_risk"], found["customer_id"]) == (None, None, "7")


def test_rows_keep_their_order_and_may_differ_in_columns() -> None:
    rows: list[dict[str, object]] = [
        {"customer_id": "z", "a": 90},
        {"customer_id": "b", "plan": "Pro"},
        {"a": 1, "customer_id": "m"},
    ]
    found = score_rows(MODEL, rows, DAY)
    assert [r.customer_id for r in found] == ["z", "b", "m"]
    assert [r.health.components["use"] for r in found if r.health] == [90, None, 1]


def test_no_rows_give_no_results() -> None:
    assert score_rows(MODEL, [], DAY) == []


def test_the_day_is_the_one_that_is_given() -> None:
    rows = [{"customer_id": "x", "renewal": date(2026, 3, 1)}]
    near, far = (score_rows(MODEL, rows, day)[0].signals for day in (date(2026, 2, 20), date(2026, 1, 1)))
    assert (near, far) == (("first",), ())


@pytest.mark.parametrize("row", [{}, {"customer_id": " "}, {"customer_id": None}])
def test_a_row_without_a_customer_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="customer_id"):
        score_rows(MODEL, [{"customer_id": "x"}, {"a": 1, **row}], DAY)


def test_values_that_are_not_understood_and_unknown_columns_are_said() -> None:
    scored = score_table(MODEL, {"customer_id": ["x", "y"], "a": ["much", "3"], "plann": ["Pro", ""]}, DAY)
    assert [str(p) for p in scored.problems] == ["row 1, customer 'x', a: 'much' is not a number; unknown now"]
    assert scored.warnings == ("column 'plann' is no metric of this model; did you mean 'plan'?",)


def missing(supplied: dict[str, object]) -> list[str]:
    metrics = {
        "logins": "number",
        "level": "if(logins < 8, 'low', 'high')",
        "renewal": "date",
        "days_left": "days_until(renewal)",
        "unused": "number",
        "safe": "coalesce(extra, 0)",
        "extra": "number",
    }
    segments = {"s": {"when": "level = 'low' and days_left < 60 and logins >= 0 and safe > 1"}}
    found = score_rows(loaded(metrics, segments=segments), [{"customer_id": "x", **supplied}], DAY)
    return list(found[0].missing)


def test_missing_names_inputs_at_the_level_at_which_values_are_given() -> None:
    assert missing({}) == ["logins", "days_left"]
    assert missing({"logins": 3, "days_left": None, "extra": None}) == ["days_left", "extra"]
    assert missing({"renewal": "", "logins": 1}) == ["renewal"]
    assert missing({"level": None}) == ["logins", "level", "days_left"]


def test_money_and_targets_are_not_missed() -> None:
    signals = {"grow": {"when": "a > 1", "value": "b * 12"}}
    model = loaded({"a": "number", "b": "number"}, signals=signals)
    assert score_rows(model, [{"customer_id": "x"}], DAY)[0].missing == ("a",)
