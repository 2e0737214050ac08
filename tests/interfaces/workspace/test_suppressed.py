"""The list of addresses that are not written to, in the browser."""

import pytest

from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox.suppression import suppress
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Suppression
from tests.web import NOW, MakeClient

pytestmark = pytest.mark.django_db
PAGE = "/outbox/suppressed"


def test_the_list_is_found_by_address_and_reason(published: Workspace, client_of: MakeClient) -> None:
    for address, why in (("ada@acme.example", "bounced"), ("bob@bolt.example", "by_hand")):
        suppress(Actor("test"), address, why=why, now=NOW)
    ops = client_of("ops")
    for query, shown, hidden in (({"why": "bounced"}, "ada", "bob"), ({"q": "BOLT"}, "bob", "ada")):
        page = ops.get(PAGE, query).content.decode()
        assert f"<strong>{shown}@" in page
        assert f"<strong>{hidden}@" not in page
    assert "Take off" in ops.get(PAGE, {"why": "nonsense"}).content.decode()
    assert client_of("manager").get(PAGE).status_code == 403


def test_taking_off_keeps_the_reason(published: Workspace, client_of: MakeClient) -> None:
    row = suppress(Actor("test"), "ada@acme.example", why="bounced", now=NOW)
    answer = client_of("ops").post(f"{PAGE}/{row.pk}/remove", {"reason": "Mailbox is back "}, follow=True)
    assert "may be written to again" in answer.content.decode()
    assert not Suppression.objects.exists()
    said = AuditEntry.objects.get(action="address.allowed")
    assert said.after is not None
    assert said.after["reason"] == "Mailbox is back"
