"""What a worker does between jobs, several times a second: follow events, move playbooks, send, watch clocks."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import close_old_connections, connections

from keepwell.services.team.alerting.clocks import clock_turn
from keepwell.services.team.alerting.follow import follow_turn
from keepwell.services.team.checklist_turns import checklist_turn
from keepwell.services.team.here import workspace
from keepwell.services.team.offering.turn import offers_turn
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.playing.turn import LIMIT, playing_turn
from keepwell.services.team.support.ringing import support_turn
from keepwell.services.team.worker import worker_name
from keepwell.services.workspace import Workspace, WorkspaceError

LOG: Final = logging.getLogger("keepwell.actions")
LOOK_SECONDS: Final = 0.25
QUIET: Final = timedelta(minutes=1)
"""For so long the same error of a turn is not logged again."""
MOST_TOLD: Final = 1000

Turn = Callable[[Workspace, datetime, str], int]


def _playing(here: Workspace, now: datetime, worker: str) -> int:
    return playing_turn(here, now, worker=worker)


def _clocks(here: Workspace, now: datetime, worker: str) -> int:
    return clock_turn(here, now, worker=worker)


def _deliveries(here: Workspace, now: datetime, worker: str) -> int:
    return delivery_turn(here, now, worker=worker)


TURNS: Sequence[tuple[str, Turn]] = (
    ("events", follow_turn),
    ("playbooks", _playing),
    ("clocks", _clocks),
    ("support", support_turn),
    ("offers", offers_turn),
    ("checklists", checklist_turn),
)
"""In this order; each returns how much it did. A turn of a new kind is a function and its line here."""
DELIVERIES: Sequence[tuple[str, Turn]] = (("outbox", _deliveries),)
"""Apart from the others: a mail server that takes its time must not keep alerts and playbooks waiting."""


def actions_turn(
    here: Workspace, now: datetime, worker: str, *, turns: Sequence[tuple[str, Turn]] | None = None
) -> int:
    """One turn of everything; what goes wrong in one part is logged and does not keep the others from theirs."""
    done = 0
    for name, turn in TURNS if turns is None else turns:
        try:
            done += turn(here, now, worker)
        except Exception as error:
            if _news(name, error, now):
                LOG.exception("%s: %s", name, error)
            close_old_connections()
    return done


def act(stop: threading.Event, *, now: Callable[[], datetime]) -> None:
    """Follow events, move playbooks and watch clocks until `stop` is set."""
    _go_on(stop, now, "actions", TURNS)


def deliver(stop: threading.Event, *, now: Callable[[], datetime]) -> None:
    """Send what is in the outbox until `stop` is set, each message at its own moment."""

    def outbox(here: Workspace, begun: datetime, worker: str) -> int:
        return delivery_turn(here, begun, worker=worker, clock=now)

    _go_on(stop, now, "deliveries", (("outbox", outbox),))


def _go_on(stop: threading.Event, now: Callable[[], datetime], name: str, turns: Sequence[tuple[str, Turn]]) -> None:
    """Turn after turn; at once again while there is much to do."""
    worker = f"{worker_name()} {name}"
    try:
        while not stop.is_set():
            close_old_connections()
            if _turn(now(), worker, turns) < LIMIT:
                stop.wait(LOOK_SECONDS)
    finally:
        connections.close_all()


def _turn(now: datetime, worker: str, turns: Sequence[tuple[str, Turn]]) -> int:
    try:
        return actions_turn(workspace(), now, worker, turns=turns)
    except (WorkspaceError, OSError) as error:
        if _news("workspace", error, now):
            LOG.error("%s", error)
        return 0


_told: dict[tuple[str, str], datetime] = {}


def _news(name: str, error: Exception, now: datetime) -> bool:
    """Whether an error is to be logged: while it lasts, once a minute."""
    key = (name, f"{type(error).__name__}: {error}")
    last = _told.get(key)
    if last is not None and abs(now - last) < QUIET:
        return False
    if len(_told) > MOST_TOLD:
        _told.clear()
    _told[key] = now
    return True
