"""One turn of a worker: hears what happened, fires timers that are due, customer by customer."""

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.db import InterfaceError, OperationalError, transaction

from keepwell.services.team.audit import written_together
from keepwell.services.team.outbox.announcing import targets_known
from keepwell.services.team.outbox.compose import compose_message
from keepwell.services.team.playing.desk import Compose, Desk, desk_of
from keepwell.services.team.playing.happenings import START
from keepwell.services.team.playing.holding import hold_customer
from keepwell.services.team.playing.known import Look
from keepwell.services.team.playing.moving import Moving
from keepwell.services.team.prepared import Prepared
from keepwell.services.workspace import Workspace
from keepwell.store.models import Happening, PlaybookRun, PlaybookTimer

LOG: Final = logging.getLogger("keepwell.playing")
LIMIT: Final = 200
FIRST_REST: Final = timedelta(minutes=1)
LONGEST_REST: Final = timedelta(hours=1)
_HEARD: Final = Prepared(lambda: Happening.objects.filter(heard_at=None).order_by("pk").only("customer_id")[:LIMIT])
_DUE: Final = Prepared(
    lambda now: (
        PlaybookRun.objects.filter(timers__due_at__lte=now).order_by("timers__due_at").only("customer_id")[:LIMIT]
    ),
    now=datetime,
)
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
    if desk.plays.model is None:
        # What starts something waits until somebody can read what: nobody else waits behind it.
        customers = _customers(now, limit, starts=False)
    happened = _happened([customer for customer, rings in customers.items() if not rings])
    moving = [name for name in customers if name not in happened or any(o.kind != START for o in happened[name])]
    running = PlaybookRun.objects.filter(customer_id__in=moving, ended_at=None)
    desk.read(customers, set(running.values_list("playbook", "version")) if moving else ())
    with targets_known():
        return sum(_moved(desk, name, worker, happened.get(name)) for name in customers)


def _happened(customers: Collection[str]) -> dict[str, list[Happening]]:
    """What waits to be heard by the runs of these customers."""
    found: dict[str, list[Happening]] = {customer: [] for customer in customers}
    for one in Happening.objects.filter(customer_id__in=customers, heard_at=None) if customers else ():
        found[one.customer_id].append(one)
    return found


def _customers(now: datetime, limit: int, *, starts: bool = True) -> dict[str, bool]:
    """Whose runs have something waiting, those that waited longest first, and whether a timer may be among it.

    Without `starts` what starts a playbook is nothing to be moved by.
    """
    asleep = [customer for customer, (until, _) in _resting.items() if until > now]
    if starts and not asleep and limit == LIMIT:
        heard, rings = [one.customer_id for one in _HEARD()], [one.customer_id for one in _DUE(now=now)]
    else:
        heard, rings = _waiting(now, limit, asleep, starts=starts)
    found = list(dict.fromkeys([*heard, *rings]))[:limit]
    return {customer: len(rings) == limit or customer in rings for customer in found}


def _waiting(now: datetime, limit: int, asleep: Collection[str], *, starts: bool) -> tuple[list[str], list[str]]:
    """The same as is prepared, without some of them."""
    happened = Happening.objects.filter(heard_at=None).order_by("pk")
    happened = happened if starts else happened.exclude(kind=START)
    due = PlaybookTimer.objects.filter(due_at__lte=now).order_by("due_at")
    if asleep:
        happened, due = happened.exclude(customer_id__in=asleep), due.exclude(run__customer_id__in=asleep)
    heard = happened.values_list("customer_id", flat=True)[:limit]
    return list(heard), list(due.values_list("run__customer_id", flat=True)[:limit])


def _moved(desk: Desk, customer_id: str, worker: str, happened: list[Happening] | None) -> int:
    try:
        with transaction.atomic():
            if not hold_customer(customer_id, wait=False):
                return 0
            with written_together():
                moved = Moving(desk, customer_id, happened).all()
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
