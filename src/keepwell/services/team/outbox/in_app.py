"""Messages inside the product: what a user of a customer sees there, and what the user did with them."""

import hashlib
import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from keepwell.services.team.outbox.tracking import record_event
from keepwell.store.models import Channel, Outgoing, OutgoingEvent

KEY: Final = "KEEPWELL_IN_APP_KEY"
SHORTEST_KEY: Final = 32
CHANNEL: Final = "in_app"
SEEN, DISMISSED, CLICKED = "seen", "dismissed", "clicked"
REACTIONS: Final = (SEEN, DISMISSED, CLICKED)
MOST: Final = 20
SHOWN_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class Reader:
    """A user of the product, as the product's own server vouches for."""

    customer_id: str
    person_id: str


@dataclass(frozen=True)
class InApp:
    """A message in a feed; `text` is plain, its paragraphs apart by an empty line."""

    id: int
    title: str
    text: str
    button: str
    link: str
    at: datetime
    seen: bool


def in_app_key() -> str | None:
    """The key with which the product's server vouches for its users; None when it is not set or too short."""
    key = os.environ.get(KEY, "")
    return key if len(key) >= SHORTEST_KEY else None


def origins() -> frozenset[str]:
    """The addresses of pages that may ask for messages."""
    found = Channel.objects.filter(name=CHANNEL, audience=Channel.Audience.CUSTOMER).first()
    return frozenset(found.settings.get("origins", ())) if found else frozenset()


def feed(reader: Reader, now: datetime) -> list[InApp]:
    """What a user has not put away, the newest first."""
    rows = list(
        _for(reader).exclude(_put_away(reader)).filter(sent_at__gt=now - SHOWN_FOR).order_by("-sent_at", "-pk")[:MOST]
    )
    marks = {row.pk: _mark(row.pk, reader, SEEN) for row in rows}
    known = set(OutgoingEvent.objects.filter(key__in=marks.values()).values_list("key", flat=True))
    return [_shown(row, seen=marks[row.pk] in known) for row in rows]


def reacted(reader: Reader, outgoing_id: int, kind: str, now: datetime) -> bool:
    """Write down what a user did with a message, once; False when there is no such message for this user."""
    row = _for(reader).filter(pk=outgoing_id).first()
    if row is None:
        return False
    data = {"person": reader.person_id}
    key = _mark(row.pk, reader, kind)
    if kind == CLICKED:
        record_event(row, kind, key, now, {**data, "url": str(row.payload.get("link", ""))})
    else:
        # Everybody at a customer may see a message: that is noted, but no line of the audit log each.
        about = {"outgoing": row, "kind": kind, "at": now, "data": data}
        OutgoingEvent.objects.get_or_create(key=key, defaults=about)
    return True


def _for(reader: Reader) -> QuerySet[Outgoing]:
    mine = Q(person_id=reader.person_id) | Q(person_id="")
    sent = Q(channel=CHANNEL, audience=Channel.Audience.CUSTOMER, state=Outgoing.State.SENT)
    return Outgoing.objects.filter(sent & mine, customer_id=reader.customer_id)


def _put_away(reader: Reader) -> Exists:
    mine = OutgoingEvent.objects.filter(outgoing=OuterRef("pk"), kind=DISMISSED, data__person=reader.person_id)
    return Exists(mine)


def _mark(outgoing_id: int, reader: Reader, kind: str) -> str:
    """The key of what somebody did with a message: it counts once for each person."""
    person = hashlib.sha256(reader.person_id.encode()).hexdigest()[:40]
    return f"in-app-{outgoing_id}-{kind}-{person}"


def _shown(row: Outgoing, *, seen: bool) -> InApp:
    said = row.payload
    return InApp(
        id=row.pk,
        title=row.subject,
        text=row.text,
        button=str(said.get("button") or ""),
        link=str(said.get("link") or ""),
        at=row.sent_at or row.due_at,
        seen=seen,
    )
