"""Offers are made: by people within the rules of the workspace, and by playbooks."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from keepwell.model.timelines import timeline
from keepwell.playbooks.events import Effect
from keepwell.services.published import PortfolioRow
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.offering.kinds import KINDS, OfferKind, kind_of, terms_words
from keepwell.services.team.offering.limits import OfferRefused, check_measured, check_terms, check_year
from keepwell.services.team.offering.policies import NOBODY, Policy, outranks, policies_held
from keepwell.services.team.offering.sending import open_offer, quiet_calendar
from keepwell.services.team.offering.worth import worth_of
from keepwell.services.team.outbox.recipients import is_address
from keepwell.services.workspace import Workspace
from keepwell.store.models import Approval, Offer, PlaybookRun, Role

OPEN_DAYS: Final = 14
MOST_DAYS: Final = 90
WITHIN: Final = "2 business days"
"""How long an approval is waited for."""
LONGEST_TEXT: Final = 2000
LARGEST_WORTH: Final = Decimal(10) ** 13
_ROLE_NAMES: Final = {role.value: role.label for role in Role}


@dataclass(frozen=True)
class Proposal:
    """What somebody wants to offer. `worth` is told where it cannot be computed; without an address the link is
    handed over by hand."""

    kind: str
    title: str
    terms: Mapping[str, Any] = field(default_factory=dict)
    days: int = OPEN_DAYS
    to_name: str = ""
    to_email: str = ""
    note: str = ""
    worth: Decimal | None = None


@transaction.atomic
def offer_make(who: Actor, workspace: Workspace, customer: PortfolioRow, proposal: Proposal, now: datetime) -> Offer:
    """Offer something to a customer; the caller has checked that the actor may see it. Raises OfferRefused.

    Within the actor's own rights it is open at once, else it waits for somebody's approval.
    """
    kind, said = _checked(customer, proposal)
    policy = policies_held()[kind.name]
    _may_ask(who, kind, policy)
    check_terms(kind, said, policy)
    check_year(customer.customer_id, kind, policy, now)
    computed = worth_of(kind.name, said, customer.mrr)
    offer = Offer.objects.create(
        key=secrets.token_hex(16),
        customer_id=customer.customer_id,
        company=customer.name[:255],
        owner_email=(customer.owner_email or "").strip().lower(),
        kind=kind.name,
        title=proposal.title.strip()[:255],
        terms=said,
        worth=proposal.worth if computed is None else computed,
        state=Offer.State.ASKED,
        offered_by=who.person,
        made_at=now,
        expires_at=now + timedelta(days=proposal.days),
        to_name=proposal.to_name.strip()[:255],
        to_email=proposal.to_email.strip()[:320],
        note=proposal.note.strip()[:LONGEST_TEXT],
    )
    if who.person is not None and not _alone(who.person.role, policy):
        ask(workspace, offer, policy, who.person.shown_name, now)
        return record_offer(who, offer, "offer.asked", "asked for approval of", now)
    open_offer(workspace, offer, now)
    return record_offer(who, offer, "offer.made", "offered", now)


def offer_from_playbook(
    effect: Effect, run: PlaybookRun, now: datetime, *, workspace: Workspace, owner_email: str, mrr: Decimal | None
) -> Offer:
    """The offer that a playbook makes, in the transaction of its step; not sent yet. Raises OfferRefused.

    It is open where the run was given an approval or the rules let playbooks make it, else it waits for one.
    """
    terms = dict(effect.details["offer"])
    kind, title = kind_of(terms.pop("kind")), str(terms.pop("title"))
    policy = policies_held()[kind.name]
    check_terms(kind, terms, policy)
    check_year(run.customer_id, kind, policy, now)
    approvals = Approval.objects.filter(run=run, kind="playbook", state=Approval.State.GIVEN)
    given = approvals.order_by("-decided_at").first()
    opens = given is not None or policy.playbooks
    offer = Offer.objects.create(
        key=effect.key,
        customer_id=run.customer_id,
        company=run.company,
        owner_email=owner_email,
        kind=kind.name,
        title=title[:255],
        terms=terms,
        worth=worth_of(kind.name, terms, mrr),
        state=Offer.State.OPEN if opens else Offer.State.ASKED,
        run=run,
        approval=given,
        made_at=now,
        opened_at=now if opens else None,
        expires_at=datetime.fromisoformat(effect.details["expires_at"]),
    )
    if not opens:
        ask(workspace, offer, policy, f"Playbook “{run.playbook.replace('_', ' ').capitalize()}”", now)
    return offer


def ask(workspace: Workspace, offer: Offer, policy: Policy, by: str, now: datetime) -> None:
    """Put the question into the inbox of those who approve."""
    amounts = terms_words(offer.kind, offer.terms)
    about = f"{offer.title} ({amounts})" if amounts else offer.title
    offer.approval = Approval.objects.create(
        key=f"offer:{offer.key}"[:64],
        kind="offer",
        run=offer.run,
        customer_id=offer.customer_id,
        company=offer.company,
        owner_email=offer.owner_email,
        question=f"Offer {offer.company}: {about}?"[:500],
        asked_role=policy.approves,
        asked_by=by[:255],
        asked_at=now,
        due_at=quiet_calendar(workspace).later(now, timeline(WITHIN)),
    )
    offer.save(update_fields=["approval"])


def record_offer(who: Actor, offer: Offer, action: str, did: str, now: datetime, **after: Any) -> Offer:
    """The audit row of a change of an offer."""
    record(
        who,
        at=now,
        action=action,
        kind="offer",
        object_id=offer.pk,
        customer_id=offer.customer_id,
        summary=f"{offer.company}: {did} “{offer.title}”",
        after={"state": str(offer.state), "worth": None if offer.worth is None else str(offer.worth), **after},
    )
    return offer


def _checked(customer: PortfolioRow, proposal: Proposal) -> tuple[OfferKind, dict[str, Any]]:
    kind = KINDS.get(proposal.kind)
    if kind is None:
        raise OfferRefused("Choose what to offer.")
    if customer.status == "churned":
        raise OfferRefused(f"{customer.name} has left.")
    if not proposal.title.strip():
        raise OfferRefused("Say in a few words what the customer gets.")
    if not 1 <= proposal.days <= MOST_DAYS:
        raise OfferRefused(f"An offer is open for 1 to {MOST_DAYS} days.")
    if proposal.to_email.strip() and not is_address(proposal.to_email.strip()):
        raise OfferRefused("That is no e-mail address. Leave it empty to hand over the link yourself.")
    if proposal.worth is not None and not 0 <= proposal.worth < LARGEST_WORTH:
        raise OfferRefused("What it costs is an amount of money of 0 or more.")
    terms = {unit: proposal.terms[unit] for unit in kind.units if proposal.terms.get(unit) is not None}
    check_measured(kind, terms)
    if any(amount <= 0 for amount in terms.values()):
        raise OfferRefused(f"{kind.label}: amounts are above 0.")
    text = str(proposal.terms.get("terms") or "").strip()[:LONGEST_TEXT]
    return kind, terms | ({"terms": text} if text else {})


def _alone(role: str, policy: Policy) -> bool:
    return policy.alone != NOBODY and outranks(role, policy.alone)


def _may_ask(who: Actor, kind: OfferKind, policy: Policy) -> None:
    """Whether somebody may make an offer of a kind, or ask for it."""
    if who.person is None or outranks(who.person.role, policy.asks) or _alone(who.person.role, policy):
        return
    needed = "nobody" if policy.asks == NOBODY else f"{_ROLE_NAMES[policy.asks]} and above"
    raise OfferRefused(f"{kind.label}: your role does not offer this ({needed} may). Ask somebody who does.")
