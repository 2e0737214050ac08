"""The change ledger: what each metric, missing data and the model itself did to a score, exact to the row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

import numpy as np

from keepwell.evaluation.compiled import CompiledModel
from keepwell.evaluation.contributions import PLACES, decimal
from keepwell.evaluation.given import is_empty, read_column
from keepwell.evaluation.history import HistoryRows
from keepwell.evaluation.missing import metrics_read
from keepwell.evaluation.model_run import Evaluation, evaluate_model
from keepwell.evaluation.words import value_words
from keepwell.metrics.frame import UNKNOWN_FROM, Column, Floats, Frame, Quality, day_number, number_day
from keepwell.model.score_definitions import CarryForward
from keepwell.scoring.scorecards import round_half_up

TIME: Final = "time"
Part = Literal["data", "missing data", "model", "history", "rounding"]


@dataclass(frozen=True)
class Snapshot:
    """One customer on one day: the values its score read, how far they could be trusted, and the shown score."""

    compiled: CompiledModel
    day: date
    values: Mapping[str, object]
    qualities: Mapping[str, Quality]
    score: int | None
    name: str = "health"


@dataclass(frozen=True)
class LedgerEntry:
    """One part of a change. `metric` is empty for the model, history and rounding."""

    part: Part
    metric: str
    before: str
    after: str
    difference: Decimal


@dataclass(frozen=True)
class Ledger:
    """Entries that add up to the difference of two shown scores; `difference` is None when either has no score.

    Then the entries say what the data at hand did to the score that the minimum coverage keeps back.
    """

    before: int | None
    after: int | None
    entries: tuple[LedgerEntry, ...]

    @property
    def difference(self) -> int | None:
        """What changed on the dashboard."""
        return None if self.before is None or self.after is None else self.after - self.before

    def as_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        entries = [{**asdict(entry), "difference": float(entry.difference)} for entry in self.entries]
        return {"before": self.before, "after": self.after, "difference": self.difference, "entries": entries}


def take_snapshot(evaluation: Evaluation, row: int, name: str = "health") -> Snapshot:
    """The snapshot of one row of an evaluation."""
    compiled = evaluation.compiled
    columns = {metric: _as_read(evaluation, metric) for metric in metrics_read(compiled)}
    shown = float(evaluation.scores[name].shown[row])
    return Snapshot(
        compiled=compiled,
        day=number_day(int(evaluation.frame.days[row])),
        values={metric: column.item(row) for metric, column in columns.items()},
        qualities={metric: Quality(int(column.quality[row])) for metric, column in columns.items()},
        score=int(shown) if shown == shown else None,
        name=name,
    )


def change_ledger(old: Snapshot, new: Snapshot) -> Ledger:
    """Explain a score's change: the old day's values are replaced metric by metric, then the day, then the model.

    Steps are taken in the old model's order, so the parts of a change are exact and always the same, though another
    order may share out differently what two metrics did together. Metrics that changed nothing are left out.
    """
    steps = tuple(dict.fromkeys([*metrics_read(old.compiled), *metrics_read(new.compiled)]))
    path = _filled(np.append(_path(old, new, steps), _end(new, steps)))
    exact = [decimal(float(difference)) for difference in np.diff(path)]
    entries = [_data_entry(old, new, metric, amount) for metric, amount in zip(steps, exact, strict=False)]
    entries.append(LedgerEntry("data", TIME, old.day.isoformat(), new.day.isoformat(), exact[-2]))
    entries.append(_plain_entry("model", exact[-1], _version(old), _version(new)))
    total = sum(exact, Decimal(0))
    if old.score is not None and new.score is not None:
        rounded = int(round_half_up(path[-1:])[0]) - int(round_half_up(path[:1])[0])
        entries.append(_plain_entry("history", Decimal(new.score - old.score - rounded)))
        entries.append(_plain_entry("rounding", Decimal(rounded) - total))
    return Ledger(old.score, new.score, tuple(e for e in entries if e.difference))


def _path(old: Snapshot, new: Snapshot, steps: tuple[str, ...]) -> Floats:
    """The raw score of the old model after each step; the last step moves the day."""
    turns = [*range(len(steps)), len(steps), len(steps)]
    columns = {
        name: _stepped(old, new, name, np.array([turn > place for turn in turns]))
        for place, name in enumerate(steps)
        if name in old.compiled.model.metrics
    }
    days = np.full(len(turns), day_number(old.day))
    days[-1] = day_number(new.day)
    return _raw(old.compiled, old.name, days, columns)


def _end(new: Snapshot, steps: tuple[str, ...]) -> Floats:
    known = [name for name in steps if name in new.compiled.model.metrics]
    columns = {name: _stepped(new, new, name, np.ones(1, np.bool_)) for name in known}
    return _raw(new.compiled, new.name, np.full(1, day_number(new.day)), columns)


def _raw(compiled: CompiledModel, name: str, days: np.ndarray[Any, Any], columns: Mapping[str, Column]) -> Floats:
    customers = np.array([str(row) for row in range(len(days))], dtype=object)
    return evaluate_model(compiled, Frame(customers, days, columns)).scores[name].computed


def _stepped(old: Snapshot, new: Snapshot, name: str, moved: np.ndarray[Any, np.dtype[np.bool_]]) -> Column:
    """A metric's column: the old value on the first rows, the new one where the step was taken."""
    metric = old.compiled.model.metrics[name]
    pair, _ = read_column([old.values.get(name), new.values.get(name)], old.compiled.types[name], metric.values)
    states = [_state(side, name) if not pair.known[i] else pair.quality[i] for i, side in enumerate((old, new))]
    return replace(pair, quality=np.array(states, dtype=np.uint8)).take(moved.astype(np.int64))


def _state(side: Snapshot, name: str) -> Quality:
    quality = side.qualities.get(name, Quality.NO_SOURCE)
    return quality if quality >= UNKNOWN_FROM else Quality.NO_SOURCE


def _filled(path: Floats) -> Floats:
    """Where nothing could be computed the score stands still, so that what made it computable gets the difference."""
    known = ~np.isnan(path)
    if not known.any():
        return np.zeros(len(path))
    last = np.maximum.accumulate(np.where(known, np.arange(len(path)), -1))
    return path[np.where(last < 0, int(np.argmax(known)), last)]


def _data_entry(old: Snapshot, new: Snapshot, metric: str, amount: Decimal) -> LedgerEntry:
    before, after = old.values.get(metric), new.values.get(metric)
    part: Part = "data" if is_empty(before) == is_empty(after) else "missing data"
    return LedgerEntry(part, metric, _words(before), _words(after), amount)


def _plain_entry(part: Part, amount: Decimal, before: str = "", after: str = "") -> LedgerEntry:
    return LedgerEntry(part, "", before, after, amount.quantize(PLACES))


def _words(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return value_words(value) if value is None or isinstance(value, bool | float | str | date) else str(value)


def _version(side: Snapshot) -> str:
    return f"{side.compiled.model.model.version} ({side.compiled.loaded.hash[:8]})"


def _as_read(evaluation: Evaluation, metric: str) -> Column:
    """A metric's column with the carrying that its measures ask for."""
    days = [
        measure.missing.carry_forward
        for score in evaluation.compiled.model.scores.values()
        for component in score.components.values()
        for measure in component.measures.values()
        if measure.metric == metric and isinstance(measure.missing, CarryForward)
    ]
    column = evaluation.columns[metric]
    return HistoryRows(evaluation.frame).carried(column, max(days)) if days else column
