"""What the data can say of items of checklists: whether something is done, and the words for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from keepwell.model.checklist_definitions import ChecklistItem
from keepwell.services.published import NothingPublished, copies_current, data_status
from keepwell.services.team.support.tickets import desk_tickets
from keepwell.services.team.surveys.defined import surveys_of
from keepwell.services.team.surveys.follow import PLAY
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, Approval, AuditEntry, Escalation, Outcome, SurveyInvitation, Task

URGENT: Final = 2
"""Tasks of these first priorities cannot wait."""
CRITICAL: Final = frozenset({"P0", "P1"})
_OPEN: Final = Task.State.OPEN
_ABOUT_PLAYBOOKS: Final = ("playbook", "message")
_NOT_FIGURES: Final = (*_ABOUT_PLAYBOOKS, "calendar", "alert", "survey", "checklist")


@dataclass(frozen=True)
class Period:
    """A day, a week or a month, with its first and last day."""

    name: str
    first: date
    last: date

    def label(self, every: str) -> str:
        """Short words for a list of periods."""
        if every == "day":
            return f"{self.first:%a} {self.first.day} {self.first:%b}"
        return f"Week {self.name[-2:]}" if every == "week" else f"{self.first:%b %Y}"


@dataclass(frozen=True)
class Said:
    """What the data say: whether it is done, and why they think so."""

    done: bool
    words: str


@dataclass(frozen=True)
class Look:
    """The workspace at a moment, read once for all items."""

    workspace: Workspace
    today: date
    now: datetime

    def moments(self, period: Period) -> tuple[datetime, datetime]:
        """When a period begins and ends."""
        zone = ZoneInfo(self.workspace.zone)
        ends = (period.first, period.last + timedelta(days=1))
        first, last = (datetime.combine(day, time(), zone).astimezone(UTC) for day in ends)
        return first, last

    @cached_property
    def tasks(self) -> list[Task]:
        """The open tasks, with what matters here."""
        return list(Task.objects.filter(state=_OPEN).only("due_at", "priority", "play"))

    @cached_property
    def changes(self) -> list[tuple[datetime, str]]:
        """What was changed in the model in the last weeks, and when."""
        applied = AuditEntry.objects.filter(action="model.applied", at__gte=self.now - timedelta(days=40))
        return [
            (at, str(change))
            for at, after in applied.values_list("at", "after")
            for change in (after or {}).get("changes", ())
        ]


def said_by_data(
    workspace: Workspace, asked: Mapping[tuple[str, str], tuple[ChecklistItem, Period]], today: date, now: datetime
) -> dict[tuple[str, str], Said]:
    """What the data say of items, by list and item; those that they cannot tell of are left out."""
    look, found = Look(workspace, today, now), dict[tuple[str, str], Said]()
    for key, (item, period) in asked.items():
        check = _CHECKS.get(item.done_when or "")
        said = check(look, item, period) if check is not None else None
        if said is not None:
            found[key] = said
    return found


def _none_left(count: int, what: tuple[str, str], done: str) -> Said:
    """Done when nothing of it is left; `what` is its name for one and for several."""
    one, several = what
    return Said(not count, done if not count else f"{count:,} {one if count == 1 else several}")


def _run(look: Look, _: ChecklistItem, __: Period) -> Said:
    copies = copies_current(look.workspace)
    if copies is None:
        return Said(done=False, words="Nothing is published yet")
    return Said(copies.as_of >= look.today, f"The last run published {copies.as_of}")


def _overdue(look: Look, _: ChecklistItem, __: Period) -> Said:
    late = sum(task.due_at < look.now for task in look.tasks)
    return _none_left(late, ("overdue task", "overdue tasks"), "No task is overdue")


def _urgent(look: Look, _: ChecklistItem, period: Period) -> Said:
    until = look.moments(period)[1]
    left = sum(task.due_at < until and task.priority <= URGENT for task in look.tasks)
    return _none_left(left, ("urgent task left", "urgent tasks left"), "No urgent task is due")


def _alerts(_: Look, __: ChecklistItem, ___: Period) -> Said:
    waiting = Alert.objects.filter(state=Alert.State.OPEN).count()
    return _none_left(waiting, ("alert to be taken up", "alerts to be taken up"), "Somebody has taken up every alert")


def _quarantine(look: Look, _: ChecklistItem, __: Period) -> Said | None:
    try:
        rows = data_status(look.workspace).quarantined
    except NothingPublished:
        return None
    return _none_left(rows, ("row in quarantine", "rows in quarantine"), "No row is in quarantine")


def _approvals(_: Look, __: ChecklistItem, ___: Period) -> Said:
    return _none_left(
        Approval.objects.filter(state=Approval.State.OPEN).count(), ("open approval", "open approvals"), "Nothing waits"
    )


def _about_detractor(task: Task) -> bool:
    """Of an answer to a survey of the workspace's own, or of a model's signal of detractors."""
    return task.play.startswith("detractor") or (task.play.startswith(PLAY) and task.play.endswith(":low"))


def _detractors(look: Look, _: ChecklistItem, __: Period) -> Said:
    left = sum(_about_detractor(task) for task in look.tasks)
    return _none_left(left, ("detractor to be answered", "detractors to be answered"), "Every detractor was answered")


def _tickets(look: Look, _: ChecklistItem, __: Period) -> Said | None:
    try:
        tickets = desk_tickets(look.workspace, look.now, open_only=True)
    except NothingPublished:
        return None
    left = sum(one.priority in CRITICAL and one.row.first_response_at is None and one.open for one in tickets)
    wait = ("P0 or P1 ticket waits for its first answer", "P0 or P1 tickets wait for their first answer")
    return _none_left(left, wait, "Every P0 and P1 ticket was answered")


def _escalations(_: Look, __: ChecklistItem, ___: Period) -> Said:
    left = Escalation.objects.filter(state=Escalation.State.OPEN).count()
    return _none_left(left, ("escalation to be filed", "escalations to be filed"), "Every escalation is filed")


def _survey(look: Look, _: ChecklistItem, period: Period) -> Said:
    first, last = look.moments(period)
    names = [name for name, survey in surveys_of(look.workspace).items() if survey.kind == "nps"]
    sent = SurveyInvitation.objects.filter(survey__in=names, sent_at__gte=first, sent_at__lt=last).count()
    return Said(bool(sent), f"{sent:,} asked for NPS" if sent else "Nobody was asked for NPS")


def _contacts(look: Look, item: ChecklistItem, period: Period) -> Said:
    first, last = look.moments(period)
    logged = Outcome.objects.filter(logged_at__gte=first, logged_at__lt=last).count()
    wanted = item.count or 1
    return Said(logged >= wanted, f"{logged:,} contact{'' if logged == 1 else 's'} logged, {wanted:,} wanted")


def _playbooks(look: Look, _: ChecklistItem, period: Period) -> Said:
    return _changed(look, period, "playbooks", lambda change: change.startswith(_ABOUT_PLAYBOOKS))


def _model(look: Look, _: ChecklistItem, period: Period) -> Said:
    return _changed(look, period, "the model", lambda change: not change.startswith(_NOT_FIGURES))


def _changed(look: Look, period: Period, what: str, about: Callable[[str], bool]) -> Said:
    first, last = look.moments(period)
    count = sum(first <= at < last and about(change) for at, change in look.changes)
    return Said(bool(count), f"{count:,} change{'' if count == 1 else 's'} of {what}")


_CHECKS: Final[Mapping[str, Callable[[Look, ChecklistItem, Period], Said | None]]] = {
    "run_published": _run,
    "no_overdue_tasks": _overdue,
    "urgent_tasks_done": _urgent,
    "alerts_taken": _alerts,
    "quarantine_empty": _quarantine,
    "approvals_answered": _approvals,
    "detractors_answered": _detractors,
    "urgent_tickets_answered": _tickets,
    "escalations_filed": _escalations,
    "survey_sent": _survey,
    "contacts_logged": _contacts,
    "playbooks_changed": _playbooks,
    "model_changed": _model,
}
