"""Past days under two models: the tasks each would have opened, and who would have been somewhere else."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from keepwell.evaluation.compiled import CompiledModel
from keepwell.metrics.frame import Bools, Column, Ints, number_day
from keepwell.model.definitions import Model
from keepwell.services.planning.comparing import segment_task
from keepwell.services.planning.engines import Days, Engines
from keepwell.services.planning.figures import PlayCount, Replay, ReplayWeek

WEEK: Final = 7
NOBODY: Final = -1
_NEVER: Final = -(10**9)
Step = Callable[[str, int, int], None] | None


class PlanCancelled(Exception):  # noqa: N818  it is a wish, not a fault
    """Whoever asked for a plan does not want it any more."""


@dataclass
class _Week:
    tasks: list[int] = field(default_factory=lambda: [0, 0])
    moves: list[int] = field(default_factory=lambda: [0, 0])
    differing: set[int] = field(default_factory=set)
    last: int = 0


def replay_models(
    engines: Engines,
    last: int,
    days: int,
    *,
    only: Collection[str] | None = None,
    step: Step = None,
    cancelled: Callable[[], bool] | None = None,
) -> Replay:
    """Replay both models over `days` days that end with `last`.

    The day before them is where customers start from. Earlier days are looked at, and not counted, as far as tasks
    of then hold back tasks of now (`at_most_once_per_days`) and data go.
    """
    first, start = _first_days(engines, last, days)
    work = _Replay(engines, first, start, only)
    total = last - start + 1
    for before, after in engines.blocks(range(start, last + 1)):
        found = np.unique(before.evaluation.frame.days).tolist()
        for day in found:
            work.day(int(day), before, after)
        if step:
            step("replay", int(max(found, default=last)) - start + 1, total)
        if cancelled and cancelled():
            raise PlanCancelled("the plan was cancelled; nothing was changed")
    return work.result(last)


def _first_days(engines: Engines, last: int, days: int) -> tuple[int, int]:
    """The first day that counts and the first that is looked at: before the first usage data there is nothing."""
    tables = {plan.table.name for plan in engines.before.plan.facts}
    starts = [int(found[0]) for name in tables if len(found := engines.before.feeds.feeds[name].days)]
    first = min(last, max([last - days + 1, *(start + 1 for start in starts)]))
    segments = [segment for compiled in engines.compiled for segment in compiled.model.segments.values()]
    pause = max((s.task.at_most_once_per_days or 0 for s in segments if s.task is not None), default=0)
    return first, min(first - 1, max([first - 1 - pause, *starts]))


class _Replay:
    """What is remembered from day to day, by the warehouse's number of each customer."""

    def __init__(self, engines: Engines, first: int, start: int, only: Collection[str] | None) -> None:
        self.first, self.start = first, start
        self.size = max(engines.before.size, engines.after.size)
        self.allowed = _allowed(engines, self.size, only)
        self.codes: dict[str, int] = {}
        self.counters = [_Counter(compiled.model, self.size, self.codes) for compiled in engines.compiled]
        self.opened = [dict.fromkeys(counter.plays, 0) for counter in self.counters]
        self.weeks: dict[int, _Week] = {}
        self.ever = np.zeros(self.size, np.bool_)

    def day(self, day: int, before: Days, after: Days) -> None:
        """Take in one day, after the day before it."""
        sides = [self._placed(day, found) for found in (before, after)]
        if day > self.start:
            found = [counter.count(day, placed[0]) for counter, placed in zip(self.counters, sides, strict=True)]
            if day >= self.first:
                self._counted(day, found, sides)
        for counter, (segments, _) in zip(self.counters, sides, strict=True):
            counter.previous = segments

    def _counted(self, day: int, found: list[tuple[dict[str, int], int]], sides: list[tuple[Ints, Ints]]) -> None:
        week = self.weeks.setdefault((day - self.first) // WEEK, _Week())
        week.last = day
        for side, (tasks, moves) in enumerate(found):
            week.tasks[side] += sum(tasks.values())
            week.moves[side] += moves
            for play, opened in tasks.items():
                self.opened[side][play] += opened
        differing = (sides[0][0] != sides[1][0]) | (sides[0][1] != sides[1][1])
        week.differing.update(np.flatnonzero(differing).tolist())
        self.ever |= differing

    def result(self, last: int) -> Replay:
        """All weeks with their totals."""
        weeks = tuple(self._week(i, week) for i, week in sorted(self.weeks.items()))
        totals = [sum(opened.values()) for opened in self.opened]
        before, after = self.opened
        names = dict.fromkeys([*after, *before])
        plays = (PlayCount(name, before.get(name, 0), after.get(name, 0)) for name in names)
        days = last - self.first + 1
        return Replay(
            first=number_day(self.first),
            last=number_day(last),
            days=days,
            weeks=weeks,
            plays=tuple(play for play in plays if play.before or play.after),
            tasks_before=totals[0],
            tasks_after=totals[1],
            per_week_before=round(totals[0] * WEEK / days, 1),
            per_week_after=round(totals[1] * WEEK / days, 1),
            differing=int(self.ever.sum()),
        )

    def _week(self, place: int, week: _Week) -> ReplayWeek:
        start: date = number_day(self.first + place * WEEK)
        (tasks_before, tasks_after), (moves_before, moves_after) = week.tasks, week.moves
        end, differing = number_day(week.last), len(week.differing)
        return ReplayWeek(start, end, tasks_before, tasks_after, moves_before, moves_after, differing)

    def _placed(self, day: int, found: Days) -> tuple[Ints, Ints]:
        """The codes of segment and band of every customer on a day."""
        rows = _rows_of(found.evaluation.frame.days, day)
        keys = found.population.customers[rows]
        keep = self.allowed[keys]
        rows, keys = rows[keep], keys[keep]
        segments = self._coded(found.evaluation.segments.primary, rows, keys)
        leading = _leading(found.evaluation.compiled)
        if leading is None:
            return segments, np.full(self.size, NOBODY)
        return segments, self._coded(found.evaluation.scores[leading].band, rows, keys)

    def _coded(self, column: Column, rows: Ints, keys: Ints) -> Ints:
        table = np.array([self.codes.setdefault(text, len(self.codes)) for text in column.texts], dtype=np.int64)
        out = np.full(self.size, NOBODY)
        values = column.values[rows]
        known = ~np.isnan(values)
        out[keys[known]] = table[values[known].astype(np.int64)]
        return out


class _Counter:
    """The tasks that one model opens: entries into a primary segment that has one."""

    def __init__(self, model: Model, size: int, codes: dict[str, int]) -> None:
        self.model, self.codes = model, codes
        self.previous: Ints = np.full(size, NOBODY)
        self.plays = list(dict.fromkeys(s.task.play for s in model.segments.values() if s.task is not None))
        self._last = {play: np.full(size, _NEVER) for play in self.plays}
        self._play_of: Ints = np.zeros(0, np.int64)
        self._pause: Ints = np.zeros(0, np.int64)

    def count(self, day: int, now: Ints) -> tuple[dict[str, int], int]:
        """How many tasks of each play open, and how many customers change segment from the day before."""
        self._learn()
        entered = np.flatnonzero((now != self.previous) & (now != NOBODY))
        moved = int(((self.previous[entered]) != NOBODY).sum())
        plays, earlier = self._play_of[now[entered]], self._play_of[self.previous[entered]]
        fresh = (plays != NOBODY) & (plays != earlier)
        entered, plays, pauses = entered[fresh], plays[fresh], self._pause[now[entered]][fresh]
        opened = {self.plays[i]: self._open(i, day, entered[plays == i], pauses[plays == i]) for i in np.unique(plays)}
        return opened, moved

    def _open(self, play: int, day: int, customers: Ints, pauses: Ints) -> int:
        name = self.plays[play]
        due: Bools = day - self._last[name][customers] >= pauses
        self._last[name][customers[due]] = day
        return int(due.sum())

    def _learn(self) -> None:
        """The play and the pause of every name seen so far; the last entry stands for nobody."""
        if len(self._play_of) == len(self.codes) + 1:
            return
        tasks = [segment_task(self.model, name) for name in self.codes]
        self._play_of = np.array([NOBODY if t is None else self.plays.index(t.play) for t in tasks] + [NOBODY])
        self._pause = np.array([0 if t is None else t.at_most_once_per_days or 0 for t in tasks] + [0])


def _allowed(engines: Engines, size: int, only: Collection[str] | None) -> Bools:
    allowed = np.full(size, only is None)
    if only is not None:
        wanted, attributes = set(only), engines.before.attributes
        allowed[[int(attributes.customers[row]) for row in attributes.firsts if str(attributes.ids[row]) in wanted]] = (
            True
        )
    return allowed


def _leading(compiled: CompiledModel) -> str | None:
    return compiled.health() or next(iter(compiled.model.scores), None)


def _rows_of(days: Ints, day: int) -> npt.NDArray[np.int64]:
    return np.flatnonzero(days == day)
