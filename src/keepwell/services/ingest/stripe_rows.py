"""Stripe's events as canonical rows: invoices, payments, subscriptions and their changes.

They come more than once and in any order, so every row carries the moment of its event, and the later one wins.
"""

from typing import Any, Final

from keepwell.services.ingest.batch import Batch, Row
from keepwell.services.ingest.known import Known, payment_names
from keepwell.services.ingest.messages import Message
from keepwell.services.ingest.payment_states import put_payment_state
from keepwell.services.ingest.stripe_customers import CUSTOMER_NAMES, customer_of, parent_of, stripe_id
from keepwell.services.ingest.stripe_subscriptions import change_rows, subscription_row
from keepwell.services.ingest.values import first, iso, major_units, mapping, moment, number, text
from keepwell.warehouse.tables import Kind

SOURCE: Final = "stripe"
_INVOICE: Final = ("draft", "open", "paid", "uncollectible", "void")
_PAID: Final = {"invoice.paid": "succeeded", "invoice.payment_failed": "failed"}


def put_stripe(message: Message, known: Known, batch: Batch) -> None:
    """Put what an event says into a batch; one of another type says nothing."""
    kind, thing = message.body["type"], mapping(mapping(message.body["data"]).get("object"))
    if text(thing.get("id")) is None:
        return
    if kind.startswith("invoice."):
        _invoice(message, thing, kind, known, batch)
    elif kind.startswith("customer.subscription."):
        _subscription(message, thing, kind, batch)
    elif kind in ("customer.created", "customer.updated"):
        named = first(mapping(thing.get("metadata")), *CUSTOMER_NAMES)
        if named:
            batch.links[str(text(thing["id"]))] = named
    elif kind == "charge.refunded":
        _refund(message, thing, batch)
    elif kind == "charge.dispute.created":
        _dispute(message, thing, known, batch)


def created(message: Message) -> str:
    """When Stripe made the event."""
    return (moment(message.body.get("created")) or message.received_at).isoformat()


def _invoice(message: Message, thing: dict[str, Any], kind: str, known: Known, batch: Batch) -> None:
    customer = customer_of(thing)
    if customer is None:
        return
    times, status = mapping(thing.get("status_transitions")), text(thing.get("status"))
    subscription = stripe_id(thing.get("subscription")) or stripe_id(parent_of(thing).get("subscription"))
    paid_at = moment(times.get("paid_at")) or (moment(created(message)) if kind == "invoice.paid" else None)
    row = {
        "invoice_id": text(thing["id"]),
        "customer_id": customer,
        "subscription_id": subscription,
        "status": status if status in _INVOICE else None,
        "amount_due": _money(thing, "amount_due"),
        "amount_paid": _money(thing, "amount_paid"),
        "attempt_count": _count(thing.get("attempt_count")),
        "next_payment_attempt_at": iso(moment(thing.get("next_payment_attempt"))),
        "issued_at": iso(moment(times.get("finalized_at")) or moment(thing.get("created"))) or created(message),
        "due_at": iso(moment(thing.get("due_date"))),
        "paid_at": iso(paid_at),
    }
    row |= _about(message, thing)
    batch.put("invoices", row)
    if kind in _PAID:
        _payment(message, thing, row, _PAID[kind], batch)
        put_payment_state(kind, customer, created(message), row, known, batch)


def _payment(message: Message, thing: dict[str, Any], invoice: Row, status: str, batch: Batch) -> None:
    """The attempt that an invoice tells of; newer versions of Stripe name no charge, so the attempt has its number."""
    amount = invoice["amount_paid" if status == "succeeded" else "amount_due"]
    intent = stripe_id(thing.get("payment_intent"))
    failure = mapping(thing.get("last_finalization_error"))
    identity = stripe_id(thing.get("charge")) or f"{invoice['invoice_id']}:{invoice['attempt_count'] or 0}:{status}"
    row: Row = {"payment_id": identity, "customer_id": invoice["customer_id"], "invoice_id": invoice["invoice_id"]}
    row |= {"status": status, "amount": amount, "attempted_at": created(message)}
    row |= {"failure_code": first(failure, "decline_code", "code") if status == "failed" else None}
    batch.put("payments", row | _about(message, thing, payment_intent=intent))


def _refund(message: Message, thing: dict[str, Any], batch: Batch) -> None:
    customer = customer_of(thing)
    if customer is not None:
        row: Row = {"payment_id": f"{text(thing['id'])}:refunded", "customer_id": customer, "status": "refunded"}
        row |= {"invoice_id": stripe_id(thing.get("invoice")), "amount": _money(thing, "amount_refunded")}
        row |= {"failure_code": None, "attempted_at": created(message)}
        batch.put("payments", row | _about(message, thing, payment_intent=stripe_id(thing.get("payment_intent"))))


def _dispute(message: Message, thing: dict[str, Any], known: Known, batch: Batch) -> None:
    """A dispute names a charge, not a customer: whoever paid it, or nobody yet."""
    names = payment_names(message.body)
    customer = next((known.payments[name] for name in names if name in known.payments), None) or customer_of(thing)
    waits = names[0] if names else text(thing["id"])
    row: Row = {"payment_id": text(thing["id"]), "customer_id": customer or waits, "invoice_id": None}
    row |= {"status": "disputed", "amount": _money(thing, "amount")}
    row |= {"failure_code": text(thing.get("reason")), "attempted_at": created(message)}
    batch.put("payments", row | _about(message, thing, payment_intent=stripe_id(thing.get("payment_intent"))))


def _subscription(message: Message, thing: dict[str, Any], kind: str, batch: Batch) -> None:
    customer = customer_of(thing)
    if customer is None:
        return
    row = subscription_row(thing, customer, created(message))
    batch.put("subscriptions", row | _about(message, thing))
    before = mapping(mapping(message.body["data"]).get("previous_attributes"))
    for change in change_rows(message.id, kind, thing, before, row, created(message)):
        batch.put("subscription_changes", change | _about(message, thing))


def _about(message: Message, thing: dict[str, Any], **more: Any) -> Row:
    said = {"currency": (text(thing.get("currency")) or "").upper() or None, **more}
    properties = {name: value for name, value in said.items() if value is not None}
    return {"source": SOURCE, "source_id": text(thing["id"]), "synced_at": created(message), "properties": properties}


def _money(thing: dict[str, Any], name: str) -> str | None:
    found = major_units(thing.get(name), thing.get("currency"))
    return None if found is None or found.startswith("-") else found


def _count(value: Any) -> int | None:
    found = number(value, Kind.INTEGER)
    return int(found) if found is not None and found >= 0 else None
