"""Definitions of conditions: any/all/not groups of tests, as segments, signals and cases use them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from keepwell.model.base import ExpressionText, Scalar, Strict
from keepwell.model.behaviour_definitions import (
    BEHAVIOURS,
    EventCount,
    EventSequence,
    FirstTimeEvent,
    LastEventHas,
    RegularEvent,
    RestartedEvent,
    StoppedEvent,
)
from keepwell.model.spans import LONGEST_DAYS, ComparedLength, compared_days

Operator = Literal[
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
    "starts_with",
    "ends_with",
    "is_unknown",
    "is_known",
]


class AllOf(Strict):
    """Every one holds."""

    all: tuple["Condition", ...] = Field(min_length=1)


class AnyOf(Strict):
    """At least one holds."""

    any: tuple["Condition", ...] = Field(min_length=1)


class NoneOf(Strict):
    """The one inside does not hold; unknown stays unknown."""

    not_: "Condition" = Field(alias="not")


class Test(Strict):
    """`attribute operator value`: any metric, column of customers, score, band, signal or `segment`."""

    __test__ = False
    attribute: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...] | None = None

    @model_validator(mode="after")
    def _shape(self) -> "Test":
        many = isinstance(self.value, tuple)
        if self.operator in ("is_unknown", "is_known"):
            if self.value is not None:
                raise ValueError(f"operator '{self.operator}' takes no value")
        elif self.value is None:
            raise ValueError(f"operator '{self.operator}' needs a value")
        elif self.operator == "between" and (not isinstance(self.value, tuple) or len(self.value) != 2):
            raise ValueError("operator 'between' takes two values: [low, high], both included")
        elif (self.operator in ("in", "not_in", "between")) != many:
            raise ValueError(f"operator '{self.operator}' takes {'one value' if many else 'a list'}")
        return self


class InSegment(Strict):
    """Is in another segment of the model."""

    segment: str


class Moved(Strict):
    """Entered or left a segment, or a band, within the last days."""

    entered: str | None = None
    left: str | None = None
    within_days: int = Field(ge=1, le=365)

    @model_validator(mode="after")
    def _one(self) -> "Moved":
        if (self.entered is None) == (self.left is None):
            raise ValueError("needs exactly one of entered, left")
        return self


class HeldFor(Strict):
    """An attribute has had a value at the end of so many days in a row, this one included."""

    attribute: str
    operator: Literal["has_been_for"]
    value: Scalar
    for_: ComparedLength = Field(alias="for")

    @model_validator(mode="after")
    def _days(self) -> "HeldFor":
        _, days = compared_days(self.for_)
        if days > LONGEST_DAYS:
            raise ValueError(f"a model looks back {LONGEST_DAYS} days at most, not {days}")
        return self


KINDS: Final[Mapping[type[Strict], str]] = {
    AllOf: "all",
    AnyOf: "any",
    NoneOf: "not",
    Test: "test",
    InSegment: "segment",
    Moved: "moved",
    HeldFor: "held",
    **{kind: kind.__name__ for kind in BEHAVIOURS.values()},
}
KEYS: Final[Mapping[str, str]] = {
    "all": "all",
    "any": "any",
    "not": "not",
    "attribute": "test",
    "segment": "segment",
    "entered": "moved",
    "left": "moved",
    **{key: kind.__name__ for key, kind in BEHAVIOURS.items()},
}


def condition_kind(value: Any) -> str | None:
    """Which of the shapes a piece of YAML, or a condition already read, has; None when it has none."""
    if isinstance(value, str | bool):
        return "text"
    if isinstance(value, Strict):
        return KINDS.get(type(value))
    if not isinstance(value, dict):
        return None
    kind = next((kind for key, kind in KEYS.items() if key in value), None)
    return "held" if kind == "test" and value.get("operator") == "has_been_for" else kind


Condition = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[NoneOf, Tag("not")]
    | Annotated[Test, Tag("test")]
    | Annotated[InSegment, Tag("segment")]
    | Annotated[Moved, Tag("moved")]
    | Annotated[HeldFor, Tag("held")]
    | Annotated[EventCount, Tag("EventCount")]
    | Annotated[FirstTimeEvent, Tag("FirstTimeEvent")]
    | Annotated[StoppedEvent, Tag("StoppedEvent")]
    | Annotated[RestartedEvent, Tag("RestartedEvent")]
    | Annotated[RegularEvent, Tag("RegularEvent")]
    | Annotated[EventSequence, Tag("EventSequence")]
    | Annotated[LastEventHas, Tag("LastEventHas")]
    | Annotated[ExpressionText, Tag("text")],
    Discriminator(
        condition_kind,
        custom_error_type="condition",
        custom_error_message='a condition is a text such as "logins_30d >= 8",'
        " or a group or test with all, any, not, attribute, segment, entered or left,"
        f" or behaviour with {', '.join(BEHAVIOURS)}",
    ),
]

AllOf.model_rebuild()
AnyOf.model_rebuild()
NoneOf.model_rebuild()
