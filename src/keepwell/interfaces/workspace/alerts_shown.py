"""Alerts as pages show them: filters from the address, clocks in words."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.http import QueryDict
from django.utils.timezone import get_default_timezone

from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.services.team.alerting.shown import (
    ALL,
    LATE,
    MINE,
    OPEN,
    RESOLVED,
    SNOOZED,
    TAKEN,
    AlertList,
    AlertQuery,
)
from keepwell.services.team.queue import assignable
from keepwell.store.models import Alert, Person

_NO_FILTER: Final = AlertQuery()
_DAY: Final = timedelta(days=1)
_COUNTED: Final = timedelta(hours=8)
"""From so long before it is due on, a clock says what is left, and before that the moment."""
_HOUR, _MINUTE = 3600, 60
MORNING: Final = 9
COLORS: Final = {"critical": "red", "high": "orange", "medium": "yellow", "low": "gray"}
PERIODS: Final = {"once": "", "month": "a month", "year": "a year"}


@dataclass(frozen=True)
class AlertClock:
    """An alert's clock in words; `due` is set while the words change with time."""

    words: str
    late: bool = False
    soon: bool = False
    due: datetime | None = None


@dataclass(frozen=True)
class AlertLine:
    """One alert in a list; `group` opens a new severity."""

    alert: Alert
    clock: AlertClock
    color: str
    group: str
    period: str


def query_from(values: QueryDict) -> AlertQuery:
    """The filters of an address; what is not understood is left out."""
    page = values.get("page", "1")
    return AlertQuery(
        show=values.get("show") or _NO_FILTER.show,
        who=values.get("who", ""),
        severity=values.get("severity", ""),
        rule=values.get("rule", ""),
        customer_id=values.get("customer", ""),
        search=values.get("q", "").strip(),
        page=int(page) if page.isdecimal() and len(page) < 6 else 1,
    )


def address_of(query: AlertQuery, **changes: Any) -> str:
    """The filters as the part of an address after the question mark."""
    shown, names = QueryDict(mutable=True), {"search": "q", "customer_id": "customer"}
    for name, value in {**asdict(query), **changes}.items():
        if value != getattr(_NO_FILTER, name):
            shown[names.get(name, name)] = str(value)
    return shown.urlencode()


def clock_of(found: Alert, now: datetime) -> AlertClock:
    """How an alert's clock stands, as people say it."""
    match found.state:
        case Alert.State.RESOLVED:
            return AlertClock(f"resolved {_moment(found.resolved_at, now)}")
        case Alert.State.SNOOZED:
            return AlertClock(f"back {_moment(found.snoozed_until, now)}")
        case Alert.State.ACKNOWLEDGED:
            by = found.acknowledged_by.shown_name if found.acknowledged_by else "somebody"
            return AlertClock(f"{by} has it")
    if found.due_at is None:
        return AlertClock("no deadline")
    late, soon = found.due_at <= now, found.near_at is not None and found.near_at <= now
    if late:
        return AlertClock(f"overdue {length_words(now - found.due_at)}", late=True, due=found.due_at)
    if found.due_at - now < _COUNTED:
        return AlertClock(f"{length_words(found.due_at - now)} left", soon=soon, due=found.due_at)
    return AlertClock(f"due {_moment(found.due_at, now)}", soon=soon)


def length_words(length: timedelta) -> str:
    """A length of time as a clock says it: `1 h 48 min`, `3 days`."""
    seconds = max(0, int(length.total_seconds()))
    if length >= 2 * _DAY:
        return f"{length.days} days"
    hours, minutes = seconds // _HOUR, seconds % _HOUR // _MINUTE
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def lines_of(alerts: AlertList, now: datetime) -> list[AlertLine]:
    """The alerts of a page, with a heading where the severity changes."""
    found: list[AlertLine] = []
    for one in alerts.items:
        same = found and found[-1].alert.severity == one.severity
        group = "" if same or alerts.query.show == RESOLVED else one.get_severity_display()
        found.append(AlertLine(one, clock_of(one, now), COLORS.get(one.severity, "gray"), group, period_of(one)))
    return found


def period_of(found: Alert) -> str:
    """For how long the money at stake is counted."""
    return PERIODS.get(str(found.values.get("period", "")), "")


def tabs_of(alerts: AlertList) -> list[tuple[str, str, int | None, bool]]:
    """The views above the list: address, label, how many, whether it is the one shown."""
    counts, query = alerts.counts, alerts.query
    choices = (
        (OPEN, "To take up", counts.open),
        (LATE, "Overdue", counts.late),
        (TAKEN, "Taken up", counts.taken),
        (SNOOZED, "Snoozed", counts.snoozed),
        (RESOLVED, "Resolved", None),
    )
    return [(address_of(query, show=show, page=1), label, count, query.show == show) for show, label, count in choices]


def whose_of(person: Person) -> list[tuple[str, str]]:
    """Whose alerts can be shown."""
    others = [(str(one.pk), one.shown_name) for one in assignable(person) if one.pk != person.pk]
    return [(MINE, "My alerts"), (ALL, "Everybody's alerts"), *others]


def quick_moments(now: datetime) -> list[tuple[str, str]]:
    """Moments to which an alert is often put off."""
    local = now.astimezone(_zone())
    morning = (local + timedelta(days=1)).replace(hour=MORNING, minute=0)
    monday = (local + timedelta(days=7 - local.weekday())).replace(hour=MORNING, minute=0)
    found = (
        ("In 1 hour", local + timedelta(hours=1)),
        ("In 4 hours", local + timedelta(hours=4)),
        ("Tomorrow 9:00", morning),
        ("Monday 9:00", monday),
    )
    return [(label, f"{at:%Y-%m-%dT%H:%M}") for label, at in found]


def until_from(text: str) -> datetime | None:
    """A moment of the workspace's clock, as a form says it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=_zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(str(get_default_timezone()))


def _moment(value: datetime | None, now: datetime) -> str:
    if value is None:
        return ""
    zone = _zone()
    local, today = value.astimezone(zone), now.astimezone(zone).date()
    words = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get((local.date() - today).days)
    return f"{words or day(local.date())} {local:%H:%M}"
