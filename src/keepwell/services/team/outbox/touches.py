"""Personal e-mails and replies go into the canonical data: metrics and the timeline see them from the next run on."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from keepwell.store.models import CanonicalWrite, Outgoing

SOURCE: Final = "keepwell"
_PERSONAL: Final = "personal"


def keep_touch(row: Outgoing, now: datetime, *, responded_at: datetime | None = None, bounced: bool = False) -> None:
    """A personal e-mail that left, and what came of it; campaigns and notes of the service are no contact."""
    if row.purpose != _PERSONAL or row.channel != "email" or not row.customer_id or row.sent_at is None:
        return
    said = {
        "interaction_id": f"{SOURCE}-mail-{row.pk}",
        "direction": "outbound",
        "occurred_at": _utc(row.sent_at),
        "responded_at": _utc(responded_at) if responded_at else None,
        "outcome": "bounced" if bounced else "completed",
    }
    _keep(row, now, said)


def keep_reply(row: Outgoing, at: datetime, now: datetime, number: int) -> None:
    """A reply of the customer; `number` tells it from others to the same message."""
    said = {"interaction_id": f"{SOURCE}-reply-{number}", "direction": "inbound", "occurred_at": _utc(at)}
    _keep(row, now, said | {"outcome": "completed"})


def _keep(row: Outgoing, now: datetime, said: Mapping[str, str | None]) -> None:
    about = {
        "customer_id": row.customer_id,
        "person_id": row.person_id or None,
        "kind": "email",
        "owner_email": row.sender.get("email") or None,
        "source": SOURCE,
        "source_id": f"mail-{row.pk}",
        "synced_at": _utc(now),
    }
    kept = {name: value for name, value in {**about, **said}.items() if value is not None}
    CanonicalWrite.objects.create(table="interactions", row=kept, made_at=now)


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
