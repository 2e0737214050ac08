"""Everything that somebody needs to know before acting on a task, and nothing that the model does not have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from keepwell.model.definitions import Model, Segment
from keepwell.services.published import (
    CustomerCurrent,
    MetricNow,
    PersonRow,
    ScoreNow,
    customer_current,
    customer_people,
)
from keepwell.services.team.holds import HoldShown, standing_holds
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outcome, Task

EARLIER: Final = 6
_LOGIN: Final = "Last login"
_SATURDAY: Final = 5
# What a card shows, by what models call it; the first metric that the model has is the one.
_FACTS: Final = (
    (_LOGIN, ("days_since_login", "days_inactive", "days_since_last_login", "days_since_activity")),
    ("Logins in 30 days", ("logins_30d", "logins_last_30_days", "login_days_30d")),
    ("Features used", ("features_used_30d", "features_used_count", "features_used", "core_features_used_30d")),
    ("Open tickets", ("tickets_open", "open_tickets", "tickets_30d", "tickets_last_30_days")),
    ("Payment", ("payment_status",)),
    ("Usage", ("usage_level",)),
)
_ROLES: Final = ("decision_maker", "champion", "admin", "sponsor")
_ISSUES: Final = (
    (Outcome.Issue.PAYMENT, ("payment", "invoice", "billing")),
    (Outcome.Issue.USAGE, ("login", "usage", "inactive", "activity", "feature", "adoption")),
    (Outcome.Issue.TECHNICAL, ("ticket", "bug", "technical", "csat")),
)
_MAIL: Final = ("email", "e-mail", "mail")


@dataclass(frozen=True)
class Contact:
    """Whom to call or write to."""

    name: str
    title: str
    email: str
    phone: str


@dataclass(frozen=True)
class Fact:
    """A line of the card; an unknown value says why."""

    label: str
    words: str
    known: bool


@dataclass(frozen=True)
class Preset:
    """What the outcome form is filled with at first. The result is never chosen for a person."""

    contact: str
    issue: str
    follow_up_on: date
    quick: tuple[tuple[str, date], ...]


@dataclass(frozen=True)
class TaskCard:
    """A task with its context. `customer` is None when it is in the published data no longer."""

    task: Task
    customer: CustomerCurrent | None
    score: ScoreNow | None
    segment: Segment | None
    segment_label: str
    contact: Contact | None
    facts: tuple[Fact, ...]
    left: str
    hold: HoldShown | None
    pending: Task | None
    tried: tuple[Outcome, ...]
    outcomes: tuple[Outcome, ...]
    others: tuple[Task, ...]
    preset: Preset

    @property
    def open(self) -> bool:
        """Whether something can still be done with the task."""
        return self.task.state in OPEN_STATES


def task_card(workspace: Workspace, task: Task, *, model: Model, today: date) -> TaskCard:
    """The card of a task, as of the published day."""
    current = customer_current(workspace, task.customer_id)
    outcomes = tuple(
        Outcome.objects.filter(customer_id=task.customer_id)
        .select_related("task", "logged_by")
        .order_by("-logged_at", "-pk")[:EARLIER]
    )
    tried, others = _tried(task, outcomes), tuple(_others(task))
    pending = next((other for other in others if other.kind == Task.Kind.FOLLOW_UP), None)
    key = task.segment.partition(": ")[0]
    segment = model.segments.get(key)
    return TaskCard(
        task=task,
        customer=current,
        score=next((s for s in current.scores if s.kind == "health"), None) if current else None,
        segment=segment,
        segment_label=(segment.label if segment and segment.label else task.segment.replace("_", " ").capitalize()),
        contact=_contact(workspace, task, current),
        facts=tuple(_facts(current)) if current else (),
        left=_left(task, current),
        hold=standing_holds([task.customer_id]).get(task.customer_id),
        pending=pending,
        tried=tried,
        outcomes=tuple(one for one in outcomes if one not in tried),
        others=others,
        preset=preset_of(task, today),
    )


def preset_of(task: Task, today: date) -> Preset:
    """What fits a task most often: an e-mail where the play is one, and the issue that its conditions speak of."""
    play = f"{task.play} {task.action}".lower()
    contact = Outcome.Contact.EMAIL if any(word in play for word in _MAIL) else Outcome.Contact.REACHED
    about = " ".join([*task.conditions, task.play]).lower() if task.kind != Task.Kind.MANUAL else ""
    issue = next(
        (issue for issue, words in _ISSUES if any(_speaks(about, word) for word in words)), Outcome.Issue.USAGE
    )
    quick = (
        ("Tomorrow", workday(today + timedelta(days=1))),
        ("In 3 days", workday(today + timedelta(days=3))),
        ("Next week", workday(today + timedelta(days=7))),
    )
    return Preset(contact.value, issue.value, quick[1][1], quick)


def workday(day: date) -> date:
    """The day itself, or the Monday after a weekend."""
    return day + timedelta(days=max(0, 7 - day.weekday())) if day.weekday() >= _SATURDAY else day


def _speaks(about: str, word: str) -> bool:
    # That a payment is current, or a renewal far away, is no issue.
    return word in about.replace("payment_status = 'current'", "")


def _others(task: Task) -> Iterator[Task]:
    found = Task.objects.filter(customer_id=task.customer_id, state__in=OPEN_STATES).exclude(pk=task.pk)
    yield from found.select_related("assignee").order_by("due_at", "pk")


def _tried(task: Task, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """What was tried before a follow-up came back: the outcomes of the tasks that it goes back to, newest first."""
    by_task: Mapping[int, Outcome] = {outcome.task_id: outcome for outcome in outcomes}
    found: list[Outcome] = []
    linked = task.linked_to_id if task.kind == Task.Kind.FOLLOW_UP else None
    while linked is not None and (outcome := by_task.get(linked)) is not None and outcome not in found:
        found.append(outcome)
        linked = outcome.task.linked_to_id
    return tuple(found)


def _left(task: Task, current: CustomerCurrent | None) -> str:
    """Why the task's reason is gone; empty while it is there."""
    if current is None or current.row.status == "churned":
        return "The customer is in the published data no longer." if current is None else "The customer has left."
    if task.kind == Task.Kind.SEGMENT and current.row.segment != task.segment:
        return f"No longer in this segment: {current.row.segment_label or current.row.segment or 'none'} now."
    if task.kind == Task.Kind.SIGNAL and task.play not in current.row.signals:
        return "The signal that made this task is off again."
    return ""


def _contact(workspace: Workspace, task: Task, current: CustomerCurrent | None) -> Contact | None:
    people = [
        p for p in customer_people(workspace, task.customer_id) if p.left_company_at is None and (p.name or p.email)
    ]
    best = min(people, key=_rank, default=None)
    attributes = current.attributes if current else {}
    phone = (best.phone if best else None) or attributes.get("phone") or ""
    email = (best.email if best else None) or attributes.get("email") or ""
    if best is None and not (phone or email):
        return None
    name = (best.name or best.email or "") if best else ""
    title = (best.title or (best.role or "").replace("_", " ").capitalize()) if best else ""
    return Contact(name, title, str(email), str(phone))


def _rank(person: PersonRow) -> tuple[int, str]:
    role = (person.role or "").lower()
    place = _ROLES.index(role) if role in _ROLES else len(_ROLES)
    return place, str(person.person_id)


def _facts(current: CustomerCurrent) -> Iterator[Fact]:
    metrics = {metric.name: metric for metric in current.metrics}
    for label, names in _FACTS:
        metric = next((metrics[name] for name in names if name in metrics), None)
        if metric is not None:
            yield Fact(_label(label, metric), _words(label, metric), metric.known)


def _label(label: str, metric: MetricNow) -> str:
    if label == _LOGIN:
        return label if "login" in metric.name else "Last active"
    return label if label == "Payment" else metric.label


def _words(label: str, metric: MetricNow) -> str:
    if not metric.known:
        return f"unknown: {metric.quality}"
    if label == _LOGIN and isinstance(metric.value, int | float):
        days = int(metric.value)
        return "today" if days == 0 else "yesterday" if days == 1 else f"{days:,} days ago"
    return metric.words
