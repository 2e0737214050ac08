"""Conditions in one shape: groups of leaves, whichever way the YAML said it."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Literal

from keepwell.model import expression_tree as tree
from keepwell.model.base import Scalar
from keepwell.model.behaviour_definitions import BehaviourDefinition
from keepwell.model.condition_definitions import AllOf, AnyOf, Condition, HeldFor, InSegment, Moved, NoneOf, Test
from keepwell.model.criteria_reading import behaviour
from keepwell.model.criteria_words import behaviour_words, held_words
from keepwell.model.expression_text import expression_text
from keepwell.model.expressions import parse_expression
from keepwell.model.spans import compared_days, compared_length
from keepwell.model.yaml_source import KeyPath

Simple = str | Test | InSegment | Moved | HeldFor | BehaviourDefinition

COMPARISONS: Final = {
    "equals": "=",
    "not_equals": "!=",
    "greater": ">",
    "greater_or_equal": ">=",
    "less": "<",
    "less_or_equal": "<=",
}


@dataclass(frozen=True)
class Group:
    """`all` hold, `any` holds, or the one item does `not`; with three-valued logic."""

    kind: Literal["all", "any", "not"]
    items: tuple["ConditionTree", ...]


@dataclass(frozen=True)
class Leaf:
    """One test; `text` says it in the language of expressions."""

    expression: tree.Expression
    text: str


@dataclass(frozen=True)
class InSegmentLeaf:
    """Is a member of a segment."""

    segment: str


@dataclass(frozen=True)
class MovedLeaf:
    """Entered or left a segment or band within the last days."""

    direction: Literal["entered", "left"]
    target: str
    within_days: int


ConditionTree = Group | Leaf | InSegmentLeaf | MovedLeaf


def condition_expression(condition: Condition) -> ConditionTree:
    """Normalise a condition; `and`, `or` and `not (…)` inside a text become groups, too."""
    match condition:
        case AllOf():
            return Group("all", tuple(map(condition_expression, condition.all)))
        case AnyOf():
            return Group("any", tuple(map(condition_expression, condition.any)))
        case NoneOf():
            return Group("not", (condition_expression(condition.not_),))
        case Test():
            return _leaf(test_expression(condition))
        case InSegment():
            return InSegmentLeaf(condition.segment)
        case Moved():
            direction: Literal["entered", "left"] = "entered" if condition.entered is not None else "left"
            return MovedLeaf(direction, condition.entered or condition.left or "", condition.within_days)
        case str():
            return _decomposed(parse_expression(condition))
        case HeldFor():
            return Leaf(held_expression(condition), held_text(condition))
    return Leaf(behaviour_expression(condition), behaviour_words(behaviour(condition)))


def _decomposed(expression: tree.Expression) -> ConditionTree:
    match expression:
        case tree.Logic(operator, items):
            return Group("all" if operator == "and" else "any", tuple(map(_decomposed, items)))
        case tree.Not(tree.Logic() as inner) | tree.Not(tree.Not() as inner):
            return Group("not", (_decomposed(inner),))
    return _leaf(expression)


def _leaf(expression: tree.Expression) -> Leaf:
    return Leaf(expression, expression_text(expression))


def test_expression(test: Test) -> tree.Expression:
    """The expression that a test stands for."""
    item = tree.Name(test.attribute)
    values = tuple(map(_literal, test.value if isinstance(test.value, tuple) else (test.value,)))
    match test.operator:
        case "is_unknown" | "is_known":
            return tree.Call(test.operator, (item,))
        case "between":
            return tree.Between(item, *values)
        case "in":
            return tree.In(item, values)
        case "not_in":
            return tree.Not(tree.In(item, values))
        case "contains" | "starts_with" | "ends_with":
            return tree.Call(test.operator, (item, *values))
    return tree.Compare(COMPARISONS[test.operator], item, values[0])


def behaviour_expression(definition: BehaviourDefinition) -> tree.Expression:
    """The name of the metric that holds the truth of a behaviour."""
    return tree.Name(behaviour_words(behaviour(definition)))


def held_expression(held: HeldFor) -> tree.Expression:
    """The same value on this day and on each of the days before that the length asks for."""
    comparison, days = compared_days(held.for_)
    name, value = tree.Name(held.attribute), _literal(held.value)
    longer = comparison in (">", "<=")
    before = range(1, days + longer + 1)
    earlier = [tree.Call("before", (name, tree.Literal(Decimal(lag)))) for lag in before]
    now = tree.Compare("=", name, value)
    all_of_them = tree.Logic("and", (now, *(tree.Compare("=", one, value) for one in earlier)))
    return all_of_them if comparison in (">=", ">") else tree.Logic("and", (now, tree.Not(all_of_them)))


def held_text(held: HeldFor) -> str:
    """The test in words."""
    return held_words((held.attribute,), held.value, *compared_length(held.for_))


def _literal(value: Scalar | None) -> tree.Literal:
    if value is None or isinstance(value, bool | str):
        return tree.Literal(value)
    return tree.Literal(Decimal(str(value)))


def condition_leaves(condition: ConditionTree) -> Iterator[Leaf | InSegmentLeaf | MovedLeaf]:
    """Every leaf, in reading order."""
    if isinstance(condition, Group):
        for item in condition.items:
            yield from condition_leaves(item)
    else:
        yield condition


def condition_names(condition: ConditionTree) -> tuple[str, ...]:
    """Every name that the expressions of a condition use, each once."""
    leaves = (leaf for leaf in condition_leaves(condition) if isinstance(leaf, Leaf))
    return tuple(dict.fromkeys(name for leaf in leaves for name in tree.names_in(leaf.expression)))


def change_expressions(condition: ConditionTree, change: Callable[[tree.Expression], tree.Expression]) -> ConditionTree:
    """The same condition with every leaf's expression changed; texts stay as they were written."""
    match condition:
        case Group(_, items):
            return replace(condition, items=tuple(change_expressions(item, change) for item in items))
        case Leaf(expression, _):
            return replace(condition, expression=change(expression))
    return condition


def name_signals(condition: ConditionTree, signals: Container[str]) -> ConditionTree:
    """The same condition where a test that is nothing but a signal says so in its text."""
    match condition:
        case Group(_, items):
            return replace(condition, items=tuple(name_signals(item, signals) for item in items))
        case Leaf(expression, _):
            said = _signal_said(expression)
            if said is not None and said[0] in signals:
                return replace(condition, text=f"signal '{said[0]}' is {'on' if said[1] else 'off'}")
    return condition


def _signal_said(expression: tree.Expression) -> tuple[str, bool] | None:
    """The name that a test is about when it is only asked whether that is true."""
    match expression:
        case tree.Name(name):
            return name, True
        case tree.Not(inner):
            said = _signal_said(inner)
            return None if said is None else (said[0], not said[1])
        case tree.Compare("=" | "!=" as operator, tree.Name(name), tree.Literal(bool() as value)):
            return name, value is (operator == "=")
    return None


def simple_conditions(condition: Condition, path: KeyPath) -> Iterator[tuple[KeyPath, Simple]]:
    """The texts and tests inside a condition as written, each with its place in the model."""
    match condition:
        case AllOf():
            for index, item in enumerate(condition.all):
                yield from simple_conditions(item, (*path, "all", index))
        case AnyOf():
            for index, item in enumerate(condition.any):
                yield from simple_conditions(item, (*path, "any", index))
        case NoneOf():
            yield from simple_conditions(condition.not_, (*path, "not"))
        case _:
            yield path, condition
