"""The rules that the simulated year is held against find what is wrong."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from keepwell.services.team.alerting import follow
from keepwell.services.team.alerting.alerts import Seen, resolve
from keepwell.services.team.alerting.clocks import clock_turn
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.audit import Actor
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, AlertMark, AuditEntry, Outgoing
from tests.services.team.alerting.invariants import broken
from tests.services.team.alerting.told import MINUTE, NOW, arrive, clean, failed
from tests.web import MakePerson

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
TICK = 15 * MINUTE


@pytest.fixture(autouse=True)
def lived(published: Workspace, person: MakePerson) -> Iterator[None]:
    """A failed payment that nobody looked at for a week."""
    clean(published)
    follow._follower.cache_clear()
    person("admin", email="root@example.com")
    arrive(published, failed())
    while (due := Alert.objects.get().next_at) is not None:
        clock_turn(published, due)
    resolve(Actor("ops"), [Seen(Alert.objects.get().pk)], why="Paid", now=NOW + timedelta(days=8))
    yield
    clean(published)


def wrong(workspace: Workspace) -> list[str]:
    return broken(ruling_of(workspace), NOW + timedelta(days=9), TICK)


def test_all_is_well(published: Workspace) -> None:
    assert AlertMark.objects.filter(kind="escalated").count() == 2
    assert wrong(published) == []


def again(after: timedelta) -> None:
    """Another alert, so long after the first was resolved."""
    first = Alert.objects.get()
    resolved_at = first.resolved_at
    assert resolved_at is not None
    first.pk, first.state, first.resolved_at, first.opened_at = None, "open", None, resolved_at + after
    first.save(force_insert=True)
    AlertMark.objects.create(alert=first, at=first.opened_at, kind="opened", text="")


def moved(kind: str, by: timedelta) -> None:
    mark = AlertMark.objects.filter(kind=kind).order_by("pk")[0]
    AlertMark.objects.filter(pk=mark.pk).update(at=mark.at + by)


def swapped() -> None:
    """The manager before the billing team."""
    first, second = AlertMark.objects.filter(kind="escalated").order_by("pk")
    AlertMark.objects.filter(pk=first.pk).update(text=second.text)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda: again(HOUR), "was opened within 24h of"),
        (lambda: again(-HOUR), "was opened while"),
        (lambda: moved("breached", -HOUR), "2 business hours after"),
        (lambda: moved("near", -HOUR), "nearly due"),
        (lambda: moved("escalated", HOUR), "step 1 of the chain at"),
        (swapped, "step 1 of the chain says"),
        (lambda: AlertMark.objects.filter(kind="breached").delete(), "rang near, escalated, escalated"),
        (lambda: AlertMark.objects.filter(kind="escalated").delete(), "step 1 of the chain was due"),
        (lambda: AuditEntry.objects.filter(action="alert.near").delete(), "near 1 times, with 0 audit rows"),
        (lambda: Outgoing.objects.update(audience="customer"), "is for customer"),
        (lambda: Outgoing.objects.update(address="ada@acme.example"), "goes to ada@acme.example"),
        (lambda: Outgoing.objects.update(made_at=NOW + timedelta(days=10)), "somebody was told after it was resolved"),
        (lambda: Alert.objects.update(state="open", resolved_at=None), "it is open, its history says resolved"),
        (lambda: Alert.objects.update(times=3), "it happened 1 times by its history, and 3 by itself"),
    ],
)
def test_what_is_wrong_is_found(published: Workspace, spoil: Callable[[], object], says: str) -> None:
    spoil()
    assert any(says in what for what in wrong(published)), wrong(published)
