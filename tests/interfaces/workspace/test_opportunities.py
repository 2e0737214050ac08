"""The pages of the pipeline."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils.html import escape

from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.workspace import Workspace
from keepwell.store.models import Opportunity
from tests.web import LAST, NOW, MakeClient

pytestmark = pytest.mark.django_db


def add(published: Workspace, number: int = 0, **fields: Any) -> Opportunity:
    """An opportunity of a customer who has an owner."""
    rows = [row for row in portfolio_page(published, PortfolioQuery(limit=60)).rows if row.owner_email]
    row = rows[number]
    told = {
        "company": row.name, "owner_email": row.owner_email, "signal": f"signal{number}", "title": "Seats are full",
        "reason": "95 % of the seats are taken.", "action": "TEAM_EXPANSION", "urgency": "HIGH", "value": 100,
        "period": "month", "opened_on": LAST, "opened_at": NOW, "seen_on": LAST,
    }  # fmt: skip
    return Opportunity.objects.create(customer_id=row.customer_id, **{**told, **fields})


def test_the_list_says_why_what_and_how_much(client_of: MakeClient, published: Workspace) -> None:
    one = add(published)
    page = client_of("ops").get(reverse("opportunities")).content.decode()
    assert escape(one.company) in page
    assert "95 % of the seats are taken." in page
    assert "1,200" in page


def test_an_empty_pipeline_says_where_opportunities_come_from(client_of: MakeClient) -> None:
    assert b"The daily run opens an opportunity" in client_of("ops").get(reverse("opportunities")).content


def test_won_with_its_value(client_of: MakeClient, published: Workspace) -> None:
    one = add(published)
    answer = client_of("ops").post(
        reverse("opportunity_change", args=[one.pk, "won"]), {"version": 1, "value": "900", "note": "signed"}
    )
    assert answer.status_code == 302
    one.refresh_from_db()
    assert (one.state, one.won_value, one.note) == ("won", 900, "signed")


@pytest.mark.parametrize(("verb", "said", "words"), [
    ("lost", {"note": ""}, b"why it was lost"),
    ("won", {"value": "much"}, b"amount of money"),
    ("won", {"value": "-3"}, b"amount of money"),
    ("contacted", {"version": "7"}, b"Somebody else"),
])  # fmt: skip
def test_what_is_refused_is_said(
    client_of: MakeClient, published: Workspace, verb: str, said: dict[str, str], words: bytes
) -> None:
    one = add(published)
    answer = client_of("ops").post(reverse("opportunity_change", args=[one.pk, verb]), {"version": "1", **said})
    assert answer.status_code == 422
    assert words in answer.content
    one.refresh_from_db()
    assert one.state == "identified"


def test_a_stranger_sees_and_changes_nothing(client_of: MakeClient, published: Workspace) -> None:
    one = add(published)
    client = client_of("csm", email="stranger@example.com")
    assert escape(one.company).encode() not in client.get(reverse("opportunities")).content
    assert client.get(reverse("opportunity", args=[one.pk])).status_code == 404
    assert (
        client.post(reverse("opportunity_change", args=[one.pk, "lost"]), {"version": 1, "note": "x"}).status_code
        == 404
    )
    assert client.post(reverse("opportunity_campaign", args=[one.pk]), {"playbook": "x"}).status_code == 404


def test_a_viewer_changes_nothing(client_of: MakeClient, published: Workspace) -> None:
    one = add(published)
    client = client_of("viewer")
    assert client.get(reverse("opportunity", args=[one.pk])).status_code == 200
    assert (
        client.post(reverse("opportunity_change", args=[one.pk, "lost"]), {"version": 1, "note": "x"}).status_code
        == 403
    )


def test_queries_do_not_grow_with_the_list(
    client_of: MakeClient, published: Workspace, django_assert_num_queries: Any
) -> None:
    client = client_of("ops")
    add(published)
    client.get(reverse("opportunities"))
    with django_assert_num_queries(7):
        client.get(reverse("opportunities"))
    for number in range(1, 3):
        add(published, number, opened_at=NOW - timedelta(days=number))
    with django_assert_num_queries(7):
        client.get(reverse("opportunities"))


def test_only_campaigns_of_the_model_can_be_started(client_of: MakeClient, published: Workspace) -> None:
    one = add(published)
    answer = client_of("ops").post(reverse("opportunity_campaign", args=[one.pk]), {"playbook": "critical_risk_x"})
    assert answer.status_code == 422
