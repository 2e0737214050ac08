"""Who unsubscribed stays so, whatever else happens to the address, until somebody takes that back, too."""

from typing import Any

import pytest

from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox.suppression import ALL, MARKETING, allow, suppress, suppressed
from keepwell.services.workspace import Workspace
from keepwell.store.models import AuditEntry, Suppression
from tests.services.team.outbox.world import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("here")]
WHO = Actor("ops@example.com")
ADA = "ada@acme.example"
Why = Suppression.Why


def unsubscribed() -> Suppression:
    return suppress(WHO, ADA, why=Why.UNSUBSCRIBED, scope=MARKETING, now=NOON)


def bounced() -> Suppression:
    return suppress(WHO, ADA, why=Why.BOUNCED, scope=ALL, now=NOON, note="mailbox is full")


def taken_off() -> None:
    allow(WHO, Suppression.objects.get().pk, NOON)


@pytest.mark.parametrize("first", [True, False])
def test_a_mailbox_that_works_again_gets_no_news_it_did_not_want(here: Workspace, first: bool) -> None:
    for step in (unsubscribed, bounced) if first else (bounced, unsubscribed, unsubscribed):
        step()
    assert suppressed(ADA, "personal") is not None
    taken_off()
    row = Suppression.objects.get()
    assert (row.scope, row.why, row.note) == (MARKETING, Why.UNSUBSCRIBED, "")
    assert suppressed(ADA, "personal") is None
    assert suppressed(ADA, "marketing") is not None
    assert AuditEntry.objects.filter(action="address.narrowed").count() == 1
    bounced(), taken_off()
    assert suppressed(ADA, "marketing") is not None, "however often it bounces"
    taken_off()
    assert suppressed(ADA, "marketing") is None


@pytest.mark.parametrize("before", [(), (unsubscribed, taken_off)])
def test_who_never_unsubscribed_or_took_it_back_is_off_the_list(here: Workspace, before: Any) -> None:
    for step in (*before, bounced, taken_off):
        step()
    assert not Suppression.objects.exists()


def test_wanting_no_news_twice_is_written_down_once(here: Workspace) -> None:
    for step in (bounced, unsubscribed, unsubscribed):
        step()
    assert AuditEntry.objects.filter(action="address.suppressed").count() == 2
