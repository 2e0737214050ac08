"""Into the outbox, once for each key; and the words of people on what is in it: send it again, leave it."""

from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from keepwell.playbooks.messages import one_line
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.prepared import insert
from keepwell.store.models import Outgoing

OUTBOX: Final = Actor("outbox")
_LENGTHS: Final = {"subject": 500, "company": 255, "to_name": 255, "address": 320, "person_id": 255, "step": 120}
_WAITING: Final = (Outgoing.State.WAITING, Outgoing.State.FAILED)


class OutboxError(Exception):
    """What cannot be done with a message; the words say why."""


def put(
    now: datetime,
    *,
    key: str,
    channel: str,
    audience: str,
    due_at: datetime | None = None,
    who: Actor = OUTBOX,
    **fields: Any,
) -> Outgoing:
    """One message on its way; a key that is known already gives the row that is there. `fields` are Outgoing's."""
    said = {
        name: one_line(str(value))[: _LENGTHS[name]] if name in _LENGTHS else value for name, value in fields.items()
    }
    about = {"channel": channel, "audience": audience, "made_at": now, "due_at": due_at or now, **said}
    row = Outgoing(key=key, **about)
    try:
        with transaction.atomic():
            insert(row)
            note(row, "queued", f"To {row.to_name or row.address or row.channel}: {row}", now, who)
    except IntegrityError:
        known = Outgoing.objects.filter(key=key).first()
        if known is None:
            raise
        return known
    return row


@transaction.atomic
def send_again(who: Actor, outgoing_id: int, now: datetime) -> Outgoing:
    """Replay what was given up, under the same key and the same Message-ID. Raises OutboxError."""
    given_up = Outgoing.objects.filter(pk=outgoing_id, state=Outgoing.State.DEAD)
    changed = given_up.update(
        state=Outgoing.State.WAITING, due_at=now, attempts=0, claimed_by="", claimed_at=None, error=""
    )
    if not changed:
        raise OutboxError("Only a message that was given up can be sent again.")
    row = Outgoing.objects.get(pk=outgoing_id)
    note(row, "replayed", f"To be sent again: {row}", now, who)
    return row


@transaction.atomic
def leave(who: Actor, outgoing_id: int, why: str, now: datetime) -> Outgoing:
    """Do not send what has not left yet. Raises OutboxError."""
    waiting = Outgoing.objects.filter(pk=outgoing_id, state__in=_WAITING)
    if not waiting.update(state=Outgoing.State.CANCELLED, error=why, claimed_by="", claimed_at=None):
        raise OutboxError("It has left, is just being sent, or was cancelled already.")
    row = Outgoing.objects.get(pk=outgoing_id)
    note(row, "cancelled", f"Not sent: {row} ({why})" if why else f"Not sent: {row}", now, who)
    return row


def note(row: Outgoing, what: str, summary: str, now: datetime, who: Actor = OUTBOX) -> None:
    """The audit row of what became of a message."""
    record(
        who,
        at=now,
        action=f"outgoing.{what}",
        kind="outgoing",
        object_id=row.pk,
        customer_id=row.customer_id,
        summary=summary,
        after={"channel": row.channel, "address": row.address, "state": row.state},
    )
