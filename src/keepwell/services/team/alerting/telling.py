"""Telling people of an alert: a message to colleagues through the outbox, and a line in the alert's history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings

from keepwell.services.team.alerting.marks import mark
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.playing.roles import People
from keepwell.store.models import Alert, Channel, Person

_PURPOSE: Final = {"opened": "alert", "near": "alert", "woken": "alert", "assigned": "alert"}
_SUBJECTS: Final[Mapping[str, str]] = {
    "opened": "{severity}: {title}",
    "near": "Due soon: {title}",
    "breached": "Overdue: {title}",
    "escalated": "Nobody has looked at it: {title}",
    "woken": "Back from snooze: {title}",
    "assigned": "Given to you: {title}",
}


def tell(found: Alert, kind: str, people: Sequence[Person], now: datetime) -> None:
    """Tell each of some people once of one thing that became of an alert."""
    for person in dict.fromkeys(people):
        put(
            now,
            key=f"alert-{found.pk}-{kind}-{found.version}-{found.level}-{person.pk}",
            channel="email",
            audience=Channel.Audience.INTERNAL,
            purpose=_PURPOSE.get(kind, "escalation"),
            customer_id=found.customer_id,
            company=found.company,
            address=person.email,
            to_name=person.shown_name,
            subject=_SUBJECTS[kind].format(severity=found.get_severity_display(), title=found.title),
            text=words_of(found),
            payload={"alert": found.pk, "kind": kind},
        )
    names = ", ".join(person.shown_name for person in dict.fromkeys(people))
    mark(found, "told", f"Told {names}" if names else "Nobody has this role, so nobody was told", now)


def words_of(found: Alert) -> str:
    """An alert as a message to colleagues."""
    due = None if found.due_at is None else f"Somebody has to take it up by {found.due_at:%Y-%m-%d %H:%M} UTC."
    values = [f"{label}: {text}" for label, text in found.values.get("shown", ())]
    todo = f"What to do next: {found.action}" if found.action else None
    link = f"{settings.WEB.url}/alerts/{found.pk}"
    return "\n\n".join(filter(None, (found.what, "\n".join(values), todo, due, link)))


__all__ = ["People", "tell", "words_of"]
