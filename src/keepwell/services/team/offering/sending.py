"""An offer becomes open: from then on the customer may accept it, and the message with its link leaves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db.models import Q

from keepwell.model.message_definitions import Message
from keepwell.playbooks.calendars import WorkCalendar, work_calendar
from keepwell.playbooks.events import Effect, Wanted
from keepwell.services.published import NothingPublished
from keepwell.services.team.offering.kinds import terms_words
from keepwell.services.team.outbox.compose import compose_message, used, write
from keepwell.services.team.outbox.pen import Pen, Writing
from keepwell.services.team.outbox.recipients import Addressee, account_of
from keepwell.services.team.outbox.texts import calendar_now
from keepwell.services.workspace import Workspace
from keepwell.store.models import Channel, Offer, Outgoing, PlaybookEffect

_SALT: Final = "keepwell.offer"
_NOT_LEFT: Final = (Outgoing.State.WAITING, Outgoing.State.FAILED)
_NOT_RECEIVED: Final = (Outgoing.State.CANCELLED, Outgoing.State.SUPPRESSED, Outgoing.State.DEAD)
LETTER: Final = Message(
    subject="{{ offer.title }}",
    preview="Open until {{ offer.expires_on }}",
    button="See the offer",
    link="{{ offer.url }}",
    text=(
        'Hi {{ person.first_name | default: "there" }},\n\n'
        "we have an offer for {{ customer.company }}: **{{ offer.title }}**.\n\n"
        "{% if offer.note %}{{ offer.note }}\n\n{% endif %}"
        "{% if offer.terms %}{{ offer.terms }}\n\n{% endif %}"
        "It is open until {{ offer.expires_on }}. One click and your name are enough, and if you have a question, "
        "just reply.\n\n{{ sender.name }}\n"
    ),
)
"""The message of an offer that a person makes."""


def offer_token(offer: Offer) -> str:
    """The signed part of an offer's address."""
    return Signer(salt=_SALT).sign_object(offer.key)


def offer_url(offer: Offer) -> str:
    """Where the customer accepts."""
    return f"{settings.WEB.url}/o/{offer_token(offer)}"


def offer_of_token(token: str) -> Offer | None:
    """The offer of an address; None for what was not signed here, and for what is not the customer's to see yet."""
    try:
        key = Signer(salt=_SALT).unsign_object(token)
    except (BadSignature, ValueError):
        return None
    shown = Offer.objects.exclude(state__in=(Offer.State.ASKED, Offer.State.REFUSED))
    return shown.filter(key=key).first() if isinstance(key, str) else None


def open_offer(workspace: Workspace, offer: Offer, now: datetime) -> list[Outgoing]:
    """Open it, and send the message with its link where somebody is named; in the caller's transaction.

    The time that approval took does not count: the customer has as long as was meant.
    """
    offer.state, offer.opened_at, offer.expires_at = Offer.State.OPEN, now, now + (offer.expires_at - offer.made_at)
    offer.version += 1
    rows = _sent(workspace, offer, now)
    received = [row for row in rows if row.state not in _NOT_RECEIVED]
    if received:
        offer.to_name, offer.to_email = received[0].to_name, received[0].address
    offer.save()
    return rows


def call_back(offer: Offer, why: str) -> None:
    """Let no message with an offer's link leave that has not left yet; a playbook's has the key of its step."""
    mine = Q(key__startswith=f"offer:{offer.key}:") | Q(key__startswith=offer.key)
    waiting = Outgoing.objects.filter(mine, audience=Channel.Audience.CUSTOMER, state__in=_NOT_LEFT)
    waiting.update(state=Outgoing.State.CANCELLED, error=why)


def facts_of(offer: Offer) -> dict[str, Any]:
    """What messages can name of an offer."""
    day = offer.expires_at.astimezone(ZoneInfo(settings.TIME_ZONE)).date()
    said = {name: value for name, value in offer.terms.items() if value not in (None, "")}
    about = {"kind": offer.kind, "title": offer.title, "note": offer.note, "url": offer_url(offer), "expires_on": day}
    return said | about | {"terms": said_terms(offer)}


def said_terms(offer: Offer) -> str:
    """The terms in words: the amounts, and what was written down beside them."""
    amounts, text = terms_words(offer.kind, offer.terms), str(offer.terms.get("terms") or "").strip()
    return text if offer.run_id else ". ".join(part for part in (amounts, text) if part)


def _sent(workspace: Workspace, offer: Offer, now: datetime) -> list[Outgoing]:
    rows = _of_playbook(workspace, offer, now) if offer.run_id else _by_hand(workspace, offer, now)
    due = quiet_calendar(workspace).after_quiet(now)
    for row in rows:
        if row.due_at < due:
            row.due_at = due
            row.save(update_fields=["due_at"])
    return rows


def _of_playbook(workspace: Workspace, offer: Offer, now: datetime) -> list[Outgoing]:
    """The message that the playbook names, as its step asked for it before the approval."""
    kept = PlaybookEffect.objects.select_related("run").filter(key=offer.key).first()
    if kept is None:
        return []
    details: Mapping[str, Any] = kept.details | {"expires_at": offer.expires_at.isoformat()}
    effect = Effect(Wanted.OFFER, kept.key, kept.step, kept.at, kept.due, details)
    return compose_message(workspace, effect, kept.run, now, offer={"url": offer_url(offer)})


def _by_hand(workspace: Workspace, offer: Offer, now: datetime) -> list[Outgoing]:
    if not offer.to_email:
        return []
    try:
        account = account_of(workspace, offer.customer_id, used(LETTER))
    except NothingPublished:
        account = None
    if account is None:
        return []
    writing = Writing(key=f"offer:{offer.key}", name="offer", offer=facts_of(offer))
    return [write(Pen(workspace, account), LETTER, Addressee(offer.to_email, offer.to_name), writing, now)]


def quiet_calendar(workspace: Workspace) -> WorkCalendar:
    """When people work, and when customers are left alone."""
    return work_calendar(calendar_now(workspace), workspace.zone)
