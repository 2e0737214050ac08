"""Events of nobody's that would have set something off: they wait for their link, and are heard once it is there.

Only what is fresh is heard: what happened longer ago than FRESH when its link comes is history.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q

from keepwell.services.ingest.belonging import Belonging
from keepwell.services.ingest.incidents import STALE, incident_of
from keepwell.services.ingest.known import group_of
from keepwell.services.ingest.messages import STRIPE, Message, message_of
from keepwell.services.published.identities import customers_by_identity
from keepwell.services.team.alerting.hearing import Heard, hear
from keepwell.services.team.alerting.raising import short
from keepwell.services.team.alerting.rules import Ruling, ruling_of
from keepwell.services.team.playing.known import look_up
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import WaitingEvent

FRESH: Final = STALE
MOST: Final = 20_000
"""So many wait; what comes on top of them is in quarantine only."""
LIMIT: Final = 1_000
"""So many are looked at together."""
_LONGEST: Final = 320


def nobody_s(
    ruling: Ruling, messages: Iterable[Message], heard: Heard, customers: Mapping[str, str]
) -> dict[str, Message]:
    """Messages that would set something off, were it known whose they are; `customers` says whose each was taken for.

    Who is named, but on no published day and by no call of the day, is nobody yet. Each is under the key by which it
    waits once: for surveys, one a day of whoever did it is enough.
    """
    found: dict[str, Message] = {}
    for message in messages:
        customer = customers.get(message.id)
        about = None if customer in heard.known else incident_of(message, "")
        if about is None:
            continue
        alerts = customer not in heard.named and bool(ruling.rules.hits(about))
        if alerts or not ruling.starting.isdisjoint(about.names):
            found.setdefault(message.id, message)
        elif not ruling.asking.isdisjoint(about.names):
            found.setdefault(f"{about.names[0]}:{about.at.date()}:{customer or about.users}", message)
    return found


def keep(belonging: Belonging, messages: Mapping[str, Message]) -> None:
    """Let events wait for their link, in the caller's transaction; one that waits already does so once."""
    if not messages or WaitingEvent.objects.count() + len(messages) > MOST:
        return
    rows = [_row(belonging, key, message) for key, message in messages.items()]
    WaitingEvent.objects.bulk_create(rows, ignore_conflicts=True)


def names_of(belonging: Belonging, message: Message) -> set[str]:
    """The ids by which the link of a message may be told."""
    return {name for name in (*belonging.ids(message), _group(message)) if name}


def hear_again(
    workspace: Workspace,
    belonging: Belonging,
    now: datetime,
    *,
    about: Iterable[str] | None = None,
    links: Mapping[str, str] | None = None,
) -> int:
    """Hear those that wait and are somebody's now; all of them, or those by ids that something was told `about`.

    `links` are ids that were linked to customers by hand since the last publishing. Returns how many were heard.
    """
    numbers = _waiting(now, about)
    parts = [numbers[first : first + LIMIT] for first in range(0, len(numbers), LIMIT)]
    return sum(_hear_some(workspace, belonging, part, links or {}, now) for part in parts)


def forget_old(now: datetime) -> int:
    """Remove what is history by now; how many."""
    return WaitingEvent.objects.filter(at__lt=now - FRESH).delete()[0]


def _waiting(now: datetime, about: Iterable[str] | None) -> list[int]:
    found = WaitingEvent.objects.filter(at__gte=now - FRESH).order_by("at", "pk")
    if about is not None:
        names = sorted(set(about))
        if not names:
            return []
        found = found.filter(Q(user__in=names) | Q(anonymous__in=names) | Q(group__in=names))
    return list(found.values_list("pk", flat=True))


def _hear_some(
    workspace: Workspace, belonging: Belonging, numbers: Sequence[int], links: Mapping[str, str], now: datetime
) -> int:
    rows = WaitingEvent.objects.filter(pk__in=numbers)
    messages = {row.pk: message for row in rows if (message := message_of(row.line.encode()))}
    owners = _owners(workspace, belonging, list(messages.values()), links) if messages else {}
    ready = {pk: (message, owners[message.id]) for pk, message in messages.items() if message.id in owners}
    return _hear(workspace, belonging, ready, now)


def _owners(
    workspace: Workspace, belonging: Belonging, messages: Sequence[Message], links: Mapping[str, str]
) -> dict[str, str]:
    """Whose messages are, of those that are somebody's."""
    named = {message.id: group for message in messages if (group := _group(message))}
    ids = {name for message in messages for name in names_of(belonging, message)}
    published = {**customers_by_identity(workspace, ids), **{k: v for k, v in links.items() if k in ids}}
    wanted = {one.id: (named.get(one.id), belonging.customer(one, published)) for one in messages}
    every = {*published.values(), *(name for pair in wanted.values() for name in pair if name)}
    # An id that a customer has is that customer's, whatever else is linked to the same letters.
    there = set(look_up(workspace)(every, ())) | set(belonging.groups)
    found = {}
    for number, (group, owner) in wanted.items():
        if group is not None and group not in there:
            owner = published.get(group)
        if owner is not None and owner in there:
            found[number] = owner
    return found


def _hear(workspace: Workspace, belonging: Belonging, ready: Mapping[int, tuple[Message, str]], now: datetime) -> int:
    """Each once: whoever takes a row away has heard it, in one transaction with what follows.

    What starts playbooks or asks goes on waiting for the day on which its customer is published.
    """
    if not ready:
        return 0
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        mine = WaitingEvent.objects.select_for_update(skip_locked=skip).filter(pk__in=ready).order_by("at", "pk")
        told = {number: incident_of(*ready[number]) for number in mine.values_list("pk", flat=True)}
        ruling = ruling_of(workspace)
        heard = hear(workspace, ruling, filter(None, told.values()), belonging.groups)
        heard.act(now)
        done = [number for number, one in told.items() if one is None or not _goes_on(ruling, heard, one)]
        WaitingEvent.objects.filter(pk__in=done).delete()
    return len(done)


def _goes_on(ruling: Ruling, heard: Heard, incident: Incident) -> bool:
    return incident.customer_id not in heard.known and not ruling.of_the_day.isdisjoint(incident.names)


def _group(message: Message) -> str | None:
    return None if message.kind == STRIPE else group_of(message)


def _row(belonging: Belonging, key: str, message: Message) -> WaitingEvent:
    ids, about = belonging.ids(message), incident_of(message, "")
    anonymous = next((name for name in ids if name.startswith("anonymous:")), "")
    record = {
        "id": message.id,
        "kind": message.kind,
        "received_at": message.received_at.isoformat(),
        "body": message.body,
    }
    return WaitingEvent(
        message_id=short(key),
        at=about.at if about else message.received_at,
        user="" if not ids or ids[0] == anonymous else ids[0][:_LONGEST],
        anonymous=anonymous[:_LONGEST],
        group=(_group(message) or "")[:_LONGEST],
        line=json.dumps(record) + "\n",
    )
