"""Offers to customers: the verbs. What they are made of is in `offering/`."""

from keepwell.services.team.offering.answering import (
    ON_PAGE,
    TOLD,
    closed_words,
    offer_accept,
    offer_decline,
    offer_withdraw,
)
from keepwell.services.team.offering.limits import OfferRefused
from keepwell.services.team.offering.listing import OfferQuery, offers_found, offers_of, offers_totals, visible_offers
from keepwell.services.team.offering.making import Proposal, offer_from_playbook, offer_make
from keepwell.services.team.offering.sending import offer_of_token, offer_url
from keepwell.services.team.offering.turn import offers_turn

__all__ = [
    "ON_PAGE",
    "TOLD",
    "OfferQuery",
    "OfferRefused",
    "Proposal",
    "closed_words",
    "offer_accept",
    "offer_decline",
    "offer_from_playbook",
    "offer_make",
    "offer_of_token",
    "offer_url",
    "offer_withdraw",
    "offers_found",
    "offers_of",
    "offers_totals",
    "offers_turn",
    "visible_offers",
]
