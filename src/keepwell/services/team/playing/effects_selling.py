"""An offer of a playbook: the row that the customer may accept, and the message that carries it."""

from datetime import datetime

from keepwell.services.team.playing.desk import NOT_RECEIVED
from keepwell.services.team.playing.wish import Result, Wish
from keepwell.store.models import Approval, Offer


def offer(wish: Wish) -> tuple[Result, str]:
    """Make the offer, and send the message that carries it."""
    made = _offer(wish)
    rows = wish.desk.compose(wish.workspace, wish.effect, wish.run, wish.now)
    if not any(row.state not in NOT_RECEIVED for row in rows):
        return {"offer": made.pk, "refused": "nobody there has an address"}, f"offer “{made.title}”, not sent"
    first = rows[0]
    made.to_name, made.to_email = first.to_name, first.address
    made.save(update_fields=["to_name", "to_email"])
    return {"offer": made.pk, "outbox": [row.pk for row in rows]}, f"offer “{made.title}”"


def _offer(wish: Wish) -> Offer:
    details = wish.effect.details
    terms = dict(details["offer"])
    kind, title = terms.pop("kind"), terms.pop("title")
    given = Approval.objects.filter(run=wish.run, state=Approval.State.GIVEN).order_by("-decided_at").first()
    return Offer.objects.create(
        key=wish.effect.key,
        customer_id=wish.run.customer_id,
        company=wish.run.company,
        owner_email=wish.owner_email,
        kind=kind,
        title=title[:255],
        terms=terms,
        state=Offer.State.OPEN,
        run=wish.run,
        approval=given,
        made_at=wish.now,
        opened_at=wish.now,
        expires_at=datetime.fromisoformat(details["expires_at"]),
    )
