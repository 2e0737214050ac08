"""The queue and its tasks."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

from django.utils.timezone import get_default_timezone
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Customer, Pk, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, WORK, ApiRequest, acting, seen_customer
from keepwell.interfaces.api.task_bodies import (
    AssignBody,
    BulkBody,
    CardBody,
    OutcomeBody,
    OutcomeNew,
    QueueBody,
    QueueLine,
    SnoozeBody,
    TaskBody,
    TaskKind,
    TaskNew,
    TaskState,
    TickBody,
    VersionBody,
)
from keepwell.services.published import customers_named
from keepwell.services.team.access import Action, may, may_see_customer
from keepwell.services.team.holds import end_hold
from keepwell.services.team.outcomes import log_outcome, undo_outcome
from keepwell.services.team.queue import Moment, QueueQuery, assignable, queue_of
from keepwell.services.team.task_card import task_card
from keepwell.services.team.task_changes import Seen, add_manual, mark_done, reassign, snooze, wake
from keepwell.services.team.task_checklist import tick
from keepwell.services.team.task_days import published_model
from keepwell.store.models import Outcome, Person, Task

router = Router(tags=["Tasks"])
Place = Annotated[int, Path(ge=0, le=1000)]
of_customer = Router(tags=["Tasks"])


class QueueFilter(Schema):
    """Which tasks of the queue."""

    show: Annotated[str, Field("due", pattern="^(due|snoozed|later)$")]
    who: Annotated[str, Field("", pattern="^(|mine|all|[0-9]{1,18})$", description="'mine', 'all' or a person's id.")]
    due: Annotated[str, Field("", pattern="^(|overdue|today|week)$")]
    kind: TaskKind | None = None
    play: Word = ""
    segment: Word = ""
    owner: Word | None = Field(None, description="An e-mail address; '-' for customers without an owner.")
    search: Word = ""
    page: int = Field(1, ge=1, le=100_000)

    def query(self) -> QueueQuery:
        """As services take it."""
        owner = "" if self.owner == "-" else self.owner
        return QueueQuery(**self.model_dump(exclude={"owner", "kind"}), owner=owner, kind=self.kind or "")


@router.get("", response={200: QueueBody, **PROBLEMS}, auth=READ)
def list_tasks(request: ApiRequest, filters: Annotated[QueueFilter, Query()]) -> Any:
    """The queue in its order: by priority, money at stake and renewal; fifty tasks a page."""
    at = Moment(request.now, request.today, get_default_timezone())
    found = queue_of(request.user, filters.query(), at=at, model=published_model(request.workspace))
    return QueueBody(
        items=[QueueLine(task=TaskBody.from_orm(item.task), below=item.below) for item in found.items],
        total=found.total,
        page=filters.page,
        pages=found.pages,
        counts=found.counts,
        week=found.week,
    )


@router.post("", response={201: TaskBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def create_task(request: ApiRequest, body: TaskNew) -> Any:
    """Make a task by hand."""
    row = customers_named(request.workspace, [seen_customer(request, body.customer_id)])[body.customer_id]
    to = request.user if body.mine else None
    task = add_manual(
        acting(request), row, title=body.title, due_on=body.due_on, to=to, now=request.now, today=request.today
    )
    return Status(201, TaskBody.from_orm(task))


@router.post("/bulk", response={200: list[TaskBody], **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def change_tasks(request: ApiRequest, body: BulkBody) -> Any:
    """Snooze, wake, assign or take off many tasks: all of them or none."""
    seen = [Seen(one.id, one.version) for one in body.tasks]
    _seen_tasks(request, [one.pk for one in seen])
    who, now = acting(request), request.now
    changes: dict[str, Callable[[], list[Task]]] = {
        "snooze": lambda: snooze(who, seen, until=body.until, reason=body.reason, now=now, today=request.today),
        "wake": lambda: wake(who, seen, now=now),
        "assign": lambda: reassign(who, seen, to=_person(request, body.person_id), now=now),
        "done": lambda: mark_done(who, seen, now=now),
    }
    return [TaskBody.from_orm(task).model_dump(mode="json") for task in changes[body.change]()]


@router.get("/{int:task_id}", response={200: CardBody, **PROBLEMS}, auth=READ)
def get_task(request: ApiRequest, task_id: Pk) -> Any:
    """A task with everything that somebody needs to know before acting on it."""
    task = _task(request, task_id)
    return task_card(request.workspace, task, model=published_model(request.workspace), today=request.today)


@router.post("/{int:task_id}/snooze", response={200: TaskBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def snooze_task(request: ApiRequest, task_id: Pk, body: SnoozeBody) -> Any:
    """Put a task away until a day; new conditions bring it back earlier."""
    seen, who = [Seen(_task(request, task_id).pk, body.version)], acting(request)
    changed = snooze(who, seen, until=body.until, reason=body.reason, now=request.now, today=request.today)
    return TaskBody.from_orm(changed[0])


@router.post("/{int:task_id}/wake", response={200: TaskBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def wake_task(request: ApiRequest, task_id: Pk, body: VersionBody) -> Any:
    """Put a snoozed task back into the queue."""
    seen = [Seen(_task(request, task_id).pk, body.version)]
    return TaskBody.from_orm(wake(acting(request), seen, now=request.now)[0])


@router.post("/{int:task_id}/assign", response={200: TaskBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def assign_task(request: ApiRequest, task_id: Pk, body: AssignBody) -> Any:
    """Give a task to somebody, or back to the customer's owner."""
    seen, to = [Seen(_task(request, task_id).pk, body.version)], _person(request, body.person_id)
    return TaskBody.from_orm(reassign(acting(request), seen, to=to, now=request.now)[0])


@router.post("/{int:task_id}/done", response={200: TaskBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def close_task(request: ApiRequest, task_id: Pk, body: VersionBody) -> Any:
    """Take a task off the list without an outcome."""
    seen = [Seen(_task(request, task_id).pk, body.version)]
    return TaskBody.from_orm(mark_done(acting(request), seen, now=request.now)[0])


@router.post("/{int:task_id}/points/{int:place}", response={200: TaskBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def tick_task_point(request: ApiRequest, task_id: Pk, place: Place, body: TickBody) -> Any:
    """Tick a point of a task off, counted from 0, or take the tick back."""
    pk = _task(request, task_id).pk
    return TaskBody.from_orm(tick(acting(request), pk, place, done=body.done, now=request.now))


@router.post("/{int:task_id}/outcome", response={201: OutcomeBody, **PROBLEMS}, auth=WORK, openapi_extra=KEYED)
@idempotent
def log_task_outcome(request: ApiRequest, task_id: Pk, body: OutcomeNew) -> Any:
    """Log what came of a task, with everything that follows: the segment shown, the follow-up, the end."""
    pk = _task(request, task_id).pk
    logged = log_outcome(acting(request), pk, now=request.now, today=request.today, **body.model_dump())
    return Status(201, OutcomeBody.from_orm(logged))


@router.delete("/{int:task_id}/outcome", response={200: TaskBody, **PROBLEMS}, auth=WORK)
def undo_task_outcome(request: ApiRequest, task_id: Pk) -> Any:
    """Take back an outcome on the same day, while nothing followed from it; the task is open again.

    Playbooks that it stopped go on where they stood, unless something else happened since.
    """
    logged = Outcome.objects.filter(task=_task(request, task_id)).first()
    if logged is None:
        raise Problem(404, "Not found", "No outcome is logged for this task.")
    if logged.logged_by_id != request.user.pk and not may(request.user, Action.ASSIGN):
        raise Problem(409, "Not possible", "Only who logged an outcome takes it back.")
    return TaskBody.from_orm(undo_outcome(acting(request), logged.pk, now=request.now, today=request.today).task)


@of_customer.get("/{customer:customer_id}/tasks", response={200: Page[TaskBody], **PROBLEMS}, auth=READ)
def list_customer_tasks(
    request: ApiRequest, customer_id: Customer, limit: Limit, offset: Offset, state: TaskState | None = None
) -> Any:
    """The tasks of a customer, closed ones included, the newest first."""
    found = Task.objects.filter(customer_id=seen_customer(request, customer_id)).order_by("-opened_at", "-pk")
    found = found.filter(state=state) if state else found
    shown = found.select_related("assignee")[offset : offset + limit]
    return page_of([TaskBody.from_orm(task) for task in shown], found.count(), limit, offset)


@of_customer.get("/{customer:customer_id}/outcomes", response={200: Page[OutcomeBody], **PROBLEMS}, auth=READ)
def list_customer_outcomes(request: ApiRequest, customer_id: Customer, limit: Limit, offset: Offset) -> Any:
    """What came of a customer's tasks, the newest first."""
    found = Outcome.objects.filter(customer_id=seen_customer(request, customer_id)).order_by("-logged_at", "-pk")
    shown = found.select_related("logged_by")[offset : offset + limit]
    return page_of([OutcomeBody.from_orm(one) for one in shown], found.count(), limit, offset)


@of_customer.delete("/{customer:customer_id}/hold", response={204: None, **PROBLEMS}, auth=WORK)
def end_customer_hold(request: ApiRequest, customer_id: Customer) -> Any:
    """End what a person said of a customer, resolved or lost: the next run opens what the day calls for."""
    seen_customer(request, customer_id)
    who, why = acting(request), "ended by hand"
    end_hold(who, customer_id=customer_id, why=why, now=request.now, today=request.today)
    return Status(204, None)


def _task(request: ApiRequest, task_id: int) -> Task:
    return _seen_tasks(request, [task_id])[0]


def _seen_tasks(request: ApiRequest, ids: Sequence[int]) -> list[Task]:
    """Tasks whose customers the person sees, all of them; else the Problem that tells nothing."""
    found = list(Task.objects.filter(pk__in=ids).select_related("assignee", "linked_to", "outcome__logged_by"))
    if len(found) < len(set(ids)):
        raise _no_task()
    if not all(may_see_customer(request.user, one) for one in sorted({task.customer_id for task in found})):
        raise _no_task()
    return found


def _no_task() -> Problem:
    return Problem(404, "Not found", "There is no such task, or this token may not see its customer.")


def _person(request: ApiRequest, person_id: int | None) -> Person | None:
    """Somebody to whom the token's person may give tasks."""
    found = next((one for one in assignable(request.user) if one.pk == person_id), None)
    if found is None and person_id is not None:
        raise Problem(409, "Not possible", "There is nobody of this id to whom this token may give tasks.")
    return found
