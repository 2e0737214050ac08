"""Meetings, calls and mail that the customer's data tell of, for the runs that wait for an answer.

Mail that Keepwell sent, and its replies, are heard of at once; these are those that the CRM or the calendar knows.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from keepwell.playbooks.events import Happened
from keepwell.services.team.outbox.touches import SOURCE
from keepwell.services.team.playing.happenings import happened_all, happening
from keepwell.services.team.playing.matters import answers
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.workspace import Workspace
from keepwell.store.models import Happening, PlaybookRun
from keepwell.warehouse.storage import Warehouse

Waits = Callable[[str], None] | None
LOOK_BACK: Final = timedelta(days=14)
"""What happened longer ago and is told of only now ends nothing any more."""
# Rows of our own tell of what was heard when it happened.
_CONTACTS: Final = """
WITH theirs AS (SELECT * FROM interactions WHERE deleted_at IS NULL AND source IS DISTINCT FROM ?),
contacts AS (
    SELECT customer, interaction_id, 'meeting' AS answer, occurred_at AS at FROM theirs
    WHERE kind IN ('meeting', 'qbr') AND coalesce(outcome, 'completed') = 'completed'
        OR kind = 'call' AND outcome = 'completed'
    UNION ALL
    SELECT customer, interaction_id, 'reply', occurred_at FROM theirs
    WHERE kind IN ('email', 'chat', 'call') AND direction = 'inbound' AND coalesce(outcome, 'completed') = 'completed'
    UNION ALL
    SELECT customer, interaction_id, 'reply', responded_at FROM theirs WHERE responded_at IS NOT NULL
)
SELECT k.customer_id, c.interaction_id, c.answer, c.at FROM contacts c JOIN customer_keys k USING (customer)
WHERE c.at >= ? AND c.at <= ? AND list_contains(?, k.customer_id)
ORDER BY c.at, c.interaction_id, c.answer
"""


@dataclass(frozen=True)
class Contact:
    """One answer of a customer: a `meeting` (a call that took place is one) or a `reply`."""

    customer_id: str
    interaction_id: str
    answer: str
    at: datetime


def contacts_arrived(workspace: Workspace, now: datetime, on_wait: Waits = None) -> int:
    """Tell runs of the meetings and replies that were loaded; how many were new to one. Repeating changes nothing."""
    runs: dict[str, list[PlaybookRun]] = defaultdict(list)
    for run in PlaybookRun.objects.filter(ended_at=None).order_by("pk"):
        runs[run.customer_id].append(run)
    if not runs:
        return 0
    with workspace.warehouse("playbooks", on_wait) as warehouse:
        found = list(_contacts(warehouse, sorted(runs), now))
    plays = plays_of(workspace)
    heard = [
        _happening(one)
        for one in found
        if any(answers(plays, r, one.answer, one.at, now) for r in runs[one.customer_id])
    ]
    known = set(Happening.objects.filter(key__in=[row.key for row in heard]).values_list("key", flat=True))
    with transaction.atomic():
        happened_all(heard)
    return len({row.key for row in heard} - known)


def _contacts(warehouse: Warehouse, customers: Iterable[str], now: datetime) -> Iterator[Contact]:
    ends = [moment.astimezone(UTC).replace(tzinfo=None) for moment in (now - LOOK_BACK, now)]
    rows = warehouse.connection.execute(_CONTACTS, [SOURCE, *ends, list(customers)]).fetchall()
    for customer, key, answer, at in rows:
        yield Contact(customer, key, answer, at.replace(tzinfo=UTC))


def _happening(found: Contact) -> Happening:
    key = f"contact:{found.answer}:{found.interaction_id}"
    return happening(found.customer_id, Happened.RESPONSE, name=found.answer, key=key, at=found.at)
