"""Alerts in the browser: whose they are, in which order, what can be done, and what strangers see (nothing)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from keepwell.services.published import PortfolioQuery, PortfolioRow, portfolio_rows
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, AuditEntry, WorkspaceSetting
from tests.web import NOW, MakeClient, MakePerson

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def owned(published: Workspace) -> PortfolioRow:
    return next(row for row in portfolio_rows(published, PortfolioQuery()) if row.owner_email)


def opened(row: PortfolioRow, rule: str = "payment_failure", severity: str = "high", **more: Any) -> Alert:
    """An alert of a customer."""
    said = {
        "title": f"{rule} of {row.customer_id}", "what": "What happened", "action": "Call", "money": 1200, "since": NOW,
        "values": {"shown": [["Amount", "99.00"]], "period": "month"}, "opened_at": NOW, "last_at": NOW,
        "due_at": NOW + 2 * HOUR, "near_at": NOW + HOUR, "next_at": NOW + HOUR,
    }  # fmt: skip
    about = {"customer_id": row.customer_id, "company": row.name, "owner_email": (row.owner_email or "").lower()}
    return Alert.objects.create(rule=rule, severity=severity, **{**about, **said, **more})


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return str(answer.content.decode())


def test_the_worst_and_the_first_due_come_first(published: Workspace, client_of: MakeClient) -> None:
    row, client = owned(published), client_of("admin")
    for rule, severity, hours in (("a", "high", 1), ("b", "critical", 9), ("c", "critical", 3), ("d", "low", 1)):
        opened(row, rule, severity, due_at=NOW + hours * HOUR)
    opened(row, "e", "high", due_at=None)
    shown = page(client, "/alerts")
    places = [shown.index(f">{rule} of") for rule in "cbaed"]
    assert places == sorted(places)
    assert shown.count('class="kw-group"') == 3


def test_a_csm_sees_the_own_book_and_a_stranger_nothing(
    published: Workspace, client_of: MakeClient, person: MakePerson
) -> None:
    row = owned(published)
    found = opened(row)
    mine = client_of("csm", owner_aliases=[row.owner_email])
    assert found.title in page(mine, "/alerts")
    assert "What happened" in page(mine, f"/alerts/{found.pk}")
    stranger = client_of("csm")
    assert "Nothing waits" in page(stranger, "/alerts?who=all")
    for part in ("", "/take", "/snooze", "/resolve", "/assign"):
        address = f"/alerts/{found.pk}{part}"
        assert (stranger.post(address) if part else stranger.get(address)).status_code == 404
    found.assignee = stranger.person  # type: ignore[attr-defined]
    found.save()
    assert found.title in page(stranger, "/alerts")
    assert page(stranger, f"/customers/{row.customer_id}").count("kw-alert-chip ") == 1


def test_a_viewer_looks_and_does_nothing(published: Workspace, client_of: MakeClient) -> None:
    found, client = opened(owned(published)), client_of("viewer")
    shown = page(client, f"/alerts/{found.pk}")
    assert "Take up" not in shown
    assert "Resolve" not in shown
    assert client.post(f"/alerts/{found.pk}/take").status_code == 403


def test_taking_up_snoozing_and_resolving(published: Workspace, client_of: MakeClient) -> None:
    found, client = opened(owned(published)), client_of("admin")
    address = f"/alerts/{found.pk}"
    answer = client.post(f"{address}/take", {"version": 1, "next": "list", "back": "show=open"})
    assert answer.headers["Location"] == "/alerts?show=open"
    assert "has it" in page(client, address)
    refused = client.post(f"{address}/snooze", {"version": 2, "until": "2026-06-29T08:00", "reason": "x"})
    assert refused.status_code == 422
    assert "still to come" in refused.content.decode()
    client.post(f"{address}/snooze", {"version": 2, "until": "2099-01-01T08:00", "reason": "They pay"})
    found.refresh_from_db()
    assert found.state == "acknowledged", "ninety days are the most"
    client.post(f"{address}/resolve", {"version": 2, "why": "The card was renewed"})
    shown = page(client, address)
    assert "The card was renewed" in shown
    assert "Take up" not in shown
    assert found.title in page(client, "/alerts?show=resolved")
    assert AuditEntry.objects.filter(object_kind="alert").count() == 2


def test_a_change_of_something_older_is_refused(published: Workspace, client_of: MakeClient) -> None:
    found, client = opened(owned(published), version=3), client_of("admin")
    answer = client.post(f"/alerts/{found.pk}/resolve", {"version": 2, "why": "Done"})
    assert answer.status_code == 422
    assert "changed by somebody else" in answer.content.decode()


def test_giving_an_alert_to_somebody(published: Workspace, client_of: MakeClient, person: MakePerson) -> None:
    found, client, other = opened(owned(published)), client_of("manager"), person("csm", name="Jo Jones")
    found.owner_email = ""
    found.save()
    client.post(f"/alerts/{found.pk}/assign", {"version": 1, "to": other.pk})
    assert "Jo Jones" in page(client, f"/alerts/{found.pk}")
    assert client.post(f"/alerts/{found.pk}/assign", {"version": 2, "to": "99999"}).status_code == 422


def test_what_customers_and_events_say_is_text(published: Workspace, client_of: MakeClient) -> None:
    bad = "<script>alert(1)</script>{{ 7|add:7 }}"
    values = {"shown": [[bad, bad]], "period": bad}
    found = opened(owned(published), title=bad, what=bad, action=bad, values=values, rule=bad[:40])
    client = client_of("admin")
    for address in ("/alerts", f"/alerts/{found.pk}", f"/customers/{found.customer_id}"):
        assert "<script>alert" not in page(client, address)


def test_the_badge_counts_what_waits(published: Workspace, client_of: MakeClient) -> None:
    client = client_of("admin")
    assert page(client, "/alerts/news").strip() == ""
    opened(owned(published))
    opened(owned(published), "b", state="acknowledged")
    assert ">1<" in page(client, "/alerts/news")


def test_empty_states_say_what_comes(published: Workspace, client_of: MakeClient) -> None:
    client = client_of("admin")
    for show, words in (("open", "Nothing waits"), ("late", "Nothing is overdue"), ("snoozed", "Nothing is put away")):
        assert words in page(client, f"/alerts?show={show}")
    opened(owned(published))
    assert "No alert matches" in page(client, "/alerts?q=nobody-of-this-name")
    assert page(client, "/alerts?page=99999&show=nonsense&who=1234567890123456789&severity=x")


def test_the_list_costs_the_same_however_long_it_is(
    published: Workspace, client_of: MakeClient, django_assert_max_num_queries: Any
) -> None:
    client = client_of("admin")
    for number in range(40):
        opened(owned(published), f"rule{number}", assignee=client.person)  # type: ignore[attr-defined]
    with django_assert_max_num_queries(12):
        page(client, "/alerts")


def test_who_is_told_is_set_by_an_admin(published: Workspace, client_of: MakeClient, person: MakePerson) -> None:
    boss, client = person("manager", name="Boss"), client_of("admin")
    assert "Whoever is nearest" in page(client, "/alerts/people")
    client.post("/alerts/people", {"executive": boss.pk, "support": "99999"})
    assert WorkspaceSetting.objects.get(name="playbook_roles").value == {"executive": boss.pk}
    assert client_of("manager").get("/alerts/people").status_code == 403


def test_channels_of_a_rule_are_chosen_by_an_admin(published: Workspace, client_of: MakeClient) -> None:
    client = client_of("admin")
    shown = page(client, "/alerts/people")
    assert 'name="notify-payment_failure" value="email" checked' in shown
    assert "dry run" in shown
    chosen = {"form": "channels", "notify-payment_failure": ["slack", "nonsense"], "notify-nobody_s": ["slack"]}
    client.post("/alerts/people", chosen)
    assert WorkspaceSetting.objects.get(name="alert_channels").value == {"payment_failure": ["slack"]}
    shown = page(client, "/alerts/people")
    assert 'name="notify-payment_failure" value="slack" checked' in shown
    assert "The model names e-mail." in shown
    assert client_of("manager").post("/alerts/people", chosen).status_code == 403
