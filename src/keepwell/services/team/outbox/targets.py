"""Targets of webhooks: who gets which events, and the secret that they are signed with."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from keepwell.connectors.channels.webhook import WebhookAddressError, address_checked, new_secret
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.outbox.announcing import EVENTS, TEST, body_of, delivery, host_of, keys_of
from keepwell.store.models import AuditEntry, Outgoing, WebhookTarget

ALLOW_PRIVATE: Final = "KEEPWELL_WEBHOOKS_ALLOW_PRIVATE"


class TargetError(Exception):
    """What cannot be a target; `field` says which of its values is meant."""

    def __init__(self, said: str, field: str = "") -> None:
        super().__init__(said)
        self.field = field


def private_allowed() -> bool:
    """Whether targets may be in the server's own network: only who runs the server can say so."""
    return os.environ.get(ALLOW_PRIVATE, "") == "1"


@transaction.atomic
def target_make(who: Actor, *, name: str, url: str, events: Sequence[str], now: datetime) -> WebhookTarget:
    """A new target with a new secret. Raises TargetError."""
    about = _checked(name, url, events)
    if WebhookTarget.objects.filter(name=about["name"]).exists():
        raise TargetError("There is a target of this name already.", "name")
    target = WebhookTarget.objects.create(**about, secret=new_secret(), made_by=who.person, made_at=now)
    _record(who, target, "made", f"Webhooks to {target.name}: {', '.join(target.events)}", now)
    return target


@transaction.atomic
def target_change(
    who: Actor, target_id: int, *, name: str, url: str, events: Sequence[str], on: bool, now: datetime
) -> WebhookTarget:
    """Change what a target is and gets. Raises TargetError."""
    target = _locked(target_id)
    before = _values(target)
    for field, value in (_checked(name, url, events) | {"on": on}).items():
        setattr(target, field, value)
    if _values(target) == before:
        return target
    try:
        with transaction.atomic():
            target.save()
    except IntegrityError:
        raise TargetError("There is a target of this name already.", "name") from None
    _record(who, target, "changed", f"Changed the webhooks to {target.name}", now, before=before)
    return target


@transaction.atomic
def target_off(who: Actor, target_id: int, why: str, now: datetime) -> None:
    """Send nothing more to a target until somebody switches it on again."""
    if WebhookTarget.objects.filter(pk=target_id, on=True).update(on=False):
        _record(who, _locked(target_id), "off", f"Webhooks switched off: {why}", now)


@transaction.atomic
def target_secret(who: Actor, target_id: int, now: datetime) -> WebhookTarget:
    """A new secret; the old one signs nothing more. Raises TargetError."""
    target = _locked(target_id)
    target.secret = new_secret()
    target.save(update_fields=["secret"])
    _record(who, target, "secret", f"New secret for the webhooks to {target.name}", now)
    return target


@transaction.atomic
def target_delete(who: Actor, target_id: int, now: datetime) -> None:
    """Forget a target; what waits for it is cancelled. Raises TargetError."""
    target = _locked(target_id)
    waiting = deliveries(target).filter(state__in=(Outgoing.State.WAITING, Outgoing.State.FAILED))
    waiting.update(state=Outgoing.State.CANCELLED, error="The target was deleted.")
    _record(who, target, "deleted", f"No more webhooks to {target.name}", now, before=_values(target))
    target.delete()


def deliveries(target: WebhookTarget) -> QuerySet[Outgoing]:
    """Everything that went or should go to a target, the newest first."""
    return Outgoing.objects.filter(channel="webhook", key__startswith=keys_of(target)).order_by("-pk")


@transaction.atomic
def test_delivery(who: Actor, target: WebhookTarget, now: datetime) -> Outgoing:
    """An event of the kind `webhook.test` for one target, not sent yet."""
    said = f"A test of the webhooks to {target.name}"
    entry = _record(who, target, "tested", said, now)
    row = delivery(target, TEST, f"test-{entry.pk}", entry, body_of(TEST, entry))
    row.purpose = "test"
    row.save()
    return row


def _checked(name: str, url: str, events: Sequence[str]) -> dict[str, object]:
    plain = " ".join(name.split())
    if not plain or len(plain) > 80:
        raise TargetError("Give the target a name of at most 80 letters.", "name")
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise TargetError(f"Unknown: {', '.join(unknown)}." if unknown else "Choose at least one event.", "events")
    try:
        address = address_checked(url, allow_private=private_allowed())
    except WebhookAddressError as error:
        raise TargetError(str(error), "url") from None
    if len(address) > 500:
        raise TargetError("An address may have 500 letters.", "url")
    return {"name": plain, "url": address, "events": [event for event in EVENTS if event in events]}


def _locked(target_id: int) -> WebhookTarget:
    target = WebhookTarget.objects.select_for_update().filter(pk=target_id).first()
    if target is None:
        raise TargetError("This target is not there any more.")
    return target


def _values(target: WebhookTarget) -> dict[str, object]:
    return {"name": target.name, "host": host_of(target.url), "events": list(target.events), "on": target.on}


def _record(
    who: Actor, target: WebhookTarget, what: str, summary: str, now: datetime, *, before: object = None
) -> AuditEntry:
    return record(
        who,
        at=now,
        action=f"webhook.{what}",
        kind="webhook",
        object_id=target.pk,
        summary=summary,
        before=before,
        after=_values(target) if what != "deleted" else None,
    )
