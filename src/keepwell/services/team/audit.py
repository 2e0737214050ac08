"""The audit log: one row for every change, written in the transaction of the change; webhooks tell of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keepwell.services.team.outbox.announcing import announce
from keepwell.store.models import AuditEntry, Person


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, a program with a person's token, or the worker."""

    name: str
    person: Person | None = None


def actor(person: Person, token_name: str = "") -> Actor:
    """A person as an actor; a token's name is kept beside the person's."""
    return Actor(f"{person.email} (token {token_name})" if token_name else person.email, person)


def record(
    who: Actor,
    *,
    at: datetime,
    action: str,
    kind: str,
    object_id: object,
    summary: str,
    customer_id: str = "",
    before: Any = None,
    after: Any = None,
) -> AuditEntry:
    """Write down one change; `summary` is the sentence people read."""
    entry = AuditEntry.objects.create(
        at=at,
        actor=who.person,
        actor_name=who.name[:255],
        action=action,
        object_kind=kind,
        object_id=str(object_id)[:255],
        customer_id=customer_id,
        summary=summary[:500],
        before=before,
        after=after,
    )
    announce(entry)
    return entry
