"""What users of the product do with a message there: written down once, and heard by the playbook that sent it."""

from datetime import datetime
from typing import Any

from django.db import transaction

from keepwell.playbooks.events import Happened
from keepwell.services.team.playing.happenings import happened
from keepwell.store.models import Outgoing, OutgoingEvent


@transaction.atomic
def record_event(row: Outgoing, kind: str, key: str, at: datetime, data: dict[str, Any]) -> bool:
    """An event of a message; False when it is known already. Who follows a link has answered."""
    _, new = OutgoingEvent.objects.get_or_create(
        key=key, defaults={"outgoing": row, "kind": kind, "at": at, "data": data}
    )
    if new and kind == "clicked" and row.customer_id:
        happened(row.customer_id, Happened.RESPONSE, name="click", key=key, at=at, data={"outgoing": row.pk})
    return new
