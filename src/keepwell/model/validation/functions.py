"""Functions are used where they work, with arguments that they can take."""

from collections.abc import Iterable, Iterator
from typing import Final

from keepwell.model import expression_tree as tree
from keepwell.model.graph import SETTING, lag_days
from keepwell.model.problems import Problem
from keepwell.model.usages import Usage
from keepwell.model.validation.context import Context, is_setting

ROWS_ONLY: Final = frozenset(
    {"hours_between", "concat", "replace", "substr", "split_part", "number", "text", "property"}
)
VALUES_ONLY: Final = frozenset({"months_since"})
TEXT_TESTS: Final = frozenset({"contains", "starts_with", "ends_with"})


def check(context: Context) -> Iterable[Problem]:
    """Functions of rows on values, history on rows, nested history, and arguments that must be literal."""
    for usage in context.all_usages:
        for part in tree.walk(usage.expression):
            if isinstance(part, tree.Call):
                for message in _messages(context, usage, part):
                    yield context.error_at(usage, part.function, message)


def _messages(context: Context, usage: Usage, call: tree.Call) -> Iterator[str]:
    on_rows = usage.scope == "rows"
    if call.function in ROWS_ONLY and not on_rows:
        yield f"{call.function}() works on rows of a table (of, per, where, matching) only"
    if call.function in VALUES_ONLY and on_rows:
        yield f"{call.function}() works on what is known of a customer, not on rows of a table"
    if call.function == "property" and not _is_text(call.arguments[0]):
        yield "property() takes a name in quotes: property('key')"
    if call.function in TEXT_TESTS and not on_rows and not _is_text_or_setting(call.arguments[1]):
        yield f"{call.function}() takes a text in quotes as its second value"
    if call.function == "before":
        yield from _before(context, usage, call)


def _before(context: Context, usage: Usage, call: tree.Call) -> Iterator[str]:
    what, lag = call.arguments
    if usage.scope != "customer":
        yield "before() works on values of customers only; rows have 'window' and 'offset'"
    elif any(isinstance(p, tree.Call) and p.function == "before" for p in tree.walk(what)):
        yield "before() cannot be nested; add the days"
    elif not isinstance(what, tree.Name):
        yield "before() takes a name and a number of days: before(health_score, 30)"
    elif lag_days(call, context.model.settings) is None and not _unknown_setting(context, lag):
        yield "before() takes a whole number of days, 1 to 3660, as its second value"


def _unknown_setting(context: Context, lag: tree.Expression) -> bool:
    if not (isinstance(lag, tree.Name) and is_setting(lag.name)):
        return False
    return lag.name.removeprefix(SETTING) not in context.model.settings.values


def _is_text(part: tree.Expression) -> bool:
    return isinstance(part, tree.Literal) and isinstance(part.value, str)


def _is_text_or_setting(part: tree.Expression) -> bool:
    return _is_text(part) or (isinstance(part, tree.Name) and is_setting(part.name))
