"""What is kept for a while only, and removed once a day."""

from datetime import datetime, timedelta
from typing import Final

from django.contrib.sessions.models import Session

from keepwell.services.team.alerting.waiting import forget_old
from keepwell.store.models import IdempotentAnswer, OneTimeLink

ANSWERS_KEPT: Final = timedelta(days=7)
LINKS_KEPT: Final = timedelta(days=90)


def tidy_up(now: datetime) -> int:
    """Remove answers that nobody asks for again, old links and ended sessions; returns how many rows went."""
    gone = IdempotentAnswer.objects.filter(made_at__lt=now - ANSWERS_KEPT).delete()[0]
    gone += forget_old(now)
    gone += OneTimeLink.objects.filter(expires_at__lt=now - LINKS_KEPT).delete()[0]
    return gone + Session.objects.filter(expire_date__lt=now).delete()[0]
