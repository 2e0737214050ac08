"""The lines of an alert's history."""

from datetime import datetime

from keepwell.store.models import Alert, AlertMark, Person

LONGEST = 500


def mark(
    found: Alert, kind: str, text: str, now: datetime, *, person: Person | None = None, key: str | None = None
) -> AlertMark:
    """Write a line; `key` is what it counts once by."""
    return AlertMark.objects.create(alert=found, key=key, at=now, kind=kind, text=text[:LONGEST], person=person)


def marked_before(key: str) -> bool:
    """Whether what has this key was counted already."""
    return AlertMark.objects.filter(key=key).exists()
