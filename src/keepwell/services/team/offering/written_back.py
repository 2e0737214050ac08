"""An accepted offer as a canonical event: metrics and segments see it from the next run on, and count it once."""

from datetime import UTC, datetime
from typing import Final

from keepwell.store.models import CanonicalWrite, Offer

EVENT: Final = "offer_accepted"
SOURCE: Final = "keepwell"
_TERMS: Final = ("months", "percent", "sessions", "days", "grace_days")


def keep_accepted(offer: Offer, now: datetime) -> None:
    """Write it down, in the transaction of the answer. Its id is the offer's, so however often it is loaded it is one.

    It names no person and no feature: saying yes to an offer is no use of the product.
    """
    at = (offer.answered_at or now).astimezone(UTC).isoformat()
    terms = {name: offer.terms[name] for name in _TERMS if offer.terms.get(name) is not None}
    row = {
        "event_id": f"{SOURCE}-offer-{offer.pk}-accepted",
        "customer_id": offer.customer_id,
        "name": EVENT,
        "occurred_at": at,
        "received_at": at,
        "value": None if offer.worth is None else float(offer.worth),
        "properties": {"offer": offer.pk, "kind": offer.kind, "title": offer.title, **terms},
        "source": SOURCE,
        "source_id": f"offer-{offer.pk}",
    }
    kept = {name: value for name, value in row.items() if value is not None}
    CanonicalWrite.objects.create(table="events", row=kept, made_at=now)
