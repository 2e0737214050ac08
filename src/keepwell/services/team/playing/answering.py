"""Who may answer a question, and why somebody may not; people and rules are read once for a page."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final

from keepwell.services.published import Scope
from keepwell.services.team.access import Action, covers, may, scope_of
from keepwell.services.team.offering.deciding import offer_why_not
from keepwell.services.team.offering.policies import Policy, policies_now
from keepwell.services.team.playing.roles import People
from keepwell.store.models import Approval, Offer, Person

CLOSED: Final = "This question is closed."
NO_ROLE: Final = "Managers, CS-ops and admins answer questions."
NO_CUSTOMER: Final = "The customer is in the book of another team."


def offers_asked(approvals: Sequence[Approval]) -> dict[int, tuple[Offer, ...]]:
    """The offers that questions are about, by the question's number; every question has its line."""
    found: dict[int, tuple[Offer, ...]] = {one.pk: () for one in approvals}
    for offer in Offer.objects.filter(approval__in=approvals).order_by("pk"):
        if offer.approval_id is not None:
            found[offer.approval_id] += (offer,)
    return found


class Answering:
    """What a page needs to say of every question who answers it."""

    def __init__(self) -> None:
        self._scopes: dict[int, Scope] = {}

    def why_not(self, person: Person, approval: Approval, offers: Sequence[Offer]) -> str:
        """Why a person may not answer a question; empty when it may. `offers` are what is asked about."""
        if approval.state != Approval.State.OPEN:
            return CLOSED
        if not may(person, Action.APPROVE):
            return NO_ROLE
        if not covers(self._scope(person), approval.owner_email):
            return NO_CUSTOMER
        refused = (offer_why_not(person, offer, self._policies) for offer in offers)
        return next((why for why in refused if why), "")

    def who(self, approval: Approval, offers: Sequence[Offer]) -> list[Person]:
        """Everybody who may answer it, whose answer is wanted first."""
        wanted = self._people.of(approval.asked_role, approval.owner_email)
        able = [one for one in self._people.people if not self.why_not(one, approval, offers)]
        return sorted(able, key=lambda one: wanted is None or one.pk != wanted.pk)

    def _scope(self, person: Person) -> Scope:
        if person.pk not in self._scopes:
            self._scopes[person.pk] = scope_of(person)
        return self._scopes[person.pk]

    @cached_property
    def _people(self) -> People:
        return People()

    @cached_property
    def _policies(self) -> dict[str, Policy]:
        return policies_now()
