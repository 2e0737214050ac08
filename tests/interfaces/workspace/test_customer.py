"""The customer page: who may see it, what it says, and how fast it asks the database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keepwell.interfaces.workspace.pages.customer import contacts_first
from keepwell.services.published import (
    CustomerCurrent,
    PersonRow,
    PortfolioQuery,
    PortfolioRow,
    customer_current,
    portfolio_rows,
)
from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.notes import note_add
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Hold, Note, Task
from tests.web import LAST, NOW, MakeClient, MakePerson

pytestmark = pytest.mark.django_db
PARTS = ("", "/why", "/changes", "/timeline", "/usage", "/tasks", "/notes")


@pytest.fixture
def row(published: Workspace) -> PortfolioRow:
    """A customer with an owner and reasons."""
    return next(row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email and row.reasons)


@pytest.fixture
def ops(client_of: MakeClient) -> Client:
    return client_of("ops")


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content[:500]
    return answer.content.decode()


def open_task(row: PortfolioRow, play: str = "p", **fields: Any) -> Task:
    given = {"kind": "manual", "title": f"Call about {play}", "opened_on": LAST, "opened_at": NOW, "due_at": NOW}
    return Task.objects.create(customer_id=row.customer_id, company=row.name, play=play, **{**given, **fields})


@pytest.mark.parametrize("part", PARTS)
def test_a_stranger_cannot_tell_whether_there_is_such_a_customer(
    client_of: MakeClient, row: PortfolioRow, part: str
) -> None:
    stranger = client_of("csm", email="stranger@example.com")
    said = [stranger.get(f"/customers/{one}{part}") for one in (row.customer_id, "no-such-customer")]
    assert [answer.status_code for answer in said] == [404, 404]
    assert row.name.encode() not in said[0].content
    assert text(client_of("csm", email=row.owner_email), f"/customers/{row.customer_id}{part}")


@pytest.mark.parametrize("part", ["/tasks/new", "/notes/new", "/notes/1", "/notes/1/remove"])
def test_a_stranger_changes_nothing(client_of: MakeClient, row: PortfolioRow, part: str) -> None:
    note = note_add(Actor("somebody"), customer_id=row.customer_id, text="Secret", now=NOW)
    address = f"/customers/{row.customer_id}{part.replace('1', str(note.pk))}"
    given = {"text": "Mine", "title": "Mine", "due_on": LAST.isoformat()}
    for client, status in ((client_of("csm"), 404), (client_of("viewer"), 403), (Client(), 302)):
        assert client.post(address, given).status_code == status
    assert Note.objects.get().text == "Secret"
    assert Note.objects.get().removed_at is None
    assert not Task.objects.exists()


@pytest.mark.parametrize("part", PARTS)
def test_who_is_not_signed_in_is_asked_to(published: Workspace, row: PortfolioRow, part: str) -> None:
    answer = Client().get(f"/customers/{row.customer_id}{part}")
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]


def test_the_page_says_what_to_know_before_a_call(ops: Client, row: PortfolioRow) -> None:
    page = text(ops, f"/customers/{row.customer_id}")
    for said in (row.name, row.band, row.segment_label, row.plan, f"{row.arr:,.0f}", *row.reasons):
        assert said
        assert said.replace("&", "&amp;").replace("'", "&#x27;") in page
    assert "% of the score has data" in page
    assert 'style="' not in page
    assert "onclick" not in page


def test_a_model_without_a_score_shows_segments_in_its_place(client_of: MakeClient, signals: Workspace) -> None:
    row = next(portfolio_rows(signals, PortfolioQuery()))
    page = text(client_of("ops"), f"/customers/{row.customer_id}")
    assert row.segment_label
    assert row.segment_label.replace("&", "&amp;") in page
    assert "kw-ribbon" in page
    assert "chart-score" not in page
    assert "of the score has data" not in page
    why = text(client_of("ops"), f"/customers/{row.customer_id}/why")
    assert "Why health" not in why
    assert "Segments" in why


def test_unknown_values_are_said_with_their_reason(ops: Client, published: Workspace) -> None:
    for row in portfolio_rows(published, PortfolioQuery()):
        answer = ops.get(f"/customers/{row.customer_id}")
        unknown = answer.context["unknown"]
        if unknown:
            break
    page = answer.content.decode()
    assert f"{len(unknown)} value" in page
    assert all(metric.quality in page for metric in unknown)


def test_who_left_is_shown_as_it_was(ops: Client, published: Workspace) -> None:
    gone = [row for row in portfolio_rows(published, PortfolioQuery(statuses=("churned",))) if row.churned_on]
    assert gone
    for row in gone[:2]:
        assert f"{row.name.replace('&', '&amp;')} left on" in text(ops, f"/customers/{row.customer_id}")
        for part in PARTS[1:]:
            text(ops, f"/customers/{row.customer_id}{part}")


def test_open_tasks_and_a_standing_word_are_shown(ops: Client, row: PortfolioRow) -> None:
    open_task(row)
    open_task(row, "later", state="snoozed", snoozed_until=LAST + timedelta(days=3), snooze_reason="On holiday")
    open_task(row, "done", state="done")
    until = LAST + timedelta(days=30)
    Hold.objects.create(customer_id=row.customer_id, kind="resolved", segment="healthy_stable", since=LAST, until=until)
    page = text(ops, f"/customers/{row.customer_id}")
    assert "Call about p" in page
    assert "snoozed until 3 Jul 2026: On holiday" in page
    assert "Call about done" not in page
    assert "Marked as resolved by a person on 30 Jun 2026" in page
    assert "until 30 Jul 2026, or until the data say something new" in page


def test_the_database_is_asked_as_often_for_three_as_for_one(
    client_of: MakeClient, person: MakePerson, row: PortfolioRow, django_assert_num_queries: Any
) -> None:
    somebody = person("ops")
    ops = client_of(somebody)
    address = f"/customers/{row.customer_id}"

    def add(one: int) -> None:
        open_task(row, str(one), assignee=somebody)
        note_add(actor(somebody), customer_id=row.customer_id, text="Note", now=NOW)

    add(1)
    text(ops, address)
    with django_assert_num_queries(8):
        text(ops, address)
    add(2)
    add(3)
    with django_assert_num_queries(8):
        text(ops, address)


def test_a_task_is_made_by_hand(client_of: MakeClient, person: MakePerson, row: PortfolioRow) -> None:
    owner = person("csm", email=row.owner_email)
    csm = client_of(owner)
    address = f"/customers/{row.customer_id}/tasks/new"
    assert csm.post(address, {"title": "Send the offer", "due_on": "2026-07-01", "mine": "1"}).status_code == 302
    task = Task.objects.get()
    assert (task.title, task.assignee, task.customer_id) == ("Send the offer", owner, row.customer_id)
    assert AuditEntry.objects.filter(customer_id=row.customer_id).exists()
    for wrong in ({"title": " ", "due_on": "2026-07-01"}, {"title": "x", "due_on": "2026-06-29"}, {"title": "x"}):
        answer = csm.post(address, wrong, headers={"HX-Request": "true"})
        assert answer.status_code == 422
        assert b'role="alert"' in answer.content
    assert Task.objects.count() == 1


def test_notes_are_written_changed_and_removed_on_the_page(client_of: MakeClient, row: PortfolioRow) -> None:
    csm = client_of("csm", email=row.owner_email)
    address, htmx = f"/customers/{row.customer_id}/notes", {"HX-Request": "true"}
    assert b"Prefers mail" in csm.post(f"{address}/new", {"text": "Prefers mail"}, headers=htmx).content
    note = Note.objects.get()
    assert b"Prefers mail</textarea>" in csm.get(f"{address}/{note.pk}").content
    assert b"<b>Calls</b>" not in csm.post(f"{address}/{note.pk}", {"text": "<b>Calls</b>"}, headers=htmx).content
    assert csm.post(f"{address}/{note.pk}", {"text": " "}, headers=htmx).status_code == 422
    assert Note.objects.get().text == "<b>Calls</b>"
    other = client_of("ops")
    assert other.get(f"{address}/{note.pk}").status_code == 404
    assert b"Only who wrote" in other.post(f"{address}/{note.pk}/remove").content
    assert b"No notes yet" in csm.post(f"{address}/{note.pk}/remove", headers=htmx).content
    assert csm.post(f"{address}/{note.pk}/remove").status_code == 422


def test_a_viewer_sees_notes_and_tasks_and_no_forms(client_of: MakeClient, row: PortfolioRow) -> None:
    note_add(Actor("somebody"), customer_id=row.customer_id, text="Prefers mail", now=NOW)
    page = text(client_of("viewer"), f"/customers/{row.customer_id}")
    assert "Prefers mail" in page
    assert "notes/new" not in page
    assert "tasks/new" not in page


def test_who_decides_is_called_first_and_who_left_never() -> None:
    def one(name: str, **fields: Any) -> PersonRow:
        values: dict[str, Any] = dict.fromkeys(PersonRow.__dataclass_fields__)
        return PersonRow(**values | {"person_id": name, "name": name, "email": f"{name}@x.example"} | fields)

    people = [
        one("user", role="user", last_seen_at=NOW),
        one("silent champion", role="champion"),
        one("champion", role="champion", last_seen_at=NOW),
        one("boss", role="decision_maker"),
        one("gone", role="decision_maker", left_company_at=NOW),
        one("nobody", role="decision_maker", email=None),
    ]
    assert [p.name for p in contacts_first(people)] == ["boss", "champion", "silent champion", "user"]


def test_too_little_data_is_said_and_no_health_is_claimed(
    ops: Client, row: PortfolioRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def thin(*given: Any) -> CustomerCurrent | None:
        known = customer_current(*given)
        assert known
        scores = tuple(replace(s, score=None, band="Not enough data", coverage=0.496) for s in known.scores)
        return replace(known, scores=scores, row=replace(known.row, reasons=(), signals=(), score=None))

    monkeypatch.setattr("keepwell.interfaces.workspace.pages.customer.customer_current", thin)
    page = text(ops, f"/customers/{row.customer_id}")
    assert "Not enough data" in page
    assert "49.6 % of the score has data" in page
    assert "Too little is known to judge" in page
    assert "No reason to worry" not in page
