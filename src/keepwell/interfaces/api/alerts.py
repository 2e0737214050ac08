"""Alerts: the list, one with its history, and what people do with them."""

from collections.abc import Callable
from typing import Annotated, Any, Final

from ninja import Query, Router

from keepwell.interfaces.api.alert_bodies import (
    AlertAssignBody,
    AlertBody,
    AlertBulkBody,
    AlertBulkDone,
    AlertDetail,
    AlertFilter,
    AlertNotDone,
    AlertPage,
    AlertResolveBody,
    AlertSnoozeBody,
    AlertTakeBody,
)
from keepwell.interfaces.api.fields import KEYED, Pk
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting
from keepwell.services.team.alerting.alerts import Seen, acknowledge, assign, resolve, snooze
from keepwell.services.team.alerting.many import change_many
from keepwell.services.team.alerting.shown import alert_list, visible_alerts
from keepwell.services.team.queue import assignable
from keepwell.store.models import Alert, Person

router = Router(tags=["Alerts"])
GONE: Final = "There is no such alert, or this token may not see its customer."


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


@router.post("/bulk", response={200: AlertBulkDone, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def change_alerts(request: ApiRequest, body: AlertBulkBody) -> Any:
    """Take up, snooze, resolve or assign many alerts: each by itself; the answer says which were left and why."""
    seen = {one.id: Seen(one.id, one.version) for one in body.alerts}
    there = set(visible_alerts(request.user).filter(pk__in=seen).values_list("pk", flat=True))
    found = change_many([one for one in seen.values() if one.pk in there], _change(request, body))
    if found.problem and len(there) == len(seen):
        raise Problem(409, "Not possible", found.problem)
    gone = [AlertNotDone(id=number, why=GONE) for number in seen if number not in there]
    left = [AlertNotDone(id=one.alert, why=one.why) for one in found.not_done]
    return AlertBulkDone(done=[AlertBody.from_orm(one) for one in found.done], not_done=[*left, *gone])


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


def _change(request: ApiRequest, body: AlertBulkBody) -> Callable[[list[Seen]], list[Alert]]:
    who, now = acting(request), request.now
    if body.change == "acknowledge":
        return lambda seen: acknowledge(who, seen, now=now)
    if body.change == "snooze":
        return lambda seen: snooze(who, seen, until=body.until, reason=body.reason, now=now)
    if body.change == "resolve":
        return lambda seen: resolve(who, seen, why=body.why, now=now)
    to = _person(request, body.person_id)
    return lambda seen: assign(who, seen, to=to, now=now)


def _alert(request: ApiRequest, alert_id: int) -> Alert:
    found = visible_alerts(request.user).filter(pk=alert_id).select_related("assignee", "acknowledged_by").first()
    if found is None:
        raise Problem(404, "Not found", GONE)
    return found


def _person(request: ApiRequest, person_id: int | None) -> Person | None:
    found = next((one for one in assignable(request.user) if one.pk == person_id), None)
    if found is None and person_id is not None:
        raise Problem(409, "Not possible", "There is nobody of this id to whom this token may give alerts.")
    return found
