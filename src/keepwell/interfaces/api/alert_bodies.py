"""What programs read and write of alerts."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from keepwell.interfaces.api.fields import Moment, Number, PersonBrief, Said, Version, Word
from keepwell.services.team.alerting.shown import AlertCounts, AlertQuery, history_of
from keepwell.store.models import Alert

AlertSeverity = Literal["critical", "high", "medium", "low"]
AlertState = Literal["open", "acknowledged", "snoozed", "resolved"]


class AlertValue(Schema):
    """A value that belongs to an alert."""

    label: str
    text: str


class AlertBody(Schema):
    """One thing that somebody has to look at now."""

    id: int
    version: int = Field(description="Raised by every change; send it with yours.")
    rule: str
    customer_id: str
    company: str
    owner_email: str
    severity: AlertSeverity
    title: str
    what: str
    shown: list[AlertValue] = Field(description="The values of the event and of the customer.")
    action: str = Field(description="What to do next.")
    money: float | None
    money_period: str = Field(description="once, month or year.")
    state: AlertState
    since: datetime
    opened_at: datetime
    last_at: datetime
    times: int
    due_at: datetime | None = Field(description="Until when somebody has to take it up.")
    near_at: datetime | None
    breached_at: datetime | None
    level: int = Field(description="How far it went up the chain of people.")
    snoozed_until: datetime | None
    assignee: PersonBrief | None
    acknowledged_by: PersonBrief | None
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    resolved_why: str

    @staticmethod
    def resolve_shown(found: Any) -> Any:
        """The values as pairs; what is an answer already has them."""
        if not isinstance(found, Alert):
            return found.shown
        return [{"label": label, "text": text} for label, text in found.values.get("shown", ())]

    @staticmethod
    def resolve_money_period(found: Any) -> Any:
        """For how long the money is counted."""
        return found.values.get("period", "") if isinstance(found, Alert) else found.money_period


class AlertMarkBody(Schema):
    """One line of an alert's history."""

    at: datetime
    kind: str
    text: str
    person: PersonBrief | None


class AlertDetail(AlertBody):
    """An alert with its history, the newest first."""

    history: list[AlertMarkBody]

    @staticmethod
    def resolve_history(found: Any) -> Any:
        """The lines."""
        return history_of(found) if isinstance(found, Alert) else found.history


class AlertPage(Schema):
    """A page of alerts."""

    items: list[AlertBody]
    total: int
    page: int
    pages: int
    counts: AlertCounts


class AlertFilter(Schema):
    """Which alerts."""

    show: Annotated[str, Field("open", pattern="^(open|late|taken|snoozed|resolved)$")]
    who: Annotated[str, Field("", pattern="^(|mine|all|[0-9]{1,18})$", description="'mine', 'all' or a person's id.")]
    severity: AlertSeverity | None = None
    rule: Word = ""
    customer_id: Word = ""
    search: Word = ""
    page: int = Field(1, ge=1, le=100_000)

    def query(self) -> AlertQuery:
        """As services take it."""
        return AlertQuery(**self.model_dump(exclude={"severity"}), severity=self.severity or "")


class AlertTakeBody(Schema):
    """Which version is taken up."""

    version: Version | None = None


class AlertSnoozeBody(AlertTakeBody):
    """Until when, and why it can wait."""

    until: Moment
    reason: Said


class AlertResolveBody(AlertTakeBody):
    """What was done."""

    why: Said


class AlertAssignBody(AlertTakeBody):
    """To whom; null gives the alert back to the customer's owner."""

    person_id: Number | None


class AlertSeen(Schema):
    """An alert, in the version that was read; without one whatever it is now is changed."""

    id: Number
    version: Version | None = None


class AlertBulkBody(Schema):
    """The same change of many alerts."""

    alerts: Annotated[list[AlertSeen], Field(min_length=1, max_length=500)]
    change: Literal["acknowledge", "snooze", "resolve", "assign"]
    until: Moment | None = Field(None, description="Of snooze.")
    reason: Word = Field("", description="Of snooze.")
    why: Word = Field("", description="Of resolve.")
    person_id: Number | None = Field(None, description="Of assign; null gives alerts back to the customers' owners.")


class AlertNotDone(Schema):
    """An alert that was left as it was."""

    id: int
    why: str


class AlertBulkDone(Schema):
    """What was changed, and what was not and why."""

    done: list[AlertBody]
    not_done: list[AlertNotDone]
