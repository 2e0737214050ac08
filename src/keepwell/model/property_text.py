"""Texts such as `status = 'active' and amount >= 100` as tests of attributes or of an event's properties."""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from keepwell.model import expression_tree as tree
from keepwell.model.criteria_tree import Criteria, Group, PropertyTest, Value
from keepwell.model.expression_text import expression_text
from keepwell.model.expressions import parse_expression

_COMPARED: Final = {
    "=": "equals",
    "!=": "not_equals",
    ">": "greater",
    ">=": "greater_or_equal",
    "<": "less",
    "<=": "less_or_equal",
}
_TURNED: Final = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_CALLS: Final = ("contains", "starts_with", "ends_with")
_KNOWN: Final = ("is_known", "is_unknown")


def property_text(text: str) -> Criteria:
    """The tests that a text stands for; raises ExpressionError for what can only be computed from metrics."""
    return _criteria(parse_expression(text))


def _criteria(part: tree.Expression) -> Criteria:
    match part:
        case tree.Logic(operator, items):
            return Group("all" if operator == "and" else "any", tuple(map(_criteria, items)))
        case tree.Not(item):
            return Group("not", (_criteria(item),))
        case tree.Name(name):
            return PropertyTest(_path(name), "equals", True)
        case tree.Compare(operator, tree.Name(name), tree.Literal(value)) if value is not None:
            return PropertyTest(_path(name), _COMPARED[operator], _value(value))
        case tree.Compare(operator, tree.Literal(value), tree.Name(name)) if value is not None:
            return PropertyTest(_path(name), _COMPARED[_TURNED.get(operator, operator)], _value(value))
        case tree.In(tree.Name(name), options):
            return PropertyTest(_path(name), "in", tuple(map(_literal, options)))
        case tree.Between(tree.Name(name), low, high):
            return PropertyTest(_path(name), "between", (_literal(low), _literal(high)))
        case tree.Call(function, (tree.Name(name), text)) if function in _CALLS:
            return PropertyTest(_path(name), function, _literal(text))
        case tree.Call(function, (tree.Name(name),)) if function in _KNOWN:
            return PropertyTest(_path(name), function)
    raise _refused(part)


def _refused(part: tree.Expression) -> tree.ExpressionError:
    return tree.ExpressionError(
        f"'{expression_text(part)}' cannot be used here: a text compares one attribute or property with values"
    )


def _path(name: str) -> tuple[str, ...]:
    return tuple(name.split("."))


def _literal(part: tree.Expression) -> Value:
    if isinstance(part, tree.Literal) and part.value is not None:
        return _value(part.value)
    raise _refused(part)


def _value(value: Decimal | str | bool) -> Value:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _as_text(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _checked(text: str) -> str:
    property_text(text)
    return text


PropertyText = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked), WithJsonSchema({"type": "string"})]
