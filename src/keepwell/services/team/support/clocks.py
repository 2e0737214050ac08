"""Service levels of one ticket: until when an answer and a solution are due. They run on elapsed time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keepwell.services.team.support.desk import Desk

RESPONSE: Final = "response"
RESOLUTION: Final = "resolution"
WORDS: Final = {RESPONSE: "first response", RESOLUTION: "resolution"}


@dataclass(frozen=True)
class Clock:
    """One service level: due when, near from when, and when it was done, if it was."""

    kind: str
    due_at: datetime
    near_at: datetime
    done_at: datetime | None

    def state(self, now: datetime) -> str:
        """kept, broken (done too late), breached, near, or running."""
        if self.done_at is not None:
            return "kept" if self.done_at <= self.due_at else "broken"
        return "breached" if now > self.due_at else "near" if now >= self.near_at else "running"


def clocks_of(
    desk: Desk, priority: str, created: datetime, responded: datetime | None, resolved: datetime | None
) -> tuple[Clock, ...]:
    """Both clocks of a ticket; none when its priority has no hours. A solution is an answer, too."""
    if priority not in desk.response_hours:
        return ()
    answered = min((at for at in (responded, resolved) if at is not None), default=None)
    return (
        _clock(RESPONSE, desk.response_hours[priority], desk.near, created, answered),
        _clock(RESOLUTION, desk.resolution_hours[priority], desk.near, created, resolved),
    )


def _clock(kind: str, hours: float, near: float, created: datetime, done: datetime | None) -> Clock:
    long = timedelta(hours=hours)
    return Clock(kind, created + long, created + long * min(near, 1.0), done)


def next_clock(clocks: tuple[Clock, ...]) -> Clock | None:
    """The clock that runs and is due first."""
    return min((one for one in clocks if one.done_at is None), key=lambda one: one.due_at, default=None)


def rings(clocks: tuple[Clock, ...], after: datetime, now: datetime) -> Iterator[tuple[Clock, str, datetime]]:
    """What running clocks reached since a moment: near, breached, and when. What is late is near no more."""
    for one in clocks:
        if one.done_at is None:
            for what, at, until in (("near", one.near_at, one.due_at), ("breached", one.due_at, None)):
                if after < at <= now and (until is None or now < until):
                    yield one, what, at
