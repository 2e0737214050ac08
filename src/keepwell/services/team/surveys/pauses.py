"""Whether somebody was asked not long ago: at most one survey in so many days, whichever it is."""

from datetime import datetime, timedelta
from typing import Final

from keepwell.services.team.outbox.suppression import plain_address
from keepwell.services.team.outbox.switches import live
from keepwell.store.models import Channel, Outgoing, SurveyInvitation, WorkspaceSetting

LOCK: Final = "surveys_asking"
_NOT_ASKED: Final = (Outgoing.State.CANCELLED, Outgoing.State.SUPPRESSED, Outgoing.State.DEAD)


def one_after_the_other() -> None:
    """Wait until nobody else is asking, so that two at once do not both see that somebody has not been asked."""
    WorkspaceSetting.objects.get_or_create(name=LOCK)
    WorkspaceSetting.objects.select_for_update().get(name=LOCK)


def paused(address: str, at: datetime, days: int) -> bool:
    """Whether an address is asked within so many days before or after a moment; what was never sent does not count."""
    pause = timedelta(days=days)
    others = SurveyInvitation.objects.filter(address=plain_address(address), sent_at__gt=at - pause)
    near = others.filter(sent_at__lt=at + pause).exclude(outgoing__state__in=_NOT_ASKED)
    if live("email", Channel.Audience.CUSTOMER):
        near = near.exclude(outgoing__state=Outgoing.State.REHEARSED)
    return near.exists()
