"""The audit log: one row for every change, written in the transaction of the change; webhooks tell of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from keepwell.services.team.outbox.announcing import announce_all
from keepwell.services.team.prepared import insert
from keepwell.store.models import AuditEntry, Person

_together: Final[ContextVar[list[AuditEntry] | None]] = ContextVar("written_together", default=None)


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
    entry = AuditEntry(
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
    together = _together.get()
    if together is None:
        insert(entry)
        announce_all([entry])
    else:
        together.append(entry)
    return entry


@contextmanager
def written_together() -> Iterator[None]:
    """Write what is recorded meanwhile at the end, at once and in this order: many small writes are slow.

    It lies within a transaction, and nothing in it catches the failure of a part that had recorded something.
    """
    if _together.get() is not None:
        yield
        return
    entries: list[AuditEntry] = []
    mine = _together.set(entries)
    try:
        yield
    finally:
        _together.reset(mine)
    AuditEntry.objects.bulk_create(entries)
    announce_all(entries)
