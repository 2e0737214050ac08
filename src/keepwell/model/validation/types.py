"""Values are used as what they are: texts are not compared with numbers, conditions are true or false."""

from collections.abc import Iterable, Iterator

from keepwell.model import expression_tree as tree
from keepwell.model.expression_text import literal_text
from keepwell.model.expressions import Expression, parse_expression
from keepwell.model.problems import Problem
from keepwell.model.usages import Usage
from keepwell.model.validation.context import Context
from keepwell.model.validation.inference import BOOLEAN, NUMBER, Kinds, clashes

CONDITIONS = frozenset({"where", "matching"})


def check(context: Context) -> Iterable[Problem]:
    """Clashes inside expressions, and expressions that are not of the kind their place needs."""
    kinds = Kinds(context)
    for usage in context.all_usages:
        # The kinds of a table's columns are the warehouse's to know: of rows only what is written down is checked.
        if usage.scope == "rows":
            continue
        for part, message in clashes(kinds, usage.expression):
            yield _at(context, usage, part, message)
        yield from _place(context, kinds, usage)
    yield from _declared(context, kinds)


def _at(context: Context, usage: Usage, part: Expression, message: str) -> Problem:
    if usage.text is None and usage.path[-1] == "attribute":
        on_value = isinstance(part, tree.Literal)
        return context.error((*usage.path[:-1], "value") if on_value else usage.path, message)
    names = [p for p in tree.walk(part) if isinstance(p, tree.Name | tree.Literal | tree.Call)]
    return context.error(usage.path, message, shift=None if usage.text is None else _column(usage.text, names))


def _column(text: str, parts: list[tree.Name | tree.Literal | tree.Call]) -> int:
    """Where the first of these parts stands in the text."""
    words = [_word(part) for part in parts]
    return next((text.find(word) for word in words if word and word in text), 0)


def _word(part: tree.Name | tree.Literal | tree.Call) -> str:
    if isinstance(part, tree.Name):
        return part.name
    return part.function if isinstance(part, tree.Call) else literal_text(part.value)


def _place(context: Context, kinds: Kinds, usage: Usage) -> Iterator[Problem]:
    found = kinds.of(usage.expression).type
    key = usage.path[-1]
    if found is None or usage.text is None:
        return
    if key in ("value", "target") and usage.path[0] in ("signals", "scores") and found is not NUMBER:
        yield context.error(usage.path, f"is a {found}; '{key}' takes a number")
    elif usage.path[0] != "metrics" and key not in ("value", "target", "money") and found is not BOOLEAN:
        yield context.error(usage.path, f"is a {found}; a condition must be true or false")
    elif key in CONDITIONS and found is not BOOLEAN:
        yield context.error(usage.path, f"is a {found}; '{key}' takes a condition")


def _declared(context: Context, kinds: Kinds) -> Iterator[Problem]:
    for name, metric in context.model.metrics.items():
        path = ("metrics", name)
        if metric.values and metric.type not in (None, "text"):
            yield context.error(
                (*path, "values"), f"only a text has 'values', and '{name}' is a {metric.type}", key=True
            )
        if metric.type is None or metric.expr is None:
            continue
        found = kinds.of(parse_expression(metric.expr)).type
        if found is not None and found is not metric.type:
            yield context.error((*path, "type"), f"'{name}' is a {found} by its expression, not a {metric.type}")
