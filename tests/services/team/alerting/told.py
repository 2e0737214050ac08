"""Messages that set alerts off, and a journal of a workspace that is emptied after each test."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from keepwell.services.ingest import Accepted, journal_of
from keepwell.services.team.alerting.follow import Follower, follow_turn
from keepwell.services.team.alerting.journal_reader import JournalReader
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert
from tests.services.ingest.sent import accepted, send, stripe_event
from tests.web import NOW

CUSTOMER: Final = "c-00048"
OTHER: Final = "c-00012"
MINUTE: Final = timedelta(minutes=1)


def failed(number: int = 1, customer: str = CUSTOMER, **more: Any) -> Accepted:
    """A payment of a customer that failed."""
    thing = {"id": f"in_{number}", "metadata": {"customer_id": customer}, "currency": "eur", "amount_due": 9900, **more}
    return stripe_event("invoice.payment_failed", thing, id=f"evt_failed_{number}")


def paid(number: int = 1, customer: str = CUSTOMER) -> Accepted:
    """A payment of a customer that went through, a minute after it failed."""
    thing = {"id": f"in_{number}", "metadata": {"customer_id": customer}, "currency": "eur", "amount_paid": 9900}
    return stripe_event("invoice.paid", thing, id=f"evt_paid_{number}")


def tracked(event: str, number: int = 1, customer: str = CUSTOMER, **properties: Any) -> Accepted:
    """An event of the product."""
    context = {"groupId": customer}
    return accepted(userId="u", event=event, context=context, properties=properties, messageId=f"{event}-{number}")


def clean(workspace: Workspace) -> None:
    """Forget everything that was accepted."""
    shutil.rmtree(journal_of(workspace).root, ignore_errors=True)


def another_process(workspace: Workspace) -> Callable[[datetime], int]:
    """Follows the journal knowing nothing of what this process read."""
    follower = Follower(JournalReader(journal_of(workspace)))
    return lambda now: follower.turn(workspace, now, 5000)


def arrive(workspace: Workspace, *records: Accepted, now: datetime = NOW) -> int:
    """Accept messages and look at them at once, as after a restart."""
    send(workspace, *records, now=now)
    return another_process(workspace)(now)


def only() -> Alert:
    """The one alert that there is."""
    return Alert.objects.get()


__all__ = ["CUSTOMER", "MINUTE", "NOW", "OTHER", "arrive", "failed", "follow_turn", "only", "paid", "send", "tracked"]
