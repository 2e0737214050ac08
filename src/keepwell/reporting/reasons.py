"""Why a customer is at risk, in words with the values: signals, the tests of its segment, and lost points."""

from collections.abc import Iterable, Iterator, Mapping
from string import Formatter
from typing import Final

from keepwell.evaluation.contributions import Contribution
from keepwell.evaluation.explain import ExplainedScore, Explanation
from keepwell.evaluation.explained_conditions import ExplainedCondition
from keepwell.evaluation.model_run import Evaluation
from keepwell.model.conditions import Leaf, condition_leaves
from keepwell.model.definitions import Model
from keepwell.model.expressions import names_in
from keepwell.model.graph import SCORE_PARTS
from keepwell.model.words import after_number, counted
from keepwell.reporting.scores import AT_RISK_COLORS
from keepwell.reporting.words import label_of, metric_words

MOST: Final = 4
WORTH_SAYING: Final = 3
RENEWAL: Final = "days_to_renewal"
SOON: Final = 90
WORST_FIRST: Final = ("critical", "high", "medium", "low", "info")
Reason = tuple[str, frozenset[str]]


class Reasons:
    """Words for one evaluated model. A reason is a text and the metrics it speaks of."""

    def __init__(self, model: Model, evaluation: Evaluation, currency: str) -> None:
        self.model, self.evaluation, self.currency = model, evaluation, currency
        self.signals = evaluation.compiled.signals()
        self.parts = frozenset(f"{name}_{part}" for name in model.scores for part in SCORE_PARTS)

    def of(self, explanation: Explanation, row: int, limit: int = MOST) -> tuple[str, ...]:
        """The strongest reasons of one customer, each metric spoken of once."""
        found: list[str] = []
        spoken: set[str] = set()
        for text, metrics in self._all(explanation, row):
            if text not in found and not (metrics and metrics <= spoken):
                found.append(text)
                spoken |= metrics
        return tuple(found[:limit])

    def signal(self, name: str, row: int) -> str:
        """The reason of a signal, filled in; its label where it has none."""
        signal = self.model.signals[name]
        return filled(signal.reason, _Lazy(self, row)) if signal.reason else signal.label or name

    def _all(self, explanation: Explanation, row: int) -> Iterator[Reason]:
        on = [s for s in explanation.signals if s.on and s.kind != "expansion"]
        said = [(self.read_by(s.name), s) for s in sorted(on, key=lambda s: WORST_FIRST.index(s.severity))]
        yield from ((self.signal(signal.name, row), names) for names, signal in said if not names <= self.parts)
        yield from self._segment(explanation, row)
        for score in explanation.scores:
            yield from self._points(score, row)
        # That a score is bad is the last reason to give: it is made of the others.
        yield from ((self.signal(signal.name, row), names) for names, signal in said if names <= self.parts)

    def _segment(self, explanation: Explanation, row: int) -> Iterator[Reason]:
        for segment in explanation.segments:
            definition = self.model.segments.get(segment.name)
            if segment.member and segment.condition and definition and definition.color in AT_RISK_COLORS:
                for test in _held(segment.condition):
                    # A test that is a metric of truth explains itself, without a value.
                    names = (test.text,) if test.text in self.model.metrics else tuple(test.values)
                    text = self.said_all(names, row)
                    if text:
                        yield text, frozenset(names)

    def _points(self, score: ExplainedScore, row: int) -> Iterator[Reason]:
        """The measures that cost most: open points of a health score, points of a risk score."""
        risk = score.kind == "risk"
        amounts = {line: line.amount if risk else line.open for line in score.lines if line.kind == "measure"}
        for line in sorted(amounts, key=lambda line: (-amounts[line], line.measure)):
            known = not line.metric or self.evaluation.columns[line.metric].known[row]
            if amounts[line] >= WORTH_SAYING and line.points is not None and known and line.metric not in self.parts:
                yield self.measure(score.name, line, row)

    def measure(self, score: str, line: Contribution, row: int) -> Reason:
        """What a measure says of a row."""
        measure = self.model.scores[score].components[line.component].measures[line.measure]
        name = line.metric
        value = self._value(name, row) if name else line.value
        words = _Lazy(self, row, value=self._value(name, row, units=False) if name else line.value)
        plain = f"{self._label(name)}: {value}" if name else label_of(line.measure, None)
        return filled(measure.reason, words) if measure.reason else plain, frozenset({name} if name else ())

    def said_all(self, names: Iterable[str], row: int) -> str:
        """The values of a test in words; empty where none is worth saying."""
        metrics = (name for name in names if name in self.model.metrics and name not in self.parts)
        return ", ".join(filter(None, (self._said(name, row) for name in metrics)))

    def read_by(self, signal: str) -> frozenset[str]:
        """The names that the condition of a signal reads."""
        leaves = condition_leaves(self.evaluation.compiled.conditions[self.model.signals[signal].when])
        return frozenset(name for leaf in leaves if isinstance(leaf, Leaf) for name in names_in(leaf.expression))

    def _said(self, name: str, row: int) -> str:
        """A value of a test, or why a signal is on; a renewal that is far away is no reason."""
        if name in self.signals:
            return self.signal(name, row) if self.evaluation.columns[name].item(row) else ""
        value = self.evaluation.columns[name].item(row)
        if name == RENEWAL and isinstance(value, float):
            if value > SOON:
                return ""
            days = counted(abs(round(value)), "day")
            return f"Renewal in {days}" if value >= 0 else f"Renewal date passed {days} ago"
        return f"{self._label(name)}: {self._value(name, row)}"

    def _label(self, name: str) -> str:
        return label_of(name, self.model.metrics.get(name))

    def _value(self, name: str, row: int, *, units: bool = True) -> str:
        column = self.evaluation.columns.get(name)
        value = None if column is None else column.item(row)
        return metric_words(value, self.model.metrics.get(name), self.currency, units=units)


class _Lazy(dict[str, str]):
    """Values in words, made when a text asks for them."""

    def __init__(self, reasons: Reasons, row: int, **more: str) -> None:
        super().__init__(more)
        self.reasons, self.row = reasons, row

    def __missing__(self, name: str) -> str:
        return self.reasons._value(name, self.row, units=False)


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text with its {placeholders} filled in; nothing but plain names is looked up."""
    parts, last = [], ""
    for before, name, _, _ in Formatter().parse(text):
        following, last = after_number(last, before), "" if name is None else words[name]
        parts += [following, last]
    return "".join(parts)


def _held(condition: ExplainedCondition) -> Iterator[ExplainedCondition]:
    """The tests that are true and carry the condition; what is under a `not` carries nothing that can be shown."""
    if not condition.truth or condition.kind == "not":
        return
    if condition.kind == "test":
        yield condition
    for item in condition.items:
        yield from _held(item)
