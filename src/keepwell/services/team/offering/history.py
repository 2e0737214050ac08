"""What became of a customer's offers, moment by moment: for the timeline."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final

from django.db.models import Q

from keepwell.services.team.offering.kinds import terms_words
from keepwell.store.models import AuditEntry, Offer, Outgoing

_WORDS: Final = {
    "offer.asked": "Offer waits for approval",
    "offer.made": "Offer made",
    "offer.refused": "Offer not approved",
    "offer.accepted": "Offer accepted",
    "offer.declined": "Offer declined",
    "offer.expired": "Offer expired",
    "offer.withdrawn": "Offer taken back",
    "offer.done": "Offer carried out",
    "offer.reopened": "Offer not carried out after all",
    "offer.followed_up": "Offer goes on with a follow-up",
}
_BEGINNINGS: Final = ("offer.asked", "offer.made")
_ANSWERED: Final = ("offer.accepted", "offer.declined")
_ENDED: Final = ("offer.refused", "offer.withdrawn", "offer.done")


@dataclass(frozen=True)
class OfferMoment:
    """One thing that became of an offer."""

    at: datetime
    title: str
    detail: str
    person: str = ""


def offer_moments(customer_id: str) -> list[OfferMoment]:
    """Every offer of a customer, from being made to being carried out; the caller has checked who may see it."""
    offers = {one.pk: one for one in Offer.objects.filter(customer_id=customer_id).select_related("approval", "run")}
    if not offers:
        return []
    return [*_changes(offers), *_sent(list(offers.values()))]


def _changes(offers: dict[int, Offer]) -> Iterator[OfferMoment]:
    ids = [str(number) for number in offers]
    rows = AuditEntry.objects.filter(object_kind="offer", object_id__in=ids, action__in=_WORDS)
    begun: set[int] = set()
    for row in rows.select_related("actor").order_by("at", "pk"):
        offer = offers[int(row.object_id)]
        approved = row.action == "offer.made" and offer.pk in begun
        words = "Offer approved" if approved else _WORDS[row.action]
        if row.action in _BEGINNINGS:
            begun.add(offer.pk)
        yield OfferMoment(row.at, f"{words}: {offer.title}", _detail(offer, row.action), _who(row))
    for offer in offers.values():
        # A playbook's offer to somebody without an address has its row with the run.
        if offer.pk not in begun:
            yield OfferMoment(offer.made_at, f"Offer made: {offer.title}", _detail(offer, "offer.made"))


def _who(row: AuditEntry) -> str:
    return row.actor.shown_name if row.actor is not None else row.actor_name


def _detail(offer: Offer, action: str) -> str:
    said: tuple[object, ...] = ()
    if action in _ANSWERED:
        said = (offer.answer.get("name"), offer.answer.get("how"), offer.answer.get("note"))
    elif action in _ENDED:
        said = (offer.result,)
    elif action in _BEGINNINGS:
        said = (terms_words(offer.kind, offer.terms), str(offer.terms.get("terms") or ""))
    return " · ".join(str(part) for part in said if part)


def _sent(offers: list[Offer]) -> Iterator[OfferMoment]:
    """Messages with an offer that really left; one key begins with the key of its offer."""
    begins = {start: one for one in offers for start in (f"offer:{one.key}:", f"{one.key}:")}
    named = reduce(or_, (Q(key__startswith=start) for start in begins))
    rows = Outgoing.objects.filter(named, state=Outgoing.State.SENT)
    for key, at, name, address in rows.values_list("key", "sent_at", "to_name", "address"):
        offer = next(one for start, one in begins.items() if key.startswith(start))
        if at is not None:
            yield OfferMoment(at, f"Offer sent: {offer.title}", f"To {name or address}" if name or address else "")
