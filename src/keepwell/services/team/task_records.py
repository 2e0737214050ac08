"""What the application database knows of tasks before a run: open ones, what was done, and people's word."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keepwell.store.models import Hold, Task

OPEN_STATES: Final = (Task.State.OPEN, Task.State.SNOOZED)
REMEMBERED: Final = timedelta(days=400)
"""How far back it matters that a play was done."""


@dataclass(frozen=True)
class TaskBook:
    """All of it, by customer. `done` holds the last task that was done of each customer and play."""

    open: Mapping[int, Task]
    by_customer: Mapping[str, list[Task]]
    done: Mapping[tuple[str, str], Task]
    holds: Mapping[str, Hold]

    def open_of(self, customer_id: str) -> list[Task]:
        """The open tasks of a customer, snoozed ones included."""
        return self.by_customer.get(customer_id, [])

    def open_task(self, customer_id: str, play: str) -> Task | None:
        """The one open task of a customer and a play."""
        return next((t for t in self.open_of(customer_id) if t.play == play and t.state in OPEN_STATES), None)


def read_book(now: datetime) -> TaskBook:
    """Read it within the run's transaction; the rows are held where the database can."""
    open_tasks = {task.pk: task for task in Task.objects.select_for_update().filter(state__in=OPEN_STATES)}
    by_customer: dict[str, list[Task]] = defaultdict(list)
    for task in open_tasks.values():
        by_customer[task.customer_id].append(task)
    finished = Task.objects.filter(state=Task.State.DONE, closed_at__gte=now - REMEMBERED).order_by("closed_at", "pk")
    fields = ("pk", "customer_id", "play", "closed_at", "conditions")
    done = {(task.customer_id, task.play): task for task in finished.only(*fields)}
    holds = {hold.customer_id: hold for hold in Hold.objects.select_for_update().filter(ended_on=None)}
    return TaskBook(open_tasks, by_customer, done, holds)
