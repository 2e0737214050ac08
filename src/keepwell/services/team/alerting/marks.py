"""The lines of an alert's history."""

from datetime import datetime
from typing import Final

from keepwell.services.team.prepared import Prepared, insert
from keepwell.store.models import Alert, AlertMark, Person

LONGEST: Final = 500
_OF_KEY: Final = Prepared(lambda key: AlertMark.objects.filter(key=key).only("pk"), key=str)


def mark(
    found: Alert, kind: str, text: str, now: datetime, *, person: Person | None = None, key: str | None = None
) -> AlertMark:
    """Write a line; `key` is what it counts once by."""
    made = AlertMark(alert=found, key=key, at=now, kind=kind, text=text[:LONGEST], person=person)
    insert(made)
    return made


def marked_before(key: str) -> bool:
    """Whether what has this key was counted already."""
    return bool(_OF_KEY(key=key))
