"""A published day opens alerts for signals that turned on, and resolves those that stay off."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from keepwell.playbooks.facts import Facts
from keepwell.services.playbook_facts import DayFacts
from keepwell.services.team.alerting import days
from keepwell.services.team.alerting.days import AlertsOpened, open_from_day
from keepwell.services.team.alerting.raising import Cause, raise_alert
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.alerting.telling import People
from keepwell.services.team.playing.known import Known
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert
from tests.web import NOW

pytestmark = pytest.mark.django_db
FIRST = date(2026, 6, 1)


class World:
    """Days with signals of two customers, as if they were published."""

    def __init__(self) -> None:
        self.days: dict[date, DayFacts] = {}

    def day(self, number: int, left: tuple[str, ...] = (), **signals: tuple[str, ...]) -> date:
        as_of = FIRST + timedelta(days=number)
        names = ("acme", "beta")
        values: Mapping[str, Any] = {
            "company": ["Acme", "Beta"], "owner_email": ["Maya@x.example", None], "health_score": [12, 80],
            "arr": [1200.0, None],
        }  # fmt: skip
        on = [signals.get(name, ()) for name in names]
        status = ["churned" if name in left else "active" for name in names]
        self.days[as_of] = DayFacts(as_of, {"acme": 0, "beta": 1}, values, [(), ()], on, status)
        return as_of

    def dates(self) -> tuple[date, ...]:
        return tuple(sorted(self.days))


@pytest.fixture
def world(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(days, "day_facts", lambda snapshots, as_of, names: made.days[as_of])
    monkeypatch.setattr(type(published.snapshots), "dates", lambda self: made.dates())
    return made


def opened(workspace: Workspace, as_of: date) -> AlertsOpened:
    return open_from_day(workspace, as_of, NOW + timedelta(days=(as_of - FIRST).days))


def test_only_what_turned_on_is_an_alert(published: Workspace, world: World) -> None:
    assert opened(published, world.day(0, acme=("critical_health",))) == AlertsOpened()
    assert opened(published, world.day(1, acme=("critical_health",), beta=("champion_left",))) == AlertsOpened(1, 0)
    found = Alert.objects.get()
    assert (found.customer_id, found.rule, found.company) == ("beta", "champion_left", "Beta")


def test_an_alert_of_a_signal_has_its_values(published: Workspace, world: World) -> None:
    world.day(0)
    today = world.day(1, acme=("critical_health",))
    assert opened(published, today) == AlertsOpened(1, 0)
    assert opened(published, today) == AlertsOpened()
    found = Alert.objects.get()
    assert (found.owner_email, found.severity, float(found.money or 0)) == ("maya@x.example", "critical", 1200.0)
    assert found.what == "Health fell below 20 and is 12 now."
    assert found.since.date() == today
    assert found.times == 1


def test_it_resolves_once_the_signal_was_off_for_days_in_a_row(published: Workspace, world: World) -> None:
    world.day(0)
    opened(published, world.day(1, acme=("critical_health",)))
    assert opened(published, world.day(2)) == AlertsOpened()
    assert opened(published, world.day(3, acme=("critical_health",))) == AlertsOpened(1, 0)
    assert Alert.objects.get().times == 2
    opened(published, world.day(4))
    assert opened(published, world.day(5)) == AlertsOpened(0, 1)
    found = Alert.objects.get()
    assert (found.state, found.resolved_why) == ("resolved", "The signal has been off for 2 days")


def test_an_event_in_between_does_not_keep_it_open(published: Workspace, world: World) -> None:
    world.day(0)
    opened(published, world.day(1, acme=("payment_failure",)))
    found = Alert.objects.get()
    there = Known(Facts(FIRST, {}), "Acme")
    again = Cause("payment_failure", "acme", there, "evt_1", found.since, "payment_failed")
    assert raise_alert(ruling_of(published), again, NOW + timedelta(days=1, hours=5), People()) == found
    assert opened(published, world.day(2)) == AlertsOpened()
    assert opened(published, world.day(3)) == AlertsOpened(0, 1)


def test_a_gap_in_the_days_resolves_nothing(published: Workspace, world: World) -> None:
    world.day(0)
    opened(published, world.day(1, acme=("critical_health",)))
    assert opened(published, world.day(5)) == AlertsOpened()
    assert opened(published, world.day(6)) == AlertsOpened(0, 1)


def test_soon_after_it_was_resolved_nothing_new_is_opened(published: Workspace, world: World) -> None:
    world.day(0)
    opened(published, world.day(1, acme=("critical_health",)))
    Alert.objects.update(state="resolved", resolved_at=NOW + timedelta(days=2))
    opened(published, world.day(2))
    assert opened(published, world.day(3, acme=("critical_health",))) == AlertsOpened()
    opened(published, world.day(6))
    assert opened(published, world.day(7, acme=("critical_health",))) == AlertsOpened(1, 0)


def test_days_that_were_missed_hide_nothing(published: Workspace, world: World) -> None:
    opened(published, world.day(0))
    world.day(1, acme=("critical_health",))
    assert opened(published, world.day(2, acme=("critical_health",))) == AlertsOpened(1, 0)


def test_an_older_day_is_left(published: Workspace, world: World) -> None:
    world.day(0)
    earlier = world.day(1, acme=("critical_health",))
    opened(published, world.day(2))
    assert opened(published, earlier) == AlertsOpened()
    assert not Alert.objects.exists()


def test_who_left_needs_nobody_any_more(published: Workspace, world: World) -> None:
    world.day(0)
    opened(published, world.day(1, acme=("critical_health",)))
    assert opened(published, world.day(2, left=("acme",), acme=("critical_health",))) == AlertsOpened(0, 1)
    assert Alert.objects.get().resolved_why == "The customer left"


def test_the_published_days_can_be_looked_at(published: Workspace, django_assert_max_num_queries: object) -> None:
    last = published.snapshots.latest()
    assert last is not None
    found = open_from_day(published, last, NOW)
    assert found.opened == Alert.objects.count()
    with django_assert_max_num_queries(12 + 3 * Alert.objects.count()):  # type: ignore[operator]
        assert open_from_day(published, last, NOW) == AlertsOpened()
