"""Definitions of how customers are reached: the texts, and when they are left alone."""

from typing import Literal

from pydantic import Field, model_validator

from keepwell.model.base import Strict
from keepwell.model.timelines import BusinessHoursText, DayText, HoursText


class Cap(Strict):
    """At most so many messages to one customer in any so many days."""

    messages: int = Field(ge=1)
    per_days: int = Field(ge=1, le=365)


class Calendar(Strict):
    """When a workspace works, and when it leaves customers alone; times are in the workspace's zone."""

    business_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        ("mon", "tue", "wed", "thu", "fri"), min_length=1
    )
    business_hours: BusinessHoursText = "09:00-17:00"
    holidays: tuple[DayText, ...] = ()
    quiet_hours: HoursText | None = "20:00-08:00"
    quiet_days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = Field(
        ("sat", "sun"), max_length=6
    )
    cap: Cap | None = Cap(messages=3, per_days=7)


class Message(Strict):
    """A text for customers: the front matter of a file in messages/, and what stands below it."""

    channel: Literal["email", "in_app"] = "email"
    purpose: Literal["personal", "service", "marketing"] = Field(
        "personal", description="Marketing carries a link to unsubscribe."
    )
    subject: str = Field(min_length=1, description="The subject of an e-mail, the title inside the product.")
    preview: str = Field("", description="The line that inboxes show beside the subject.")
    button: str = ""
    link: str = ""
    text: str = Field(min_length=1, description="Markdown with {{ placeholders }}.")

    @model_validator(mode="after")
    def _button(self) -> "Message":
        if bool(self.button) != bool(self.link):
            raise ValueError("a button needs both: 'button' is its text, 'link' where it leads")
        return self
