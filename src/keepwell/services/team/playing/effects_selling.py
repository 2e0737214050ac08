"""An offer of a playbook: the row that the customer may accept, and the message that carries it."""

from collections.abc import Callable
from typing import Final

from keepwell.services.team.audit import Actor
from keepwell.services.team.offering.limits import OfferRefused
from keepwell.services.team.offering.making import offer_from_playbook, record_offer
from keepwell.services.team.offering.sending import offer_url
from keepwell.services.team.playing.desk import NOT_RECEIVED
from keepwell.services.team.playing.wish import Result, Wish
from keepwell.store.models import Offer, Outgoing

KEEPWELL: Final = Actor("Keepwell")


def offer(wish: Wish) -> tuple[Result, str]:
    """Make the offer, and send the message that carries it; what the rules do not allow is left out and said."""
    mrr = wish.known.money if wish.known else None
    try:
        made = offer_from_playbook(
            wish.effect, wish.run, wish.now, workspace=wish.workspace, owner_email=wish.owner_email, mrr=mrr
        )
    except OfferRefused as refused:
        return {"refused": str(refused)}, f"no offer made: {refused}"
    if made.state == Offer.State.ASKED:
        record_offer(KEEPWELL, made, "offer.asked", "a playbook asked for approval of", wish.now)
        # Linked: the step's own audit row is the run's, for nothing was offered to the customer yet.
        return {"offer": made.pk, "linked": True}, f"offer “{made.title}” waits for approval"
    compose: Callable[..., list[Outgoing]] = wish.desk.compose
    rows = compose(wish.workspace, wish.effect, wish.run, wish.now, offer={"url": offer_url(made)})
    if not any(row.state not in NOT_RECEIVED for row in rows):
        return {"offer": made.pk, "refused": "nobody there has an address"}, f"offer “{made.title}”, not sent"
    first = rows[0]
    made.to_name, made.to_email = first.to_name, first.address
    made.save(update_fields=["to_name", "to_email"])
    return {"offer": made.pk, "outbox": [row.pk for row in rows]}, f"offer “{made.title}”"
