"""Alerts: the list, one with its history, and what people do with them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Query, Router, Schema
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Moment, Number, PersonBrief, Pk, Said, Version, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting
from keepwell.services.team.alerting.alerts import Seen, acknowledge, assign, resolve, snooze
from keepwell.services.team.alerting.shown import AlertCounts, AlertQuery, alert_list, history_of, visible_alerts
from keepwell.services.team.queue import assignable
from keepwell.store.models import Alert, Person

router = Router(tags=["Alerts"])
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


@router.get("", response={200: AlertPage, **PROBLEMS}, auth=READ)
def list_alerts(request: ApiRequest, filters: Annotated[AlertFilter, Query()]) -> Any:
    """Alerts by severity and time left; fifty a page."""
    found = alert_list(request.user, filters.query(), request.now)
    return AlertPage(
        items=[AlertBody.from_orm(one) for one in found.items],
        total=found.total,
        page=filters.page,
        pages=found.pages,
        counts=found.counts,
    )


@router.get("/{int:alert_id}", response={200: AlertDetail, **PROBLEMS}, auth=READ)
def get_alert(request: ApiRequest, alert_id: Pk) -> Any:
    """One alert with its history."""
    return AlertDetail.from_orm(_alert(request, alert_id))


@router.post("/{int:alert_id}/acknowledge", response={200: AlertBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def acknowledge_alert(request: ApiRequest, alert_id: Pk, body: AlertTakeBody) -> Any:
    """Take an alert up: its clock stops."""
    seen = [Seen(_alert(request, alert_id).pk, body.version)]
    return AlertBody.from_orm(acknowledge(acting(request), seen, now=request.now)[0])


@router.post("/{int:alert_id}/snooze", response={200: AlertBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def snooze_alert(request: ApiRequest, alert_id: Pk, body: AlertSnoozeBody) -> Any:
    """Put an alert away until a moment."""
    seen = [Seen(_alert(request, alert_id).pk, body.version)]
    return AlertBody.from_orm(snooze(acting(request), seen, until=body.until, reason=body.reason, now=request.now)[0])


@router.post("/{int:alert_id}/resolve", response={200: AlertBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def resolve_alert(request: ApiRequest, alert_id: Pk, body: AlertResolveBody) -> Any:
    """Close an alert, with what was done."""
    seen = [Seen(_alert(request, alert_id).pk, body.version)]
    return AlertBody.from_orm(resolve(acting(request), seen, why=body.why, now=request.now)[0])


@router.post("/{int:alert_id}/assign", response={200: AlertBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def assign_alert(request: ApiRequest, alert_id: Pk, body: AlertAssignBody) -> Any:
    """Give an alert to somebody, or back to the customer's owner."""
    seen, to = [Seen(_alert(request, alert_id).pk, body.version)], _person(request, body.person_id)
    return AlertBody.from_orm(assign(acting(request), seen, to=to, now=request.now)[0])


def _alert(request: ApiRequest, alert_id: int) -> Alert:
    found = visible_alerts(request.user).filter(pk=alert_id).select_related("assignee", "acknowledged_by").first()
    if found is None:
        raise Problem(404, "Not found", "There is no such alert, or this token may not see its customer.")
    return found


def _person(request: ApiRequest, person_id: int | None) -> Person | None:
    found = next((one for one in assignable(request.user) if one.pk == person_id), None)
    if found is None and person_id is not None:
        raise Problem(409, "Not possible", "There is nobody of this id to whom this token may give alerts.")
    return found
