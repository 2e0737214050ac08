"""When daily runs are due: the schedule is a function, so that a year of clocks can be tried in a second."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from keepwell.services.team.schedule import CAUGHT_UP_DAYS, DueRun, Gap, due_run, gap_before, next_run, run_moment

NINE = time(9, 0)
BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_run_of_a_day_is_due_from_its_time_on() -> None:
    before = due_run(run_time=NINE, zone=BERLIN, last_published=date(2026, 6, 29), now=at("2026-06-30T06:59"))
    after = due_run(run_time=NINE, zone=BERLIN, last_published=date(2026, 6, 29), now=at("2026-06-30T07:00"))
    assert before == DueRun(date(2026, 6, 29), at("2026-06-29T07:00"))
    assert after == DueRun(date(2026, 6, 30), at("2026-06-30T07:00"))
    assert after.key == "2026-06-30"


def test_a_later_day_that_is_published_is_not_undone() -> None:
    now = at("2026-06-30T03:00")
    assert due_run(run_time=NINE, zone="UTC", last_published=date(2026, 6, 30), now=now) is None


def test_a_first_run_needs_nothing_published() -> None:
    due = due_run(run_time=NINE, zone="UTC", last_published=None, now=at("2026-06-30T12:00"))
    assert due is not None
    assert due.day == date(2026, 6, 30)
    assert gap_before(due.day, None) is None


@pytest.mark.parametrize(
    ("last", "gap"),
    [
        (date(2026, 6, 30), None),
        (date(2026, 7, 4), None),
        # The last published day was computed in its morning: it is computed once more when it is over.
        (date(2026, 6, 29), Gap(date(2026, 6, 29), date(2026, 6, 29))),
        (date(2026, 6, 20), Gap(date(2026, 6, 20), date(2026, 6, 29))),
        (date(2025, 1, 1), Gap(date(2026, 6, 30) - timedelta(days=CAUGHT_UP_DAYS), date(2026, 6, 29))),
    ],
)
def test_missed_days_are_caught_up(last: date, gap: Gap | None) -> None:
    assert gap_before(date(2026, 6, 30), last) == gap


@pytest.mark.parametrize(
    ("day", "run_time", "moment"),
    [
        (date(2026, 3, 28), NINE, "2026-03-28T08:00"),
        (date(2026, 3, 29), NINE, "2026-03-29T07:00"),
        (date(2026, 10, 25), NINE, "2026-10-25T08:00"),
        # 02:30 does not exist on the day the clocks go forward, and happens twice when they go back.
        (date(2026, 3, 29), time(2, 30), "2026-03-29T01:30"),
        (date(2026, 10, 25), time(2, 30), "2026-10-25T00:30"),
    ],
)
def test_clock_changes_move_the_moment_not_the_time_on_the_wall(day: date, run_time: time, moment: str) -> None:
    assert run_moment(day, run_time, BERLIN) == at(moment)


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"])
@pytest.mark.parametrize("run_time", [time(0, 0), time(2, 30), NINE, time(23, 59)])
def test_every_day_of_a_year_is_due_once(zone: str, run_time: time) -> None:
    """A worker that looks every ten minutes sees each day once, in order, whatever the clocks do."""
    seen: list[date] = []
    now = at("2026-01-02T12:00")
    while now < at("2027-01-02T12:00"):
        due = due_run(run_time=run_time, zone=zone, last_published=seen[-1] if seen else None, now=now)
        if due is not None and (not seen or due.day != seen[-1]):
            assert due.due_at <= now
            seen.append(due.day)
        now += timedelta(minutes=10)
    assert [(b - a).days for a, b in pairwise(seen)] == [1] * (len(seen) - 1)
    assert len(seen) in (365, 366)


def test_the_next_run_is_ahead() -> None:
    assert next_run(NINE, BERLIN, at("2026-06-30T06:59")) == at("2026-06-30T07:00")
    assert next_run(NINE, BERLIN, at("2026-06-30T07:00")) == at("2026-07-01T07:00")
    assert next_run(NINE, BERLIN, at("2026-10-24T08:00")) == at("2026-10-25T08:00")
