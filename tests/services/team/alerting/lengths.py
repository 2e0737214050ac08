"""Whether a moment is so long after another, counted in quarters of an hour by who works when."""

from datetime import datetime, timedelta
from typing import Final

from keepwell.model.timelines import Timeline
from keepwell.playbooks.calendars import WorkCalendar

STEP: Final = timedelta(minutes=15)
_PLAIN: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1)}


def is_so_long_after(
    calendar: WorkCalendar, start: datetime, at: datetime, length: Timeline, *, ends: bool = False
) -> bool:
    """Whether `at` is `length` after `start`; with `ends`, the next day of work is over."""
    first, last = calendar.local(start), calendar.local(at)
    if length.unit in _PLAIN:
        return at - start == length.amount * _PLAIN[length.unit]
    if length.unit in ("day", "week"):
        days = length.amount * (7 if length.unit == "week" else 1)
        return (last.date() - first.date()).days == days and _same_clock(first, last)
    if length.unit == "business_hour":
        return abs(worked(calendar, start, at) - length.amount * timedelta(hours=1)) <= STEP and _working(calendar, at)
    if not calendar.works(last.date()) or _days_of_work(calendar, first, last) != length.amount:
        return False
    if length.next_day:
        return last.time() == (calendar.closes if ends else calendar.opens)
    return _working(calendar, at) and (not _working(calendar, start) or _same_clock(first, last))


def four_fifths(calendar: WorkCalendar, start: datetime, near: datetime, due: datetime, length: Timeline) -> bool:
    """Whether four fifths of the time from `start` to `due` are over at `near`."""
    if length.unit.startswith("business"):
        left = worked(calendar, start, due) * 0.8 - worked(calendar, start, near)
        return start <= near <= due and abs(left) <= STEP and _working(calendar, near)
    return near - start == (due - start) * 0.8


def worked(calendar: WorkCalendar, start: datetime, until: datetime) -> timedelta:
    """How long people worked meanwhile."""
    quarters, at = 0, start
    while at < until:
        quarters += calendar.open_at(at)
        at += STEP
    return quarters * STEP


def _working(calendar: WorkCalendar, at: datetime) -> bool:
    """Whether people work at a moment, or have just stopped to."""
    return calendar.open_at(at) or calendar.open_at(at - timedelta(seconds=1))


def _same_clock(first: datetime, last: datetime) -> bool:
    """The same time of day; where summer time skips it, the hour after."""
    return first.time() == last.time() or abs(first.utcoffset() - last.utcoffset()) > timedelta(0)  # type: ignore[operator]


def _days_of_work(calendar: WorkCalendar, first: datetime, last: datetime) -> int:
    """How many days of work there are after the first day, with the last."""
    days = (last.date() - first.date()).days
    return sum(calendar.works(first.date() + timedelta(days=number)) for number in range(1, days + 1))
