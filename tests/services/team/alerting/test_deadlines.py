"""The clock of an alert: due soon, overdue, the chain; business time passes only while people work."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.model.alert_definitions import Rung
from keepwell.model.message_definitions import Calendar
from keepwell.playbooks.calendars import work_calendar
from keepwell.services.team.alerting.deadlines import Clock, Ring, clock_from, rung_out, stopped

CALENDAR = work_calendar(Calendar(holidays=("2026-07-01",)), "UTC")
TUESDAY = datetime(2026, 6, 30, 9, tzinfo=UTC)
CHAIN = (Rung(to="manager"), Rung(to="executive", after="1h"))
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


@pytest.mark.parametrize(
    ("within", "opened", "due", "near"),
    [
        ("1h", "06-30T09:00", "06-30T10:00", "06-30T09:48"),
        ("15min", "06-30T23:50", "07-01T00:05", "07-01T00:02"),
        ("4 business hours", "06-30T09:00", "06-30T13:00", "06-30T12:12"),
        # Tuesday afternoon, a holiday on Wednesday: the rest of it is on Thursday.
        ("4 business hours", "06-30T16:00", "07-02T12:00", "07-02T11:12"),
        ("4 business hours", "07-04T12:00", "07-06T13:00", "07-06T12:12"),
        ("1 business day", "06-30T12:00", "07-02T12:00", "07-02T10:24"),
        # What is for the next day of work is late when that day ends.
        ("next business day", "06-30T09:00", "07-02T17:00", "07-02T13:48"),
        ("next business day", "07-03T20:00", "07-06T17:00", "07-06T15:24"),
    ],
)
def test_deadlines(within: str, opened: str, due: str, near: str) -> None:
    clock = clock_from(within, at(opened), CALENDAR)
    assert clock.due_at == at(due)
    assert clock.near_at is not None
    assert abs(clock.near_at - at(near)) < timedelta(minutes=1)
    assert clock.next_at == clock.near_at


def test_without_a_deadline_it_never_rings() -> None:
    assert rung_out(clock_from(None, TUESDAY, CALENDAR), CHAIN, CALENDAR, TUESDAY + 1000 * HOUR) == (Clock(), ())


def test_it_rings_for_one_thing_after_the_other() -> None:
    clock = clock_from("1h", TUESDAY, CALENDAR)
    said: list[tuple[str, int, int]] = []
    for minute in range(0, 240, 3):
        now = TUESDAY + timedelta(minutes=minute)
        clock, rings = rung_out(clock, CHAIN, CALENDAR, now)
        said += [(ring.kind, ring.rung, minute) for ring in rings]
    assert said == [("near", 0, 48), ("breached", 0, 60), ("escalated", 0, 60), ("escalated", 1, 120)]
    assert (clock.level, clock.next_at, clock.breached_at) == (2, None, TUESDAY + HOUR)


def test_what_was_missed_is_said_once_in_order() -> None:
    clock, rings = rung_out(clock_from("1h", TUESDAY, CALENDAR), CHAIN, CALENDAR, TUESDAY + 9 * HOUR)
    assert [ring.kind for ring in rings] == ["near", "breached", "escalated", "escalated"]
    assert rung_out(clock, CHAIN, CALENDAR, TUESDAY + 10 * HOUR) == (clock, ())


def test_the_chain_waits_for_business_hours() -> None:
    chain = (Rung(to="manager", after="2 business hours"),)
    clock, _ = rung_out(clock_from("1h", at("06-30T16:30"), CALENDAR), chain, CALENDAR, at("06-30T17:30"))
    assert clock.next_at == at("07-02T11:00")


def test_a_stopped_clock_is_silent() -> None:
    clock = stopped(clock_from("1h", TUESDAY, CALENDAR))
    assert rung_out(clock, CHAIN, CALENDAR, TUESDAY + 9 * HOUR) == (clock, ())


@given(
    st.sampled_from(
        ["5min", "3h", "2d", "1 business hour", "7 business hours", "2 business days", "next business day"]
    ),
    st.integers(0, 60 * 24 * 14),
    st.lists(st.integers(1, 2000), max_size=12),
)
def test_however_often_it_is_looked_at_it_says_the_same(within: str, start: int, looks: list[int]) -> None:
    opened = TUESDAY + timedelta(minutes=start)
    clock = clock_from(within, opened, CALENDAR)
    assert clock.near_at is not None
    assert clock.due_at is not None
    assert opened <= clock.near_at <= clock.due_at
    end = opened + timedelta(days=60)
    once, wanted = rung_out(clock, CHAIN, CALENDAR, end)
    now, said = opened, list[Ring]()
    for minutes in looks:
        now += timedelta(minutes=minutes)
        clock, rings = rung_out(clock, CHAIN, CALENDAR, now)
        assert all(ring.at <= now for ring in rings)
        said += rings
    clock, rings = rung_out(clock, CHAIN, CALENDAR, end)
    assert (clock, (*said, *rings)) == (once, wanted)
