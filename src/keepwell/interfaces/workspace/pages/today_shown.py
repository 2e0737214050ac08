"""The queue as the page shows it: filters from the address, due times in words, marks on tasks."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.timezone import get_default_timezone

from keepwell.interfaces.workspace.pages.shared import PageRequest
from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.model.definitions import Model
from keepwell.services.published import PortfolioRow, customers_named
from keepwell.services.team.queue import Moment, Queue, QueueItem, QueueQuery, play_label, queue_of
from keepwell.services.team.reasons import segment_priority
from keepwell.services.team.task_days import published_model
from keepwell.store.models import Person, Task

_NO_FILTER: Final = QueueQuery()
_HOUR, _DAY = 3600, 86_400


@dataclass(frozen=True)
class Due:
    """When a task is due, in words; `late` and `soon` decide how it looks."""

    words: str
    late: bool
    soon: bool


@dataclass(frozen=True)
class Line:
    """One task in the list."""

    item: QueueItem
    due: Due
    mark: str
    why: str
    left: bool
    group: str
    size: int
    days_to_renewal: int | None

    @property
    def task(self) -> Task:
        return self.item.task


def query_from(values: QueryDict) -> QueueQuery:
    """The filters of an address; what is not understood is left out."""
    page, owner = values.get("page", "1"), values.get("owner", "")
    return QueueQuery(
        show=values.get("show") or _NO_FILTER.show,
        who=values.get("who", ""),
        due=values.get("due", ""),
        kind=values.get("kind", ""),
        play=values.get("play", ""),
        segment=values.get("segment", ""),
        owner=owner.removeprefix("-") if owner else None,
        search=values.get("q", "").strip(),
        page=int(page) if page.isdecimal() and len(page) < 6 else 1,
    )


def address_of(query: QueueQuery, **changes: Any) -> str:
    """The filters as the part of an address after the question mark."""
    values = {**asdict(query), **changes}
    shown = QueryDict(mutable=True)
    for name, value in values.items():
        if name == "owner":
            if value is not None:
                shown["owner"] = value or "-"
        elif value != getattr(_NO_FILTER, name):
            shown["q" if name == "search" else name] = str(value)
    return shown.urlencode()


def moment_of(request: PageRequest) -> Moment:
    """The moment of a request, in the workspace's time zone."""
    return Moment(request.now, request.today, ZoneInfo(str(get_default_timezone())))


def queue_context(request: PageRequest, query: QueueQuery) -> dict[str, Any]:
    """What the list needs."""
    at, model = moment_of(request), published_model(request.workspace)
    queue = queue_of(request.user, query, at=at, model=model)
    known = customers_named(request.workspace, (item.task.customer_id for item in queue.items))
    lines = [_line(item, queue, known, model, at) for item in queue.items]
    return {
        "queue": queue,
        "lines": lines,
        "query": query,
        "address": address_of(query),
        "tabs": list(_tabs(queue)),
        "earlier": address_of(query, page=query.page - 1) if query.page > 1 else None,
        "further": address_of(query, page=query.page + 1) if query.page < queue.pages else None,
        "segments": [(name, segment.label or name) for name, segment in model.segments.items() if segment.task],
        "kinds": Task.Kind.choices,
        "whose": people_of(queue, request.user),
        "currency": request.workspace.currency,
        "today_words": f"{request.today:%A}, {day(request.today)}",
    }


def due_words(task: Task, at: Moment) -> Due:
    """When a task is due, as people say it."""
    if task.state == Task.State.SNOOZED and task.snoozed_until and task.snoozed_until > at.today:
        return Due(f"snoozed until {day(task.snoozed_until)}", False, False)
    if task.opened_on > at.today:
        return Due(f"on {_day_words(task.opened_on, at.today)}", False, False)
    local, seconds = task.due_at.astimezone(at.zone), (task.due_at - at.now).total_seconds()
    if seconds < 0:
        return Due(f"overdue {_length(-seconds)}", True, False)
    if local.date() == at.today:
        return Due(f"due today {local:%H:%M}", False, True)
    return Due(f"due {_day_words(local.date(), at.today)}", False, local.date() == at.today + timedelta(days=1))


def _length(seconds: float) -> str:
    if seconds < _HOUR:
        return "just now"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h"
    days = int(seconds // _DAY)
    return f"{days} day{'' if days == 1 else 's'}"


def _day_words(value: date, today: date) -> str:
    ahead = (value - today).days
    if ahead == 1:
        return "tomorrow"
    return f"{value:%a}, {day(value)}" if ahead < 7 else day(value)


def _line(item: QueueItem, queue: Queue, known: Mapping[str, PortfolioRow], model: Model, at: Moment) -> Line:
    task, customer = item.task, known.get(item.task.customer_id)
    renewal = task.renewal_on
    return Line(
        item=item,
        due=due_words(task, at),
        mark=_mark(task, model),
        why=_why(task),
        left=_left(task, customer),
        group=_group(queue, task.priority, model) if item.new_group else "",
        size=queue.sizes.get(task.priority, 0),
        days_to_renewal=(renewal - at.today).days if renewal else None,
    )


def _mark(task: Task, model: Model) -> str:
    """What tells a task from those of its group."""
    if task.kind == Task.Kind.SIGNAL:
        return play_label(model, task.play)
    return "" if task.kind == Task.Kind.SEGMENT else task.get_kind_display()


def _why(task: Task) -> str:
    """The reasons in one line; the renewal has its own place in it."""
    reasons = [text for text in task.reasons if not text.startswith(("Renewal", "Also "))]
    said = ", ".join(reasons or task.reasons) or task.action
    # The mark beside it says what it is of.
    return said.removeprefix(f"{task.get_kind_display()} ")


def _left(task: Task, customer: PortfolioRow | None) -> bool:
    if customer is None or task.kind in (Task.Kind.FOLLOW_UP, Task.Kind.MANUAL, Task.Kind.SURVEY):
        return False
    return task.play not in customer.signals if task.kind == Task.Kind.SIGNAL else task.segment != customer.segment


def _group(queue: Queue, priority: int, model: Model) -> str:
    """What is equally urgent; tasks of playbooks, signals and people stand beside those of the segments."""
    own = queue.of_segments.get(priority, 0)
    labels = [s.label or n for n, s in model.segments.items() if s.task and segment_priority(model, n) == priority]
    if not (own and labels):
        return f"Priority {priority}"
    return f"{priority} · {', '.join(labels)}{' and others' if own < queue.sizes[priority] else ''}"


def _tabs(queue: Queue) -> Iterable[tuple[str, str, int, bool]]:
    """The views above the list: address, label, how many, whether it is the one shown."""
    counts, query = queue.counts, queue.query
    plain = {"due": "", "show": _NO_FILTER.show, "page": 1}
    choices: tuple[tuple[dict[str, str], str, int], ...] = (
        ({}, "All", counts.due),
        ({"due": "overdue"}, "Overdue", counts.overdue),
        ({"due": "today"}, "Today", counts.today),
        ({"due": "week"}, "Week", counts.week),
        ({"show": "snoozed"}, "Snoozed", counts.snoozed),
        ({"show": "later"}, "Later", counts.later),
    )
    for changes, label, count in choices:
        wanted = {**plain, **changes}
        yield address_of(query, **wanted), label, count, (query.due, query.show) == (wanted["due"], wanted["show"])


def people_of(queue: Queue, person: Person) -> list[tuple[str, str]]:
    """Whose tasks can be shown."""
    own = [("mine", "My tasks"), ("all", "Everybody's tasks")]
    return own + [(str(one.pk), one.shown_name) for one in queue.choices.people if one.pk != person.pk]
