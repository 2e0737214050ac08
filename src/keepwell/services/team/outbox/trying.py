"""A test of a channel: one message to the person who tries it, sent at once, live or not."""

from datetime import datetime
from html import escape
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from keepwell.connectors.channels.results import GiveUp, Sent
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox.in_app import CHANNEL as IN_APP
from keepwell.services.team.outbox.in_app import Reader
from keepwell.services.team.outbox.queue import note
from keepwell.services.team.outbox.senders import SENDERS
from keepwell.services.team.outbox.targets import test_delivery
from keepwell.store.models import Outgoing, Person, WebhookTarget

TEST: Final = "test"


def try_channel(who: Actor, person: Person, name: str, audience: str, now: datetime, reader: Reader | None) -> Outgoing:
    """Send a test to oneself; for messages inside the product `reader` says as whom one is signed in there."""
    return _sent(_test(who, person, name, audience, now, reader), who, now)


def try_target(who: Actor, person: Person, target: WebhookTarget, now: datetime) -> Outgoing:
    """Send a test event to a target of webhooks."""
    with transaction.atomic():
        row = test_delivery(who, target, now)
        row.payload = {**row.payload, "by": person.pk}
        _begin(row, now)
    return _sent(row, who, now)


@transaction.atomic
def _test(who: Actor, person: Person, name: str, audience: str, now: datetime, reader: Reader | None) -> Outgoing:
    text = f"This is a test of the channel, which {person.shown_name} asked for. It reached you, so it works."
    here = workspace().name
    entry = record(
        who,
        at=now,
        action="channel.tested",
        kind="channel",
        object_id=f"{name}-{audience}",
        summary=f"A test through {name.replace('_', ' ')} for {audience} messages",
    )
    row = Outgoing(
        key=f"{TEST}-{entry.pk}",
        channel=name,
        audience=audience,
        purpose=TEST,
        address="" if name == IN_APP else person.email,
        to_name=person.shown_name,
        customer_id=reader.customer_id if reader else "",
        person_id=reader.person_id if reader else "",
        subject=f"Test of {here}",
        text=text,
        html=f"<p>{escape(text)}</p>",
        payload={"by": person.pk, **_button(name)},
        made_at=now,
        due_at=now,
    )
    _begin(row, now)
    return row


def _button(name: str) -> dict[str, Any]:
    return {"button": "Open the workspace", "link": settings.WEB.url} if name == IN_APP else {}


def _begin(row: Outgoing, now: datetime) -> None:
    row.state, row.attempts, row.claimed_by, row.claimed_at = Outgoing.State.SENDING, 1, TEST, now
    row.save()


def _sent(row: Outgoing, who: Actor, now: datetime) -> Outgoing:
    """Hand it over, without a transaction around it: the other side may take its time. A test is tried once."""
    try:
        result = SENDERS[row.channel](row, now)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what the person has to read
        result = GiveUp(f"{type(error).__name__}: {error}")
    said = "" if isinstance(result, Sent) else result.why
    with transaction.atomic():
        row.state = Outgoing.State.SENT if isinstance(result, Sent) else Outgoing.State.DEAD
        row.error, row.claimed_by, row.claimed_at = said, "", None
        row.sent_at = now if isinstance(result, Sent) else None
        row.provider_id = result.provider_id[:255] if isinstance(result, Sent) else ""
        row.save()
        note(row, row.state, f"Test {'sent' if not said else 'failed'}: {row}{f' ({said})' if said else ''}", now, who)
    return row
