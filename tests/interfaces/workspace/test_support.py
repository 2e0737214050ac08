"""The pages of support."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import escape

from keepwell.services.team.support.listing import waiting_tickets
from keepwell.services.team.support.tickets import DeskTicket, desk_tickets
from keepwell.services.workspace import Workspace
from keepwell.store.models import Escalation, TicketJudged
from tests.web import NOW, MakeClient, make_person

pytestmark = pytest.mark.django_db


def owned(published: Workspace) -> DeskTicket:
    """An open ticket whose customer has an owner."""
    found = waiting_tickets(published, make_person("ops"), NOW)
    return next(one.ticket for one in found if one.ticket.row.owner_email)


def escalated(**fields: Any) -> Escalation:
    """An escalation with a document that customers wrote in."""
    about = {
        "pattern": "bug", "subject": "Login", "title": "Login </textarea><script>", "team": "product",
        "priority": "High", "document": "# Login\n</textarea><script>alert(1)</script>", "opened_at": NOW,
        "changed_at": NOW, "figures": {"why": "12 tickets", "plans": {"Premium": 3}, "mrr": 120.0, "at_risk": 1},
    }  # fmt: skip
    return Escalation.objects.create(**{**about, **fields})


def test_the_list_says_what_is_due_and_how_levels_are_kept(client_of: MakeClient, published: Workspace) -> None:
    one = owned(published)
    page = client_of("ops").get(reverse("support")).content.decode()
    assert escape(one.row.subject) in page
    assert reverse("support_ticket", args=[one.ticket_id]) in page
    assert "First response kept" in page
    assert "Escalations" in page


def test_filters_narrow_the_list(client_of: MakeClient, published: Workspace) -> None:
    one, client = owned(published), client_of("ops")
    found = client.get(reverse("support"), {"q": one.ticket_id}).content.decode()
    assert found.count("data-row ") == 1
    nothing = client.get(reverse("support"), {"q": "no such words", "clock": "x", "page": "9"}).content.decode()
    assert "No such ticket" in nothing
    part = client.get(reverse("support"), {"priority": "P0"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part


def test_a_csm_sees_own_tickets_and_no_escalations(client_of: MakeClient, published: Workspace) -> None:
    one, found = owned(published), escalated()
    stranger = client_of("csm", email="stranger@example.com")
    assert one.ticket_id not in stranger.get(reverse("support")).content.decode()
    for name in ("support_ticket", "support_ticket_change"):
        address = reverse(name, args=[one.ticket_id])
        answer = stranger.post(address) if "change" in name else stranger.get(address)
        assert answer.status_code == 404
    for address in (reverse("escalations"), reverse("escalation", args=[found.pk])):
        assert stranger.get(address).status_code == 403
    assert stranger.post(reverse("escalation_change", args=[found.pk, "closed"])).status_code == 403
    owner = client_of("csm", owner_aliases=[one.row.owner_email])
    assert owner.get(reverse("support_ticket", args=[one.ticket_id])).status_code == 200
    assert "Escalations" not in owner.get(reverse("support")).content.decode()


def test_a_person_corrects_a_ticket(client_of: MakeClient, published: Workspace) -> None:
    one, client = owned(published), client_of("ops")
    address = reverse("support_ticket_change", args=[one.ticket_id])
    assert client.post(address, {"category": "Security", "priority": "P0"}).status_code == 302
    again = desk_tickets(published, NOW, ticket_id=one.ticket_id)[0]
    assert (again.category, again.priority) == ("Security", "P0")
    page = client.get(reverse("support_ticket", args=[one.ticket_id])).content.decode()
    assert "Corrected by hand" in page
    refused = client.post(address, {"category": "Gardening"})
    assert refused.status_code == 422
    assert b"Choose one of the categories" in refused.content


def test_a_viewer_corrects_nothing(client_of: MakeClient, published: Workspace) -> None:
    one, client = owned(published), client_of("viewer")
    assert b"Is that right?" not in client.get(reverse("support_ticket", args=[one.ticket_id])).content
    assert client.post(reverse("support_ticket_change", args=[one.ticket_id]), {}).status_code == 403
    assert not TicketJudged.objects.exists()


def test_a_document_is_ready_to_paste_and_its_words_stay_text(client_of: MakeClient, published: Workspace) -> None:
    one = escalated(tickets=[owned(published).ticket_id])
    page = client_of("manager", owner_aliases=[owned(published).row.owner_email]).get(
        reverse("escalation", args=[one.pk])
    )
    text = page.content.decode()
    assert escape(one.document) in text
    assert "<script>alert" not in text
    assert one.tickets[0] in text


def test_an_escalation_is_filed_closed_and_opened_again(client_of: MakeClient) -> None:
    one, client = escalated(), client_of("manager")
    refused = client.post(reverse("escalation_change", args=[one.pk, "filed"]), {"version": 1, "link": "nowhere"})
    assert refused.status_code == 422
    assert b"https://" in refused.content
    steps = [("filed", {"link": "https://t.example/1"}), ("closed", {"why": "Fixed"}), ("reopened", {})]
    states = []
    for version, (verb, said) in enumerate(steps, 1):
        address = reverse("escalation_change", args=[one.pk, verb])
        assert client.post(address, {"version": version, **said}).status_code == 302
        one.refresh_from_db()
        states.append(one.state)
    assert states == ["filed", "closed", "open"]
    assert client.post(reverse("escalation_change", args=[one.pk, "burnt"])).status_code == 404


def test_escalations_are_listed_by_state(client_of: MakeClient) -> None:
    escalated(title="Still open")
    escalated(title="Long closed", state="closed", subject="Other")
    client = client_of("ops")
    page = client.get(reverse("escalations")).content.decode()
    assert "Still open" in page
    assert "Long closed" not in page
    assert "Long closed" in client.get(reverse("escalations"), {"state": "closed"}).content.decode()
    assert "No such escalation" in client.get(reverse("escalations"), {"team": "engineering"}).content.decode()
