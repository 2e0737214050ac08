"""Words to colleagues inside the workspace: whom they are for, and which were read."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from keepwell.services.team.outbox.switches import WORKSPACE
from keepwell.store.models import Outgoing, OutgoingEvent, Person

MOST: Final = 100
SHOWN_FOR: Final = timedelta(days=90)
SEEN: Final = "seen"


@dataclass(frozen=True)
class Notice:
    """One word, and whether its reader has read it."""

    row: Outgoing
    read: bool


def notices(person: Person, now: datetime) -> list[Notice]:
    """A person's notices, the newest first."""
    rows = _of(person, now).annotate(read=_read()).select_related("run").defer("html")
    return [Notice(row, row.read) for row in rows.order_by("-sent_at", "-pk")[:MOST]]


def read_all(person: Person, now: datetime) -> int:
    """Mark all of a person's notices as read; returns how many were new."""
    new = list(_of(person, now).exclude(_read())[:MOST])
    OutgoingEvent.objects.bulk_create(
        [OutgoingEvent(key=f"notice-{row.pk}-{SEEN}", outgoing=row, kind=SEEN, at=now) for row in new],
        ignore_conflicts=True,
    )
    return len(new)


def _of(person: Person, now: datetime) -> QuerySet[Outgoing]:
    sent = Outgoing.objects.filter(channel=WORKSPACE, state=Outgoing.State.SENT, sent_at__gt=now - SHOWN_FOR)
    return sent.filter(address__iexact=person.email)


def _read() -> Exists:
    return Exists(OutgoingEvent.objects.filter(outgoing=OuterRef("pk"), kind=SEEN))
