"""Business hours, holidays and quiet hours in a time zone: what a length of time comes to. Moments are in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from keepwell.model.message_definitions import Calendar
from keepwell.model.timelines import WEEKDAYS, Timeline, hours

_DAY: Final = timedelta(days=1)
_FURTHEST: Final = 4 * 366
"""How many days ahead a day of work is looked for: a calendar full of holidays ends somewhere, too."""


@dataclass(frozen=True)
class WorkCalendar:
    """When people work, and when customers are left alone, in one time zone."""

    zone: ZoneInfo
    days: frozenset[int]
    opens: time
    closes: time
    holidays: frozenset[date]
    quiet: tuple[time, time] | None
    quiet_days: frozenset[int]

    def local(self, moment: datetime) -> datetime:
        """The moment on the clocks of the zone."""
        return moment.astimezone(self.zone)

    def works(self, day: date) -> bool:
        """Whether somebody works on a day."""
        return day.weekday() in self.days and day not in self.holidays

    def at(self, day: date, clock: time) -> datetime:
        """The moment of a time of day; an hour that summer time skips is the one after it."""
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)

    def open_at(self, moment: datetime) -> bool:
        """Whether it is business hours."""
        local = self.local(moment)
        return self.works(local.date()) and self.opens <= local.time() < self.closes

    def later(self, moment: datetime, length: Timeline) -> datetime:
        """The moment so long after: hours as they pass, days on the calendar, business time while people work."""
        match length.unit:
            case "minute":
                return moment + timedelta(minutes=length.amount)
            case "hour":
                return moment + timedelta(hours=length.amount)
            case "day" | "week":
                return self.days_later(moment, length.amount * (7 if length.unit == "week" else 1))
            case "business_hour":
                return self.after_work(moment, timedelta(hours=length.amount))
        return self._business_days(moment, length)

    def days_later(self, moment: datetime, days: int) -> datetime:
        """The same time of day so many days later, whatever summer time does in between."""
        local = self.local(moment)
        return self.at(local.date() + timedelta(days=days), local.time())

    def day_of(self, start: datetime, number: int) -> datetime:
        """When day `number` of something begun at `start` begins: day 0 at once, others with the business hours."""
        return start if number == 0 else self.at(self.local(start).date() + timedelta(days=number), self.opens)

    def after_quiet(self, moment: datetime) -> datetime:
        """The first moment from this one on at which a customer may be written to."""
        for _ in range(_FURTHEST):
            until = self._quiet_until(moment)
            if until is None:
                return moment
            moment = until
        return moment

    def _quiet_until(self, moment: datetime) -> datetime | None:
        """The end of the quiet that the moment is in; None when it is in none."""
        local = self.local(moment)
        day, clock = local.date(), local.time()
        if day.weekday() in self.quiet_days or day in self.holidays:
            return self._after(moment, self.at(day + _DAY, time(0)))
        if self.quiet is None:
            return None
        first, last = self.quiet
        if first < last:
            return self._after(moment, self.at(day, last)) if first <= clock < last else None
        if clock >= first:
            return self._after(moment, self.at(day + _DAY, last))
        return self._after(moment, self.at(day, last)) if clock < last else None

    @staticmethod
    def _after(moment: datetime, until: datetime) -> datetime:
        """Where clocks are set back an hour comes twice; time goes on all the same."""
        return until if until > moment else moment + timedelta(minutes=15)

    def _next_day(self, day: date) -> date:
        for ahead in range(1, _FURTHEST):
            if self.works(day + timedelta(days=ahead)):
                return day + timedelta(days=ahead)
        return day + _DAY

    def _business_days(self, moment: datetime, length: Timeline) -> datetime:
        """Days of work later at the same time of day, within the business hours; or the start of the next one.

        What begins on a day on which nobody works begins with the end of the one before.
        """
        local = self.local(moment)
        day = local.date()
        same = min(max(local.time(), self.opens), self.closes) if self.works(day) else self.closes
        for _ in range(length.amount):
            day = self._next_day(day)
        return self.at(day, self.opens if length.next_day else same)

    def after_work(self, moment: datetime, length: timedelta) -> datetime:
        """The moment at which people have worked for so long."""
        left, day = length, self.local(moment).date()
        for _ in range(_FURTHEST):
            if self.works(day):
                begin, end = max(moment, self.at(day, self.opens)), self.at(day, self.closes)
                if begin < end and left <= end - begin:
                    return begin + left
                left -= max(end - begin, timedelta(0))
            day = self._next_day(day)
        return moment + length

    def work_between(self, first: datetime, last: datetime) -> timedelta:
        """For how long people work between two moments."""
        total, day = timedelta(0), self.local(first).date()
        for _ in range(_FURTHEST):
            if self.at(day, self.opens) >= last:
                break
            if self.works(day):
                begin, end = max(first, self.at(day, self.opens)), min(last, self.at(day, self.closes))
                total += max(end - begin, timedelta(0))
            day = self._next_day(day)
        return total


def work_calendar(definition: Calendar, zone: str) -> WorkCalendar:
    """The calendar of a model in a time zone."""
    opens, closes = hours(definition.business_hours)
    return WorkCalendar(
        zone=ZoneInfo(zone),
        days=frozenset(map(WEEKDAYS.index, definition.business_days)),
        opens=opens,
        closes=closes,
        holidays=frozenset(map(date.fromisoformat, definition.holidays)),
        quiet=None if definition.quiet_hours is None else hours(definition.quiet_hours),
        quiet_days=frozenset(map(WEEKDAYS.index, definition.quiet_days)),
    )
