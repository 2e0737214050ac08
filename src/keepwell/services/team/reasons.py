"""Why each customer needs somebody: what a published day says of it, condition by condition, in words with values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from string import Formatter
from typing import Final

import numpy as np

from keepwell.evaluation.compiled import CompiledModel
from keepwell.evaluation.conditions import Judge
from keepwell.evaluation.explained_conditions import tree_text
from keepwell.evaluation.model_run import Evaluation
from keepwell.metrics.frame import Bools, Column
from keepwell.model.conditions import ConditionTree, Group, Leaf, condition_names
from keepwell.model.definitions import Model, Segment, Signal
from keepwell.model.expressions import names_in
from keepwell.model.graph import primary_dimension
from keepwell.reporting.reasons import WORST_FIRST, Reasons
from keepwell.reporting.words import label_of, metric_words

RESOLVED_SETTING: Final = "resolved_segment"
HEALTHY: Final = "healthy_stable"
GOOD_COLORS: Final = frozenset({"green", "lime"})


@dataclass(frozen=True)
class Reason:
    """A condition that is true and counts: its lasting name, what it reads, and a sentence with the values."""

    condition: str
    words: str
    metrics: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SignalOn:
    """A signal that is on."""

    name: str
    definition: Signal
    reason: Reason

    @property
    def label(self) -> str:
        """What people call it."""
        return self.definition.label or label_of(self.name, None)

    def at_least(self, severity: str) -> bool:
        """Whether it is a risk or an alert of this severity or a worse one."""
        wrong = self.definition.kind != "expansion"
        return wrong and WORST_FIRST.index(self.definition.severity) <= WORST_FIRST.index(severity)


@dataclass(frozen=True)
class Matched:
    """A segment that a customer is in, and the conditions that put it there."""

    name: str
    key: str
    definition: Segment
    reasons: tuple[Reason, ...]
    attention: bool

    @property
    def label(self) -> str:
        """What people call it."""
        return self.definition.label or label_of(self.name, None)


@dataclass(frozen=True)
class Situation:
    """What a day says of one customer. `true` names every condition that holds, whether it led to something or not."""

    customer_id: str
    primary: Matched | None
    others: tuple[Matched, ...] = ()
    signals: tuple[SignalOn, ...] = ()
    true: frozenset[str] = frozenset()

    def reasons(self) -> Iterator[Reason]:
        """What asks for attention: conditions of the segments that need it, and serious signals."""
        for matched in (self.primary, *self.others):
            if matched is not None and matched.attention:
                yield from matched.reasons
        yield from (signal.reason for signal in self.signals if signal.at_least("medium"))

    def new_since(self, known: Iterable[str]) -> tuple[Reason, ...]:
        """The reasons whose conditions were not true before, each once."""
        before = set(known)
        found: dict[str, Reason] = {}
        for reason in self.reasons():
            if reason.condition not in before:
                found.setdefault(reason.condition, reason)
        return tuple(found.values())


@dataclass(frozen=True)
class _Test:
    """A test of a condition: where it is true, and where it is true and carries the whole."""

    condition: str
    names: tuple[str, ...]
    true: Bools
    carries: Bools


@dataclass(frozen=True)
class _Segment:
    name: str
    definition: Segment
    attention: bool
    tests: tuple[_Test, ...]


class Situations:
    """The situations of all rows of an evaluation that was made with `lean=False`."""

    def __init__(self, evaluation: Evaluation, currency: str) -> None:
        self.evaluation, self.currency = evaluation, currency
        self.model = evaluation.compiled.model
        self.words = Reasons(self.model, self.evaluation, self.currency)
        judge = self.evaluation.judge()
        self._segments = tuple(_segments(self.evaluation, judge))
        conditions = self.evaluation.compiled.conditions
        trees = {signal.name: conditions[signal.definition.when] for signal in self.evaluation.signals}
        self._signals = {
            name: (frozenset(condition_names(tree)), tuple(_tests(judge, tree))) for name, tree in trees.items()
        }

    def of(self, row: int) -> Situation:
        """The situation of one row."""
        primary = self.evaluation.segments.primary.item(row)
        matched = [self._matched(segment, row) for segment in self._segments if self._in(segment, row)]
        first = next((m for m in matched if m.name == primary), None)
        others = tuple(m for m in matched if m is not first and m.attention)
        return Situation(
            str(self.evaluation.frame.customers[row]), first, others, tuple(self._on(row)), self._true(row)
        )

    def title(self, text: str, row: int, company: str) -> str:
        """A task's title with the company and the values of metrics filled in."""
        parts = []
        for before, name, _, _ in Formatter().parse(text):
            parts.append(before)
            if name is not None:
                parts.append(company if name == "company" else self._value(name, row))
        return "".join(parts)

    def _value(self, name: str, row: int) -> str:
        column = self.evaluation.columns.get(name)
        value = None if column is None else column.item(row)
        return metric_words(value, self.model.metrics.get(name), self.currency, units=False)

    def _in(self, segment: _Segment, row: int) -> bool:
        return bool(self.evaluation.segments.member(segment.name).item(row))

    def _matched(self, segment: _Segment, row: int) -> Matched:
        shown = next(s for s in self.evaluation.segments.segments if s.name == segment.name).shown(row)
        reasons = tuple(self._reason(test, row) for test in segment.tests if test.carries[row])
        return Matched(shown, segment.name, segment.definition, reasons, segment.attention)

    def _reason(self, test: _Test, row: int) -> Reason:
        words = self.words.said_all(test.names, row) or self._scored(test.names, row)
        return Reason(test.condition, words, frozenset(test.names))

    def _scored(self, names: Iterable[str], row: int) -> str:
        """The scores of a test that reads nothing else, by their shown values."""
        said = {name: f"{score.label or label_of(name, None)} is " for name, score in self.model.scores.items()}
        read = (name for name in said if {f"{name}_{part}" for part in ("score", "band")} & set(names))
        return ", ".join(said[name] + self._value(f"{name}_score", row) for name in read)

    def _on(self, row: int) -> Iterator[SignalOn]:
        for signal in self.evaluation.signals:
            if signal.matches[row]:
                metrics, _ = self._signals[signal.name]
                words = _sentence(self.words.signal(signal.name, row))
                yield SignalOn(signal.name, signal.definition, Reason(signal_condition(signal.name), words, metrics))

    def _true(self, row: int) -> frozenset[str]:
        tests = (test for segment in self._segments for test in segment.tests)
        of_signals = (test for _, signal_tests in self._signals.values() for test in signal_tests)
        held = {test.condition for test in (*tests, *of_signals) if test.true[row]}
        return frozenset(held | {signal_condition(s.name) for s in self.evaluation.signals if s.matches[row]})


def signal_condition(name: str) -> str:
    """The lasting name of a signal that is on; the same words as where a condition names the signal."""
    return f"signal '{name}' is on"


def resolved_segment(model: Model) -> str:
    """The segment in which a customer is shown while somebody's word holds that it is resolved; empty if none fits."""
    named = model.settings.values.get(RESOLVED_SETTING)
    if isinstance(named, str) and named in model.segments:
        return named
    if HEALTHY in model.segments:
        return HEALTHY
    dimension = primary_dimension(model.segments.values())
    good = (n for n, s in model.segments.items() if s.dimension == dimension and s.color in GOOD_COLORS)
    return next(reversed([name for name in good if not model.segments[name].catch_all]), "")


def segment_priority(model: Model, name: str) -> int:
    """Where a segment's tasks stand in the queue: its priority, or its place in the model."""
    definition = model.segments[name]
    return definition.priority or list(model.segments).index(name) + 1


def _segments(evaluation: Evaluation, judge: Judge) -> Iterator[_Segment]:
    compiled, resolved, passed = evaluation.compiled, resolved_segment(evaluation.compiled.model), False
    dimension = primary_dimension(compiled.model.segments.values())
    for segment in evaluation.segments.segments:
        definition = segment.definition
        if definition.dimension != dimension:
            continue
        passed = passed or segment.name == resolved
        attention = not passed and not definition.catch_all
        yield _Segment(segment.name, definition, attention, tuple(_segment_tests(compiled, judge, definition)))


def _segment_tests(compiled: CompiledModel, judge: Judge, definition: Segment) -> Iterator[_Test]:
    if definition.when is not None:
        yield from _tests(judge, compiled.conditions[definition.when])


def _tests(judge: Judge, tree: ConditionTree, under: Bools | None = None) -> Iterator[_Test]:
    """Every test of a condition; what is under a `not` counts as one."""
    true = _held(judge.truth(tree))
    carries = true if under is None else true & under
    if isinstance(tree, Group) and tree.kind != "not":
        for item in tree.items:
            yield from _tests(judge, item, carries)
        return
    names = tuple(names_in(tree.expression)) if isinstance(tree, Leaf) else ()
    yield _Test(tree_text(tree), names, true, carries)


def _held(column: Column) -> Bools:
    found: Bools = column.known & np.where(column.known, column.values != 0.0, False)
    return found


def _sentence(text: str) -> str:
    return text.rstrip(".")


def reasons_in_words(situation: Situation, *, also: bool = True) -> tuple[str, ...]:
    """Sentences for a task card, each metric spoken of once: the segment's, the signals', then other segments'.

    Where there is nothing to say in values, the segment's description says what it is about.
    """
    spoken: set[str] = set()
    found: list[str] = []

    def say(reasons: Iterable[Reason], before: str = "") -> None:
        fresh = [r for r in reasons if r.words and not (r.metrics and r.metrics <= spoken)]
        spoken.update(*(r.metrics for r in fresh))
        if before and fresh:
            found.append(before + ", ".join(r.words for r in fresh))
        elif not before:
            found.extend(r.words for r in fresh if r.words not in found)

    if situation.primary is not None:
        say(situation.primary.reasons)
    say(signal.reason for signal in situation.signals if signal.at_least("low"))
    for other in situation.others if also else ():
        say(other.reasons, f"Also {other.label}: ")
    if not found and situation.primary is not None and situation.primary.definition.description:
        found.append(_sentence(situation.primary.definition.description))
    return tuple(found)
