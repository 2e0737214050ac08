"""What follows from the answer to “may this be offered?”."""

from collections.abc import Mapping
from datetime import datetime

from keepwell.services.team.audit import Actor
from keepwell.services.team.here import workspace
from keepwell.services.team.offering.making import record_offer
from keepwell.services.team.offering.policies import Policy, outranks, policies_now
from keepwell.services.team.offering.sending import open_offer
from keepwell.store.models import Approval, Offer, Person, PlaybookEffect

KIND = "offer"


def why_not(person: Person, approval: Approval) -> str:
    """Why a person does not decide about an offer; empty when it does."""
    offer = Offer.objects.filter(approval=approval).first()
    return "" if offer is None else offer_why_not(person, offer, policies_now())


def offer_why_not(person: Person, offer: Offer, policies: Mapping[str, Policy]) -> str:
    """The same, for an offer and rules that are at hand."""
    if offer.offered_by_id == person.pk:
        return "You asked for this offer, so somebody else approves it."
    needed = policies[offer.kind].approves
    return "" if outranks(person.role, needed) else f"Offers of this kind are approved by {needed} and above."


def offer_decided(who: Actor, approval: Approval, now: datetime) -> None:
    """Open the offer, or close it, in the transaction of the answer."""
    for offer in Offer.objects.select_for_update(of=("self",)).filter(approval=approval, state=Offer.State.ASKED):
        if approval.state == Approval.State.GIVEN:
            open_offer(workspace(), offer, now)
            record_offer(who, offer, "offer.made", "approved and offered", now)
        else:
            close_asked(offer, Offer.State.REFUSED, approval.note or "Not approved", now)
            record_offer(who, offer, "offer.refused", "did not approve", now, why=offer.result)


def hold_question(offer_id: int) -> None:
    """Lock the open question about an offer, within a transaction.

    Always before the offer itself, as its answer does: in two orders each could wait for the other.
    """
    asked = Approval.objects.select_for_update(of=("self",))
    list(asked.filter(offers=offer_id, kind=KIND, state=Approval.State.OPEN).order_by("pk").values_list("pk"))


def close_asked(offer: Offer, state: Offer.State, why: str, now: datetime) -> None:
    """Close an offer that the customer never saw; it counts as no contact with the customer either."""
    offer.state, offer.answered_at, offer.result = state, now, why
    offer.version += 1
    offer.save(update_fields=["state", "answered_at", "result", "version"])
    if offer.run_id:
        effect = PlaybookEffect.objects.filter(key=offer.key).first()
        if effect is not None:
            effect.result = {**effect.result, "refused": why}
            effect.save(update_fields=["result"])
