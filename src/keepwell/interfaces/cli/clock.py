"""The command line's clock; nothing below it reads one."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The current moment in UTC."""
    return datetime.now(UTC)


def today_in(zone: str) -> date:
    """The current day in a time zone."""
    return now().astimezone(ZoneInfo(zone)).date()
