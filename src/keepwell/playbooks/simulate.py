"""Replays a playbook over published days: whom it would have reached, and what it would have asked of people.

Nobody answers in a replay, so the figures are the most that it would have been; what data show (a signal that goes off,
a segment that is left, a goal, a customer who leaves) counts.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Final, Protocol

from keepwell.model.playbook_definitions import EventTrigger, ManualTrigger
from keepwell.playbooks.entries import Entry, held_out, newcomer, refusal, triggered
from keepwell.playbooks.events import Effect, Event, Happened, Wanted
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.machine import Machine, Moved
from keepwell.playbooks.play import Play
from keepwell.playbooks.state import State

NOBODY: Final = "nobody"
_DAY: Final = timedelta(days=1)


class Day(Protocol):
    """One published day."""

    @property
    def as_of(self) -> date:
        """Which day it is."""

    def customers(self) -> Sequence[str]:
        """Everybody on that day."""

    def facts(self, customer: str) -> Facts | None:
        """A customer on that day; None for whom it does not know."""


@dataclass(frozen=True)
class Done:
    """Something that would have been asked for."""

    at: datetime
    customer: str
    owner: str
    effect: Effect


@dataclass
class Replay:
    """What came out: all that was asked for, and how the runs went."""

    days: int = 0
    done: list[Done] = field(default_factory=list)
    entered: list[tuple[datetime, str]] = field(default_factory=list)
    held_out: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    running: int = 0


class ReplayError(ValueError):
    """A playbook that cannot be replayed; the message says why."""


def replay(play: Play, days: Iterable[Day]) -> Replay:
    """Replay a playbook over days in their order; raises ReplayError for one that no published day starts."""
    match play.playbook.trigger:
        case ManualTrigger():
            raise ReplayError(f"'{play.name}' is started by a person, so the past says nothing about it")
        case EventTrigger(event=name):
            raise ReplayError(f"'{play.name}' starts with the event '{name}', which published days do not hold")
    running = _Replaying(play)
    for day in days:
        running.day(day)
    running.finish()
    return running.result


class _Replaying:
    """The clock, the timers and the runs of a replay."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.machine = Machine(play)
        self.result = Replay()
        self.states: dict[str, State] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.sent: dict[str, list[datetime]] = {}
        self.timers: list[tuple[datetime, int, str, int]] = []
        self.number = count()
        self.before: Day | None = None
        self.now: datetime | None = None

    def day(self, day: Day) -> None:
        """What a day brings is known when work begins on the next one."""
        moment = self.play.calendar.at(day.as_of + _DAY, self.play.calendar.opens)
        self._until(moment)
        self.now = moment
        previous, self.before = self.before, day
        self.result.days += 1
        for customer, state in list(self.states.items()):
            if not state.ended:
                known = self._facts(customer)
                kind = Happened.CHURNED if known is None else Happened.FACTS
                self._moved(customer, self.machine.step(state, Event(kind, facts=known), moment))
        for customer in day.customers():
            self._start(customer, previous, moment)

    def finish(self) -> None:
        """The working day after the last one, and what still goes on then."""
        if self.now is not None:
            self._until(self.now + _DAY)
        self.result.running = sum(not state.ended for state in self.states.values())

    def _facts(self, customer: str) -> Facts | None:
        known = None if self.before is None else self.before.facts(customer)
        earlier = tuple(self.sent.get(customer, ()))
        return known if known is None or not earlier else _with_contacts(known, earlier)

    def _start(self, customer: str, previous: Day | None, moment: datetime) -> None:
        now = None if self.before is None else self.before.facts(customer)
        before = None if previous is None else previous.facts(customer)
        if before is None and previous is not None and now is not None:
            before = newcomer(self.play.playbook, now)
        if now is None or not triggered(self.play.playbook, before, now, self.play.rules):
            return
        if held_out(self.play.name, customer, self.play.playbook.hold_out):
            self.result.held_out.add(customer)
            return
        entries = self.entries.setdefault(customer, [])
        why = refusal(self.play.playbook, entries, moment, self.play.calendar)
        if why is not None:
            self.result.refused[why] += 1
            return
        entries.append(Entry(moment, None))
        self.result.entered.append((moment, customer))
        self._moved(customer, self.machine.begin(customer, len(entries), moment, self._facts(customer)))

    def _until(self, moment: datetime) -> None:
        """Deliver the timers up to a moment."""
        while self.timers and self.timers[0][0] < moment:
            due, _, customer, timer = heapq.heappop(self.timers)
            state = self.states[customer]
            if not state.ended and state.timer == timer:
                event = Event(Happened.TIMER, timer=timer, facts=self._facts(customer))
                self._moved(customer, self.machine.step(state, event, due))

    def _moved(self, customer: str, moved: Moved) -> None:
        state, effects = moved
        self.states[customer] = state
        for effect in effects:
            if effect.kind is Wanted.TIMER and effect.due is not None:
                waiting = (effect.due, next(self.number), customer, int(effect.details["timer"]))
                heapq.heappush(self.timers, waiting)
            else:
                self.result.done.append(Done(effect.at, customer, self._owner(customer), effect))
        if state.ended and state.ended_at is not None:
            self._ended(customer, state, state.ended_at)

    def _ended(self, customer: str, state: State, at: datetime) -> None:
        entries = self.entries[customer]
        if entries[-1].ended_at is None:
            entries[-1] = Entry(entries[-1].started_at, at)
            self.result.ended[state.reason] += 1
            self.sent.setdefault(customer, []).extend(state.sent)

    def _owner(self, customer: str) -> str:
        known = None if self.before is None else self.before.facts(customer)
        return str((known.values.get("owner_email") if known else None) or NOBODY)


def _with_contacts(facts: Facts, contacts: tuple[datetime, ...]) -> Facts:
    return Facts(facts.as_of, facts.values, facts.segments, facts.signals, contacts, facts.active)


@dataclass(frozen=True)
class DayOf:
    """A day from plain facts, for tests and small replays."""

    as_of: date
    known: Mapping[str, Facts]

    def customers(self) -> Sequence[str]:
        """Everybody on that day, sorted."""
        return sorted(self.known)

    def facts(self, customer: str) -> Facts | None:
        """A customer on that day."""
        return self.known.get(customer)


def weeks_of(first: date, last: date) -> Iterator[date]:
    """The Mondays of all weeks from one day to another."""
    monday = first - timedelta(days=first.weekday())
    while monday <= last:
        yield monday
        monday += timedelta(days=7)
