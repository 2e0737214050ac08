"""The queue's pages: who sees what, in which order, and what happens when something is done."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.team.here import workspace
from keepwell.services.team.tasks import open_tasks_from_run
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Hold, Outcome, Person, Task, WorkspaceSetting
from tests.web import LAST, NOW, MakeClient, MakePerson

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
SAID = {"contact": "reached", "issue": "usage", "result": "resolved"}


@pytest.fixture
def owned(published: Workspace) -> tuple[str, str]:
    """Two customers of different owners."""
    rows = portfolio_page(published, PortfolioQuery(limit=60)).rows
    first = next(row for row in rows if row.owner_email)
    other = next(row for row in rows if row.owner_email and row.owner_email != first.owner_email)
    return first.customer_id, other.customer_id


def owner_of(published: Workspace, customer_id: str) -> str:
    rows = portfolio_page(published, PortfolioQuery(ids=frozenset({customer_id}))).rows
    return str(rows[0].owner_email)


def add(customer_id: str, **fields: Any) -> Task:
    """A task that is open."""
    number = Task.objects.count() + 1
    told = {
        "company": f"Company {number}", "kind": "segment", "play": f"play{number}", "title": f"Task {number}",
        "segment": "revenue_at_risk", "reasons": ["Tickets in 30 days: 4"], "priority": 1, "money": 100,
        "opened_on": LAST, "opened_at": NOW, "due_at": NOW + timedelta(days=1),
    }  # fmt: skip
    return Task.objects.create(customer_id=customer_id, **{**told, **fields})


def titles(page: str) -> list[str]:
    """The titles of the list, in order."""
    return re.findall(r'class="kw-task-title"[^>]*>([^<]+)<', page)


def text_of(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_the_order_is_priority_then_money_then_renewal(client_of: MakeClient, owned: tuple[str, str]) -> None:
    add(owned[0], title="later", priority=2, money=900)
    add(owned[0], title="small", priority=1, money=50)
    add(owned[0], title="unknown renewal", priority=1, money=70)
    add(owned[0], title="soon", priority=1, money=70, renewal_on=LAST)
    add(owned[0], title="no money", priority=1, money=None)
    page = text_of(client_of("admin"), reverse("today"))
    assert titles(page) == ["soon", "unknown renewal", "small", "no money", "later"]


def test_what_does_not_fit_into_the_week_is_below_a_line(client_of: MakeClient, owned: tuple[str, str]) -> None:
    WorkspaceSetting.objects.create(name="weekly_touchpoints", value=2)
    for money in (300, 200, 100):
        add(owned[0], money=money)
    page = text_of(client_of("admin"), reverse("today"))
    assert page.count("kw-below") == 1
    assert page.index("Task 2") < page.index("Does not fit into this week") < page.index("Task 3")
    assert "of 2 touchpoints" in page


def test_a_csm_has_a_share_of_the_week(client_of: MakeClient, person: MakePerson, owned: tuple[str, str]) -> None:
    person("csm")
    WorkspaceSetting.objects.create(name="weekly_touchpoints", value=250)
    assert "of 125 touchpoints" in text_of(client_of("csm"), reverse("today"))


def test_a_csm_sees_the_own_book_and_what_nobody_owns(
    client_of: MakeClient, published: Workspace, owned: tuple[str, str]
) -> None:
    mine, other = owned
    add(mine, title="mine", owner_email=owner_of(published, mine))
    add(other, title="foreign", owner_email=owner_of(published, other))
    add(mine, title="unowned", owner_email="")
    client = client_of("csm", owner_aliases=[owner_of(published, mine)])
    assert sorted(titles(text_of(client, reverse("today")))) == ["mine", "unowned"]


@pytest.mark.parametrize("name", ["task", "task_outcome", "task_undo"])
def test_strangers_do_not_find_a_task(
    client_of: MakeClient, published: Workspace, owned: tuple[str, str], name: str
) -> None:
    task = add(owned[1], owner_email=owner_of(published, owned[1]))
    client = client_of("csm", owner_aliases=[owner_of(published, owned[0])])
    address = reverse(name, args=[task.pk])
    answer = client.get(address) if name == "task" else client.post(address, {**SAID, "version": 1})
    assert answer.status_code == 404
    assert not Outcome.objects.exists()


@pytest.mark.parametrize("name", ["tasks_snooze", "tasks_assign", "tasks_done", "tasks_wake"])
def test_strangers_change_no_task(
    client_of: MakeClient, published: Workspace, owned: tuple[str, str], name: str
) -> None:
    task = add(owned[1], owner_email=owner_of(published, owned[1]))
    client = client_of("csm", owner_aliases=[owner_of(published, owned[0])])
    said = {"id": task.pk, "until": "2026-07-05", "reason": "x", "to": client.person.pk}  # type: ignore[attr-defined]
    assert client.post(reverse(name), said).status_code == 404
    assert not AuditEntry.objects.exists()


def test_a_viewer_looks_and_changes_nothing(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task = add(owned[0])
    client = client_of("viewer")
    assert "Log outcome" not in text_of(client, reverse("task", args=[task.pk]))
    answer = client.post(reverse("task_outcome", args=[task.pk]), {**SAID, "version": 1})
    assert answer.status_code == 403


def test_who_is_given_a_task_sees_its_customer_while_it_is_open(
    client_of: MakeClient, published: Workspace, owned: tuple[str, str]
) -> None:
    client = client_of("csm")
    who: Person = client.person  # type: ignore[attr-defined]
    task = add(owned[1], owner_email=owner_of(published, owned[1]), assignee=who)
    assert titles(text_of(client, reverse("today"))) == ["Task 1"]
    assert client.get(reverse("task", args=[task.pk])).status_code == 200
    Task.objects.update(state="done")
    assert client.get(reverse("task", args=[task.pk])).status_code == 404


@pytest.mark.parametrize("role", ["csm", "manager", "admin"])
def test_the_number_of_queries_does_not_grow(
    client_of: MakeClient, owned: tuple[str, str], django_assert_num_queries: Any, role: str
) -> None:
    client = client_of(role)
    add(owned[0], assignee=client.person)  # type: ignore[attr-defined]
    with django_assert_num_queries(_queries_of(client)):
        client.get(reverse("today"))
    for _ in range(2):
        add(owned[0], assignee=client.person)  # type: ignore[attr-defined]
    with django_assert_num_queries(_queries_of(client)):
        assert len(titles(text_of(client, reverse("today")))) == 3


def _queries_of(client: Client) -> int:
    """What the page takes: the session, the person, its team, and the queue."""
    return {"csm": 14, "manager": 14, "admin": 14}[client.person.role]  # type: ignore[attr-defined]


def test_logging_opens_the_next_task_and_says_what_it_did(client_of: MakeClient, owned: tuple[str, str]) -> None:
    first, second = add(owned[0], money=900), add(owned[1], money=100)
    client = client_of("admin")
    said = {**SAID, "version": 1, "note": "all good"}
    answer = client.post(reverse("task_outcome", args=[first.pk]), said, headers=HTMX)
    page = answer.content.decode()
    assert answer["HX-Push-Url"] == reverse("task", args=[second.pk])
    assert "Shown as Healthy &amp; stable until 30 Jul 2026" in page
    assert titles(page) == ["Task 2"]
    assert 'id="card-title">Task 2' in page
    assert "data-autofocus" in page


def test_logging_works_without_javascript(client_of: MakeClient, owned: tuple[str, str]) -> None:
    first, second = add(owned[0], money=900), add(owned[1], money=100)
    answer = client_of("admin").post(reverse("task_outcome", args=[first.pk]), {**SAID, "version": 1})
    assert answer.status_code == 302
    assert answer["Location"] == reverse("task", args=[second.pk])


def test_a_wrong_outcome_comes_back_as_it_was_filled_in(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task = add(owned[0])
    said = {"contact": "voicemail", "issue": "payment", "result": "follow_up", "note": "called twice", "version": 1}
    answer = client_of("admin").post(reverse("task_outcome", args=[task.pk]), said, headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose the day of the follow-up." in page
    assert "called twice" in page
    assert re.search(r'value="voicemail" required checked', page)


def test_the_second_of_two_is_told(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task = add(owned[0])
    address = reverse("task_outcome", args=[task.pk])
    client_of("admin", name="Ada").post(address, {**SAID, "version": 1})
    answer = client_of("manager", owner_aliases=[owner_of_task(task)]).post(
        address, {**SAID, "version": 1}, headers=HTMX
    )
    assert answer.status_code == 409
    assert "Ada has logged an outcome for this task already" in answer.content.decode()


def owner_of_task(task: Task) -> str:
    return owner_of(workspace(), task.customer_id)


def test_an_outcome_can_be_taken_back(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task, client = add(owned[0]), client_of("admin")
    client.post(reverse("task_outcome", args=[task.pk]), {**SAID, "version": 1})
    answer = client.post(reverse("task_undo", args=[task.pk]), headers=HTMX)
    assert "the outcome was taken back" in answer.content.decode()
    assert not Outcome.objects.exists()


def test_the_form_is_filled_for_the_play(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task = add(owned[0], play="re_engagement_email", conditions=["payment_status = 'failed'"])
    page = text_of(client_of("admin"), reverse("task", args=[task.pk]), **HTMX)
    assert re.findall(r'name="(\w+)" id="[^"]+" value="(\w+)" required checked', page) == [
        ("contact", "email"),
        ("issue", "payment"),
    ]
    assert 'value="2026-07-03"' in page


def test_a_returning_follow_up_shows_what_was_tried(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task, client = add(owned[0]), client_of("admin")
    said = {**SAID, "result": "follow_up", "follow_up_on": "2026-07-03", "note": "left a message", "version": 1}
    client.post(reverse("task_outcome", args=[task.pk]), said)
    pending = Task.objects.get(kind="follow_up")
    page = text_of(client, reverse("task", args=[pending.pk]))
    assert page.index("What was tried") < page.index("left a message")
    assert titles(text_of(client, reverse("today"))) == []
    assert len(titles(text_of(client, reverse("today") + "?show=later"))) == 1


def test_snoozing_asks_for_a_reason_and_takes_several_at_once(client_of: MakeClient, owned: tuple[str, str]) -> None:
    tasks, client = [add(owned[0]), add(owned[0])], client_of("admin")
    ids = [task.pk for task in tasks]
    assert "2 tasks" in text_of(client, f"{reverse('tasks_snooze')}?id={ids[0]}&id={ids[1]}", **HTMX)
    said: dict[str, Any] = {"id": ids, "until": "2026-07-03", "reason": ""}
    refused = client.post(reverse("tasks_snooze"), said, headers=HTMX)
    assert (refused.status_code, refused["HX-Retarget"]) == (422, "#dialog .modal-content")
    client.post(reverse("tasks_snooze"), {**said, "reason": "on holiday"}, headers=HTMX)
    assert {task.state for task in Task.objects.all()} == {"snoozed"}
    assert titles(text_of(client, reverse("today"))) == []
    client.post(reverse("tasks_wake"), {"id": ids}, headers=HTMX)
    assert len(titles(text_of(client, reverse("today")))) == 2


def test_tasks_are_handed_over_and_taken_off(client_of: MakeClient, person: MakePerson, owned: tuple[str, str]) -> None:
    task, other, client = add(owned[0]), person("csm", name="Ben"), client_of("manager")
    Task.objects.update(owner_email="")
    stranger = person("viewer")
    client = client_of("admin")
    assert client.post(reverse("tasks_assign"), {"id": task.pk, "to": stranger.pk}, headers=HTMX).status_code == 422
    client.post(reverse("tasks_assign"), {"id": task.pk, "to": other.pk}, headers=HTMX)
    assert Task.objects.get().assignee == other
    client.post(reverse("tasks_done"), {"id": task.pk}, headers=HTMX)
    assert Task.objects.get().closed_why == "Done without an outcome"


def test_a_csm_gives_tasks_to_nobody_else(
    client_of: MakeClient, person: MakePerson, published: Workspace, owned: tuple[str, str]
) -> None:
    other, client = person("csm"), client_of("csm", owner_aliases=[owner_of(published, owned[0])])
    task = add(owned[0])
    assert client.post(reverse("tasks_assign"), {"id": task.pk, "to": other.pk}, headers=HTMX).status_code == 422


def test_somebody_elses_change_is_not_laid_over(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task, client = add(owned[0], version=3), client_of("admin")
    said = {"id": task.pk, "seen": f"{task.pk}:2", "until": "2026-07-03", "reason": "x"}
    answer = client.post(reverse("tasks_snooze"), said, headers=HTMX)
    assert answer.status_code == 422
    assert "changed by somebody else" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("due=overdue", ["late"]),
        ("due=today", ["late", "evening"]),
        ("kind=manual", ["later"]),
        ("segment=revenue_at_risk&q=eve", ["evening"]),
        ("play=special", ["late"]),
        ("owner=-", ["late", "evening", "later"]),
        ("owner=x@example.com", []),
        ("who=mine", []),
    ],
)
def test_filters(client_of: MakeClient, owned: tuple[str, str], query: str, wanted: list[str]) -> None:
    add(owned[0], title="late", due_at=NOW - timedelta(days=1), money=300, play="special")
    add(owned[0], title="evening", due_at=NOW.replace(hour=23, minute=59, second=59, microsecond=999_999), money=200)
    add(owned[0], title="later", kind="manual", segment="", due_at=NOW + timedelta(days=10), money=100)
    assert titles(text_of(client_of("admin"), f"{reverse('today')}?{query}")) == wanted


def test_a_managers_look_at_somebodys_tasks_is_what_that_person_sees(
    client_of: MakeClient, person: MakePerson, owned: tuple[str, str]
) -> None:
    csm = person("csm", owner_aliases=["mine@example.com"])
    add(owned[0], title="own book", owner_email="mine@example.com", money=300)
    add(owned[1], title="given", owner_email="other@example.com", assignee=csm, money=200)
    add(owned[0], title="given away", owner_email="mine@example.com", assignee=person("ops"), money=100)
    add(owned[1], title="foreign", owner_email="other@example.com", money=50)
    assert titles(text_of(client_of("admin"), f"{reverse('today')}?who={csm.pk}")) == ["own book", "given"]
    assert titles(text_of(client_of(csm), reverse("today"))) == ["own book", "given"]
    assert titles(text_of(client_of("admin"), f"{reverse('today')}?who=987654321")) == []


def test_nothing_due_says_when_something_comes(client_of: MakeClient) -> None:
    page = text_of(client_of("admin"), reverse("today"))
    assert "Nothing due" in page
    assert "The next run is at 09:00" in page


def test_a_pack_without_a_score_shows_none(client_of: MakeClient, signals: Workspace) -> None:
    open_tasks_from_run(signals, as_of=LAST, now=NOW, job=None)
    page = text_of(client_of("admin"), reverse("today"))
    assert "Last login" in page
    assert "Health" not in page.split('id="card"')[1].split("</dl>")[0]


def test_what_somebody_said_can_be_ended_on_the_customers_page(
    client_of: MakeClient, published: Workspace, owned: tuple[str, str]
) -> None:
    task, client = add(owned[1]), client_of("admin", name="Ada")
    client.post(reverse("task_outcome", args=[task.pk]), {**SAID, "version": 1})
    page = text_of(client, reverse("customer", args=[owned[1]]))
    assert "Marked as resolved by Ada" in page
    assert "shown as Healthy &amp; stable until 30 Jul 2026" in page
    assert "(by hand)" in page.split('id="state-title"')[1].split("</section>")[0]
    stranger = client_of("csm", owner_aliases=[owner_of(published, owned[0])])
    assert stranger.post(reverse("hold_end", args=[owned[1]])).status_code == 404
    client.post(reverse("hold_end", args=[owned[1]]))
    assert Hold.objects.get().ended_why == "ended by hand"
    assert "(by hand)" not in text_of(client, reverse("customer", args=[owned[1]]))


def test_a_task_that_led_to_a_follow_up_calls_it_nothing_new(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task, client = add(owned[0]), client_of("admin")
    said = {**SAID, "result": "follow_up", "follow_up_on": "2026-07-03", "version": 1}
    client.post(reverse("task_outcome", args=[task.pk]), said)
    assert "Something new came up" not in text_of(client, reverse("task", args=[task.pk]))
    later = add(owned[0], linked_to=Task.objects.get(kind="follow_up"))
    assert "Something new came up" in text_of(client, reverse("task", args=[later.pk]))


def test_a_lost_customer_counts_as_churned_at_once(client_of: MakeClient, owned: tuple[str, str]) -> None:
    task, client = add(owned[0]), client_of("admin")
    address = reverse("customer", args=[owned[0]])
    assert "bg-red-lt ms-2" not in text_of(client, address)
    client.post(reverse("task_outcome", args=[task.pk]), {**SAID, "result": "lost", "version": 1})
    assert '<span class="badge bg-red-lt ms-2">churned</span>' in text_of(client, address)
