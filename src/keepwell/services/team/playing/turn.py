"""One turn of a worker: hears what happened, fires timers that are due, customer by customer."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, transaction

from keepwell.services.team.outbox.compose import compose_message
from keepwell.services.team.playing.desk import Compose, Desk, desk_of
from keepwell.services.team.playing.holding import hold_customer
from keepwell.services.team.playing.known import Look
from keepwell.services.team.playing.moving import Moving
from keepwell.services.workspace import Workspace
from keepwell.store.models import Happening, PlaybookRun, PlaybookTimer

LOG: Final = logging.getLogger("keepwell.playing")
LIMIT: Final = 200
FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(hours=1)
_resting: dict[str, tuple[datetime, timedelta]] = {}
"""Customers whose runs could not be moved for a mistake of ours, and when this worker tries again."""


def playing_turn(
    workspace: Workspace,
    now: datetime,
    *,
    worker: str,
    limit: int = LIMIT,
    look: Look | None = None,
    compose: Compose = compose_message,
) -> int:
    """Move the runs of up to `limit` customers by what waits for them; how much was heard and fired.

    Each customer is moved in one transaction, by one worker at a time. `look` and `compose` stand in for the published
    day and for the outbox in rehearsals.
    """
    customers = _customers(now, limit)
    if not customers:
        return 0
    desk = desk_of(workspace, now, look=look, compose=compose)
    running = PlaybookRun.objects.filter(customer_id__in=customers, ended_at=None)
    desk.read(customers, set(running.values_list("playbook", "version")))
    return sum(_moved(desk, customer, worker) for customer in customers)


def _customers(now: datetime, limit: int) -> list[str]:
    """Whose runs have something waiting, those that waited longest first."""
    asleep = [customer for customer, (until, _) in _resting.items() if until > now]
    happened = Happening.objects.filter(heard_at=None).order_by("pk")
    due = PlaybookTimer.objects.filter(due_at__lte=now).order_by("due_at")
    if asleep:
        happened, due = happened.exclude(customer_id__in=asleep), due.exclude(run__customer_id__in=asleep)
    found: Iterable[str] = (
        *happened.values_list("customer_id", flat=True)[:limit],
        *due.values_list("run__customer_id", flat=True)[:limit],
    )
    return list(dict.fromkeys(found))[:limit]


def _moved(desk: Desk, customer_id: str, worker: str) -> int:
    try:
        with transaction.atomic():
            if not hold_customer(customer_id, wait=False):
                return 0
            moved = Moving(desk, customer_id).all()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        # One customer's trouble is not the others'. The transaction is undone, so nothing is half done.
        rest = min(_resting.get(customer_id, (desk.now, FIRST_REST / 2))[1] * 2, LONGEST_REST)
        _resting[customer_id] = (desk.now + rest, rest)
        LOG.exception("%s: the playbooks of %s cannot go on; tried again in %s", worker, customer_id, rest)
        return 0
    _resting.pop(customer_id, None)
    return moved
