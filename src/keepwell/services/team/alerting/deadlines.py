"""The clock of an alert, without a database: when it is due, when nearly, and who is told when nobody looks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from keepwell.model.alert_definitions import Rung
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import WorkCalendar

NEAR: Final = 0.8
"""The share of the time after which an alert is due soon."""
_BUSINESS: Final = ("business_hour", "business_day")
Rang = Literal["near", "breached", "escalated"]


@dataclass(frozen=True)
class Clock:
    """Where an alert's clock stands. `level` is how many rungs of the chain were told, `next_at` when to look again."""

    due_at: datetime | None = None
    near_at: datetime | None = None
    near_told_at: datetime | None = None
    breached_at: datetime | None = None
    level: int = 0
    next_at: datetime | None = None


@dataclass(frozen=True)
class Ring:
    """One thing that the clock says; `rung` counts from 0."""

    kind: Rang
    at: datetime
    rung: int = 0


def clock_from(within: str | None, opened: datetime, calendar: WorkCalendar) -> Clock:
    """The clock of an alert that begins now; without a deadline it never rings."""
    if within is None:
        return Clock()
    length = timeline(within)
    due = calendar.later(opened, length)
    if length.next_day:
        # Something for the next day of work is late when that day is over, not when it begins.
        due = calendar.at(calendar.local(due).date(), calendar.closes)
    if length.unit in _BUSINESS:
        near = calendar.after_work(opened, NEAR * calendar.work_between(opened, due))
    else:
        near = opened + NEAR * (due - opened)
    near = min(near, due)
    return Clock(due_at=due, near_at=near, next_at=near)


def stopped(clock: Clock) -> Clock:
    """A clock that somebody stopped: what it said stays said."""
    return replace(clock, next_at=None)


def rung_out(
    clock: Clock, chain: Sequence[Rung], calendar: WorkCalendar, now: datetime
) -> tuple[Clock, tuple[Ring, ...]]:
    """Let a clock ring for everything that is due by now, in order; late or not, each once."""
    rings: list[Ring] = []
    while clock.next_at is not None and clock.next_at <= now:
        clock, ring = _ring(clock, chain, calendar)
        if ring is not None:
            rings.append(ring)
    return clock, tuple(rings)


def _ring(clock: Clock, chain: Sequence[Rung], calendar: WorkCalendar) -> tuple[Clock, Ring | None]:
    at = clock.next_at
    if at is None or clock.due_at is None:
        return stopped(clock), None
    if clock.near_told_at is None and clock.breached_at is None:
        soon = None if at >= clock.due_at else Ring("near", at)
        return replace(clock, near_told_at=at, next_at=clock.due_at), soon
    if clock.breached_at is None:
        breached = replace(clock, breached_at=clock.due_at)
        return replace(breached, next_at=_following(breached, chain, calendar, clock.due_at)), Ring("breached", at)
    if clock.level >= len(chain):
        return stopped(clock), None
    told = replace(clock, level=clock.level + 1)
    return replace(told, next_at=_following(told, chain, calendar, at)), Ring("escalated", at, clock.level)


def _following(clock: Clock, chain: Sequence[Rung], calendar: WorkCalendar, at: datetime) -> datetime | None:
    """When the next rung of the chain is told; None after the last."""
    if clock.level >= len(chain):
        return None
    after = chain[clock.level].after
    return at if after is None else calendar.later(at, timeline(after))
