"""Differences of two models in words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keepwell.model.diff import diff_models
from keepwell.model.loader import LoadedModel

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")
Load = Callable[..., LoadedModel]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("window: 30\n", "window: 28\n", ["metric logins: window changed from 30 to 28"]),
        ("from: 60}", "from: 70}", ["score health: bands: Good: from changed from 60 to 70"]),
        (
            "      - {name: Bad, from: 0}",
            "      - {name: Fair, from: 30}\n      - {name: Bad, from: 0}",
            ["score health: bands: Fair added: {from: 30}"],
        ),
        ("many_days: 30", "many_days: 31", ["settings: values: many_days changed from 30 to 31"]),
        (
            "paid_plans: [pro, max]",
            "paid_plans: [max]",
            ["settings: values: paid_plans changed from [pro, max] to [max]"],
        ),
        ("    value: mrr * 12\n", "", ["signal quiet: value removed (was mrr * 12)"]),
        ("rest: {catch_all: true}", "rest: {catch_all: true, color: red}", ["segment rest: color added: red"]),
        ("    expr: logins -", "    entity: customer\n    expr: logins -", []),
    ],
)
def test_a_change_is_said_in_words(load: Load, old: str, new: str, expected: list[str]) -> None:
    before = load(GOOD).model
    assert old in GOOD
    assert [str(c) for c in diff_models(before, load(GOOD.replace(old, new)).model)] == expected


def test_order_of_segments_counts(load: Load) -> None:
    base = 'model: {name: x, version: "1"}\nmetrics: {m: {given: true}}\nsegments:\n'
    a, b, rest = "  a: {when: m > 1}\n", "  b: {when: m > 2}\n", "  z: {catch_all: true}\n"
    changes = diff_models(load(base + a + b + rest).model, load(base + b + a + rest).model)
    assert [str(c) for c in changes] == ["order of segments changed from a, b, z to b, a, z"]


def test_a_new_and_a_lost_definition(load: Load) -> None:
    base = 'model: {name: x, version: "1"}\nmetrics:\n'
    old = load(base + "  a: {given: true}\n").model
    new = load(base + "  b: {attribute: mrr, type: number}\n").model
    assert [str(c) for c in diff_models(old, new)] == [
        "metric b added: {type: number, attribute: mrr}",
        "metric a removed (was {given: true})",
    ]
