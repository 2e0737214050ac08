"""Definitions of surveys: one question, whom it is put to and when, and what follows from an answer."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from keepwell.model.base import Strict
from keepwell.model.step_definitions import Recipient, Role, Sender, kind_by_key
from keepwell.model.timelines import TimelineText

SurveyKind = Literal["nps", "csat", "ces"]
Group = Literal["low", "middle", "high"]
GROUPS: Final[tuple[Group, ...]] = ("low", "middle", "high")
SCALES: Final[dict[SurveyKind, tuple[int, int]]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
"""The lowest and the highest answer."""
_MIDDLE: Final[dict[SurveyKind, tuple[int, int]]] = {"nps": (7, 8), "csat": (3, 3), "ces": (4, 5)}


def group_of(kind: SurveyKind, score: int) -> Group:
    """Where an answer belongs; of NPS: low are detractors (0 to 6), middle passives, high promoters (9 and 10)."""
    first, last = _MIDDLE[kind]
    return "low" if score < first else "high" if score > last else "middle"


class OnDate(Strict):
    """So many days after a date of the customer, such as the day on which it began."""

    date: str
    after_days: int = Field(ge=0, le=3650)


class OnPeriod(Strict):
    """Again and again; each customer has days of its own, so that answers come in evenly."""

    every_days: int = Field(ge=7, le=730)


class OnTicket(Strict):
    """A ticket that was resolved; who wrote it is asked."""

    ticket: Literal["resolved"]


class OnChange(Strict):
    """A change of the subscription; an upgrade is one to another plan that brings more."""

    change: Literal["new", "upgrade", "expansion", "contraction", "renewal", "reactivation"]


class OnMilestone(Strict):
    """A milestone that was reached, by its kind."""

    milestone: str = Field(min_length=1)


class OnHappening(Strict):
    """An event of the product, at once when it arrives."""

    event: str = Field(min_length=1)


CAUSES: Final[dict[str, Any]] = {
    "date": OnDate,
    "every_days": OnPeriod,
    "ticket": OnTicket,
    "change": OnChange,
    "milestone": OnMilestone,
    "event": OnHappening,
}
SurveyTrigger = Annotated[
    Annotated[OnDate, Tag("OnDate")]
    | Annotated[OnPeriod, Tag("OnPeriod")]
    | Annotated[OnTicket, Tag("OnTicket")]
    | Annotated[OnChange, Tag("OnChange")]
    | Annotated[OnMilestone, Tag("OnMilestone")]
    | Annotated[OnHappening, Tag("OnHappening")],
    Discriminator(
        kind_by_key(CAUSES),
        custom_error_type="survey_trigger",
        custom_error_message=f"what a survey is sent after has one of {', '.join(CAUSES)}",
    ),
]


def _listed(value: object) -> object:
    """One trigger may stand without a list around it."""
    return value if isinstance(value, list | tuple) else [value]


class FollowUp(Strict):
    """The second question, by where the score belongs."""

    low: str = ""
    middle: str = ""
    high: str = ""


class SurveyTask(Strict):
    """What somebody has to do about an answer."""

    task: str = Field(min_length=1, description="The title; {company} and {score} are filled in.")
    within: TimelineText = "24h"
    assign_to: Role = "owner"
    notes: str = ""


class SurveyTasks(Strict):
    """Tasks by where the score belongs; a low score has one whether it is written or not."""

    low: SurveyTask = SurveyTask(task="Answer {company}: {score} in a survey")
    middle: SurveyTask | None = None
    high: SurveyTask | None = None


class Survey(Strict):
    """A question that customers answer with one click."""

    label: str = ""
    description: str = ""
    kind: SurveyKind
    question: str = Field(min_length=1, max_length=300)
    follow_up: FollowUp = FollowUp()
    on: Annotated[
        tuple[SurveyTrigger, ...],
        BeforeValidator(_listed),
        Field(min_length=1),
        WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}, "minItems": 1}]}),
    ]
    delay: TimelineText | None = Field(None, description="So long after what it is sent after; at once if left out.")
    to: Recipient = Field("primary", description="Whom it is put to where the trigger names nobody.")
    sender: Sender = "team"
    message: str | None = Field(None, description="The message around the question; a short one if left out.")
    remind_after_days: int | None = Field(3, ge=1, le=60, description="Asked once more; never when null.")
    expires_after_days: int = Field(14, ge=1, le=90, description="Until then an answer is taken, and may be changed.")
    pause_days: int = Field(30, ge=1, le=365, description="Nobody who was asked anything in so many days is asked.")
    tasks: SurveyTasks = SurveyTasks()

    @model_validator(mode="after")
    def _reminded(self) -> "Survey":
        if self.remind_after_days is not None and self.remind_after_days >= self.expires_after_days:
            raise ValueError("the reminder comes before the survey expires: 'remind_after_days' < 'expires_after_days'")
        return self

    @property
    def scale(self) -> range:
        """Every answer there is."""
        first, last = SCALES[self.kind]
        return range(first, last + 1)
