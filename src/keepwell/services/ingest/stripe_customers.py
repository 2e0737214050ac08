"""Whose a thing of Stripe's is."""

from typing import Any, Final

from keepwell.services.ingest.values import first, mapping, text

CUSTOMER_NAMES: Final = ("keepwell_customer_id", "customer_id")
"""What our customer's id may be called in Stripe's metadata."""


def customer_of(thing: dict[str, Any]) -> str | None:
    """The customer of a thing of Stripe's: whom its metadata names, else Stripe's own id."""
    details = mapping(thing.get("subscription_details")) or parent_of(thing)
    for metadata in (thing.get("metadata"), details.get("metadata")):
        if found := first(mapping(metadata), *CUSTOMER_NAMES):
            return found
    return stripe_id(thing.get("customer"))


def parent_of(thing: dict[str, Any]) -> dict[str, Any]:
    """What an invoice says of its subscription in newer versions of Stripe."""
    return mapping(mapping(thing.get("parent")).get("subscription_details"))


def stripe_id(value: Any) -> str | None:
    """An id, of a thing that may stand there as a whole."""
    return text(value.get("id")) if isinstance(value, dict) else text(value)
