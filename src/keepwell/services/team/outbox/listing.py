"""The outbox as people look at it: what of it a person may see, by state, channel, audience and words."""

from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from keepwell.services.team.access import Action, may
from keepwell.services.team.playing.seen import customers_seen, only_seen
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing, Person

OPEN: Final = (Outgoing.State.WAITING, Outgoing.State.SENDING, Outgoing.State.FAILED)
CHANNELS: Final = {
    "email": "E-mail",
    "in_app": "In the product",
    "workspace": "Workspace",
    "slack": "Slack",
    "teams": "Teams",
    "webhook": "Webhook",
}


@dataclass(frozen=True)
class OutboxQuery:
    """What to show; empty filters admit everything."""

    state: str = ""
    channel: str = ""
    audience: str = ""
    customer_id: str = ""
    run: int | None = None
    search: str = ""


def outbox_seen(workspace: Workspace, person: Person) -> QuerySet[Outgoing]:
    """The messages about customers whom a person sees, and those to the person itself.

    What is about no customer is for its reader and for those who look after channels.
    """
    seen = customers_seen(workspace, person)
    if seen is None and may(person, Action.MANAGE_CHANNELS):
        return Outgoing.objects.all()
    own = Outgoing.objects.filter(address__iexact=person.email)
    return only_seen(Outgoing.objects.exclude(customer_id=""), seen) | own


def outbox_found(rows: QuerySet[Outgoing], query: OutboxQuery) -> QuerySet[Outgoing]:
    """The messages that a query asks for, the newest first."""
    exact = {"channel": query.channel, "audience": query.audience, "customer_id": query.customer_id, "run": query.run}
    found = rows.filter(**{name: value for name, value in exact.items() if value})
    if query.state:
        found = found.filter(state__in=OPEN) if query.state == "open" else found.filter(state=query.state)
    for word in query.search.split()[:5]:
        found = found.filter(
            Q(subject__icontains=word)
            | Q(company__icontains=word)
            | Q(address__icontains=word)
            | Q(to_name__icontains=word)
        )
    return found.order_by("-made_at", "-pk")


def outbox_counts(rows: QuerySet[Outgoing]) -> dict[str, int]:
    """How many messages there are in each state; `open` are those on their way."""
    found = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    return {**found, "open": sum(found.get(state, 0) for state in OPEN)}
