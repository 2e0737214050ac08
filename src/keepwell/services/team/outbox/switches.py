"""What the channels' switches say: live or rehearsed, counted or not."""

from typing import Final

from django.conf import settings

from keepwell.services.team.prepared import Prepared
from keepwell.store.models import Channel

TRACK: Final = "track"
WORKSPACE: Final = "workspace"
_LIVE: Final = Prepared(
    lambda channel, audience: Channel.objects.filter(name=channel, audience=audience, live=True).only("pk"),
    channel=str,
    audience=str,
)


def live(channel: str, audience: str) -> bool:
    """Whether a channel really sends; until an admin says so it is rehearsed. The workspace sends nothing out."""
    return channel == WORKSPACE or bool(_LIVE(channel=channel, audience=audience))


def tracked(channel: str) -> bool:
    """Whether opening and clicking is counted in what goes to customers: by the channel's settings, else the file's."""
    found = Channel.objects.filter(name=channel, audience=Channel.Audience.CUSTOMER).first()
    said = found.settings.get(TRACK) if found else None
    return bool(settings.MAIL.track if said is None else said)
