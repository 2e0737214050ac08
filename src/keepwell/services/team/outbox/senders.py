"""The way out of each channel: one message is handed over once, and what became of it comes back.

A sender knows nothing of switches, attempts and states; whoever calls it has seen to them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from keepwell.connectors.channels import chat, webhook
from keepwell.connectors.channels.results import GiveUp, Result, Retry, Sent
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox.announcing import WEBHOOK, delivery
from keepwell.services.team.outbox.announcing import body_of as body_of_event
from keepwell.services.team.outbox.email import send_email
from keepwell.services.team.outbox.targets import private_allowed, target_off
from keepwell.store.models import AuditEntry, Outgoing, WebhookTarget

Sender = Callable[[Outgoing, datetime], Result]

NOTICE: Final = "playbook.notice"
REST: Final = timedelta(minutes=1)
"""How long a target is left alone after it failed: what waits behind it must not wait for it."""
_FAILED_AT: dict[tuple[int, str], datetime] = {}
_GONE: Final = "410"
_WORKER: Final = Actor("outbox")


def send_in_app(row: Outgoing, now: datetime) -> Result:
    """From now on it is in the feed of those whom it is for."""
    return Sent()


def send_workspace(row: Outgoing, now: datetime) -> Result:
    """From now on it is among the notices of the colleague whom it is for."""
    return Sent() if row.address else GiveUp("It names nobody whom it is for.")


def send_chat(row: Outgoing, now: datetime) -> Result:
    """Say it where the channel leads; `payload["target"]` may name another place of the same channel."""
    target = str(row.payload.get("target") or row.payload.get("role") or "")
    text, link = _parted(row.text)
    return chat.say(row.channel, target, chat.Words(row.subject, text, link))


def _parted(text: str) -> tuple[str, str]:
    """Words, and the page of this workspace that they end with, if they do."""
    before, _, last = text.rpartition("\n\n")
    ours = last.startswith(f"{settings.WEB.url}/") and len(last.split()) == 1
    return (before, last) if ours else (text, "")


def send_webhook(row: Outgoing, now: datetime) -> Result:
    """Post an event to its target, or pass a playbook's word on to all that want to hear it."""
    if "body" not in row.payload:
        return _passed_on(row, now)
    target = WebhookTarget.objects.filter(pk=int(row.payload.get("target") or 0)).first()
    if target is None:
        return GiveUp("The target was deleted.")
    if not target.on and row.purpose != "test":
        return GiveUp("The target is switched off.")
    failed_at = _FAILED_AT.get((target.pk, target.url))
    if failed_at and failed_at <= now < failed_at + REST and row.purpose != "test":
        left = (failed_at + REST - now).total_seconds()
        return Retry("the target failed a moment ago, and is left alone for a minute", left, tried=False)
    one = webhook.Delivery(target.url, target.secret, row.key, str(row.payload["body"]))
    return _noted(target, webhook.post(one, allow_private=private_allowed()), now)


def _noted(target: WebhookTarget, result: Result, now: datetime) -> Result:
    """Remember who failed; who is gone is switched off, as the standard asks for."""
    if isinstance(result, Retry):
        _FAILED_AT[target.pk, target.url] = now
    else:
        _FAILED_AT.pop((target.pk, target.url), None)
    if isinstance(result, GiveUp) and result.why.startswith(_GONE):
        target_off(_WORKER, target.pk, result.why, now)
    return result


def _passed_on(row: Outgoing, now: datetime) -> Result:
    targets = [one for one in WebhookTarget.objects.filter(on=True) if NOTICE in one.events]
    if not targets:
        return GiveUp(f"No target wants “{NOTICE}”; add one on the webhooks page.")
    told = AuditEntry(
        at=row.made_at,
        actor_name=_WORKER.name,
        action=NOTICE,
        object_kind="outgoing",
        object_id=str(row.pk),
        customer_id=row.customer_id,
        summary=row.text[:500],
    )
    body = body_of_event(NOTICE, told)
    Outgoing.objects.bulk_create(
        [delivery(one, NOTICE, f"notice-{row.pk}", told, body) for one in targets], ignore_conflicts=True
    )
    return Sent(details={"targets": len(targets)})


SENDERS: Final[Mapping[str, Sender]] = {
    "email": send_email,
    "in_app": send_in_app,
    "slack": send_chat,
    "teams": send_chat,
    WEBHOOK: send_webhook,
    "workspace": send_workspace,
}
