"""The demo's last day is lived until somebody looks."""

from datetime import UTC, date, datetime

import pytest

from keepwell.interfaces.cli.commands import demo_days as command
from keepwell.services.team import demo
from keepwell.services.team.demo import demo_days, hours_until
from keepwell.services.workspace import Workspace
from keepwell.store.models import Job, Outgoing
from tests.services.team.outbox.world import fresh, waiting
from tests.web import published_workspace

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 30)
NOW = datetime(2026, 6, 30, 16, 20, tzinfo=UTC)


def at(hour: int, minute: int = 5) -> datetime:
    return datetime(2026, 6, 30, hour, minute, tzinfo=UTC)


def test_what_is_due_when_somebody_looks_is_done(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_run", lambda *_: Job())
    monkeypatch.setattr(demo, "demo_people_make", lambda *_, **__: ())
    due = [waiting(now=at(hour)) for hour in (9, 11, 16)]
    later = waiting(now=at(17))
    demo_days(published_workspace(), [DAY], clock=lambda moment: lambda: moment, until=NOW)
    rehearsed = [fresh(row) for row in due]
    assert {row.state for row in rehearsed} == {Outgoing.State.REHEARSED}
    assert [row.sent_at for row in rehearsed] == [at(9), at(11), NOW.replace(minute=5)]
    assert fresh(later).state == Outgoing.State.WAITING


def test_the_hours_end_with_the_moment() -> None:
    assert list(hours_until(at(9), at(11, 30))) == [at(10), at(11), at(11, 30)]
    assert list(hours_until(at(9), at(8))) == []
    assert list(hours_until(at(9), None)) == []


def test_only_a_clock_that_stands_at_the_last_day_counts() -> None:
    assert command._seen(NOW, DAY) == NOW
    assert command._seen(NOW, date(2026, 7, 1)) is None
