"""What a message of the journal tells at once, in names that rules of alerts and triggers of playbooks use."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from keepwell.services.ingest.messages import STRIPE, Message
from keepwell.services.ingest.segment_rows import occurred
from keepwell.services.ingest.stripe_rows import created
from keepwell.services.ingest.stripe_subscriptions import change_rows, subscription_row
from keepwell.services.ingest.values import major_units, mapping, moment, sound_tree, text
from keepwell.signals.alert_rules import Incident

LOG: Final = logging.getLogger("keepwell.ingest")
P = ParamSpec("P")
T = TypeVar("T")
STALE: Final = timedelta(days=3)
"""What happened so long before it arrived is history that is loaded, and nothing to be woken for."""
_NO_NAMES: Final[tuple[str, ...]] = ()
_NOTHING: Final[Incident | None] = None
_VIEWS: Final = {"page": "page_viewed", "screen": "screen_viewed"}
_INVOICES: Final = {"invoice.payment_failed": "payment_failed", "invoice.paid": "payment_succeeded"}
_CHARGES: Final = {"charge.refunded": "payment_refunded", "charge.dispute.created": "payment_disputed"}
_CHANGES: Final = ("mrr_before", "mrr_after", "plan_before", "plan_after", "reason", "effective_at")


def _or(nothing: T) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """A message that nobody can make sense of tells nothing: those behind it are heard all the same."""

    def decorate(read: Callable[P, T]) -> Callable[P, T]:
        @wraps(read)
        def safely(*args: P.args, **kwargs: P.kwargs) -> T:
            try:
                return read(*args, **kwargs)
            except Exception:
                LOG.exception("a message of the journal cannot be understood, and sets nothing off")
                return nothing

        return safely

    return decorate


@_or(_NO_NAMES)
def incident_names(message: Message) -> tuple[str, ...]:
    """Every name under which a message may be known, without looking into it further."""
    if message.kind != STRIPE:
        name = text(message.body.get("event")) if message.kind == "track" else _VIEWS.get(message.kind)
        return () if name is None else (name,)
    return tuple(name for name, _ in _told(message))


@_or(_NOTHING)
def incident_of(message: Message, customer: str) -> Incident | None:
    """What a message tells of a customer; None when it tells nothing, or of days gone by."""
    names = incident_names(message)
    at = _at(message)
    if not names or at < message.received_at - STALE:
        return None
    plain = {name: value for _, said in _told(message) for name, value in said.items()}
    shown = tuple(plain) if message.kind == STRIPE else None
    return Incident(customer, names, at, message.id, sound_tree(_properties(message) | plain), shown, _users(message))


def _users(message: Message) -> tuple[str, ...]:
    """Who did it, by the ids that the product knows them by."""
    if message.kind == STRIPE:
        return ()
    user, anonymous = text(message.body.get("userId")), text(message.body.get("anonymousId"))
    return tuple(filter(None, (user, anonymous and f"anonymous:{anonymous}")))


def _at(message: Message) -> datetime:
    if message.kind != STRIPE:
        return occurred(message)
    return min(moment(created(message)) or message.received_at, message.received_at)


def _properties(message: Message) -> dict[str, Any]:
    if message.kind != STRIPE:
        return dict(mapping(message.body.get("properties")))
    return dict(mapping(mapping(message.body.get("data")).get("object")))


def _told(message: Message) -> Iterator[tuple[str, dict[str, Any]]]:
    """Stripe's name of the event, and plain ones with what they are about; nothing of a message of another kind."""
    if message.kind != STRIPE:
        return
    kind, data = str(message.body.get("type")), mapping(message.body.get("data"))
    thing = mapping(data.get("object"))
    yield kind, {}
    if kind in _INVOICES:
        yield _INVOICES[kind], _invoice(thing, paid=kind == "invoice.paid")
    elif kind in _CHARGES:
        amount = thing.get("amount_refunded" if kind == "charge.refunded" else "amount")
        yield _CHARGES[kind], _money(thing, amount) | {"reason": thing.get("reason")}
    elif kind.startswith("customer.subscription.") and text(thing.get("id")) is not None:
        now = created(message)
        row = subscription_row(thing, "", now)
        for change in change_rows(message.id, kind, thing, mapping(data.get("previous_attributes")), row, now):
            yield change["change_type"], {name: change[name] for name in _CHANGES}


def _invoice(thing: dict[str, Any], *, paid: bool) -> dict[str, Any]:
    following = moment(thing.get("next_payment_attempt"))
    return _money(thing, thing.get("amount_paid" if paid else "amount_due")) | {
        "attempt": thing.get("attempt_count"),
        "invoice_id": thing.get("id"),
        "next_attempt_at": following.isoformat() if following else None,
    }


def _money(thing: dict[str, Any], amount: Any) -> dict[str, Any]:
    return {
        "amount": major_units(amount, thing.get("currency")),
        "currency": (text(thing.get("currency")) or "").upper() or None,
    }
