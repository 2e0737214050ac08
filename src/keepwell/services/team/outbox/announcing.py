"""What other programs can be told of: events of the workspace, for webhooks.

An event is a change that the audit log writes down, so nothing happens without it and it happens in the change's own
transaction. `announce_all` puts one delivery for each target into the outbox.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from django.conf import settings

from keepwell.services.team.prepared import Prepared
from keepwell.store.models import AuditEntry, Channel, Outgoing, WebhookTarget

WEBHOOK: Final = "webhook"
EVENT: Final = "event"
TEST: Final = "webhook.test"


@dataclass(frozen=True)
class Announced:
    """A kind of event; `actions` are those of the audit log that bring it about."""

    words: str
    actions: frozenset[str]


def _of(words: str, *actions: str) -> Announced:
    return Announced(words, frozenset(actions))


EVENTS: Final[Mapping[str, Announced]] = {
    "alert.opened": _of("An alert was opened", "alert.opened"),
    "alert.acknowledged": _of("Somebody took up an alert", "alert.acknowledged"),
    "alert.escalated": _of("An alert went up the chain of people", "alert.escalated"),
    "alert.breached": _of("Nobody took up an alert in time", "alert.breached"),
    "alert.resolved": _of("An alert was resolved", "alert.resolved"),
    "task.opened": _of("A task was opened by hand or by a playbook", "task.added", "task.opened"),
    "task.done": _of("A task was done", "task.done"),
    "tasks.opened": _of("The daily run opened or closed tasks", "tasks.opened"),
    "outcome.logged": _of("Somebody logged an outcome", "outcome.logged"),
    "playbook.started": _of("A playbook began for a customer", "playbook.started"),
    "playbook.ended": _of("A playbook ended for a customer", "playbook.ended", "playbook.stopped"),
    "playbook.notice": _of("A playbook has a word for other programs", "playbook.notice"),
    "approval.asked": _of("Something waits for an approval", "approval.asked"),
    "approval.decided": _of("An approval was given or refused", "approval.given", "approval.refused"),
    "offer.made": _of("An offer was made to a customer", "offer.made", "offer.sent"),
    "offer.accepted": _of("A customer accepted an offer", "offer.accepted"),
    "offer.declined": _of("A customer declined an offer", "offer.declined"),
    "opportunity.opened": _of("The daily run found opportunities", "opportunity.opened"),
    "opportunity.changed": _of("Somebody works on an opportunity", "opportunity.contacted", "opportunity.reopened"),
    "opportunity.won": _of("An opportunity was won", "opportunity.won"),
    "opportunity.lost": _of("An opportunity was lost", "opportunity.lost"),
    "survey.answered": _of("A customer answered a survey", "survey.answered"),
    "escalation.opened": _of("Something was escalated", "escalation.opened"),
}
_targets: Final[ContextVar[list[WebhookTarget] | None]] = ContextVar("targets", default=None)
_TARGETS: Final = Prepared(lambda: WebhookTarget.objects.filter(on=True))
_EVENT_OF: Final = {action: name for name, about in EVENTS.items() for action in about.actions}


@contextmanager
def targets_known() -> Iterator[None]:
    """Ask for the targets once for all changes meanwhile, as a turn of a worker does that makes many."""
    mine = _targets.set(_TARGETS())
    try:
        yield
    finally:
        _targets.reset(mine)


def announce_all(entries: Iterable[AuditEntry]) -> None:
    """Tell the targets that want to know of what was just written down."""
    told = [(event, entry) for entry in entries if (event := _EVENT_OF.get(entry.action)) is not None]
    if not told:
        return
    known = _targets.get()
    targets = _TARGETS() if known is None else known
    rows = [
        delivery(target, event, f"{entry.pk}", entry, body_of(event, entry))
        for event, entry in told
        for target in targets
        if event in target.events
    ]
    if rows:
        Outgoing.objects.bulk_create(rows, ignore_conflicts=True)


def delivery(target: WebhookTarget, event: str, key: str, about: AuditEntry, body: str) -> Outgoing:
    """One event on its way to one target, not saved yet. What is shown of the address keeps its secrets."""
    return Outgoing(
        key=f"{keys_of(target)}{key}"[:160],
        channel=WEBHOOK,
        audience=Channel.Audience.INTERNAL,
        purpose=EVENT,
        customer_id=about.customer_id,
        address=host_of(target.url),
        to_name=target.name,
        subject=f"{event}: {about.summary}"[:500],
        text=about.summary,
        payload={"target": target.pk, "event": event, "body": body},
        made_at=about.at,
        due_at=about.at,
    )


def keys_of(target: WebhookTarget) -> str:
    """What the keys of a target's deliveries begin with."""
    return f"webhook-{target.pk}-"


def body_of(event: str, entry: AuditEntry) -> str:
    """The body in the standard's form, fixed here so that every attempt sends the same bytes."""
    data: dict[str, Any] = {
        "summary": entry.summary,
        "by": entry.actor_name,
        "customer_id": entry.customer_id or None,
        "customer_url": _url(entry.customer_id) if entry.customer_id else None,
        "object": {"kind": entry.object_kind, "id": entry.object_id},
        "before": entry.before,
        "after": entry.after,
    }
    said = {"type": event, "timestamp": entry.at.isoformat(), "data": data}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=str)


def host_of(url: str) -> str:
    """Where an address leads, without its path: that may be a secret."""
    return urlsplit(url).netloc[:320]


def _url(customer_id: str) -> str:
    return f"{settings.WEB.url}/customers/{quote(customer_id, safe='/')}"
