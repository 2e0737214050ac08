"""Expressions written as people write them: for explanations, messages and comparisons of models."""

from decimal import Decimal

from keepwell.model.expression_tree import (
    KEYWORDS,
    Arithmetic,
    Between,
    Call,
    Case,
    Compare,
    Expression,
    In,
    Like,
    Literal,
    Logic,
    Name,
    Not,
)


def expression_text(expression: Expression) -> str:
    """Return text that parses to the same expression."""
    match expression:
        case Literal(value):
            return literal_text(value)
        case Name(name):
            return ".".join(_name(part) for part in name.split("."))
        case Call(function, arguments):
            return f"{function}({', '.join(map(expression_text, arguments))})"
        case Arithmetic(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case Compare(operator, left, right):
            return f"{_inner(left)} {operator} {_inner(right)}"
        case In(item, options):
            return f"{_inner(item)} in ({', '.join(map(expression_text, options))})"
        case Between(item, low, high):
            return f"{_inner(item)} between {_inner(low)} and {_inner(high)}"
        case Like(item, pattern):
            return f"{_inner(item)} like {literal_text(pattern)}"
        case Not(In(item, options)):
            return f"{_inner(item)} not in ({', '.join(map(expression_text, options))})"
        case Not(item):
            return f"not {_inner(item)}"
        case Logic(operator, items):
            return f" {operator} ".join(map(_inner, items))
        case Case(branches, otherwise):
            cases = " ".join(f"when {expression_text(c)} then {expression_text(v)}" for c, v in branches)
            return f"case {cases} else {expression_text(otherwise)} end"


def literal_text(value: Decimal | str | bool | None) -> str:
    """A literal as the language writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"{value:f}"


def _name(part: str) -> str:
    plain = part.isidentifier() and part.isascii() and part.lower() not in KEYWORDS
    return part if plain else '"' + part.replace('"', '""') + '"'


def _inner(part: Expression) -> str:
    text = expression_text(part)
    return text if isinstance(part, Literal | Name | Call | Case) else f"({text})"
