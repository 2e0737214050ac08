"""What lengths of time come to: business hours, holidays, quiet hours, time zones, summer time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepwell.model.message_definitions import Calendar
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import WorkCalendar, work_calendar

HOLIDAYS = ("2026-12-24", "2026-12-25")
DAY_ONE = datetime(2025, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3 * 366 * 1440).map(lambda minutes: DAY_ONE + timedelta(minutes=minutes))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo"])
LENGTHS = st.sampled_from(["30min", "4h", "1d", "2w", "4 business hours", "40 business hours", "3 business days"])


def calendar(zone: str = "UTC", **changes: object) -> WorkCalendar:
    return work_calendar(Calendar(holidays=HOLIDAYS, **changes), zone)


@pytest.mark.parametrize(
    ("zone", "start", "length", "end"),
    [
        ("UTC", "2026-03-06T10:00Z", "4h", "2026-03-06T14:00Z"),
        ("UTC", "2026-03-06T10:00Z", "3d", "2026-03-09T10:00Z"),
        # Friday 15:00 and 4 business hours: 2 on Friday, 2 on Monday.
        ("UTC", "2026-03-06T15:00Z", "4 business hours", "2026-03-09T11:00Z"),
        ("UTC", "2026-03-07T15:00Z", "1 business hour", "2026-03-09T10:00Z"),
        ("UTC", "2026-03-06T15:00Z", "1 business day", "2026-03-09T15:00Z"),
        ("UTC", "2026-03-06T03:00Z", "1 business day", "2026-03-09T09:00Z"),
        ("UTC", "2026-03-06T15:00Z", "next business day", "2026-03-09T09:00Z"),
        ("UTC", "2026-12-23T15:00Z", "next business day", "2026-12-28T09:00Z"),
        ("UTC", "2026-12-23T16:00Z", "2 business hours", "2026-12-28T10:00Z"),
        # Clocks go forward on 29 March 2026 in Berlin: a day is 23 hours, 24 hours are 24 hours.
        ("Europe/Berlin", "2026-03-28T09:00Z", "1d", "2026-03-29T08:00Z"),
        ("Europe/Berlin", "2026-03-28T09:00Z", "24h", "2026-03-29T09:00Z"),
        # 02:30 does not exist on that day.
        ("Europe/Berlin", "2026-03-28T01:30Z", "1d", "2026-03-29T01:30Z"),
        ("America/New_York", "2026-03-06T21:00Z", "2 business hours", "2026-03-09T14:00Z"),
    ],
)
def test_lengths_of_time(zone: str, start: str, length: str, end: str) -> None:
    found = calendar(zone).later(datetime.fromisoformat(start), timeline(length))
    assert found == datetime.fromisoformat(end)


@pytest.mark.parametrize(
    ("moment", "allowed"),
    [
        ("2026-03-06T10:00Z", "2026-03-06T10:00Z"),
        ("2026-03-05T20:00Z", "2026-03-06T08:00Z"),
        ("2026-03-05T03:00Z", "2026-03-05T08:00Z"),
        # Friday evening: Saturday and Sunday are quiet days, and Monday begins at 8.
        ("2026-03-06T20:30Z", "2026-03-09T08:00Z"),
        ("2026-12-24T12:00Z", "2026-12-28T08:00Z"),
    ],
)
def test_quiet_hours(moment: str, allowed: str) -> None:
    assert calendar().after_quiet(datetime.fromisoformat(moment)) == datetime.fromisoformat(allowed)


def test_quiet_hours_within_a_day_and_none() -> None:
    moment = datetime(2026, 3, 6, 12, 30, tzinfo=UTC)
    assert calendar(quiet_hours="12:00-13:00").after_quiet(moment).hour == 13
    assert calendar(quiet_hours=None, quiet_days=()).after_quiet(moment) == moment


def test_day_of_a_campaign() -> None:
    start = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
    assert calendar().day_of(start, 0) == start
    assert calendar().day_of(start, 3) == datetime(2026, 3, 5, 9, 0, tzinfo=UTC)


@given(MOMENTS, ZONES, LENGTHS)
def test_time_goes_on_and_more_time_is_later(moment: datetime, zone: str, length: str) -> None:
    found = calendar(zone).later(moment, timeline(length))
    assert found > moment
    assert calendar(zone).later(moment + timedelta(hours=30), timeline(length)) >= found


@given(MOMENTS, ZONES)
def test_what_is_after_the_quiet_is_not_quiet(moment: datetime, zone: str) -> None:
    one = calendar(zone)
    found = one.after_quiet(moment)
    local = one.local(found)
    assert found >= moment
    assert one.after_quiet(found) == found
    assert local.weekday() < 5
    assert 8 <= local.hour < 20


@given(MOMENTS, ZONES, st.integers(1, 60))
def test_business_hours_end_in_business_hours(moment: datetime, zone: str, amount: int) -> None:
    one = calendar(zone)
    end = one.later(moment, timeline(f"{amount} business hours"))
    assert one.open_at(end - timedelta(minutes=1))
