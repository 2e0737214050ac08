"""Rows of the outbox, runs of playbooks and live channels, for tests."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

from keepwell.playbooks.events import Effect, Wanted
from keepwell.services.team.outbox.queue import put
from keepwell.store.models import Channel, Outgoing, PlaybookRun, PlaybookVersion

NOON: Final = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
"""A Tuesday, in nobody's quiet hours."""
_numbers = count(1)


def waiting(**fields: Any) -> Outgoing:
    """A message to a customer that is due."""
    number = next(_numbers)
    about: dict[str, Any] = {
        "key": f"test-{number}",
        "channel": "email",
        "audience": "customer",
        "purpose": "personal",
        "customer_id": f"c-{number}",
        "company": "Acme",
        "address": f"ada{number}@acme.example",
        "to_name": "Ada Byron",
        "sender": {"name": "Maya", "email": "maya@keepwell.example", "title": ""},
        "subject": f"Subject {number}",
        "text": "Hello Ada",
        "html": "<p>Hello Ada</p>",
    }
    now = fields.pop("now", NOON)
    return put(now, **about | fields)


def go_live(channel: str = "email", audience: str = "customer", **settings: Any) -> Channel:
    """Switch a channel on."""
    about = {"live": True, "settings": settings, "changed_at": NOON}
    return Channel.objects.update_or_create(name=channel, audience=audience, defaults=about)[0]


def running(customer_id: str, *, messages: dict[str, Any] | None = None, **fields: Any) -> PlaybookRun:
    """A run of a playbook whose version keeps these messages."""
    number = next(_numbers)
    playbook, version = f"play_{number}", f"v{number}"
    definition = {"messages": messages or {}, "playbooks": {}, "settings": {}, "calendar": {}, "signals": []}
    PlaybookVersion.objects.create(playbook=playbook, version=version, definition=definition, kept_at=NOON)
    about = {"company": "Acme", "entry": 1, "started_at": NOON - timedelta(days=1), "started_by": "signal", "state": {}}
    return PlaybookRun.objects.create(
        playbook=playbook, version=version, customer_id=customer_id, phase="waiting", **about | fields
    )


def asked(message: str, *, key: str = "pb-1", **details: Any) -> Effect:
    """What a run asks for when a step sends a message."""
    about = {"channel": "email", "message": message, "to": "primary", "sender": "owner"}
    return Effect(Wanted.MESSAGE, key, "step_1", NOON, None, about | details)


def fresh(row: Outgoing) -> Outgoing:
    """The row as it is now."""
    row.refresh_from_db()
    return row
