"""Definitions of playbooks: what starts one, for whom, its steps in order, and what ends it."""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from keepwell.model.base import Strict
from keepwell.model.condition_definitions import Condition
from keepwell.model.message_definitions import Cap
from keepwell.model.step_definitions import AnyStep, kind_by_key
from keepwell.model.timelines import TimelineText

Stop = Literal["reply", "click", "meeting", "login", "outcome", "signal_off", "segment_left"]


class SignalTrigger(Strict):
    """Starts when a signal turns on."""

    signal: str


class EnteredTrigger(Strict):
    """Starts when a customer enters a segment."""

    segment_entered: str
    newcomers: bool = Field(False, description="Who became a customer in the last 30 days enters, too.")


class LeftTrigger(Strict):
    """Starts when a customer leaves a segment."""

    segment_left: str


class ScoreTrigger(Strict):
    """Starts when a score crosses a value: falls `below` it, or reaches it from below (`from`)."""

    score: str
    below: float | None = None
    reaches: float | None = None

    @model_validator(mode="after")
    def _one(self) -> "ScoreTrigger":
        if (self.below is None) == (self.reaches is None):
            raise ValueError("a score crossing needs exactly one of below, reaches")
        return self


class DateTrigger(Strict):
    """Starts so many days before or after a date of the customer."""

    date: str
    days_before: int | None = Field(None, ge=0, le=730)
    days_after: int | None = Field(None, ge=0, le=3650)

    @model_validator(mode="after")
    def _one(self) -> "DateTrigger":
        if (self.days_before is None) == (self.days_after is None):
            raise ValueError("a date needs exactly one of days_before, days_after")
        return self


class EventTrigger(Strict):
    """Starts when an event arrives: of the product, of billing, a ticket, an answer to a survey."""

    event: str = Field(min_length=1)


class ManualTrigger(Strict):
    """Starts when a person starts it, or another playbook does."""

    manual: Literal[True]


TRIGGERS: Final = {
    "signal": SignalTrigger,
    "segment_entered": EnteredTrigger,
    "segment_left": LeftTrigger,
    "score": ScoreTrigger,
    "date": DateTrigger,
    "event": EventTrigger,
    "manual": ManualTrigger,
}


Trigger = Annotated[
    Annotated[SignalTrigger, Tag("SignalTrigger")]
    | Annotated[EnteredTrigger, Tag("EnteredTrigger")]
    | Annotated[LeftTrigger, Tag("LeftTrigger")]
    | Annotated[ScoreTrigger, Tag("ScoreTrigger")]
    | Annotated[DateTrigger, Tag("DateTrigger")]
    | Annotated[EventTrigger, Tag("EventTrigger")]
    | Annotated[ManualTrigger, Tag("ManualTrigger")],
    Discriminator(
        kind_by_key(TRIGGERS),
        custom_error_type="trigger",
        custom_error_message=f"a trigger has one of {', '.join(TRIGGERS)}",
    ),
]


class ReEntry(Strict):
    """Whether a customer who went through may start again, `after` how long, `at_most` how often in all."""

    allowed: bool = True
    after: TimelineText | None = None
    at_most: int | None = Field(None, ge=1)


class Playbook(Strict):
    """Timed steps for one customer at a time."""

    label: str = ""
    description: str = ""
    trigger: Trigger
    audience: Condition | None = Field(None, description="Only customers for whom this holds when it starts.")
    steps: tuple[AnyStep, ...] = Field(min_length=1)
    stop_on: tuple[Stop, ...] = Field((), description="Answers and changes that end it; leaving always does.")
    goal: Condition | None = Field(None, description="It worked, and ends, when this holds.")
    goal_days: int = Field(60, ge=1, le=730, description="Within so many days of its start the goal counts.")
    re_entry: ReEntry = ReEntry(after="90d")
    cap: Cap | None = Field(None, description="A stricter cap on messages than the calendar's.")
    hold_out: float = Field(0.0, ge=0, le=0.5, description="Share of customers left alone, to compare with.")
    longest: TimelineText = Field("26w", description="However it is written, it ends after so long.")
