"""The queue of a person: what to do next, in order, with what does not fit into the week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet

from keepwell.model.definitions import Model
from keepwell.services.team.access import Action, may, scope_of
from keepwell.services.team.capacity import Week, week_of
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.store.models import Person, Role, Task

PAGE: Final = 50
DUE, SNOOZED, LATER = "due", "snoozed", "later"
SHOWN: Final = (DUE, SNOOZED, LATER)
OVERDUE, TODAY, WEEK = "overdue", "today", "week"
MINE, ALL = "mine", "all"
ORDER: Final = ("priority", F("money").desc(nulls_last=True), F("renewal_on").asc(nulls_last=True), "pk")
_OF_SEGMENT: Final = Q(kind__in=(Task.Kind.SEGMENT, Task.Kind.FOLLOW_UP))


@dataclass(frozen=True)
class QueueQuery:
    """What to show. `who` is "mine", "all" or a person's id; left empty it is what the role looks at first."""

    show: str = DUE
    who: str = ""
    due: str = ""
    kind: str = ""
    play: str = ""
    segment: str = ""
    owner: str | None = None
    search: str = ""
    page: int = 1

    @property
    def filtered(self) -> bool:
        """Whether something is left out of the queue."""
        return replace(self, page=1) != QueueQuery()


@dataclass(frozen=True)
class QueueItem:
    """One task in its place; `below` the line it does not fit into this week any more."""

    task: Task
    below: bool
    first_below: bool
    new_group: bool


@dataclass(frozen=True)
class QueueCounts:
    """How much there is for a person, whatever the filters say."""

    due: int
    overdue: int
    today: int
    week: int
    snoozed: int
    later: int


@dataclass(frozen=True)
class Choices:
    """What the filters offer."""

    plays: tuple[tuple[str, str], ...]
    owners: tuple[str, ...]
    people: tuple[Person, ...]


@dataclass(frozen=True)
class Queue:
    """A page of a queue."""

    items: tuple[QueueItem, ...]
    total: int
    sizes: Mapping[int, int]
    of_segments: Mapping[int, int]
    counts: QueueCounts
    week: Week
    query: QueueQuery
    who: str
    choices: Choices

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True)
class Moment:
    """The moment at which a queue is looked at."""

    now: datetime
    today: date
    zone: ZoneInfo

    @property
    def tomorrow(self) -> datetime:
        """When today ends."""
        return datetime.combine(self.today + timedelta(days=1), time.min, self.zone)

    @property
    def next_week(self) -> datetime:
        """When this week ends."""
        return self.tomorrow + timedelta(days=6 - self.today.weekday())


def visible_tasks(person: Person) -> QuerySet[Task]:
    """All tasks of customers that a person may see, and those that were given to it."""
    scope = scope_of(person)
    if scope.owners is None:
        return Task.objects.all()
    seen = Q(owner_email__in=scope.owners) | Q(assignee=person)
    return Task.objects.filter(seen | Q(owner_email="") if scope.unassigned else seen)


def queue_of(person: Person, query: QueueQuery, *, at: Moment, model: Model) -> Queue:
    """A person's queue; the same number of queries however long it is."""
    base = visible_tasks(person).filter(state__in=OPEN_STATES)
    mine = base.filter(_whose(person, _who(person, query)))
    week = week_of(person, model=model, today=at.today, zone=at.zone)
    line = _shown(mine, DUE, at).order_by(*ORDER)[week.left : week.left + 1].first()
    found = _filtered(_shown(mine, query.show, at), query, at)
    by_priority = found.values_list("priority").annotate(count=Count("pk"), own=Count("pk", filter=_OF_SEGMENT))
    groups = list(by_priority.order_by("priority"))
    sizes, of_segments = {place: count for place, count, _ in groups}, {place: own for place, _, own in groups}
    first = (max(1, query.page) - 1) * PAGE
    ordered = found.select_related("assignee", "linked_to").order_by(*ORDER)[first : first + PAGE]
    return Queue(
        items=_items(list(ordered), line if query.show == DUE else None),
        total=sum(sizes.values()),
        sizes=sizes,
        of_segments=of_segments,
        counts=_counts(mine, at),
        week=week,
        query=query,
        who=_who(person, query),
        choices=_choices(person, base, model),
    )


def next_of(queue: Queue, after: Task | None = None) -> Task | None:
    """What to do next: the first task of the page that comes after one that was done, or its first."""
    tasks = [item.task for item in queue.items if after is None or item.task.pk != after.pk]
    later = (task for task in tasks if after is not None and order_key(task) > order_key(after))
    return next(later, tasks[0] if tasks else None)


def order_key(task: Task) -> tuple[Any, ...]:
    """The order of the queue for tasks in memory."""
    money = float("inf") if task.money is None else -float(task.money)
    return task.priority, money, task.renewal_on or date.max, task.pk


def _who(person: Person, query: QueueQuery) -> str:
    """Whose tasks are shown; a CSM looks at the own ones first."""
    return query.who or (MINE if person.role == Role.CSM else ALL)


def _whose(person: Person, who: str) -> Q:
    if who == ALL:
        return Q()
    if who.isdecimal():
        other = Person.objects.filter(pk=int(who)).first()
        return Q(pk__in=()) if other is None else _own(other)
    return _own(person)


def _own(person: Person) -> Q:
    """Tasks given to somebody, and those given to nobody that are of the own book; a CSM also takes unowned ones."""
    own = Q(owner_email__in=person.owner_emails) | (Q(owner_email="") if person.role == Role.CSM else Q())
    return Q(assignee=person) | (Q(assignee=None) & own)


def _shown(tasks: QuerySet[Task], show: str, at: Moment) -> QuerySet[Task]:
    asleep = Q(state=Task.State.SNOOZED, snoozed_until__gt=at.today)
    waiting = Q(opened_on__gt=at.today)
    if show == SNOOZED:
        return tasks.filter(asleep)
    return tasks.exclude(asleep).filter(waiting) if show == LATER else tasks.exclude(asleep).exclude(waiting)


def _filtered(tasks: QuerySet[Task], query: QueueQuery, at: Moment) -> QuerySet[Task]:
    limits = {
        OVERDUE: Q(due_at__lt=at.now),
        TODAY: Q(due_at__lt=at.tomorrow),
        WEEK: Q(due_at__lt=at.next_week),
    }
    tasks = tasks.filter(limits.get(query.due, Q()))
    for name in ("kind", "play", "segment"):
        if value := getattr(query, name):
            tasks = tasks.filter(**{name: value})
    if query.owner is not None:
        tasks = tasks.filter(owner_email=query.owner.lower())
    for word in query.search.split()[:8]:
        tasks = tasks.filter(Q(company__icontains=word) | Q(title__icontains=word) | Q(customer_id__iexact=word))
    return tasks


def _items(tasks: Sequence[Task], line: Task | None) -> tuple[QueueItem, ...]:
    found: list[QueueItem] = []
    limit = None if line is None else order_key(line)
    for task in tasks:
        below = limit is not None and order_key(task) >= limit
        before = found[-1] if found else None
        first = below and (before is None or not before.below)
        found.append(QueueItem(task, below, first, before is None or before.task.priority != task.priority))
    return tuple(found)


def _counts(tasks: QuerySet[Task], at: Moment) -> QueueCounts:
    asleep = Q(state=Task.State.SNOOZED, snoozed_until__gt=at.today)
    waiting, here = ~asleep & Q(opened_on__gt=at.today), ~asleep & Q(opened_on__lte=at.today)
    return QueueCounts(
        **tasks.aggregate(
            due=Count("pk", filter=here),
            overdue=Count("pk", filter=here & Q(due_at__lt=at.now)),
            today=Count("pk", filter=here & Q(due_at__lt=at.tomorrow)),
            week=Count("pk", filter=here & Q(due_at__lt=at.next_week)),
            snoozed=Count("pk", filter=asleep),
            later=Count("pk", filter=waiting),
        )
    )


def _choices(person: Person, tasks: QuerySet[Task], model: Model) -> Choices:
    found = tasks.order_by().values_list("kind", "play", "owner_email").distinct()
    rows = list(found)
    automatic = {play for kind, play, _ in rows if kind in (Task.Kind.SEGMENT, Task.Kind.SIGNAL)}
    plays = sorted(((play, play_label(model, play)) for play in automatic), key=lambda pair: pair[1].lower())
    return Choices(tuple(plays), tuple(sorted({owner for _, _, owner in rows})), assignable(person))


def assignable(person: Person) -> tuple[Person, ...]:
    """To whom a person may give tasks: everybody who works, or only itself."""
    workers = (Role.CSM, Role.MANAGER, Role.OPS, Role.ADMIN)
    if not may(person, Action.ASSIGN):
        return (person,) if may(person, Action.WORK) else ()
    return tuple(Person.objects.filter(is_active=True, role__in=workers).order_by("name", "email"))


def play_label(model: Model, play: str) -> str:
    """What a play is called: by its segment's task, its signal, or its own words."""
    if play in model.signals:
        return model.signals[play].label or play.replace("_", " ").capitalize()
    return play.replace("_", " ").capitalize()
