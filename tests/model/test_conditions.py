"""Every way to write a condition gives the same shapes."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter

from keepwell.model.condition_definitions import Condition
from keepwell.model.conditions import (
    ConditionTree,
    Group,
    InSegmentLeaf,
    Leaf,
    MovedLeaf,
    change_expressions,
    condition_expression,
    condition_names,
    simple_conditions,
)
from keepwell.model.expressions import Compare, Expression, Literal, Name

ADAPTER: TypeAdapter[Condition] = TypeAdapter(Condition)


def read(written: Any) -> ConditionTree:
    return condition_expression(ADAPTER.validate_python(written))


def is_above(name: str, number: int) -> Leaf:
    return Leaf(Compare(">", Name(name), Literal(Decimal(number))), f"{name} > {number}")


def test_a_text_with_and_or_and_not_becomes_groups() -> None:
    found = read("a > 1 and (b > 2 or not (c > 3 and d > 4))")
    assert found == Group(
        "all",
        (
            is_above("a", 1),
            Group("any", (is_above("b", 2), Group("not", (Group("all", (is_above("c", 3), is_above("d", 4))),)))),
        ),
    )


def test_groups_in_yaml_are_the_same_as_in_a_text() -> None:
    written = {"all": ["a > 1", {"any": ["b > 2", {"not": {"all": ["c > 3", "d > 4"]}}]}]}
    assert read(written) == read("a > 1 and (b > 2 or not (c > 3 and d > 4))")


@pytest.mark.parametrize(
    ("operator", "value", "text"),
    [
        ("equals", "x", "plan = 'x'"),
        ("equals", True, "plan = true"),
        ("not_equals", 1, "plan != 1"),
        ("greater", 1.5, "plan > 1.5"),
        ("greater_or_equal", 1, "plan >= 1"),
        ("less", 1, "plan < 1"),
        ("less_or_equal", -1, "plan <= -1"),
        ("between", [1, 2], "plan between 1 and 2"),
        ("in", ["a", "it's"], "plan in ('a', 'it''s')"),
        ("not_in", ["a"], "plan not in ('a')"),
        ("contains", "a", "contains(plan, 'a')"),
        ("starts_with", "a", "starts_with(plan, 'a')"),
        ("ends_with", "a", "ends_with(plan, 'a')"),
        ("is_unknown", None, "is_unknown(plan)"),
        ("is_known", None, "is_known(plan)"),
    ],
)
def test_a_test_means_the_same_as_its_text(operator: str, value: Any, text: str) -> None:
    written = {"attribute": "plan", "operator": operator} | ({} if value is None else {"value": value})
    leaf = read(written)
    assert isinstance(leaf, Leaf)
    assert leaf.text == text
    assert leaf == read(text)


def test_segments_and_movement_are_leaves() -> None:
    assert read({"segment": "big"}) == InSegmentLeaf("big")
    assert read({"entered": "big", "within_days": 7}) == MovedLeaf("entered", "big", 7)
    assert read({"left": "big", "within_days": 30}) == MovedLeaf("left", "big", 30)


def test_names_and_changes_reach_every_leaf() -> None:
    found = read({"all": ["a > b", {"not": "c = 1"}, {"segment": "big"}]})
    assert condition_names(found) == ("a", "b", "c")

    def rename(expression: Expression) -> Expression:
        return Compare("=", Name("z"), Literal(Decimal(0)))

    changed = change_expressions(found, rename)
    assert condition_names(changed) == ("z",)
    assert isinstance(changed, Group)
    assert changed.items[2] == InSegmentLeaf("big")


def test_every_simple_condition_has_its_place() -> None:
    condition = ADAPTER.validate_python({"all": ["a > 1", {"not": {"any": ["b > 1", {"segment": "s"}]}}]})
    assert [path for path, _ in simple_conditions(condition, ("when",))] == [
        ("when", "all", 0),
        ("when", "all", 1, "not", "any", 0),
        ("when", "all", 1, "not", "any", 1),
    ]
