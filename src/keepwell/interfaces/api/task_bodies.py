"""What is said of tasks and outcomes."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from keepwell.interfaces.api.fields import Day, Long, Number, PersonBrief, Said, Version, Word
from keepwell.services.published import CustomerCurrent
from keepwell.services.team.capacity import Week
from keepwell.services.team.holds import HoldShown
from keepwell.services.team.queue import QueueCounts
from keepwell.services.team.task_card import Contact, Fact, Preset

TaskKind = Literal["segment", "signal", "playbook", "follow_up", "manual", "survey"]
TaskState = Literal["open", "snoozed", "done", "cancelled"]
ContactMade = Literal["reached", "voicemail", "email"]
IssueMet = Literal["payment", "usage", "technical"]
ResultReached = Literal["resolved", "follow_up", "lost"]
JobKind = Literal["daily", "backfill", "load", "publish", "plan", "retry", "budget"]
JobState = Literal["queued", "running", "done", "problems", "failed", "cancelled"]


class OutcomeBody(Schema):
    """What came of a task."""

    id: int
    task_id: int
    contact: ContactMade
    issue: IssueMet
    result: ResultReached
    note: str
    follow_up_on: date | None
    logged_by: PersonBrief | None
    logged_at: datetime


class PointBody(Schema):
    """One point of a task."""

    text: str
    done: bool


class TickBody(Schema):
    """Whether a point is done."""

    done: bool = True


class TaskBody(Schema):
    """One thing that somebody should do for one customer."""

    id: int
    version: int = Field(description="Raised by every change; send it with yours.")
    customer_id: str
    company: str
    owner_email: str
    kind: TaskKind
    play: str
    title: str
    action: str
    segment: str
    reasons: list[str] = Field(description="Sentences with the values that made this task.")
    notes: str = Field(description="How to do it.")
    checklist: list[PointBody] = Field(description="Points to tick off, in their order.")
    state: TaskState
    priority: int = Field(description="1 comes first.")
    money: float | None = Field(description="What is at stake a month.")
    renewal_on: date | None
    opened_at: datetime
    due_at: datetime
    snoozed_until: date | None
    snooze_reason: str
    closed_at: datetime | None
    closed_why: str
    assignee: PersonBrief | None
    linked_to_id: int | None


class QueueLine(Schema):
    """A task in its place in the queue."""

    task: TaskBody
    below: bool = Field(description="Whether it is below the line of what fits into this week.")


class QueueBody(Schema):
    """A page of a queue."""

    items: list[QueueLine]
    total: int
    page: int
    pages: int
    counts: QueueCounts
    week: Week = Field(description="The week's capacity and how much of it is used.")


class CardBody(Schema):
    """A task with everything that somebody needs to know before acting on it."""

    task: TaskBody
    customer: CustomerCurrent | None = Field(description="Null when it is in the published data no longer.")
    segment_label: str
    contact: Contact | None
    facts: list[Fact]
    left: str = Field(description="Why the task may be moot: the customer left its segment.")
    hold: HoldShown | None = Field(description="A person's word that stands beside the data.")
    pending: TaskBody | None = Field(description="The follow-up that is arranged.")
    tried: list[OutcomeBody] = Field(description="What was tried before on the same matter.")
    outcomes: list[OutcomeBody]
    others: list[TaskBody]
    preset: Preset


class TaskNew(Schema):
    """A task made by hand."""

    customer_id: Word
    title: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\u0000]*$")]
    due_on: Day
    mine: bool = Field(False, description="For the token's person; else for the customer's owner.")


class TaskSeen(Schema):
    """A task as it was read."""

    id: Number
    version: Version | None = None


class SnoozeBody(Schema):
    """Until when, and why it can wait."""

    until: Day
    reason: Said
    version: Version | None = None


class AssignBody(Schema):
    """To whom; null gives the task back to the customer's owner."""

    person_id: Number | None
    version: Version | None = None


class VersionBody(Schema):
    """Which version is changed."""

    version: Version | None = None


class BulkBody(Schema):
    """The same change of many tasks, of all or of none."""

    tasks: Annotated[list[TaskSeen], Field(min_length=1, max_length=500)]
    change: Literal["snooze", "wake", "assign", "done"]
    until: Day | None = Field(None, description="Of snooze.")
    reason: Word = Field("", description="Of snooze.")
    person_id: Number | None = Field(None, description="Of assign; null gives tasks back to their customers' owners.")


class OutcomeNew(Schema):
    """What a person says came of a task."""

    version: Version
    contact: ContactMade
    issue: IssueMet
    result: ResultReached
    note: Long = ""
    follow_up_on: Day | None = Field(None, description="The day of a follow-up.")


class JobBody(Schema):
    """A piece of work in the background."""

    id: int
    kind: JobKind
    key: str
    state: JobState
    as_of: date | None
    due_at: datetime
    attempts: int
    claimed_at: datetime | None
    finished_at: datetime | None
    step: str
    progress: float = Field(description="From 0 to 1.")
    counts: dict[str, Any]
    warnings: list[str]
    error: str
    requested_by: PersonBrief | None
    cancel_requested: bool
