"""The timeline: entries of the data and of the team in one order, page by page, none lost and none twice."""

from collections import Counter
from datetime import timedelta

import pytest

from keepwell.services.published import TIMELINE_KINDS, customer_timeline, portfolio_rows
from keepwell.services.published.portfolio_query import PortfolioQuery
from keepwell.services.team.audit import actor
from keepwell.services.team.notes import note_add, note_remove
from keepwell.services.team.timeline import KINDS, Entry, timeline_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Note, Outcome, Task
from tests.web import NOW, MakePerson

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(published: Workspace) -> str:
    """The customer with most entries."""
    ids = [row.customer_id for row in portfolio_rows(published, PortfolioQuery())]
    return max(ids, key=lambda one: len(customer_timeline(published, one, limit=500).entries))


def work(customer_id: str, person: MakePerson) -> None:
    """A task, its outcome, and notes spread over two months."""
    csm = person("csm")
    opened = NOW - timedelta(days=20)
    task = Task.objects.create(
        customer_id=customer_id, company="C", kind="manual", play="p", title="Call", opened_on=opened.date(),
        opened_at=opened, due_at=NOW, state="done", reasons=["14 days without activity"],
    )  # fmt: skip
    Outcome.objects.create(
        task=task, customer_id=customer_id, contact="reached", issue="usage", result="resolved",
        note="Will train the team", logged_by=csm, logged_at=opened + timedelta(days=1),
    )  # fmt: skip
    for days in range(0, 60, 6):
        note_add(actor(csm), customer_id=customer_id, text=f"Note {days}", now=NOW - timedelta(days=days))


def walked(published: Workspace, customer_id: str, limit: int, kinds: tuple[str, ...] = ()) -> list[Entry]:
    found: list[Entry] = []
    page = timeline_of(published, customer_id, kinds=kinds, limit=limit)
    while True:
        found += page.entries
        if page.next_before is None:
            return found
        page = timeline_of(published, customer_id, kinds=kinds, before=page.next_before, limit=limit)


@pytest.mark.parametrize("limit", [1, 3, 1000])
def test_pages_hold_everything_once_in_order(
    published: Workspace, customer: str, person: MakePerson, limit: int
) -> None:
    work(customer, person)
    data = customer_timeline(published, customer, limit=1000).entries
    found = walked(published, customer, limit)
    assert len(found) == len(data) + 12 > 20
    assert [e.at for e in found] == sorted((e.at for e in found), reverse=True)
    told = Counter((e.at.replace(tzinfo=None), e.kind, e.title) for e in found if e.kind in TIMELINE_KINDS)
    assert told == Counter((e.at, e.kind, e.title) for e in data)
    assert [e.detail for e in found if e.kind == "note"] == [f"Note {days}" for days in range(0, 60, 6)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shows_itself_and_nothing_else(
    published: Workspace, customer: str, person: MakePerson, kind: str
) -> None:
    work(customer, person)
    found = walked(published, customer, 2, (kind,))
    assert {e.kind for e in found} <= {kind}
    own = {"task": 1, "outcome": 1, "note": 10}
    assert len(found) == own.get(kind, len(customer_timeline(published, customer, (kind,), limit=1000).entries))


def test_an_outcome_says_what_was_said_and_by_whom(published: Workspace, customer: str, person: MakePerson) -> None:
    work(customer, person)
    [outcome] = walked(published, customer, 5, ("outcome",))
    assert outcome.title == "Reached · Usage · Resolved"
    assert (outcome.detail, outcome.task_id) == ("Will train the team", Task.objects.get().pk)
    assert outcome.person
    [task] = walked(published, customer, 5, ("task",))
    assert task.detail == "Done · 14 days without activity"


def test_removed_notes_are_not_there(published: Workspace, customer: str, person: MakePerson) -> None:
    csm = actor(person("csm"))
    note: Note = note_add(csm, customer_id=customer, text="Wrong", now=NOW)
    note_remove(csm, note.pk, customer_id=customer, now=NOW)
    assert not walked(published, customer, 5, ("note",))
