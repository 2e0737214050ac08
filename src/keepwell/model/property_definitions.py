"""Definitions of tests of attributes and of the properties of events."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from keepwell.model.base import Scalar, Strict
from keepwell.model.property_text import PropertyText
from keepwell.model.spans import is_moment, length_us, moment_us

PropertyOperator = Literal[
    "equals",
    "not_equals",
    "greater",
    "greater_or_equal",
    "less",
    "less_or_equal",
    "between",
    "in",
    "not_in",
    "contains",
    "contains_ignoring_case",
    "starts_with",
    "ends_with",
    "matches",
    "includes",
    "within_last",
    "before",
    "after",
    "is_unknown",
    "is_known",
]
AttributePath = str | tuple[str, ...]
MANY: Final = ("in", "not_in", "between")
ORDERED: Final = ("greater", "greater_or_equal", "less", "less_or_equal", "between")
TEXTS: Final = ("contains", "contains_ignoring_case", "starts_with", "ends_with", "matches")


def check_value(operator: str, value: Any) -> None:
    """Raise ValueError when an operator cannot be used with a value."""
    if operator in ("is_unknown", "is_known"):
        if value is not None:
            raise ValueError(f"operator '{operator}' takes no value")
        return
    if value is None:
        raise ValueError(f"operator '{operator}' needs a value")
    many = isinstance(value, tuple)
    if operator == "between" and (not many or len(value) != 2):
        raise ValueError("operator 'between' takes two values: [low, high], both included")
    if (operator in MANY) != many:
        raise ValueError(f"operator '{operator}' takes {'one value' if many else 'a list'}")
    if operator in ORDERED:
        _check_ordered(operator, value if many else (value,))
    if operator == "within_last":
        length_us(str(value))
    if operator in ("before", "after"):
        _check_moment(str(value))


def _check_ordered(operator: str, values: tuple[Any, ...]) -> None:
    for value in values:
        if isinstance(value, bool) or (isinstance(value, str) and not is_moment(value)):
            raise ValueError(f"operator '{operator}' takes numbers or dates, not '{value}'")


def _check_moment(text: str) -> None:
    """A moment, or a length of time that means so long before the evaluation."""
    try:
        moment_us(text)
    except ValueError as error:
        try:
            length_us(text)
        except ValueError:
            raise ValueError(f"{error}; a length such as 30d means so long ago") from None


class PropertyAll(Strict):
    """Every one holds."""

    all: tuple["Property", ...] = Field(min_length=1)


class PropertyAny(Strict):
    """At least one holds."""

    any: tuple["Property", ...] = Field(min_length=1)


class PropertyNot(Strict):
    """The one inside does not hold."""

    not_: "Property" = Field(alias="not")


class AttributeTest(Strict):
    """`attribute operator value` on a trait, a column or a property; dots lead into nested values."""

    attribute: AttributePath = Field(min_length=1)
    operator: PropertyOperator
    value: Scalar | tuple[Scalar, ...] | None = None

    @model_validator(mode="after")
    def _shape(self) -> "AttributeTest":
        check_value(self.operator, self.value)
        return self


class ItemMatch(Strict):
    """One item of a list meets the condition."""

    any_item: AttributePath = Field(min_length=1)
    match: "Property"


_KEYS: Final[Mapping[str, str]] = {
    "all": "all",
    "any": "any",
    "not": "not",
    "attribute": "attribute_test",
    "any_item": "item_match",
}
_KINDS: Final[Mapping[type[Strict], str]] = {
    PropertyAll: "all",
    PropertyAny: "any",
    PropertyNot: "not",
    AttributeTest: "attribute_test",
    ItemMatch: "item_match",
}


def _kind(value: Any) -> str | None:
    if isinstance(value, str | bool):
        return "text"
    if isinstance(value, Strict):
        return _KINDS.get(type(value))
    if not isinstance(value, dict):
        return None
    return next((kind for key, kind in _KEYS.items() if key in value), None)


Property = Annotated[
    Annotated[PropertyAll, Tag("all")]
    | Annotated[PropertyAny, Tag("any")]
    | Annotated[PropertyNot, Tag("not")]
    | Annotated[AttributeTest, Tag("attribute_test")]
    | Annotated[ItemMatch, Tag("item_match")]
    | Annotated[PropertyText, Tag("text")],
    Discriminator(
        _kind,
        custom_error_type="condition",
        custom_error_message="a condition on properties is a text such as \"status = 'active'\","
        " or a group or test with all, any, not, attribute or any_item",
    ),
]

PropertyAll.model_rebuild()
PropertyAny.model_rebuild()
PropertyNot.model_rebuild()
ItemMatch.model_rebuild()
