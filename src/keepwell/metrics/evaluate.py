"""Expressions over columns, with three-valued logic: what is unknown stays unknown, and says why.

`failed or unknown` is true when failed is true, else unknown. A result's quality is the worst of what decided it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from keepwell.metrics.frame import UNKNOWN_FROM, Bools, Codes, Column, Floats, Ints, Quality, constant_column
from keepwell.metrics.months import months_between
from keepwell.model.expressions import (
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Expression,
    ExpressionError,
    In,
    Like,
    Literal,
    Logic,
    Name,
    Not,
)
from keepwell.model.metric_definitions import MetricType

Lookup = Callable[[str], Column]
History = Callable[[str, int], Column]

_COMPARE: Final[dict[str, Callable[[Floats, Floats], Bools]]] = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}


@dataclass(frozen=True)
class Context:
    """What an expression is evaluated on: names to columns, the as-of day of each row, and values of earlier days."""

    lookup: Lookup
    days: Ints
    history: History | None = None

    @property
    def rows(self) -> int:
        return len(self.days)


def evaluate(expression: Expression, context: Context) -> Column:
    """Evaluate one expression; raises ExpressionError for what cannot be evaluated on metric values."""
    match expression:
        case Literal(value):
            return _literal(value, context.rows)
        case Name(name):
            return context.lookup(name)
        case Arithmetic(operator, left, right):
            return _arithmetic(operator, evaluate(left, context), evaluate(right, context))
        case Compare(operator, left, right):
            return compare(operator, evaluate(left, context), evaluate(right, context))
        case In(item, options):
            tests = [compare("=", evaluate(item, context), evaluate(option, context)) for option in options]
            return any_of(tests)
        case Between(item, low, high):
            middle = evaluate(item, context)
            low_test = compare(">=", middle, evaluate(low, context))
            return all_of([low_test, compare("<=", middle, evaluate(high, context))])
        case Like(item, pattern):
            return _text_test(evaluate(item, context), lambda text: _like(text, pattern))
        case Not(item):
            return negate(evaluate(item, context))
        case Logic(operator, items):
            parts = [evaluate(item, context) for item in items]
            return all_of(parts) if operator == "and" else any_of(parts)
        case Case(branches, otherwise):
            pairs = [(evaluate(condition, context), evaluate(value, context)) for condition, value in branches]
            return _case(pairs, evaluate(otherwise, context))
        case Call(function, arguments):
            return _call(function, arguments, context)


def negate(column: Column) -> Column:
    """Not: true becomes false, unknown stays."""
    return Column(MetricType.BOOLEAN, 1.0 - column.values, column.quality)


def all_of(columns: Sequence[Column]) -> Column:
    """Kleene's and: one false decides, otherwise one unknown does."""
    return _kleene(columns, decisive=0.0)


def any_of(columns: Sequence[Column]) -> Column:
    """Kleene's or: one true decides, otherwise one unknown does."""
    return _kleene(columns, decisive=1.0)


def _kleene(columns: Sequence[Column], *, decisive: float) -> Column:
    values = np.full(len(columns[0]), 1.0 - decisive)
    quality = np.zeros(len(columns[0]), np.uint8)
    for column in columns:
        quality = np.maximum(quality, column.quality)
    decided = np.zeros(len(values), np.bool_)
    for column in columns:
        hit = column.known & (column.values == decisive)
        quality = np.where(hit & ~decided, column.quality, quality)
        decided |= hit
    values[decided] = decisive
    values[quality >= UNKNOWN_FROM] = np.nan
    return Column(MetricType.BOOLEAN, values, quality.astype(np.uint8))


def compare(operator: str, left: Column, right: Column) -> Column:
    """Compare two columns of one kind; texts by their spelling, `=` and `!=` also across case-folded codes."""
    quality = _worst(left, right)
    if MetricType.TEXT in (left.type, right.type):
        left, right = _same_texts(left, right)
    with np.errstate(invalid="ignore"):
        result = _COMPARE[operator](left.values, right.values).astype(np.float64)
    result[quality >= UNKNOWN_FROM] = np.nan
    return Column(MetricType.BOOLEAN, result, quality)


def _worst(*columns: Column) -> Codes:
    quality = columns[0].quality
    for column in columns[1:]:
        quality = np.maximum(quality, column.quality)
    return quality


def _same_texts(left: Column, right: Column) -> tuple[Column, Column]:
    """Recode both onto one sorted list, so that codes compare like the texts."""
    left, right = _text_if_empty(left), _text_if_empty(right)
    if left.type is not MetricType.TEXT or right.type is not MetricType.TEXT:
        raise ExpressionError("a text cannot be compared with a number")
    texts = tuple(sorted({*left.texts, *right.texts}))
    place = {text: i for i, text in enumerate(texts)}
    return _recode(left, place, texts), _recode(right, place, texts)


def _text_if_empty(column: Column) -> Column:
    """A column without any value (a bare null) has no kind of its own and may stand beside texts."""
    if column.type is MetricType.TEXT or column.known.any():
        return column
    return Column(MetricType.TEXT, column.values, column.quality)


def _recode(column: Column, place: dict[str, int], texts: tuple[str, ...]) -> Column:
    table = np.array([place[text] for text in column.texts], dtype=np.float64)
    values = np.full(len(column), np.nan)
    known = column.known
    if len(table):
        values[known] = table[column.values[known].astype(np.int64)]
    return Column(MetricType.TEXT, values, column.quality, texts)


def _literal(value: Decimal | str | bool | None, rows: int) -> Column:
    if value is None:
        return Column(MetricType.NUMBER, np.full(rows, np.nan), np.full(rows, Quality.EMPTY, np.uint8))
    return constant_column(rows, float(value) if isinstance(value, Decimal) else value)


def _arithmetic(operator: str, left: Column, right: Column) -> Column:
    if MetricType.TEXT in (left.type, right.type):
        raise ExpressionError(f"'{operator}' takes numbers, not texts")
    quality = _worst(left, right)
    with np.errstate(all="ignore"):
        match operator:
            case "+":
                values = left.values + right.values
            case "-":
                values = left.values - right.values
            case "*":
                values = left.values * right.values
            case _:
                values = left.values / right.values
    lost = ~np.isfinite(values) & (quality < UNKNOWN_FROM)
    quality = np.where(lost, np.uint8(Quality.UNDEFINED), quality)
    values[quality >= UNKNOWN_FROM] = np.nan
    kind = _sum_type(operator, left.type, right.type)
    return Column(kind, values, quality)


def _sum_type(operator: str, left: MetricType, right: MetricType) -> MetricType:
    one_date = (left is MetricType.DATE) != (right is MetricType.DATE)
    return MetricType.DATE if one_date and operator in "+-" else MetricType.NUMBER


def _case(pairs: list[tuple[Column, Column]], otherwise: Column) -> Column:
    """First true branch; an unknown condition leaves the result unknown unless both ways give the same."""
    result = otherwise
    for condition, value in reversed(pairs):
        value, result = _same_texts(value, result) if MetricType.TEXT in (value.type, result.type) else (value, result)
        true = condition.known & (condition.values != 0.0)
        same = value.known & result.known & (value.values == result.values)
        unsure = ~condition.known & ~same
        values = np.where(true, value.values, result.values)
        quality = np.where(true, value.quality, result.quality)
        quality = np.where(unsure, condition.quality, np.maximum(quality, np.where(same, 0, condition.quality)))
        values = np.where(quality >= UNKNOWN_FROM, np.nan, values)
        result = Column(value.type, values, quality.astype(np.uint8), value.texts)
    return result


def _call(function: str, arguments: tuple[Expression, ...], context: Context) -> Column:
    if function == "before":
        return _before(arguments, context)
    if function == "as_of":
        return Column(MetricType.DATE, context.days.astype(np.float64), np.zeros(context.rows, np.uint8))
    columns = [evaluate(argument, context) for argument in arguments]
    first = columns[0]
    match function:
        case "is_known" | "is_unknown":
            known = first.known if function == "is_known" else ~first.known
            return Column(MetricType.BOOLEAN, known.astype(np.float64), np.zeros(len(first), np.uint8))
        case "abs" | "floor" | "ceil":
            return Column(first.type, getattr(np, function)(first.values), first.quality)
        case "least" | "greatest":
            pick = np.minimum if function == "least" else np.maximum
            values = first.values
            for column in columns[1:]:
                values = pick(values, column.values)
            return Column(first.type, values, _worst(*columns))
        case "coalesce":
            return _coalesce(columns)
        case "nullif":
            same = compare("=", first, columns[1])
            hit = same.known & (same.values != 0.0)
            quality = np.where(hit, np.uint8(Quality.EMPTY), first.quality)
            return Column(first.type, np.where(hit, np.nan, first.values), quality, first.texts)
        case "days_since" | "days_until" | "days_between":
            return _days(function, columns, context)
        case "months_since":
            return Column(MetricType.NUMBER, months_between(first.values, context.days), first.quality)
        case "contains" | "starts_with" | "ends_with":
            return _text_pair(function, first, columns[1])
        case "lower" | "upper" | "trim" | "length":
            return _text_function(function, first)
    raise ExpressionError(f"{function}() cannot be used on metric values")


def _before(arguments: tuple[Expression, ...], context: Context) -> Column:
    what, lag = arguments
    if not (isinstance(what, Name) and isinstance(lag, Literal) and isinstance(lag.value, Decimal)):
        raise ExpressionError("before() takes a name and a number of days: before(health_score, 30)")
    if context.history is None:
        column = context.lookup(what.name)
        return Column(
            column.type, np.full(context.rows, np.nan), np.full(context.rows, Quality.NO_ROWS, np.uint8), column.texts
        )
    return context.history(what.name, int(lag.value))


def _coalesce(columns: list[Column]) -> Column:
    result = columns[-1]
    for column in reversed(columns[:-1]):
        if MetricType.TEXT in (column.type, result.type):
            column, result = _same_texts(column, result)
        known = column.known
        values = np.where(known, column.values, result.values)
        result = Column(column.type, values, np.where(known, column.quality, result.quality), column.texts)
    return result


def _days(function: str, columns: list[Column], context: Context) -> Column:
    today = Column(MetricType.DATE, context.days.astype(np.float64), np.zeros(context.rows, np.uint8))
    match function:
        case "days_since":
            start, end = columns[0], today
        case "days_until":
            start, end = today, columns[0]
        case _:
            start, end = columns[0], columns[1]
    return Column(MetricType.NUMBER, end.values - start.values, _worst(start, end))


def _text_test(column: Column, test: Callable[[str], bool]) -> Column:
    table = np.array([test(text) for text in column.texts], dtype=np.float64)
    return _by_text(column, table, MetricType.BOOLEAN)


def _by_text(column: Column, table: Floats, kind: MetricType, texts: tuple[str, ...] = ()) -> Column:
    if column.type is not MetricType.TEXT and column.known.any():
        raise ExpressionError("a text was expected, not a number")
    values = np.full(len(column), np.nan)
    known = column.known
    if len(table):
        values[known] = table[column.values[known].astype(np.int64)]
    return Column(kind, values, column.quality, texts)


def _text_pair(function: str, column: Column, part: Column) -> Column:
    if len(part.texts) != 1:
        raise ExpressionError(f"{function}() takes a text in quotes as its second value")
    needle = part.texts[0].casefold()
    tests: dict[str, Callable[[str], bool]] = {
        "contains": lambda text: needle in text.casefold(),
        "starts_with": lambda text: text.casefold().startswith(needle),
        "ends_with": lambda text: text.casefold().endswith(needle),
    }
    return _text_test(column, tests[function])


def _text_function(function: str, column: Column) -> Column:
    if function == "length":
        return _by_text(column, np.array([len(t) for t in column.texts], dtype=np.float64), MetricType.NUMBER)
    changes: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim": str.strip}
    changed = [changes[function](text) for text in column.texts]
    texts = tuple(sorted(set(changed)))
    table = np.array([texts.index(text) for text in changed], dtype=np.float64)
    return _by_text(column, table, MetricType.TEXT, texts)


def _like(text: str, pattern: str) -> bool:
    """SQL's like with % and _, by scanning: no regular expression is built from a model's text."""
    if not pattern:
        return not text
    head, rest = pattern[0], pattern[1:]
    if head == "%":
        return any(_like(text[i:], rest) for i in range(len(text) + 1))
    return bool(text) and head in ("_", text[0]) and _like(text[1:], rest)
