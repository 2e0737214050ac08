"""The workspace's clock. A demo on bundled data says which day it is ([web] today); everybody else has the real one."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def now() -> datetime:
    """The moment it is in the workspace, in UTC."""
    moment = datetime.now(UTC)
    pretended: date | None = settings.WEB.today
    if pretended is None:
        return moment
    local = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    return datetime.combine(pretended, local.time(), local.tzinfo).astimezone(UTC)


def today() -> date:
    """The day it is in the workspace."""
    return now().astimezone(ZoneInfo(settings.TIME_ZONE)).date()
