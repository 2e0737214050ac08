"""What happens to a customer, written down once for the runs that have to hear of it."""

import hashlib
from datetime import datetime
from typing import Any, Final

from keepwell.playbooks.events import Happened
from keepwell.store.models import Happening, PlaybookRun

START: Final = "start"
"""The kind of a happening that starts a playbook, named by `name`."""
LONGEST_KEY: Final = 160


def happened(
    customer_id: str,
    kind: Happened | str,
    *,
    name: str = "",
    key: str,
    at: datetime,
    run: PlaybookRun | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Tell the customer's runs, or one of them, what happened; the same `key` is heard once.

    Written in the caller's transaction. Runs that began after `at` do not hear of it.
    """
    happened_all([happening(customer_id, kind, name=name, key=key, at=at, run=run, data=data)])


def happening(
    customer_id: str,
    kind: Happened | str,
    *,
    name: str = "",
    key: str,
    at: datetime,
    run: PlaybookRun | None = None,
    data: dict[str, Any] | None = None,
) -> Happening:
    """The row of a happening, not yet written."""
    return Happening(
        key=short_key(key),
        customer_id=customer_id,
        run=run,
        kind=str(kind),
        name=name[:160],
        data=data or {},
        at=at,
    )


def happened_all(rows: list[Happening]) -> None:
    """Write many happenings; those that are known by their key stay as they are."""
    Happening.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def short_key(key: str) -> str:
    """A key that fits; a long one keeps its beginning and what tells it from all others."""
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[: LONGEST_KEY - 41]}#{hashlib.sha256(key.encode()).hexdigest()[:40]}"
