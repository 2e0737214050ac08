"""Figures of one day under two models: who moves, what it is worth, which tasks it would open."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from keepwell.metrics.frame import Bools, Floats
from keepwell.model.definitions import Model, Signal, Task
from keepwell.model.graph import segment_key
from keepwell.model.score_definitions import Score
from keepwell.reporting.condition_words import ConditionWords
from keepwell.reporting.reading import Values
from keepwell.services.planning.figures import (
    BUCKET,
    SHIFTS,
    ArrAffected,
    Bucket,
    ChangedCustomer,
    Direction,
    Move,
    NamedCount,
    ScoreShift,
    ShiftBucket,
    SignalShift,
    TaskOpening,
)
from keepwell.services.planning.sides import Ranks, Sides

TOP: Final = 20
_FULL: Final = 100
_PLACES: Final = 2


class Comparison:
    """Two models on the same customers of one day."""

    def __init__(self, sides: Sides) -> None:
        self.sides = sides
        self.ranks = Ranks(sides.before.compiled, sides.after.compiled)
        self.segments = (sides.before.segment(), sides.after.segment())
        self.names = (sides.before.leading(), sides.after.leading())
        self.bands = (self._band(0), self._band(1))
        self.moved_segment: Bools = self.segments[0] != self.segments[1]
        self.moved_band: Bools = (
            self.bands[0] != self.bands[1] if all(self.names) else np.zeros(len(sides.ids), np.bool_)
        )
        self.moved: Bools = self.moved_segment | self.moved_band
        self.directions = {row: self._direction(row) for row in np.flatnonzero(self.moved).tolist()}

    def scores(self) -> tuple[ScoreShift, ...]:
        """Every score that both models have."""
        before, after = self.sides.before.compiled.model.scores, self.sides.after.compiled.model.scores
        return tuple(self._score(name, before[name], after[name]) for name in after if name in before)

    def segment_moves(self) -> tuple[Move, ...]:
        """Who changes the primary segment."""
        return moves(*self.segments, self.sides.arr, self.ranks.of_segments)

    def segment_counts(self) -> tuple[NamedCount, ...]:
        """The primary segments, in the new model's order."""
        listed = [*self.sides.after.compiled.model.segments, *self.sides.before.compiled.model.segments]
        return counts(*self.segments, listed)

    def arr(self) -> ArrAffected:
        """What the customers who change are worth, each counted once."""
        rows: dict[Direction, list[int]] = {"up": [], "down": [], "lateral": []}
        for row, direction in self.directions.items():
            rows[direction].append(row)
        up, down, lateral = (total(self.sides.arr[found]) for found in rows.values())
        everyone = total(self.sides.arr[sorted(self.directions)])
        return ArrAffected(up, down, lateral, everyone, len(rows["up"]), len(rows["down"]), len(rows["lateral"]))

    def signals(self) -> tuple[SignalShift, ...]:
        """Every signal of either model."""
        before, after = self.sides.before.compiled.model.signals, self.sides.after.compiled.model.signals
        return tuple(self._signal(name, signal) for name, signal in {**before, **after}.items())

    def tasks(self) -> tuple[TaskOpening, ...]:
        """Tasks that a change of segment, or a signal that goes on, would open; most first."""
        found = [*self._segment_tasks(), *self._signal_tasks()]
        return tuple(sorted(found, key=lambda task: (-task.customers, task.kind, task.name)))

    def top(self) -> tuple[ChangedCustomer, ...]:
        """The customers who change, those with the most revenue first; the direction decides nothing."""
        arr = self.sides.arr

        def order(row: int) -> tuple[float, float, str]:
            return (-arr[row] if arr[row] == arr[row] else math.inf, -abs(self._shift(row)), self.sides.ids[row])

        return tuple(self._changed(row) for row in sorted(self.directions, key=order)[:TOP])

    def _band(self, side: int) -> Values:
        name = self.names[side]
        found = (self.sides.before, self.sides.after)[side]
        return np.full(len(self.sides.ids), "", dtype=object) if name is None else found.band(name)

    def _direction(self, row: int) -> Direction:
        """By the band where it changes, else by the segment."""
        name = self.names[1]
        if name is not None and self.moved_band[row]:
            found = self.ranks.of_bands(name, self.bands[0][row], self.bands[1][row])
            if found != "lateral":
                return found
        if self.moved_segment[row]:
            return self.ranks.of_segments(self.segments[0][row], self.segments[1][row])
        return "lateral"

    def _score(self, name: str, old: Score, new: Score) -> ScoreShift:
        before, after = self.sides.before, self.sides.after
        bands = before.band(name), after.band(name)
        shown = before.score(name), after.score(name)
        listed = [band.name for band in (*new.bands, *old.bands)]
        return ScoreShift(
            name=name,
            label=new.label or name,
            kind=new.kind,
            bands=moves(*bands, self.sides.arr, lambda a, b: self.ranks.of_bands(name, a, b)),
            band_counts=counts(*bands, listed),
            histogram=histogram(*shown),
            shifts=shift_buckets(shown[1] - shown[0]),
            mean_before=mean(shown[0]),
            mean_after=mean(shown[1]),
            unknown_before=int(np.isnan(shown[0]).sum()),
            unknown_after=int(np.isnan(shown[1]).sum()),
            coverage_before=mean(before.coverage(name), 4),
            coverage_after=mean(after.coverage(name), 4),
        )

    def _signal(self, name: str, signal: Signal) -> SignalShift:
        old, new = self.sides.before.signal(name), self.sides.after.signal(name)
        on, off = int((new & ~old).sum()), int((old & ~new).sum())
        return SignalShift(name, signal.label or name, int(old.sum()), int(new.sum()), on, off)

    def _segment_tasks(self) -> Iterator[TaskOpening]:
        models = self.sides.before.compiled.model, self.sides.after.compiled.model
        opened: dict[str, list[int]] = defaultdict(list)
        for row in np.flatnonzero(self.moved_segment).tolist():
            old = segment_task(models[0], self.segments[0][row])
            new = segment_task(models[1], self.segments[1][row])
            if new is not None and (old is None or old.play != new.play):
                opened[self.segments[1][row]].append(row)
        for name, rows in opened.items():
            segment = models[1].segments[str(segment_key(models[1], name))]
            if segment.task is not None:
                label = segment.label if segment.label and segment.by is None else name
                title = ConditionWords(models[1]).title(segment.task.title)
                arr = total(self.sides.arr[rows])
                yield TaskOpening("segment", name, label, segment.task.play, title, len(rows), arr)

    def _signal_tasks(self) -> Iterator[TaskOpening]:
        for name, signal in self.sides.after.compiled.model.signals.items():
            new = np.flatnonzero(self.sides.after.signal(name) & ~self.sides.before.signal(name))
            if len(new) and signal.action:
                arr = total(self.sides.arr[new])
                yield TaskOpening("signal", name, signal.label or name, "", signal.action, len(new), arr)

    def _shift(self, row: int) -> float:
        scores = [self._shown(side, row) for side in (0, 1)]
        return 0.0 if None in scores else float((scores[1] or 0) - (scores[0] or 0))

    def _shown(self, side: int, row: int) -> int | None:
        name, found = self.names[side], (self.sides.before, self.sides.after)[side]
        place = found.rows[row]
        value = float("nan") if name is None or place < 0 else float(found.evaluation.scores[name].shown[place])
        return int(value) if value == value else None

    def _changed(self, row: int) -> ChangedCustomer:
        arr = float(self.sides.arr[row])
        return ChangedCustomer(
            customer_id=self.sides.ids[row],
            name=self.sides.names[row],
            owner_email=self.sides.owners[row],
            arr=arr if arr == arr else None,
            score_before=self._shown(0, row),
            score_after=self._shown(1, row),
            band_before=self.bands[0][row],
            band_after=self.bands[1][row],
            segment_before=self.segments[0][row],
            segment_after=self.segments[1][row],
            direction=self.directions[row],
        )


def segment_task(model: Model, name: str) -> Task | None:
    """The task of a segment by its shown name."""
    key = segment_key(model, name)
    return None if key is None else model.segments[key].task


def moves(before: Values, after: Values, arr: Floats, direction: Callable[[str, str], Direction]) -> tuple[Move, ...]:
    """Changes from one name to another, the most frequent first."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in np.flatnonzero(before != after).tolist():
        found[before[row], after[row]].append(row)
    listed = [Move(a, b, direction(a, b), len(rows), total(arr[rows])) for (a, b), rows in found.items()]
    return tuple(sorted(listed, key=lambda move: (-move.customers, move.before, move.after)))


def counts(before: Values, after: Values, order: Iterable[str]) -> tuple[NamedCount, ...]:
    """How many have each name, in the given order, then whatever else occurs."""
    found: list[dict[str, int]] = []
    for values in (before, after):
        names, numbers = np.unique(values.astype(str), return_counts=True)
        found.append(dict(zip(names.tolist(), numbers.tolist(), strict=True)))
    listed = dict.fromkeys([*order, *sorted({*found[0], *found[1]})])
    rows = (NamedCount(name, found[0].get(name, 0), found[1].get(name, 0)) for name in listed)
    return tuple(row for row in rows if row.before or row.after)


def histogram(before: Floats, after: Floats) -> tuple[Bucket, ...]:
    """Scores in steps of ten; the last step takes the full hundred in."""
    starts = range(0, _FULL, BUCKET)
    placed = [np.bincount(_place(values), minlength=len(starts)) for values in (before, after)]
    return tuple(
        Bucket(low, _FULL if low + BUCKET == _FULL else low + BUCKET - 1, int(placed[0][i]), int(placed[1][i]))
        for i, low in enumerate(starts)
    )


def _place(values: Floats) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    known = values[~np.isnan(values)]
    return np.clip(known // BUCKET, 0, _FULL // BUCKET - 1).astype(np.int64)


def shift_buckets(shifts: Floats) -> tuple[ShiftBucket, ...]:
    """How many change by how much; customers without a score before or after are left out."""
    known = shifts[~np.isnan(shifts)]
    bounds: Sequence[tuple[int | None, int | None]] = SHIFTS
    return tuple(ShiftBucket(low, high, int(_within(known, low, high).sum())) for low, high in bounds)


def _within(values: Floats, low: int | None, high: int | None) -> Bools:
    found: Bools = (values >= (-np.inf if low is None else low)) & (values <= (np.inf if high is None else high))
    return found


def mean(values: Floats, places: int = _PLACES) -> float | None:
    """The mean of what is known."""
    known = values[~np.isnan(values)]
    return round(math.fsum(known.tolist()) / len(known), places) if len(known) else None


def total(amounts: Floats) -> float:
    """A sum of money that does not depend on the order; what is unknown adds nothing."""
    return round(math.fsum(a for a in amounts.tolist() if a == a), _PLACES)
