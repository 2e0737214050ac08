"""Alerts for programs: read, take up, put away, resolve; nothing of other people's customers."""

from datetime import timedelta
from typing import Any

import pytest

from keepwell.store.models import Alert
from tests.interfaces.api.conftest import MakeProgram
from tests.web import NOW

pytestmark = pytest.mark.django_db


def opened(owned: tuple[str, str]) -> Alert:
    return Alert.objects.create(
        rule="payment_failure", customer_id=owned[0], company="Acme", owner_email=owned[1], severity="high",
        title="A payment failed", values={"shown": [["Amount", "99.00"]], "period": "month"}, since=NOW,
        opened_at=NOW, last_at=NOW, due_at=NOW + timedelta(hours=2),
    )  # fmt: skip


def test_an_alert_is_read_and_worked_on(program: MakeProgram, owned: tuple[str, str]) -> None:
    found, admin = opened(owned), program("admin")
    listed = admin.get("/alerts")
    assert [one["id"] for one in listed["items"]] == [found.pk]
    assert listed["counts"]["open"] == 1
    one = admin.get(f"/alerts/{found.pk}")
    assert (one["shown"], one["money_period"], one["history"]) == ([{"label": "Amount", "text": "99.00"}], "month", [])
    taken = admin.post(f"/alerts/{found.pk}/acknowledge", {"version": 1}).json()
    assert (taken["state"], taken["acknowledged_by"]["id"]) == ("acknowledged", admin.person.pk)
    assert admin.post(f"/alerts/{found.pk}/resolve", {"version": 1, "why": "Done"}).status_code == 409
    assert admin.post(f"/alerts/{found.pk}/resolve", {"why": "Done"}).json()["resolved_why"] == "Done"
    assert admin.get("/alerts", show="resolved")["total"] == 1


def test_strangers_learn_nothing(program: MakeProgram, owned: tuple[str, str]) -> None:
    found, stranger = opened(owned), program("csm")
    assert stranger.get("/alerts", who="all")["total"] == 0
    assert stranger.send("GET", f"/alerts/{found.pk}").status_code == 404
    assert stranger.post(f"/alerts/{found.pk}/acknowledge", {}).status_code == 404
    assert program("viewer").post(f"/alerts/{found.pk}/acknowledge", {}).status_code == 403


def test_many_are_changed_and_the_rest_is_explained(program: MakeProgram, owned: tuple[str, str]) -> None:
    found, admin = opened(owned), program("admin")
    other = Alert.objects.create(**{**_values(found), "rule": "other", "version": 4})
    named = [{"id": found.pk, "version": 1}, {"id": other.pk, "version": 3}, {"id": 10**9}]
    answer = admin.post("/alerts/bulk", {"alerts": named, "change": "acknowledge"}).json()
    assert [one["id"] for one in answer["done"]] == [found.pk]
    assert [one["id"] for one in answer["not_done"]] == [other.pk, 10**9]
    assert "changed by somebody else" in answer["not_done"][0]["why"]
    wrong = admin.post("/alerts/bulk", {"alerts": [{"id": other.pk}], "change": "resolve"})
    assert (wrong.status_code, "Say what was done" in wrong.json()["detail"]) == (409, True)
    stranger = program("csm").post("/alerts/bulk", {"alerts": named, "change": "resolve", "why": "Mine"}).json()
    assert (stranger["done"], len(stranger["not_done"])) == ([], 3)
    assert program("viewer").post("/alerts/bulk", {"alerts": named, "change": "resolve"}).status_code == 403


def _values(found: Alert) -> dict[str, Any]:
    names = ("customer_id", "company", "owner_email", "severity", "title", "since", "opened_at", "last_at")
    return {name: getattr(found, name) for name in names}
