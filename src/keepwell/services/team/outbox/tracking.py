"""What became of messages: delivered, opened, clicked, replied, bounced … each told once, and what follows from it."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction

from keepwell.playbooks.events import Happened
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.queue import note
from keepwell.services.team.outbox.suppression import ALL, MARKETING, SuppressionError, suppress
from keepwell.services.team.outbox.touches import keep_reply, keep_touch
from keepwell.services.team.playing.happenings import happened, short_key
from keepwell.store.models import Outgoing, OutgoingEvent, Suppression

DELIVERED: Final = "delivered"
OPENED: Final = "opened"
CLICKED: Final = "clicked"
REPLIED: Final = "replied"
BOUNCED: Final = "bounced"
COMPLAINED: Final = "complained"
UNSUBSCRIBED: Final = "unsubscribed"
REFUSED: Final = "refused"
AUTO_REPLY: Final = "auto_reply"
EARLY: Final = timedelta(seconds=10)
"""Who clicks sooner than this after sending is a program that looks for viruses."""
_RESPONSES: Final = {CLICKED: "click", REPLIED: "reply"}
_ARRIVED: Final = frozenset({DELIVERED, OPENED, CLICKED, REPLIED})
_REFUSES: Final = {
    BOUNCED: (Suppression.Why.BOUNCED, ALL),
    COMPLAINED: (Suppression.Why.COMPLAINED, ALL),
    UNSUBSCRIBED: (Suppression.Why.UNSUBSCRIBED, MARKETING),
}
_MAIL: Final = Actor("e-mail")
_MARK_IN_ADDRESS: Final = re.compile(r"reply\+(\d+-[0-9a-f]+)@", re.IGNORECASE)
_MARK_IN_ID: Final = re.compile(r"kw\.(\d+-[0-9a-f]+)@", re.IGNORECASE)
_ID: Final = re.compile(r"<([^<>\s]+)>")
_MOST_IDS: Final = 50


@transaction.atomic
def record_event(
    outgoing: Outgoing, kind: str, key: str, at: datetime, data: dict[str, Any] | None = None
) -> OutgoingEvent | None:
    """Write down what became of a message, and let everybody hear of it; None for what is known by its key already."""
    about = {"outgoing": outgoing, "kind": kind, "at": at, "data": data or {}}
    event, made = OutgoingEvent.objects.get_or_create(key=short_key(key), defaults=about)
    if not made:
        return None
    _settle(outgoing, kind, at, event.data)
    _refuse(outgoing, kind, at, event.data)
    _respond(outgoing, event)
    note(outgoing, kind, f"{kind.replace('_', ' ').capitalize()}: {outgoing}", at, _MAIL)
    return event


def click(key: str, url: str, now: datetime) -> bool:
    """Somebody followed a link of a message; counted once for each link."""
    row = Outgoing.objects.filter(key=key).first()
    if row is None:
        return False
    if _early(row, now):
        return record_event(row, CLICKED, f"click:{row.pk}:early:{url}", now, {"url": url, "early": True}) is not None
    return record_event(row, CLICKED, f"click:{row.pk}:{url}", now, {"url": url}) is not None


def seen(key: str, now: datetime) -> bool:
    """The picture of a message was loaded; counted once. Mail programs load it on their own, too: it is no response."""
    row = Outgoing.objects.filter(key=key).first()
    return row is not None and record_event(row, OPENED, f"open:{row.pk}", now) is not None


def unsubscribe(key: str, now: datetime) -> Outgoing | None:
    """No more marketing to the address of a message; None when there is no such message."""
    row = Outgoing.objects.filter(key=key).first()
    if row is not None:
        record_event(row, UNSUBSCRIBED, f"unsubscribe:{row.pk}", now)
        # Who was taken from the list since then, and asks again, is put there again.
        _refuse(row, UNSUBSCRIBED, now, {})
    return row


def answered(addresses: Iterable[str], references: str) -> Outgoing | None:
    """The message that a mail replies to: by the address that it was sent to, or by the ids it refers to."""
    marks = [found for address in addresses for found in _MARK_IN_ADDRESS.findall(address)]
    marks.extend(_MARK_IN_ID.findall(references))
    numbers = [number for mark in marks if (number := tokens.replied_to(mark)) is not None]
    if numbers:
        return Outgoing.objects.filter(pk__in=numbers).order_by("-pk").first()
    ids = _ID.findall(references)[:_MOST_IDS]
    names = {name for one in ids for name in (one, f"<{one}>", one.partition("@")[0])}
    return Outgoing.objects.filter(provider_id__in=names).order_by("-pk").first() if names else None


def _settle(row: Outgoing, kind: str, at: datetime, data: dict[str, Any]) -> None:
    """What is heard of delivery is truer than what was thought."""
    mine = Outgoing.objects.filter(pk=row.pk)
    if kind in _ARRIVED:
        unsure = mine.filter(state=Outgoing.State.DEAD, attempts__gt=0, sent_at=None)
        unsure.update(state=Outgoing.State.SENT, sent_at=at, error="")
    elif kind == REFUSED:
        why = f"The provider refused it afterwards: {data.get('said') or data.get('reason') or 'no reason given'}"
        mine.filter(state=Outgoing.State.SENT).update(state=Outgoing.State.DEAD, error=why[:1000])
    row.refresh_from_db(fields=["state", "sent_at", "error"])


def _refuse(row: Outgoing, kind: str, at: datetime, data: dict[str, Any]) -> None:
    """Who cannot be reached, or does not want to be, is not written to again."""
    if kind not in _REFUSES or "@" not in row.address or data.get("passing"):
        return
    why, scope = _REFUSES[kind]
    try:
        suppress(_MAIL, row.address, why=why, scope=scope, now=at, note=str(data.get("said") or "")[:255])
    except SuppressionError:
        # An address of another kind, as inside the product.
        return
    if kind == BOUNCED:
        keep_touch(row, at, bounced=True)


def _respond(row: Outgoing, event: OutgoingEvent) -> None:
    """A reply or a click is what running playbooks wait for, or stop on."""
    name = _RESPONSES.get(event.kind)
    if name is None or not row.customer_id or event.data.get("early"):
        return
    happened(row.customer_id, Happened.RESPONSE, name=name, key=f"outgoing:{event.key}", at=event.at)
    if event.kind == REPLIED:
        keep_touch(row, event.at, responded_at=event.at)
        keep_reply(row, event.at, event.at, event.pk)


def _early(row: Outgoing, now: datetime) -> bool:
    return row.sent_at is None or row.sent_at <= now < row.sent_at + EARLY
