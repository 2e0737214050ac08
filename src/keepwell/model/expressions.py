"""The small expression language of models and mappings: SQL's syntax, a fixed list of what may be used.

Text is parsed by sqlglot and turned into the closed set of node types below; whatever is not on the list is
refused with its position. The same tree is evaluated on columns
(`metrics.evaluate`) and written as SQL (`expression_sql`).
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from keepwell.model.expression_tree import (
    KEYWORDS,
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
    children,
    depth,
    names_in,
    transform,
    walk,
)
from keepwell.model.problems import did_you_mean

__all__ = [
    "FUNCTIONS",
    "Arithmetic",
    "Between",
    "Call",
    "Case",
    "Compare",
    "Expression",
    "ExpressionError",
    "In",
    "Like",
    "Literal",
    "Logic",
    "Name",
    "Not",
    "children",
    "depth",
    "names_in",
    "parse_expression",
    "transform",
    "walk",
]

COMPARISONS: Final[Mapping[type[exp.Expression], str]] = {
    exp.EQ: "=",
    exp.NEQ: "!=",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
ARITHMETIC: Final[Mapping[type[exp.Expression], str]] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/"}
FUNCTIONS: Final[Mapping[str, tuple[int, int]]] = {
    "abs": (1, 1),
    "least": (2, 9),
    "greatest": (2, 9),
    "coalesce": (1, 9),
    "nullif": (2, 2),
    "floor": (1, 1),
    "ceil": (1, 1),
    "if": (3, 3),
    "is_known": (1, 1),
    "is_unknown": (1, 1),
    "as_of": (0, 0),
    "days_since": (1, 1),
    "days_until": (1, 1),
    "months_since": (1, 1),
    "days_between": (2, 2),
    "before": (2, 2),
    "hours_between": (2, 2),
    "contains": (2, 2),
    "starts_with": (2, 2),
    "ends_with": (2, 2),
    "lower": (1, 1),
    "upper": (1, 1),
    "trim": (1, 1),
    "length": (1, 1),
    "concat": (1, 9),
    "replace": (3, 3),
    "substr": (2, 3),
    "split_part": (3, 3),
    "number": (1, 1),
    "text": (1, 1),
    "property": (1, 1),
}


# Once: looking a dialect up makes a new one each time, which takes longer than most expressions.
DUCKDB: Final = sqlglot.Dialect.get_or_raise("duckdb")
# Digits before or after the point that still fit into every engine's numbers.
LARGEST: Final = 30
# Deeper trees than a person writes would only exhaust the stack of whoever walks them.
DEEPEST: Final = 100


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Parse one expression; raises ExpressionError with the column of what is wrong."""
    if not text.strip():
        raise ExpressionError("an expression is empty")
    try:
        expression = _convert(sqlglot.parse_one(text, dialect=DUCKDB, into=exp.Condition))
        too_deep = depth(expression) > DEEPEST
    except SqlglotError as error:
        raise _syntax(text, error) from None
    except RecursionError:
        too_deep = True
    if too_deep:
        raise ExpressionError("not an expression: too deeply nested")
    return expression


def _syntax(text: str, error: SqlglotError) -> ExpressionError:
    """Say in plain words what the parser stumbled over, and where that starts."""
    found = (getattr(error, "errors", None) or [{}])[0]
    word = str(found.get("highlight") or "")
    if not found.get("line"):
        return ExpressionError("not an expression: a quote or bracket is not closed")
    lines = text.split("\n")[: int(found["line"]) - 1]
    start = sum(len(line) + 1 for line in lines) + int(found["col"]) - len(word)
    start = max(0, min(start, len(text) - 1))
    description = str(found.get("description") or "")
    if "missing for" in description:
        return ExpressionError(f"not an expression: something is missing near '{word}'", start)
    if description.startswith("Expect"):
        return ExpressionError(f"not an expression: {description[:1].lower()}{description[1:]} near '{word}'", start)
    return ExpressionError(f"not an expression: '{word}' is not expected here", start)


def _start(node: Any) -> int:
    """The first character of a node: the parser notes it on identifiers, texts, numbers and functions."""
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=0)


def _refuse(node: Any, message: str = "") -> ExpressionError:
    return ExpressionError(message or f"'{node.sql(dialect='duckdb')[:60]}' may not be used here", _start(node))


def _convert(node: Any) -> Expression:
    kind = type(node)
    if kind in COMPARISONS:
        return Compare(COMPARISONS[kind], _convert(node.this), _convert(node.expression))
    if kind in ARITHMETIC:
        return Arithmetic(ARITHMETIC[kind], _convert(node.this), _convert(node.expression))
    if kind in (exp.And, exp.Or):
        operator = "and" if kind is exp.And else "or"
        return Logic(operator, tuple(_flatten(operator, (_convert(node.this), _convert(node.expression)))))
    handler = _HANDLERS.get(kind)
    if handler:
        return handler(node)
    if isinstance(node, exp.Func):
        return _call(node)
    raise _refuse(node)


def _flatten(operator: str, items: tuple[Expression, ...]) -> Iterator[Expression]:
    for item in items:
        if isinstance(item, Logic) and item.operator == operator:
            yield from item.items
        else:
            yield item


def _column(node: Any) -> Expression:
    if isinstance(node.this, exp.Star):
        raise _refuse(node)
    if any(not part.args.get("quoted") and part.name.lower() in KEYWORDS for part in node.parts):
        raise _refuse(node, f"not an expression: '{node.parts[0].name}' is not expected here")
    return Name(".".join(part.name for part in node.parts))


def _literal(node: Any) -> Expression:
    if node.is_string:
        return Literal(str(node.this))
    number = Decimal(str(node.this))
    if number and not -LARGEST <= number.adjusted() <= LARGEST:
        raise _refuse(node, "a number this large or small cannot be used")
    return Literal(number)


def _is(node: Any) -> Expression:
    right = node.expression
    item = _convert(node.this)
    if isinstance(right, exp.Null):
        return Call("is_unknown", (item,))
    if isinstance(right, exp.Boolean):
        return Compare("=", item, Literal(bool(right.this)))
    raise _refuse(node, "'is' takes null, true or false")


def _negative(node: Any) -> Expression:
    inner = _convert(node.this)
    if isinstance(inner, Literal) and isinstance(inner.value, Decimal):
        return Literal(-inner.value)
    return Arithmetic("-", Literal(Decimal(0)), inner)


def _in(node: Any) -> Expression:
    if not node.expressions:
        raise _refuse(node, "'in' takes a list in brackets")
    return In(_convert(node.this), tuple(_convert(option) for option in node.expressions))


def _like(node: Any) -> Expression:
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise _refuse(node, "'like' takes a pattern in quotes")
    return Like(_convert(node.this), str(pattern.this))


def _case(node: Any) -> Expression:
    subject = node.args.get("this")
    branches = tuple(
        (Compare("=", _convert(subject), _convert(b.this)) if subject else _convert(b.this), _convert(b.args["true"]))
        for b in node.args["ifs"]
    )
    default = node.args.get("default")
    return Case(branches, _convert(default) if default else Literal(None))


def _if(node: Any) -> Expression:
    otherwise = node.args.get("false")
    branch = (_convert(node.this), _convert(node.args["true"]))
    return Case((branch,), _convert(otherwise) if otherwise else Literal(None))


_HANDLERS: Final[dict[type[exp.Expression], Callable[[Any], Expression]]] = {
    exp.Column: _column,
    exp.Dot: lambda node: Name(node.sql().replace('"', "")),
    exp.Literal: _literal,
    exp.Boolean: lambda node: Literal(bool(node.this)),
    exp.Null: lambda node: Literal(None),
    exp.Paren: lambda node: _convert(node.this),
    exp.Neg: _negative,
    exp.Not: lambda node: Not(_convert(node.this)),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: lambda node: Between(_convert(node.this), _convert(node.args["low"]), _convert(node.args["high"])),
    exp.Like: _like,
    exp.Case: _case,
    exp.If: _if,
}

_RENAMED: Final[Mapping[str, str]] = {
    "startswith": "starts_with",
    "endswith": "ends_with",
    "substring": "substr",
    "split_part": "split_part",
    "ceiling": "ceil",
}


def _call(node: Any) -> Expression:
    name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
    name = _RENAMED.get(name, name)
    if name not in FUNCTIONS and not (isinstance(node, exp.Anonymous) or "start" in node.meta):
        raise _refuse(node)
    if name not in FUNCTIONS:
        hint = did_you_mean(name, FUNCTIONS) or f"; there are: {', '.join(sorted(FUNCTIONS))}"
        raise _refuse(node, f"unknown function '{name}'{hint}")
    if isinstance(node, exp.Anonymous):
        parts = list(node.expressions)
    else:
        parts = [
            p for v in node.args.values() for p in (v if isinstance(v, list) else [v]) if isinstance(p, exp.Expression)
        ]
    low, high = FUNCTIONS[name]
    if not low <= len(parts) <= high:
        takes = str(low) if low == high else f"{low} to {high}"
        raise _refuse(node, f"{name}() takes {takes} values, not {len(parts)}")
    return Call(name, tuple(_convert(part) for part in parts))
