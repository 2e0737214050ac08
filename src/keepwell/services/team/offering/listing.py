"""Offers as pages and programs list them: by state, with what they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Case, Count, IntegerField, Q, QuerySet, Sum, Value, When

from keepwell.services.team.access import rows_in, scope_of
from keepwell.store.models import AuditEntry, Offer, Person

CLOSED_FOR: Final = timedelta(days=90)
"""Accepted and declined offers are counted over so long."""
UNDER_WAY: Final = (Offer.State.ASKED, Offer.State.OPEN, Offer.State.ACCEPTED)
_ORDER: Final = (Offer.State.ASKED, Offer.State.OPEN, Offer.State.ACCEPTED)


@dataclass(frozen=True)
class OfferQuery:
    """What to list; `state` empty is what is under way, "all" everything."""

    search: str = ""
    state: str = ""
    kind: str = ""
    owner: str = ""


@dataclass(frozen=True)
class OfferCount:
    """How many offers are in a state, and what they cost."""

    state: str
    label: str
    count: int
    worth: Decimal


def visible_offers(person: Person) -> QuerySet[Offer]:
    """Those to customers whom a person may see."""
    return Offer.objects.filter(rows_in(scope_of(person)))


def offers_found(person: Person, query: OfferQuery) -> QuerySet[Offer]:
    """The offers asked for: what waits first, then the newest."""
    rows = visible_offers(person).select_related("offered_by", "run", "approval")
    if query.state != "all":
        rows = rows.filter(state__in=[query.state] if query.state else UNDER_WAY)
    if query.kind:
        rows = rows.filter(kind=query.kind)
    if query.owner:
        rows = rows.filter(owner_email="" if query.owner == "-" else query.owner)
    if query.search:
        found = Q(company__icontains=query.search) | Q(customer_id__icontains=query.search)
        rows = rows.filter(found | Q(title__icontains=query.search))
    whens = [When(state=state, then=Value(place)) for place, state in enumerate(_ORDER)]
    place = Case(*whens, default=Value(len(_ORDER)), output_field=IntegerField())
    return rows.annotate(place=place).order_by("place", "-made_at", "-pk")


def offers_totals(person: Person, now: datetime) -> tuple[OfferCount, ...]:
    """What is under way, and what was accepted and declined lately."""
    lately = Q(state__in=UNDER_WAY) | Q(answered_at__gt=now - CLOSED_FOR)
    counted = visible_offers(person).filter(lately).values("state").annotate(count=Count("pk"), cost=Sum("worth"))
    found = {row["state"]: row for row in counted.order_by()}
    shown = (Offer.State.ASKED, Offer.State.OPEN, Offer.State.ACCEPTED, Offer.State.DONE, Offer.State.DECLINED)
    return tuple(
        OfferCount(state, state.label, *((row["count"], row["cost"] or Decimal(0)) if row else (0, Decimal(0))))
        for state in shown
        for row in [found.get(state)]
    )


def offers_owners(person: Person) -> list[str]:
    """Owners of customers with offers, for the filter."""
    return sorted(visible_offers(person).order_by().values_list("owner_email", flat=True).distinct())


def offers_of(customer_id: str) -> list[Offer]:
    """The offers to one customer that are under way."""
    return list(Offer.objects.filter(customer_id=customer_id, state__in=UNDER_WAY).order_by("-made_at", "-pk"))


def offer_history(offer: Offer) -> Sequence[AuditEntry]:
    """What was done with it, the newest first."""
    return list(AuditEntry.objects.filter(object_kind="offer", object_id=str(offer.pk))[:50])
