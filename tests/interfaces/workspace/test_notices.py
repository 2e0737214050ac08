"""Notices: one's own alone, and read once."""

import pytest

from keepwell.services.published import PortfolioRow
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing, OutgoingEvent
from tests.web import NOW, MakeClient

from .page_world import someones

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("published")]


@pytest.fixture
def row(published: Workspace) -> PortfolioRow:
    return someones(published)


def word(address: str, customer_id: str, **fields: str) -> Outgoing:
    about = {"channel": "workspace", "audience": "internal", "state": "sent", "subject": "Save: Acme", **fields}
    key = f"n-{Outgoing.objects.count()}"
    moments = {"made_at": NOW, "due_at": NOW, "sent_at": NOW}
    return Outgoing.objects.create(
        key=key, address=address, customer_id=customer_id, text="Acme fell", **about, **moments
    )


def test_everybody_sees_the_own_notices_alone(client_of: MakeClient, row: PortfolioRow) -> None:
    word("Maya@example.com", row.customer_id)
    word("jonas@example.com", row.customer_id, subject="For Jonas")
    word("maya@example.com", row.customer_id, subject="On its way", state="waiting")
    word("maya@example.com", row.customer_id, subject="A mail", channel="email")
    maya = client_of("csm", email="maya@example.com")
    page = maya.get("/notices").content.decode()
    assert "Save: Acme" in page
    assert not any(other in page for other in ("For Jonas", "On its way", "A mail"))
    assert "No notices" in client_of("admin").get("/notices").content.decode()


def test_they_are_read_once(client_of: MakeClient, row: PortfolioRow) -> None:
    mine, other = word("maya@example.com", row.customer_id), word("jonas@example.com", row.customer_id)
    maya = client_of("csm", email="maya@example.com")
    assert "Mark all as read" in maya.get("/notices").content.decode()
    assert "1 notice marked as read" in maya.post("/notices/read", follow=True).content.decode()
    maya.post("/notices/read")
    assert OutgoingEvent.objects.get().outgoing == mine
    assert "Mark all as read" not in maya.get("/notices").content.decode()
    assert not other.events.exists()
