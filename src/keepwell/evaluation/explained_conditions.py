"""Conditions explained: every test with its truth and the values that decided it, and what is missing to hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from keepwell.evaluation.conditions import Judge
from keepwell.evaluation.words import column_words, quality_words
from keepwell.model.conditions import ConditionTree, Group, InSegmentLeaf, Leaf
from keepwell.model.expressions import names_in
from keepwell.model.words import counted

UNKNOWN: Final = " (unknown)"
"""What follows the text of a test whose truth is not known."""


@dataclass(frozen=True)
class ExplainedCondition:
    """One test, or a group of them. `truth` is None where it is unknown; `values` are in words."""

    kind: Literal["all", "any", "not", "test"]
    text: str
    truth: bool | None
    values: Mapping[str, str] = field(default_factory=dict)
    items: tuple["ExplainedCondition", ...] = ()


@dataclass(frozen=True)
class UnmetTest:
    """A test that stands in the way, with the customer's values in words. `truth` is None where it is unknown."""

    text: str
    truth: bool | None
    values: Mapping[str, str] = field(default_factory=dict)


def explain_condition(judge: Judge, tree: ConditionTree, row: int) -> ExplainedCondition:
    """Explain a condition for one row."""
    truth = judge.truth(tree).item(row)
    held = None if truth is None else bool(truth)
    if isinstance(tree, Group):
        items = tuple(explain_condition(judge, item, row) for item in tree.items)
        return ExplainedCondition(tree.kind, _group_text(tree.kind, items), held, {}, items)
    names = names_in(tree.expression) if isinstance(tree, Leaf) else ()
    text = tree_text(tree)
    told = names if not held and text.isidentifier() else _told(judge, names, text, row)
    return ExplainedCondition("test", text, held, {name: _words(judge, name, row) for name in told})


def tree_text(tree: ConditionTree) -> str:
    """A condition in words."""
    match tree:
        case Group(kind, items):
            return _joined(kind, [tree_text(item) for item in items])
        case Leaf(_, text):
            return text
        case InSegmentLeaf(segment):
            return f"is in '{segment}'"
        case _:
            return f"{tree.direction} '{tree.target}' within {counted(tree.within_days, 'day')}"


def unmet(condition: ExplainedCondition) -> tuple[UnmetTest, ...]:
    """The fewest tests that would have to come true for the condition to hold."""
    return tuple(_unmet(condition))


def _unmet(condition: ExplainedCondition) -> Iterator[UnmetTest]:
    if condition.truth:
        return
    if condition.kind == "all":
        for item in condition.items:
            yield from _unmet(item)
    elif condition.kind == "any":
        yield from min((tuple(_unmet(item)) for item in condition.items), key=len)
    else:
        text = condition.text + (UNKNOWN if condition.truth is None else "")
        yield UnmetTest(text, condition.truth, _all_values(condition))


def _all_values(condition: ExplainedCondition) -> dict[str, str]:
    """The values of a test, or of all tests of a group."""
    values = dict(condition.values)
    for item in condition.items:
        values |= _all_values(item)
    return values


def _told(judge: Judge, names: tuple[str, ...], text: str, row: int) -> tuple[str, ...]:
    """The names whose values decided a test; one that is the test itself (behaviour) only where it is unknown."""
    return tuple(name for name in names if name != text or not judge.context.lookup(name).known[row])


def _words(judge: Judge, name: str, row: int) -> str:
    column = judge.context.lookup(name)
    value = column.item(row)
    words = ("on" if value else "off") if name in judge.signals and value is not None else column_words(column, row)
    return words if column.known[row] else f"{words}: {quality_words(column, row)}"


def _group_text(kind: str, items: tuple[ExplainedCondition, ...]) -> str:
    return _joined(kind, [item.text for item in items])


def _joined(kind: str, texts: list[str]) -> str:
    if kind == "not":
        return f"not ({texts[0]})"
    return f" {'and' if kind == 'all' else 'or'} ".join(f"({t})" if " or " in t else t for t in texts)
