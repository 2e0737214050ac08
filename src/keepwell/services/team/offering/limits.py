"""What may not be offered, and the words in which that is said."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from keepwell.services.team.offering.kinds import UNITS, OfferKind, amount_words
from keepwell.services.team.offering.policies import Policy
from keepwell.store.models import Offer

YEAR: Final = timedelta(days=365)
GIVEN: Final = (Offer.State.ACCEPTED, Offer.State.DONE)
COUNTED: Final = (*GIVEN, Offer.State.ASKED, Offer.State.OPEN)
"""What counts against the year: what the customer had, and what it may still say yes to."""
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six")


class OfferRefused(Exception):  # noqa: N818  it is an answer, not a fault
    """What cannot be done with an offer; the message says why and what to do."""


def check_terms(kind: OfferKind, terms: Mapping[str, Any], policy: Policy) -> None:
    """Whether an offer is within what the workspace gives. Raises OfferRefused."""
    if policy.per_year == 0:
        raise OfferRefused(f"{kind.label} is not offered here. Settings, Offers says what is.")
    for unit in kind.units:
        amount, most = terms.get(unit), policy.largest.get(unit, UNITS[unit][1])
        if amount is not None and amount > most:
            said, limit = amount_words(unit, amount), amount_words(unit, most)
            raise OfferRefused(f"{kind.label}: {said} are too much; {limit} are the most.")


def check_measured(kind: OfferKind, terms: Mapping[str, Any]) -> None:
    """Whether an offer says how much. Raises OfferRefused."""
    if kind.measured and not terms.get(kind.units[0]):
        raise OfferRefused(f"{kind.label}: say how much: {UNITS[kind.units[0]][0].lower()}.")


def check_year(customer_id: str, kind: OfferKind, policy: Policy, now: datetime) -> None:
    """Whether the customer has had its share of a kind within a year. Raises OfferRefused."""
    had = Offer.objects.filter(
        customer_id=customer_id, kind=kind.name, state__in=COUNTED, made_at__gt=now - YEAR
    ).order_by("-made_at")
    found = list(had[: policy.per_year])
    if len(found) < policy.per_year:
        return
    free = _day(found[-1].made_at + YEAR)
    raise OfferRefused(
        f"{_said(found[0], kind, now)}; {_number(policy.per_year)} a year {_is(policy.per_year)} the most. "
        f"The next is possible from {free.day} {free:%B %Y}, or an administrator changes the rules."
    )


def _said(offer: Offer, kind: OfferKind, now: datetime) -> str:
    if offer.state in GIVEN:
        return f"The customer had {kind.noun} in {_month(offer.answered_at or offer.made_at, now)}"
    made = f"{_day(offer.made_at).day} {_day(offer.made_at):%B}"
    if offer.state == Offer.State.OPEN:
        return f"The customer was offered {kind.noun} on {made} and may still accept"
    return f"Somebody asked on {made} to offer {kind.noun}, and that waits for approval"


def _month(moment: datetime, now: datetime) -> str:
    then = _day(moment)
    return f"{then:%B}" if then.year == _day(now).year else f"{then:%B %Y}"


def _day(moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date()


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
