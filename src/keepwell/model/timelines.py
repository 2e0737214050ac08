"""How playbooks say when: `within 1h`, `3 days`, `4 business hours`, `next business day`, `20:00-08:00`."""

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

Unit = Literal["minute", "hour", "day", "week", "business_hour", "business_day"]
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEXT_BUSINESS_DAY: Final = "next business day"
_UNITS: Final[dict[str, Unit]] = {
    "min": "minute",
    "minute": "minute",
    "h": "hour",
    "hour": "hour",
    "d": "day",
    "day": "day",
    "w": "week",
    "week": "week",
    "business hour": "business_hour",
    "business day": "business_day",
}
_TIMELINE: Final = re.compile(r"(\d{1,4})\s*(min|h|d|w|(?:minute|hour|day|week|business hour|business day)s?)")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Timeline:
    """A length of time as people plan it; what it comes to depends on the calendar.

    `next_day` means the start of the next day of work, whatever the hour is.
    """

    amount: int
    unit: Unit
    next_day: bool = False

    @property
    def words(self) -> str:
        """The length in words."""
        if self.next_day:
            return NEXT_BUSINESS_DAY
        return f"{self.amount:,} {self.unit.replace('_', ' ')}{'' if self.amount == 1 else 's'}"


def timeline(text: str) -> Timeline:
    """Read a length of time; raises ValueError that says how they are written."""
    plain = " ".join(text.split()).removeprefix("within ")
    if plain == NEXT_BUSINESS_DAY:
        return Timeline(1, "business_day", next_day=True)
    found = _TIMELINE.fullmatch(plain)
    if found is None:
        raise ValueError(
            f"'{text}' is no length of time; write 30min, 4h, 3d, 2w, '4 business hours', '2 business days'"
            " or 'next business day'"
        )
    if not int(found[1]):
        raise ValueError("a length of time must be more than nothing")
    return Timeline(int(found[1]), _UNITS.get(found[2]) or _UNITS[found[2].removesuffix("s")])


def hours(text: str) -> tuple[time, time]:
    """`09:00-17:00` as two times of the day; from late to early goes over midnight."""
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}' are no hours; write 09:00-17:00")
    first, last = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if first == last:
        raise ValueError("hours begin and end at different times")
    return first, last


def _one_day(text: str) -> tuple[time, time]:
    first, last = hours(text)
    if first > last:
        raise ValueError("business hours begin and end on the same day")
    return first, last


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is no date; write 2026-12-25") from None


def _checked(check: Any) -> AfterValidator:
    def run(text: str) -> str:
        check(text)
        return text

    return AfterValidator(run)


def _date_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


TimelineText = Annotated[str, _checked(timeline)]
HoursText = Annotated[str, _checked(hours)]
BusinessHoursText = Annotated[str, _checked(_one_day)]
DayText = Annotated[str, BeforeValidator(_date_text), _checked(_day), WithJsonSchema({"type": "string"})]
