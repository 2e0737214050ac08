"""The points of a task that people tick off while they work on it."""

from datetime import datetime

from django.db import transaction

from keepwell.services.team.audit import Actor, record
from keepwell.services.team.task_changes import TaskRefused
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.store.models import Task


@transaction.atomic
def tick(who: Actor, task_id: int, place: int, *, done: bool, now: datetime) -> Task:
    """Tick a point of a task off, or take the tick back; the caller has checked that the actor may see its customer.

    The task's version stays: who writes an outcome meanwhile is not in anybody's way. Raises TaskRefused.
    """
    task = Task.objects.select_for_update(of=("self",)).filter(pk=task_id).first()
    if task is None or not 0 <= place < len(task.checklist):
        raise TaskRefused("This point is not there any more. Reload the page.")
    if task.state not in OPEN_STATES:
        raise TaskRefused(f"“{task.title}” is {task.get_state_display().lower()} already. Nothing was changed.")
    point = task.checklist[place]
    if bool(point.get("done")) == done:
        return task
    task.checklist[place] = {**point, "done": done}
    task.save(update_fields=["checklist"])
    record(
        who,
        at=now,
        action="task.ticked" if done else "task.unticked",
        kind="task",
        object_id=task.pk,
        customer_id=task.customer_id,
        summary=f"{task.title}: {'done' if done else 'not done after all'}: {point.get('text', '')}",
        before={"done": not done},
        after={"point": place, "done": done},
    )
    return task
