"""What to do when nobody knows whether a message left."""

from typing import Final

from keepwell.connectors.channels.results import GiveUp, Result, Retry
from keepwell.store.models import Channel, Outgoing

UNCONFIRMED: Final = (
    "It may have arrived all the same: look at the log of the mail server or provider, then send it again or leave it."
)
_REPEATABLE: Final = frozenset({"webhook", "in_app"})
"""Channels whose other side knows a message that it has had."""


def unclear(row: Outgoing, why: str) -> Result:
    """Colleagues are told again, for twice is better than never; customers are not, until a person says so."""
    if row.audience == Channel.Audience.INTERNAL or row.channel in _REPEATABLE:
        return Retry(why)
    return GiveUp(f"{why.rstrip('. ')}. {UNCONFIRMED}")
