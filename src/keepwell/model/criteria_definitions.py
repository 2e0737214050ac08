"""The definition of one segment by criteria: any/all/not groups over attributes and behaviour."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag

from keepwell.model.base import Scalar, Strict
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
from keepwell.model.property_definitions import AttributePath, AttributeTest, ItemMatch
from keepwell.model.property_text import PropertyText
from keepwell.model.spans import ComparedLength


class CriteriaAll(Strict):
    """Every one holds."""

    all: tuple["CriteriaDefinition", ...] = Field(min_length=1)


class CriteriaAny(Strict):
    """At least one holds."""

    any: tuple["CriteriaDefinition", ...] = Field(min_length=1)


class CriteriaNot(Strict):
    """The one inside does not hold."""

    not_: "CriteriaDefinition" = Field(alias="not")


class HeldForTest(Strict):
    """An attribute has had a value without a break for a length of time."""

    attribute: AttributePath = Field(min_length=1)
    operator: Literal["has_been_for"]
    value: Scalar
    for_: ComparedLength = Field(alias="for")


class SegmentCriteria(Strict):
    """Is in another segment: one of the same file by name, or written out."""

    segment: "str | CriteriaDefinition"


class ListCriteria(Strict):
    """Is on a list that is kept by hand."""

    list: str = Field(min_length=1)


class CustomersCriteria(Strict):
    """Is one of these."""

    customers: tuple[str, ...]


class EveryoneCriteria(Strict):
    """Holds for everyone."""

    everyone: Literal[True]


_KEYS: Final[Mapping[str, type[Strict]]] = {
    "all": CriteriaAll,
    "any": CriteriaAny,
    "not": CriteriaNot,
    "attribute": AttributeTest,
    "any_item": ItemMatch,
    **BEHAVIOURS,
    "segment": SegmentCriteria,
    "list": ListCriteria,
    "customers": CustomersCriteria,
    "everyone": EveryoneCriteria,
}


def criteria_tag(value: Any) -> str | None:
    """Which of the shapes a piece of YAML, or a definition already read, has; None when it has none."""
    if isinstance(value, str | bool):
        return "text"
    if isinstance(value, Strict):
        return type(value).__name__
    if not isinstance(value, dict):
        return None
    kind = next((kind for key, kind in _KEYS.items() if key in value), None)
    if kind is AttributeTest and value.get("operator") == "has_been_for":
        kind = HeldForTest
    return kind.__name__ if kind else None


CriteriaDefinition = Annotated[
    Annotated[CriteriaAll, Tag("CriteriaAll")]
    | Annotated[CriteriaAny, Tag("CriteriaAny")]
    | Annotated[CriteriaNot, Tag("CriteriaNot")]
    | Annotated[AttributeTest, Tag("AttributeTest")]
    | Annotated[HeldForTest, Tag("HeldForTest")]
    | Annotated[ItemMatch, Tag("ItemMatch")]
    | Annotated[EventCount, Tag("EventCount")]
    | Annotated[FirstTimeEvent, Tag("FirstTimeEvent")]
    | Annotated[StoppedEvent, Tag("StoppedEvent")]
    | Annotated[RestartedEvent, Tag("RestartedEvent")]
    | Annotated[RegularEvent, Tag("RegularEvent")]
    | Annotated[EventSequence, Tag("EventSequence")]
    | Annotated[LastEventHas, Tag("LastEventHas")]
    | Annotated[SegmentCriteria, Tag("SegmentCriteria")]
    | Annotated[ListCriteria, Tag("ListCriteria")]
    | Annotated[CustomersCriteria, Tag("CustomersCriteria")]
    | Annotated[EveryoneCriteria, Tag("EveryoneCriteria")]
    | Annotated[PropertyText, Tag("text")],
    Discriminator(
        criteria_tag,
        custom_error_type="condition",
        custom_error_message="a condition is a text such as \"plan = 'pro'\", or has one of these keys: "
        + ", ".join(_KEYS),
    ),
]


class NamedCriteria(Strict):
    """A segment of a file, with what people call it."""

    label: str | None = None
    description: str | None = None
    when: CriteriaDefinition


class CriteriaFile(Strict):
    """A file with one segment (`when`), with segments by name, or with both: `when` may then refer to the others."""

    name: str | None = None
    label: str | None = None
    description: str | None = None
    when: CriteriaDefinition | None = None
    segments: dict[str, NamedCriteria] = Field(default_factory=dict)


for _kind in (CriteriaAll, CriteriaAny, CriteriaNot, SegmentCriteria, NamedCriteria, CriteriaFile):
    _kind.model_rebuild()
CRITERIA_KEYS: Final = tuple(_KEYS)
