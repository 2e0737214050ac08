"""Expressions written as SQL, built from sqlglot nodes and never from strings."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from sqlglot import exp

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

Resolve = Callable[[str], exp.Expression]
AS_OF: Final = "as_of()"

_COMPARE: Final = {"=": exp.EQ, "!=": exp.NEQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}
_PLAIN: Final = {"abs", "least", "greatest", "coalesce", "nullif", "floor", "ceil", "lower", "upper", "trim"} | {
    "length",
    "concat",
    "replace",
    "substr",
    "split_part",
    "contains",
    "starts_with",
    "ends_with",
}


def expression_sql(expression: Expression, resolve: Resolve) -> Any:
    """Return the sqlglot tree of `expression`; `resolve` maps a name (and `as_of()`) to SQL."""

    def sql(part: Expression) -> Any:
        match part:
            case Literal(value):
                return _literal(value)
            case Name(name):
                return resolve(name)
            case Arithmetic(operator, left, right):
                return _arithmetic(operator, sql(left), sql(right))
            case Compare(operator, left, right):
                return _COMPARE[operator](this=sql(left), expression=sql(right))
            case In(item, options):
                return exp.In(this=sql(item), expressions=[sql(option) for option in options])
            case Between(item, low, high):
                return exp.Between(this=sql(item), low=sql(low), high=sql(high))
            case Like(item, pattern):
                return exp.Like(this=sql(item), expression=exp.Literal.string(pattern))
            case Not(item):
                return exp.Not(this=exp.Paren(this=sql(item)))
            case Logic(operator, items):
                join = exp.and_ if operator == "and" else exp.or_
                return exp.Paren(this=join(*[sql(item) for item in items]))
            case Case(branches, otherwise):
                ifs = [exp.If(this=sql(condition), true=sql(value)) for condition, value in branches]
                return exp.Case(ifs=ifs, default=sql(otherwise))
            case Call(function, arguments):
                return _call(function, arguments, sql, resolve)

    return sql(expression)


def _literal(value: Decimal | str | bool | None) -> Any:
    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(str(value))


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    if operator == "/":
        zero = exp.Literal.number(0)
        guarded = exp.Nullif(this=exp.cast(right, "DOUBLE"), expression=zero)
        return exp.Paren(this=exp.Div(this=exp.cast(left, "DOUBLE"), expression=guarded))
    node = {"+": exp.Add, "-": exp.Sub, "*": exp.Mul}[operator]
    return exp.Paren(this=node(this=left, expression=right))


def _call(function: str, arguments: tuple[Expression, ...], sql: Callable[[Expression], Any], resolve: Resolve) -> Any:
    values = [sql(argument) for argument in arguments]
    if function in _PLAIN:
        return exp.func(function, *values, dialect="duckdb")
    if function in ("is_known", "is_unknown"):
        null = exp.Is(this=values[0], expression=exp.Null())
        return exp.Paren(this=null) if function == "is_unknown" else exp.Not(this=exp.Paren(this=null))
    if function == "as_of":
        return resolve(AS_OF)
    if function in ("days_since", "days_until", "days_between"):
        today = resolve(AS_OF) if function != "days_between" else values[0]
        start, end = (values[-1], today) if function == "days_since" else (today, values[-1])
        return exp.func("date_diff", exp.Literal.string("day"), _date(start), _date(end), dialect="duckdb")
    if function == "hours_between":
        micros = exp.func("date_diff", exp.Literal.string("microsecond"), values[0], values[1], dialect="duckdb")
        return exp.Paren(this=exp.Div(this=exp.cast(micros, "DOUBLE"), expression=exp.Literal.number("3600000000.0")))
    if function == "number":
        return exp.TryCast(this=values[0], to=exp.DataType.build("DECIMAL(18,6)"))
    if function == "text":
        return exp.cast(values[0], "VARCHAR")
    if function == "property":
        path = arguments[0]
        if not (isinstance(path, Literal) and isinstance(path.value, str)):
            raise ExpressionError("property() takes a name in quotes")
        # A key, not a path: what is in the text cannot address anything but that key.
        quoted = '"' + path.value.replace('"', "") + '"'
        return exp.Anonymous(this="json_extract_string", expressions=[resolve("properties"), _literal("$." + quoted)])
    raise ExpressionError(f"{function}() cannot be used on rows of a table")


def _date(value: Any) -> Any:
    return exp.cast(value, "DATE")
