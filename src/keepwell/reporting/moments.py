"""Days of a workspace as moments in UTC, as the warehouse stores them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """Whole days in a time zone, `last` included; `start` and `end` are naive UTC moments, half-open."""

    first: date
    last: date
    start: datetime
    end: datetime


def window(last: date, days: int, zone: str) -> Window:
    """The last `days` days up to and with `last`."""
    first = last - timedelta(days=days - 1)
    return Window(first, last, _midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
