"""Conditions explained: every test with its truth and the values that decided it, and what is missing to hold."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from keepwell.evaluation.conditions import Judge
from keepwell.evaluation.words import column_words, quality_words
from keepwell.model.conditions import ConditionTree, Group, InSegmentLeaf, Leaf
from keepwell.model.expressions import names_in
from keepwell.model.words import counted


@dataclass(frozen=True)
class ExplainedCondition:
    """One test, or a group of them. `truth` is None where it is unknown; `values` are in words."""

    kind: Literal["all", "any", "not", "test"]
    text: str
    truth: bool | None
    values: Mapping[str, str] = field(default_factory=dict)
    items: tuple["ExplainedCondition", ...] = ()


def explain_condition(judge: Judge, tree: ConditionTree, row: int) -> ExplainedCondition:
    """Explain a condition for one row."""
    truth = judge.truth(tree).item(row)
    held = None if truth is None else bool(truth)
    if isinstance(tree, Group):
        items = tuple(explain_condition(judge, item, row) for item in tree.items)
        return ExplainedCondition(tree.kind, _group_text(tree.kind, items), held, {}, items)
    names = names_in(tree.expression) if isinstance(tree, Leaf) else ()
    return ExplainedCondition("test", tree_text(tree), held, _values(judge, names, tree_text(tree), row))


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


def unmet(condition: ExplainedCondition) -> tuple[str, ...]:
    """The fewest tests that would have to come true for the condition to hold."""
    return tuple(_unmet(condition))


def _unmet(condition: ExplainedCondition) -> Iterator[str]:
    if condition.truth:
        return
    if condition.kind == "all":
        for item in condition.items:
            yield from _unmet(item)
    elif condition.kind == "any":
        yield from min((tuple(_unmet(item)) for item in condition.items), key=len)
    else:
        yield condition.text + (" (unknown)" if condition.truth is None else "")


def _values(judge: Judge, names: tuple[str, ...], text: str, row: int) -> dict[str, str]:
    """The values that decided a test; what is true or false by its own words (behaviour) only where it is unknown."""
    told = (name for name in names if name != text or not judge.context.lookup(name).known[row])
    return {name: _words(judge, name, row) for name in told}


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
