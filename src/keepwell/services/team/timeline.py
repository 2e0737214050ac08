"""A customer's timeline: what the data say happened, and the tasks, outcomes, offers and notes of the team."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet

from keepwell.services.published import TIMELINE_KINDS, TimelineEntry, customer_timeline
from keepwell.services.team.notes import notes_of
from keepwell.services.team.offering.history import offer_moments
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outcome, Task

TEAM_KINDS: Final = ("task", "outcome", "offer", "note")
KINDS: Final = (*TIMELINE_KINDS, *TEAM_KINDS)
PAGE: Final = 30
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Entry:
    """Something that happened; `task_id` is the task that it is or belongs to."""

    at: datetime
    kind: str
    title: str
    detail: str
    amount: float | None = None
    person: str = ""
    task_id: int | None = None


@dataclass(frozen=True)
class Timeline:
    """A part of a timeline, the newest first; `next_before` asks for what is older, None at the end."""

    entries: tuple[Entry, ...]
    next_before: datetime | None


def timeline_of(
    workspace: Workspace,
    customer_id: str,
    *,
    kinds: Sequence[str] = (),
    before: datetime | None = None,
    limit: int = PAGE,
) -> Timeline:
    """What happened with a customer before a moment. What happened at one moment is never torn apart.

    The published part decides how far back a page goes, and the team's entries of the same time are put in between:
    so nothing is left out or said twice, however many there are of either.
    """
    data = [kind for kind in kinds if kind in TIMELINE_KINDS]
    if kinds and not data:
        return _team_page(customer_id, kinds, before, limit)
    page = customer_timeline(workspace, customer_id, data, before, limit)
    entries = [_published(entry) for entry in page.entries]
    older = None if page.next_before is None else page.next_before.replace(tzinfo=UTC)
    wanted = [kind for kind in TEAM_KINDS if not kinds or kind in kinds]
    entries += _team(customer_id, wanted, before, since=older)
    return Timeline(_sorted(entries), older)


def _team_page(customer_id: str, kinds: Sequence[str], before: datetime | None, limit: int) -> Timeline:
    """A page of the team's own entries: a few more than asked for where moments are equal."""
    found = _sorted(_team(customer_id, [kind for kind in TEAM_KINDS if kind in kinds], before))
    if len(found) <= limit:
        return Timeline(found, None)
    edge = found[limit - 1].at
    shown = tuple(entry for entry in found if entry.at >= edge)
    return Timeline(shown, edge if len(shown) < len(found) else None)


def _sorted(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(entries, key=lambda entry: entry.at, reverse=True))


def _published(entry: TimelineEntry) -> Entry:
    at = entry.at.replace(tzinfo=UTC)
    return Entry(at, entry.kind, entry.title, entry.detail or "", entry.amount, entry.person or "")


def _team(
    customer_id: str, kinds: Sequence[str], before: datetime | None, since: datetime | None = None
) -> list[Entry]:
    found: list[Entry] = []
    for kind in kinds:
        found += _OF_KIND[kind](customer_id, before, since)
    return found


def _within(rows: QuerySet[Row], at: str, before: datetime | None, since: datetime | None) -> QuerySet[Row]:
    limits: dict[str, Any] = {}
    if before is not None:
        limits[f"{at}__lt"] = before
    if since is not None:
        limits[f"{at}__gte"] = since
    return rows.filter(**limits)


def _tasks(customer_id: str, before: datetime | None, since: datetime | None) -> Iterator[Entry]:
    tasks = Task.objects.filter(customer_id=customer_id).select_related("assignee")
    for task in _within(tasks, "opened_at", before, since):
        detail = " · ".join(part for part in (task.get_state_display(), task.closed_why, *task.reasons[:1]) if part)
        person = task.assignee.shown_name if task.assignee else ""
        yield Entry(task.opened_at, "task", task.title, detail, person=person, task_id=task.pk)


def _outcomes(customer_id: str, before: datetime | None, since: datetime | None) -> Iterator[Entry]:
    outcomes = Outcome.objects.filter(customer_id=customer_id).select_related("logged_by")
    for outcome in _within(outcomes, "logged_at", before, since):
        said = (outcome.get_contact_display(), outcome.get_issue_display(), outcome.get_result_display())
        person = outcome.logged_by.shown_name if outcome.logged_by else ""
        title = " · ".join(map(str, said))
        yield Entry(outcome.logged_at, "outcome", title, outcome.note, person=person, task_id=outcome.task_id)


def _notes(customer_id: str, before: datetime | None, since: datetime | None) -> Iterator[Entry]:
    for note in _within(notes_of(customer_id), "written_at", before, since):
        person = note.written_by.shown_name if note.written_by else ""
        yield Entry(note.written_at, "note", "Note", note.text, person=person)


def _offers(customer_id: str, before: datetime | None, since: datetime | None) -> Iterator[Entry]:
    for one in offer_moments(customer_id):
        if (before is None or one.at < before) and (since is None or one.at >= since):
            yield Entry(one.at, "offer", one.title, one.detail, person=one.person)


_OF_KIND: Final = {"task": _tasks, "outcome": _outcomes, "offer": _offers, "note": _notes}
