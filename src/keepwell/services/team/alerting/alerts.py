"""What people do with alerts: take them up, put them away for a while, resolve them, give them to somebody."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from keepwell.services.team.access import ALLOWED, Action
from keepwell.services.team.alerting.marks import mark
from keepwell.services.team.alerting.raising import say
from keepwell.services.team.alerting.telling import tell
from keepwell.services.team.audit import Actor
from keepwell.services.team.prepared import Prepared
from keepwell.store.models import Alert, Person

SNOOZE_FARTHEST: Final = timedelta(days=90)


class AlertRefused(Exception):  # noqa: N818 - it is an answer, not a fault
    """Something that cannot be done with an alert; the message says why and what to do."""


@dataclass(frozen=True)
class Seen:
    """An alert as a person saw it: a later version means that somebody changed it meanwhile."""

    pk: int
    version: int | None = None


def acknowledge(who: Actor, alerts: Sequence[Seen], *, now: datetime) -> list[Alert]:
    """Take alerts up: their clocks stop, and everybody sees who has them. All or none."""

    def change(found: Alert) -> str:
        if found.state == Alert.State.ACKNOWLEDGED:
            by = found.acknowledged_by.shown_name if found.acknowledged_by else "somebody"
            raise AlertRefused(f"“{found.title}” was taken up by {by} already.")
        _taken(found, who, now)
        found.state, found.next_at, found.snoozed_until = Alert.State.ACKNOWLEDGED, None, None
        return "taken up"

    return _each(who, alerts, "acknowledged", change, now)


def snooze(who: Actor, alerts: Sequence[Seen], *, until: datetime | None, reason: str, now: datetime) -> list[Alert]:
    """Put alerts away until a moment, with a reason; then they come back with a deadline of their own."""
    text = reason.strip()
    if until is None or until <= now:
        raise AlertRefused("Choose a moment that is still to come.")
    if until - now > SNOOZE_FARTHEST:
        raise AlertRefused(f"An alert can be put away for {SNOOZE_FARTHEST.days} days at most.")
    if not text:
        raise AlertRefused("Say why it can wait: whoever looks next wants to know.")

    def change(found: Alert) -> str:
        found.state, found.snoozed_until, found.next_at = Alert.State.SNOOZED, until, until
        return f"put away until {until:%Y-%m-%d %H:%M} UTC: {text}"

    return _each(who, alerts, "snoozed", change, now)


def resolve(who: Actor, alerts: Sequence[Seen], *, why: str, now: datetime) -> list[Alert]:
    """Close alerts, with what came of them."""
    text = why.strip()
    if not text:
        raise AlertRefused("Say what was done: the next one who sees this customer wants to know.")

    def change(found: Alert) -> str:
        _taken(found, who, now)
        found.state, found.resolved_at, found.resolved_why = Alert.State.RESOLVED, now, text[:255]
        found.next_at, found.snoozed_until = None, None
        return f"resolved: {text}"

    return _each(who, alerts, "resolved", change, now)


def assign(who: Actor, alerts: Sequence[Seen], *, to: Person | None, now: datetime) -> list[Alert]:
    """Give alerts to a person, who is told, or back to the owners of their customers."""
    if to is not None and not (to.is_active and Action.WORK in ALLOWED.get(to.role, ())):
        raise AlertRefused(f"{to.shown_name} cannot work on alerts; choose somebody else.")

    def change(found: Alert) -> str:
        found.assignee = to
        return f"given to {to.shown_name}" if to else "given back to the customer's owner"

    done = _each(who, alerts, "assigned", change, now)
    if to is not None and to != who.person:
        for found in done:
            tell(found, "assigned", [to], now)
    return done


def _taken(found: Alert, who: Actor, now: datetime) -> None:
    """Who was first to look at it."""
    if found.acknowledged_at is None:
        found.acknowledged_at, found.acknowledged_by = now, who.person


_LOCKED: Final = Prepared(lambda pk: Alert.objects.select_for_update().filter(pk=pk), pk=int)


@transaction.atomic
def _each(who: Actor, alerts: Sequence[Seen], what: str, change: Callable[[Alert], str], now: datetime) -> list[Alert]:
    seen = {one.pk: one.version for one in alerts}
    found = [one for pk in sorted(seen) if (one := _LOCKED.first(pk=pk)) is not None]
    if len(found) < len(seen):
        raise AlertRefused("Some of these alerts are not there any more. Reload the page; nothing was changed.")
    for one in found:
        _still_open(one, seen[one.pk])
        before = _values(one)
        why = change(one)
        one.version += 1
        one.save()
        mark(one, what, f"{why[:1].upper()}{why[1:]}", now, person=who.person)
        say(one, f"alert.{what}", why, now, who, before)
    return found


def _still_open(found: Alert, version: int | None) -> None:
    if found.state == Alert.State.RESOLVED:
        raise AlertRefused(f"“{found.title}” is resolved already.")
    if version is not None and version != found.version:
        raise AlertRefused(f"“{found.title}” was changed by somebody else meanwhile. Look at it again.")


def _values(found: Alert) -> dict[str, Any]:
    return {
        "state": found.state,
        "assignee": found.assignee.email if found.assignee else None,
        "snoozed_until": found.snoozed_until.isoformat() if found.snoozed_until else None,
    }
