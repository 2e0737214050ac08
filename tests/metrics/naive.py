"""An independent, slow reading of table metrics: plain loops over plain rows, used to check the engine."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Event:
    """One event as a source would send it."""

    event_id: str
    customer_id: str
    person_id: str | None
    name: str
    feature: str | None
    occurred_at: datetime
    value: Fraction | None = None


@dataclass(frozen=True)
class Ticket:
    """One support ticket with what is known of it in the end."""

    ticket_id: str
    customer_id: str
    created_at: datetime
    resolved_at: datetime | None
    csat: int | None
    category: str


def local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()


def day_end(day: date, zone: str) -> datetime:
    following = day + timedelta(days=1)
    return datetime(following.year, following.month, following.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)


@dataclass(frozen=True)
class Window:
    """Whole days: the last `days` ending `offset` days before as-of; all of history without `days`."""

    days: int | None
    offset: int = 0

    def holds(self, day: date, as_of: date) -> bool:
        last = as_of - timedelta(days=self.offset)
        return day <= last and (self.days is None or day > last - timedelta(days=self.days))


def within(
    events: Iterable[Event], as_of: date, window: Window, zone: str, keep: Callable[[Event], bool]
) -> list[Event]:
    return [e for e in events if window.holds(local_day(e.occurred_at, zone), as_of) and keep(e)]


def mean(values: list[Fraction]) -> float | None:
    return float(sum(values, Fraction()) / len(values)) if values else None


def slope(amounts: list[Fraction]) -> float | None:
    """Least squares of daily amounts, oldest first."""
    n = len(amounts)
    if n < 2:
        return None
    mean_x = Fraction(n - 1, 2)
    mean_y = sum(amounts, Fraction()) / n
    top = sum(((Fraction(x) - mean_x) * (y - mean_y) for x, y in enumerate(amounts)), Fraction())
    bottom = sum(((Fraction(x) - mean_x) ** 2 for x in range(n)), Fraction())
    return float(top / bottom)
