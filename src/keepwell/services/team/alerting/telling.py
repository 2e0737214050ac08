"""Telling people of an alert: a message to colleagues through the outbox, and a line in the alert's history."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from django.conf import settings

from keepwell.services.team.alerting.marks import mark
from keepwell.services.team.alerting.ways import CHANNELS, EMAIL, NOTIFY, PERSONAL, channels_of, listed
from keepwell.services.team.moments import moment_words
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


def tell(
    found: Alert, kind: str, people: Sequence[Person], now: datetime, *, role: str = "", chats: bool = True
) -> None:
    """Tell some people once of one thing that became of an alert, by the channels of its rule.

    What is in a chat is there for everybody who reads it, so it is said there once, even when nobody has the role.
    Without `chats` it is not said there: they hear of something newer.
    """
    told, channels = list(dict.fromkeys(people)), channels_of(found)
    channels = tuple(channel for channel in channels if chats or channel in PERSONAL)
    if not channels:
        return
    for channel in channels:
        for person in told if channel in PERSONAL else (None,):
            _put(found, kind, channel, person, told, now, role)
    mark(found, "told", _told(told, channels), now)


def _put(
    found: Alert, kind: str, channel: str, person: Person | None, told: Sequence[Person], now: datetime, role: str
) -> None:
    """One message into the outbox: to a person, or to the place that a chat's words go to."""
    names = ", ".join(one.shown_name for one in told)
    whose = "" if person or not names else f"For {names}"
    put(
        now,
        key=f"alert-{found.pk}-{kind}-{found.version}-{found.level}-{_place(channel, person)}",
        channel=channel,
        audience=Channel.Audience.INTERNAL,
        purpose=_PURPOSE.get(kind, "escalation"),
        customer_id=found.customer_id,
        company=found.company,
        address=person.email if person else "",
        to_name=person.shown_name if person else names,
        subject=_SUBJECTS[kind].format(severity=found.get_severity_display(), title=found.title),
        text="\n\n".join(filter(None, (whose, words_of(found)))),
        payload={"alert": found.pk, "kind": kind, "role": role},
    )


def _place(channel: str, person: Person | None) -> str:
    """What keeps the messages of one telling apart."""
    if person is None:
        return channel
    return f"{person.pk}" if channel == EMAIL else f"{person.pk}-{channel}"


def _told(people: Sequence[Person], channels: Sequence[str]) -> str:
    """Who was told and how, as the history says it; e-mail goes without saying."""
    names = ", ".join(person.shown_name for person in people)
    ways = [CHANNELS[channel] for channel in channels if people or channel not in PERSONAL]
    if not names:
        nobody = "Nobody has this role"
        return f"{nobody}; said in {listed(ways)}" if ways else f"{nobody}, so nobody was told"
    return f"Told {names}" if tuple(channels) == (EMAIL,) else f"Told {names} by {listed(ways)}"


def words_of(found: Alert) -> str:
    """An alert as a message to colleagues."""
    due = None if found.due_at is None else f"Somebody has to take it up by {moment_words(found.due_at)}."
    values = [f"{label}: {text}" for label, text in found.values.get("shown", ())]
    todo = f"What to do next: {found.action}" if found.action else None
    link = f"{settings.WEB.url}/alerts/{found.pk}"
    return "\n\n".join(filter(None, (found.what, "\n".join(values), todo, due, link)))


__all__ = ["NOTIFY", "People", "tell", "words_of"]
