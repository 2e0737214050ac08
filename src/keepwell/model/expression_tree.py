"""The nodes of the expression language, and walks over them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

# Words of the language itself: as a name they must be in double quotes.
KEYWORDS: Final = frozenset(
    {"and", "or", "not", "in", "is", "null", "true", "false", "case", "when", "then", "else", "end", "between", "like"}
    | {"select", "from", "distinct", "as", "interval", "exists"}
)


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
    return tuple(dict.fromkeys(part.name for part in walk(expression) if isinstance(part, Name)))


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


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all its parts, in reading order."""
    yield expression
    for child in children(expression):
        yield from walk(child)


def depth(expression: Expression) -> int:
    """How many levels of parts an expression has."""
    return 1 + max((depth(child) for child in children(expression)), default=0)
