"""Tickets and their clocks as pages show them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from keepwell.services.team.support.clocks import WORDS, Clock
from keepwell.services.team.support.listing import Waiting
from keepwell.services.team.support.tickets import DeskTicket

PRIORITY_COLORS: Final = {"P0": "red", "P1": "orange", "P2": "yellow", "P3": "lime", "P4": "gray"}
STATE_COLORS: Final = {"open": "orange", "filed": "lime", "closed": "gray"}
CLOCK_STATES: Final = {
    "kept": ("Kept", "green"),
    "broken": ("Too late", "red"),
    "breached": ("Overdue", "red"),
    "near": ("Due soon", "orange"),
    "running": ("In time", "lime"),
}


@dataclass(frozen=True)
class ClockShown:
    """A clock in words; `due` is set while the words change with time."""

    words: str
    late: bool
    soon: bool
    due: datetime | None


@dataclass(frozen=True)
class TicketLine:
    """One open ticket in the list."""

    ticket: DeskTicket
    clock: ClockShown
    level: str
    color: str
    assignee: str


@dataclass(frozen=True)
class LevelLine:
    """One service level of a ticket on its page."""

    label: str
    state: str
    color: str
    due: datetime
    done: datetime | None
    words: str


def ticket_line(one: Waiting, now: datetime) -> TicketLine:
    """An open ticket with the clock that is due first."""
    level, assignee = WORDS[one.clock.kind] if one.clock else "", one.ticket.row.assignee.partition("@")[0]
    return TicketLine(one.ticket, _clock(one, now), level, PRIORITY_COLORS.get(one.ticket.priority, "gray"), assignee)


def level_lines(one: DeskTicket, now: datetime) -> list[LevelLine]:
    """Both service levels of a ticket."""
    return [_level(clock, now) for clock in one.clocks]


def long_words(time: timedelta) -> str:
    """A span of time: 35 min, 3 h 20 min, 2 days."""
    minutes = int(time.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _clock(one: Waiting, now: datetime) -> ClockShown:
    if one.clock is None:
        return ClockShown("no clock", late=False, soon=False, due=None)
    return ClockShown(_left(one.clock, now), one.state == "breached", one.state == "near", one.clock.due_at)


def _left(clock: Clock, now: datetime) -> str:
    late = now > clock.due_at
    return f"overdue {long_words(now - clock.due_at)}" if late else f"{long_words(clock.due_at - now)} left"


def _level(clock: Clock, now: datetime) -> LevelLine:
    state, color = CLOCK_STATES[clock.state(now)]
    words = _left(clock, now)
    if clock.done_at is not None:
        early = clock.done_at <= clock.due_at
        words = f"{long_words(abs(clock.due_at - clock.done_at))} {'before' if early else 'after'} it was due"
    return LevelLine(WORDS[clock.kind].capitalize(), state, color, clock.due_at, clock.done_at, words)
