"""What changes through the API: once for each key, told when somebody was faster, written to the audit log."""

import shutil
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection

from keepwell.interfaces.api import limits
from keepwell.services.team.sync import inbox_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import ApiToken, AuditEntry, IdempotentAnswer, Job, Note, OneTimeLink, Outcome, Person, Task
from tests.interfaces.api.conftest import MakeProgram
from tests.interfaces.api.program import PROBLEM, problem, told
from tests.interfaces.api.test_access import task_of
from tests.web import LAST

pytestmark = pytest.mark.django_db
DONE = {"contact": "reached", "issue": "usage", "result": "resolved"}


def test_the_same_key_changes_once_and_is_answered_twice(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, path = program("ops"), f"/customers/{owned[0]}/notes"
    first = told(mine.post(path, {"text": "once"}, key="k1"), 201)
    again = mine.post(path, {"text": "once"}, key="k1")
    assert told(again, 201) == first
    assert Note.objects.count() == 1
    problem(mine.post(path, {"text": "another"}, key="k1"), 422)
    assert Note.objects.count() == 1
    told(program("ops").post(path, {"text": "of somebody else"}, key="k1"), 201)
    told(mine.post(path, {"text": "once"}), 201)
    assert Note.objects.count() == 3


def test_a_key_of_a_refused_change_can_be_used_again(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, task = program("ops"), task_of(owned[0])
    body = {"reason": "away", "until": LAST.isoformat()}
    problem(mine.post(f"/tasks/{task.pk}/snooze", body, key="k"), 409)
    assert not IdempotentAnswer.objects.exists()
    told(mine.post(f"/tasks/{task.pk}/snooze", {**body, "until": "2026-07-08"}, key="k"))


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_once_changes_once(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, answers = program("ops"), []
    together = threading.Barrier(3)

    def send() -> None:
        together.wait()
        answers.append(mine.post(f"/customers/{owned[0]}/notes", {"text": "once"}, key="same"))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Note.objects.count() == 1


def test_an_outcome_is_logged_once_and_the_second_is_told(program: MakeProgram, owned: tuple[str, str]) -> None:
    customer_id, owner = owned
    mine, task = program("csm", email=owner, name="Maya"), task_of(customer_id, owner_email=owner)
    card = mine.get(f"/tasks/{task.pk}")
    assert card["task"]["version"] == 1
    assert card["customer"]["row"]["customer_id"] == customer_id
    logged = told(mine.post(f"/tasks/{task.pk}/outcome", {"version": 1, **DONE}), 201)
    assert (logged["result"], logged["logged_by"]["name"]) == ("resolved", "Maya")
    late = problem(program("ops").post(f"/tasks/{task.pk}/outcome", {"version": 1, **DONE}), 409)
    assert "Maya has logged an outcome" in late["detail"]
    entry = AuditEntry.objects.filter(action="outcome.logged").get()
    assert entry.actor_name == f"{owner} (token test)"
    assert mine.get(f"/customers/{customer_id}/tasks", state="done")["items"][0]["id"] == task.pk
    assert told(mine.send("DELETE", f"/tasks/{task.pk}/outcome"))["state"] == "open"
    assert not Outcome.objects.exists()


def test_what_is_wrong_with_an_outcome_is_said_by_field(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, task = program("ops"), task_of(owned[0])
    wrong = problem(mine.post(f"/tasks/{task.pk}/outcome", {"version": 1, **DONE, "result": "follow_up"}), 422)
    assert wrong["errors"] == [{"where": "body.follow_up_on", "message": "Choose the day of the follow-up."}]
    shape = problem(mine.post(f"/tasks/{task.pk}/outcome", {"version": 1, "contact": "smoke"}), 422)
    assert {one["where"] for one in shape["errors"]} >= {"body.body.contact", "body.body.issue", "body.body.result"}


def test_tasks_are_made_snoozed_assigned_and_closed(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, other = program("ops"), program("csm")
    made = told(mine.post("/tasks", {"customer_id": owned[0], "title": "Call", "due_on": "2026-07-01"}), 201)
    where = f"/tasks/{made['id']}"
    snoozed = told(mine.post(f"{where}/snooze", {"until": "2026-07-09", "reason": "away", "version": 1}))
    assert (snoozed["state"], snoozed["snoozed_until"], snoozed["version"]) == ("snoozed", "2026-07-09", 2)
    problem(mine.post(f"{where}/wake", {"version": 1}), 409)
    told(mine.post(f"{where}/wake", {"version": 2}))
    given = told(mine.post(f"{where}/assign", {"person_id": other.person.pk}))
    assert given["assignee"]["email"] == other.person.email
    assert [one["task"]["id"] for one in other.get("/tasks")["items"]] == [made["id"]]
    second = task_of(owned[0])
    both = {"tasks": [{"id": made["id"]}, {"id": second.pk}], "change": "done"}
    assert {task["state"] for task in told(mine.post("/tasks/bulk", both))} == {"done"}
    problem(mine.post("/tasks/bulk", both), 409)
    problem(other.post(f"{where}/assign", {"person_id": mine.person.pk}), 404)


def test_a_csm_gives_tasks_to_nobody_else(program: MakeProgram, owned: tuple[str, str]) -> None:
    customer_id, owner = owned
    mine, task = program("csm", email=owner), task_of(customer_id, owner_email=owner)
    problem(mine.post(f"/tasks/{task.pk}/assign", {"person_id": program("csm").person.pk}), 409)


def test_notes_are_changed_by_who_wrote_them(program: MakeProgram, owned: tuple[str, str]) -> None:
    mine, path = program("ops"), f"/customers/{owned[0]}/notes"
    note = told(mine.post(path, {"text": "a"}), 201)
    assert told(mine.send("PUT", f"{path}/{note['id']}", {"text": "b"}))["text"] == "b"
    problem(program("admin").send("DELETE", f"{path}/{note['id']}"), 409)
    told(mine.send("DELETE", f"{path}/{note['id']}"), 204)
    assert mine.get(path) == {"items": [], "total": 0, "limit": 50, "offset": 0, "next_offset": None}


def test_a_job_is_asked_for_cancelled_and_asked_for_again(program: MakeProgram) -> None:
    mine = program("ops")
    job = told(mine.post("/jobs", {"kind": "backfill", "first": "2026-06-01", "last": "2026-06-03"}), 202)
    assert (job["state"], job["requested_by"]["id"]) == ("queued", mine.person.pk)
    assert told(mine.send("POST", f"/jobs/{job['id']}/cancel"))["state"] == "cancelled"
    problem(mine.send("POST", f"/jobs/{job['id']}/cancel"), 409)
    again = told(mine.send("POST", f"/jobs/{job['id']}/again"), 202)
    assert again["id"] != job["id"]
    assert [one["id"] for one in mine.get("/jobs", state="queued")["items"]] == [again["id"]]
    problem(mine.post("/jobs", {"kind": "backfill"}), 422)
    problem(mine.post("/jobs", {"kind": "daily", "as_of": "2026-07-01"}), 409)
    assert Job.objects.count() == 2


def test_people_are_invited_and_changed_by_admins(program: MakeProgram) -> None:
    admin, csm = program("admin"), program("csm")
    link = told(admin.post("/invitations", {"email": "new@example.com", "team": "North"}), 201)["link"]
    assert admin.client.get(link).status_code == 200
    assert admin.get("/invitations")["items"][0]["team"] == "North"
    assert not IdempotentAnswer.objects.exists(), "secrets are not kept"
    problem(admin.post("/invitations", {"email": "nonsense"}), 422)
    change = {"name": "C", "role": "manager", "team": "North", "owner_aliases": ["a@b.de"], "is_active": True}
    assert told(admin.send("PUT", f"/people/{csm.person.pk}", change))["role"] == "manager"
    assert admin.get(f"/people/{csm.person.pk}")["team"] == "North"
    assert {person["team"] for person in admin.get("/people")["items"]} == {None, "North"}
    me = f"/people/{admin.person.pk}"
    Person.objects.filter(role="admin").exclude(pk=admin.person.pk).delete()
    assert "last active admin" in problem(admin.send("PUT", me, change), 409)["detail"]
    assert OneTimeLink.objects.count() == 1


def test_a_token_makes_none_that_may_more(program: MakeProgram) -> None:
    mine = program("admin", "read")
    problem(mine.post("/me/tokens", {"name": "more", "scopes": ["admin"]}), 403)
    made = told(mine.post("/me/tokens", {"name": "same", "scopes": ["read"], "days": 3}), 201)
    assert made["secret"].startswith("kw_")
    assert "secret" not in mine.get("/me/tokens")["items"][0]
    told(mine.send("DELETE", f"/me/tokens/{made['id']}"), 204)
    problem(mine.send("DELETE", f"/me/tokens/{ApiToken.objects.exclude(person=mine.person).count() + 999}"), 404)


def test_settings_are_seen_and_changed(program: MakeProgram) -> None:
    admin = program("admin")
    settings = admin.get("/settings")
    changed = told(admin.send("PUT", "/settings", {**settings, "run_time": "07:30", "weekly_touchpoints": 12}))
    assert admin.get("/settings") == changed == {**settings, "run_time": "07:30", "weekly_touchpoints": 12}
    problem(admin.send("PUT", "/settings", {**settings, "run_time": "25:00"}), 422)
    assert admin.get("/audit", area="settings")["items"][0]["action"] == "settings.changed"


def test_views_are_ones_own_or_shared(program: MakeProgram) -> None:
    csm, ops = program("csm"), program("ops")
    told(ops.post("/views", {"name": "Big", "query": {"arr_min": ["1000"]}, "shared": True}), 201)
    mine = told(csm.post("/views", {"name": "Mine", "query": {}}), 201)
    problem(csm.post("/views", {"name": "Ours", "query": {}, "shared": True}), 409)
    assert [view["name"] for view in csm.get("/views")["items"]] == ["Big", "Mine"]
    problem(ops.send("DELETE", f"/views/{mine['id']}"), 409)
    told(csm.send("DELETE", f"/views/{mine['id']}"), 204)


def test_too_many_requests_are_told_when_to_come_again(program: MakeProgram, monkeypatch: Any, settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    monkeypatch.setattr(limits, "A_MINUTE", 3)
    monkeypatch.setattr("keepwell.interfaces.api.limits.time.time", lambda: 1_000_000_020.0)
    caches["default"].clear()
    mine, other = program("csm"), program("csm")
    for _ in range(3):
        told(mine.send("GET", "/me"))
    found = mine.send("GET", "/me")
    assert problem(found, 429)["detail"] == "Try again in 60 seconds."
    assert (found["Retry-After"], found["Content-Type"]) == ("60", PROBLEM)
    told(other.send("GET", "/me"))
    monkeypatch.setattr(
        "keepwell.interfaces.api.limits.time.time", lambda: 1_000_000_020.0 + timedelta(minutes=1).seconds
    )
    told(mine.send("GET", "/me"))


def test_a_task_that_is_gone_is_not_there(program: MakeProgram) -> None:
    assert not Task.objects.exists()
    problem(program("ops").send("GET", "/tasks/1"), 404)


def test_a_file_of_the_inbox_is_listed_and_put_aside(program: MakeProgram, published: Workspace) -> None:
    inbox = inbox_of(published)
    inbox.mkdir(exist_ok=True)
    (inbox / "tickets_torn.csv").write_text("x\n", encoding="utf-8")
    api = program("ops", "data")
    assert [one["name"] for one in told(api.send("GET", "/data/files"))] == ["tickets_torn.csv"]
    assert api.send("DELETE", "/data/files/tickets_torn.csv").status_code == 204
    assert told(api.send("GET", "/data/files")) == []
    assert [path.name for path in inbox.rglob("removed/*/*")] == ["tickets_torn.csv"]
    problem(api.send("DELETE", "/data/files/tickets_torn.csv"), 404)
    shutil.rmtree(inbox)
