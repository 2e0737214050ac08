"""The small expression language of models and mappings: SQL's syntax, a fixed list of what may be used.

Text is parsed by sqlglot and turned into the closed set of node types below; whatever is not on the list is
refused with its position. The same tree is evaluated on columns
(`metrics.evaluate`) and written as SQL (`expression_sql`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

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


class ExpressionError(ValueError):
    """A text that is not an expression of the language; `column` counts characters from 0."""

    def __init__(self, message: str, column: int = 0) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class Literal:
    """A number, text, truth value, or None for unknown."""

    value: Decimal | str | bool | None


@dataclass(frozen=True)
class Name:
    """A metric, a column, or with a dot a setting (`setting.price_per_user`)."""

    name: str


@dataclass(frozen=True)
class Call:
    function: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True)
class Arithmetic:
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class Compare:
    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True)
class In:
    item: "Expression"
    options: tuple["Expression", ...]


@dataclass(frozen=True)
class Between:
    item: "Expression"
    low: "Expression"
    high: "Expression"


@dataclass(frozen=True)
class Like:
    item: "Expression"
    pattern: str


@dataclass(frozen=True)
class Not:
    item: "Expression"


@dataclass(frozen=True)
class Logic:
    """`and` / `or` over two or more conditions."""

    operator: str
    items: tuple["Expression", ...]


@dataclass(frozen=True)
class Case:
    branches: tuple[tuple["Expression", "Expression"], ...]
    otherwise: "Expression"


Expression = Literal | Name | Call | Arithmetic | Compare | In | Between | Like | Not | Logic | Case


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> Expression:
    """Parse one expression; raises ExpressionError with the column of what is wrong."""
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        description = " ".join(str(found[0].get("description") or "cannot be read").split()).rstrip(".")
        raise ExpressionError(f"not an expression: {description}", max(0, int(found[0].get("col") or 1) - 1)) from None
    except RecursionError:
        raise ExpressionError("too deeply nested") from None
    if tree is None:
        raise ExpressionError("an expression is empty")
    return _convert(tree)


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
    raise ExpressionError(f"'{node.sql()[:60]}' may not be used here")


def _flatten(operator: str, items: tuple[Expression, ...]) -> Iterator[Expression]:
    for item in items:
        if isinstance(item, Logic) and item.operator == operator:
            yield from item.items
        else:
            yield item


def _column(node: Any) -> Expression:
    return Name(".".join(part.name for part in node.parts))


def _literal(node: Any) -> Expression:
    return Literal(str(node.this)) if node.is_string else Literal(Decimal(str(node.this)))


def _is(node: Any) -> Expression:
    right = node.expression
    item = _convert(node.this)
    if isinstance(right, exp.Null):
        return Call("is_unknown", (item,))
    if isinstance(right, exp.Boolean):
        return Compare("=", item, Literal(bool(right.this)))
    raise ExpressionError("'is' takes null, true or false")


def _negative(node: Any) -> Expression:
    inner = _convert(node.this)
    if isinstance(inner, Literal) and isinstance(inner.value, Decimal):
        return Literal(-inner.value)
    return Arithmetic("-", Literal(Decimal(0)), inner)


def _in(node: Any) -> Expression:
    if not node.expressions:
        raise ExpressionError("'in' takes a list in brackets")
    return In(_convert(node.this), tuple(_convert(option) for option in node.expressions))


def _like(node: Any) -> Expression:
    pattern = node.expression
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise ExpressionError("'like' takes a pattern in quotes")
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
    if name not in FUNCTIONS:
        known = ", ".join(sorted(FUNCTIONS))
        raise ExpressionError(f"unknown function '{name}'; there are: {known}")
    if isinstance(node, exp.Anonymous):
        parts = list(node.expressions)
    else:
        parts = [
            p for v in node.args.values() for p in (v if isinstance(v, list) else [v]) if isinstance(p, exp.Expression)
        ]
    low, high = FUNCTIONS[name]
    if not low <= len(parts) <= high:
        takes = str(low) if low == high else f"{low} to {high}"
        raise ExpressionError(f"{name}() takes {takes} values, not {len(parts)}")
    return Call(name, tuple(_convert(part) for part in parts))


def children(expression: Expression) -> tuple[Expression, ...]:
    """The direct parts of an expression, in reading order."""
    match expression:
        case Literal() | Name():
            return ()
        case Call(_, arguments):
            return arguments
        case Arithmetic(_, left, right) | Compare(_, left, right):
            return (left, right)
        case In(item, options):
            return (item, *options)
        case Between(item, low, high):
            return (item, low, high)
        case Like(item, _) | Not(item):
            return (item,)
        case Logic(_, items):
            return items
        case Case(branches, otherwise):
            return (*(part for branch in branches for part in branch), otherwise)


def names_in(expression: Expression) -> tuple[str, ...]:
    """Every name used, each once, in reading order."""
    found: dict[str, None] = {}

    def walk(part: Expression) -> None:
        if isinstance(part, Name):
            found.setdefault(part.name)
        for child in children(part):
            walk(child)

    walk(expression)
    return tuple(found)


def transform(expression: Expression, change: Callable[[Expression], Expression]) -> Expression:
    """Rebuild an expression bottom-up, passing every part through `change`."""

    def walk(part: Expression) -> Expression:
        match part:
            case Call(_, arguments):
                part = replace(part, arguments=tuple(map(walk, arguments)))
            case Arithmetic(_, left, right) | Compare(_, left, right):
                part = replace(part, left=walk(left), right=walk(right))
            case In(item, options):
                part = In(walk(item), tuple(map(walk, options)))
            case Between(item, low, high):
                part = Between(walk(item), walk(low), walk(high))
            case Like(item, _) | Not(item):
                part = replace(part, item=walk(item))
            case Logic(_, items):
                part = replace(part, items=tuple(map(walk, items)))
            case Case(branches, otherwise):
                part = Case(tuple((walk(c), walk(v)) for c, v in branches), walk(otherwise))
        return change(part)

    return walk(expression)
