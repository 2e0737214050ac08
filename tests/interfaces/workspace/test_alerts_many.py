"""Several alerts at once: what is done, what is left and why, and what strangers can do (nothing)."""

from typing import Any

import pytest
from django.test import Client

from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, AuditEntry
from tests.interfaces.workspace.test_alerts import opened, owned, page
from tests.web import MakeClient, MakePerson

pytestmark = pytest.mark.django_db


def marks(*alerts: Alert) -> dict[str, Any]:
    return {"seen": [f"{one.pk}:{one.version}" for one in alerts]}


def states(*alerts: Alert) -> list[str]:
    found = dict(Alert.objects.values_list("pk", "state"))
    return [found[one.pk] for one in alerts]


def three(published: Workspace) -> list[Alert]:
    return [opened(owned(published), name) for name in "abc"]


def followed(client: Client, address: str, data: dict[str, Any]) -> str:
    return str(client.post(address, data, follow=True).content.decode())


def test_what_can_be_done_is_done_and_the_rest_is_said(published: Workspace, client_of: MakeClient) -> None:
    client, (first, second, third) = client_of("admin"), three(published)
    client.post(f"/alerts/{second.pk}/take", {"version": 1})
    shown = followed(client, "/alerts/take", {**marks(first, third), "back": "show=open"})
    assert "2 alerts: taken up." in shown
    assert states(first, second, third) == ["acknowledged"] * 3
    late = [opened(owned(published), name) for name in "de"]
    Alert.objects.filter(pk=late[0].pk).update(version=5)
    shown = followed(client, "/alerts/resolve", {**marks(*late), "why": "Was a test"})
    assert f"{late[1].title}: resolved." in shown
    assert "1 alert was left as before" in shown
    assert "changed by somebody else" in shown
    assert states(*late) == ["open", "resolved"]
    assert AuditEntry.objects.filter(action="alert.resolved").count() == 1


def test_snoozing_and_giving_many(published: Workspace, client_of: MakeClient, person: MakePerson) -> None:
    client, alerts, other = client_of("admin"), three(published), person("csm", name="Jo Jones")
    client.post("/alerts/snooze", {**marks(*alerts[:2]), "until": "2026-07-01T09:00", "reason": "They pay"})
    assert states(*alerts) == ["snoozed", "snoozed", "open"]
    shown = followed(client, "/alerts/assign", {"seen": [str(one.pk) for one in alerts], "to": other.pk})
    assert "3 alerts: given to Jo Jones." in shown
    assert set(Alert.objects.values_list("assignee", flat=True)) == {other.pk}


def test_what_is_wrong_with_the_form_is_said_in_it(published: Workspace, client_of: MakeClient) -> None:
    client, alerts = client_of("admin"), three(published)
    for address, data, words in (
        ("/alerts/snooze", {"until": "2020-01-01T09:00", "reason": "x"}, "still to come"),
        ("/alerts/resolve", {"why": " "}, "Say what was done"),
        ("/alerts/assign", {"to": "99999"}, "Choose somebody from the list"),
    ):
        for headers in ({}, {"HX-Request": "true"}):
            answer = client.post(address, {**marks(*alerts), **data}, headers=headers)
            assert (answer.status_code, words in answer.content.decode()) == (422, True), (address, headers)
    assert states(*alerts) == ["open"] * 3


def test_dialogs_carry_the_versions_that_were_seen(published: Workspace, client_of: MakeClient) -> None:
    client, alerts = client_of("admin"), three(published)
    for form in ("snooze", "resolve", "assign"):
        for headers in ({}, {"HX-Request": "true"}):
            shown = client.get(f"/alerts/{form}", marks(*alerts), headers=headers).content.decode()
            assert "3 alerts" in shown
            assert f'value="{alerts[0].pk}:1"' in shown
    taken = client.post("/alerts/take", {**marks(*alerts), "back": "show=late\r\nx: y"}, headers={"HX-Request": "true"})
    assert taken.status_code == 204
    assert taken.headers["HX-Redirect"].startswith("/alerts?show=late")


def test_strangers_and_viewers_change_nothing(published: Workspace, client_of: MakeClient) -> None:
    alerts = three(published)
    stranger, viewer = client_of("csm"), client_of("viewer")
    shown = followed(stranger, "/alerts/take", marks(*alerts))
    assert "3 alerts were left as before" in shown
    assert alerts[0].title not in shown
    dialog = stranger.get("/alerts/resolve", marks(alerts[0])).content.decode()
    assert alerts[0].title not in dialog
    assert viewer.post("/alerts/take", marks(*alerts)).status_code == 403
    assert stranger.post("/alerts/take", {"seen": "nonsense"}).status_code == 404
    assert states(*alerts) == ["open"] * 3


def test_only_who_may_work_can_select(published: Workspace, client_of: MakeClient) -> None:
    found = opened(owned(published))
    box = f'name="seen" value="{found.pk}:1"'
    assert box in page(client_of("admin"), "/alerts")
    assert box not in page(client_of("viewer"), "/alerts")
    Alert.objects.filter(pk=found.pk).update(state="resolved")
    assert box not in page(client_of("admin"), "/alerts?show=resolved")
