"""Definitions of alerts: what sets one off, who has to look at it until when, and who is told when nobody does."""

from typing import Annotated, Final, Literal, get_args

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from keepwell.model.base import ExpressionText, Strict
from keepwell.model.property_definitions import Property
from keepwell.model.step_definitions import Channel, Role, kind_by_key
from keepwell.model.timelines import TimelineText

AlertSeverity = Literal["critical", "high", "medium", "low"]


class OnSignal(Strict):
    """A signal that turns on with a day's run."""

    signal: str


class OnEvent(Strict):
    """An event, at once when it arrives: of the product, of billing, of support, an answer to a survey."""

    event: str = Field(min_length=1)
    where: Property | None = Field(None, description="Only when this holds of the event's properties.")


CAUSES: Final = {"signal": OnSignal, "event": OnEvent}
Cause = Annotated[
    Annotated[OnSignal, Tag("OnSignal")] | Annotated[OnEvent, Tag("OnEvent")],
    Discriminator(
        kind_by_key(CAUSES),
        custom_error_type="cause",
        custom_error_message=f"what sets an alert off has one of {', '.join(CAUSES)}",
    ),
]


def _listed(value: object) -> object:
    """One may stand without a list around it."""
    return value if isinstance(value, list | tuple) else [value]


class Rung(Strict):
    """Who is told next when nobody has acknowledged, `after` how long: the first counts from the deadline."""

    to: Role
    after: TimelineText | None = Field(None, description="At once when left out.")


class AlertRule(Strict):
    """When to open an alert, and what to do about it. One is open per customer and rule; others count up."""

    label: str = ""
    description: str = ""
    on: Annotated[
        tuple[Cause, ...],
        BeforeValidator(_listed),
        Field(min_length=1),
        WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "minItems": 1}]}),
    ]
    severity: AlertSeverity = "high"
    within: TimelineText | None = Field(None, description="Until when somebody has to acknowledge it.")
    to: Role = Field("owner", description="Who has to look at it.")
    escalation: tuple[Rung, ...] = Field((), description="Who is told when the deadline passed, one after the other.")
    notify: Annotated[
        tuple[Channel, ...],
        BeforeValidator(_listed),
        Field(min_length=1, description="How colleagues are told; a workspace may say otherwise."),
        WithJsonSchema(
            {
                "anyOf": [
                    {"enum": list(get_args(Channel))},
                    {"type": "array", "items": {"enum": list(get_args(Channel))}, "minItems": 1},
                ]
            }
        ),
    ] = ("email",)
    cool_down: TimelineText | None = Field("24h", description="Once resolved, so long nothing new is opened.")
    off_for_days: int | None = Field(
        2, ge=1, le=60, description="Resolved by itself once its signal was off on so many days in a row."
    )
    resolved_by: OnEvent | None = Field(None, description="The event that makes it good.")
    title: str = Field("", description="With {company}, metric names and {event.PROPERTY} in braces.")
    what: str = Field("", description="What happened, with the same placeholders.")
    action: str = Field("", description="What to do next.")
    money: ExpressionText | None = Field(None, description="Money at stake.")
    money_period: Literal["once", "month", "year"] = "year"


def causes_of(rule: AlertRule) -> tuple[OnEvent, ...]:
    """The events that a rule hears of, those that resolve it included."""
    events = tuple(cause for cause in rule.on if isinstance(cause, OnEvent))
    return events if rule.resolved_by is None else (*events, rule.resolved_by)


def signals_of(rule: AlertRule) -> tuple[str, ...]:
    """The signals that set a rule off."""
    return tuple(cause.signal for cause in rule.on if isinstance(cause, OnSignal))
