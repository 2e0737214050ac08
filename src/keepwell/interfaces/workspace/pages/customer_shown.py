"""What the customer page says of a score, a condition and a change, ready for its templates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from keepwell.evaluation.contributions import Contribution
from keepwell.evaluation.explain import ExplainedScore, ExplainedSegment
from keepwell.evaluation.explained_conditions import UNKNOWN, ExplainedCondition, UnmetTest
from keepwell.interfaces.workspace.templatetags.keepwell import MINUS
from keepwell.model.definitions import Model
from keepwell.model.score_definitions import Component
from keepwell.reporting.reasons import Reasons
from keepwell.reporting.words import label_of, metric_words
from keepwell.services.explaining import Explained

ZERO: Final = Decimal(0)
TENTH: Final = Decimal("0.1")
_WORD: Final = re.compile(r"'[^']*'|[A-Za-z_][A-Za-z_0-9.]*|[<>!]=|<>|(?<![\w)])-?\d+(?:\.\d+)?")
_SIGNS: Final = {"<=": "≤", ">=": "≥", "!=": "≠", "<>": "≠"}


@dataclass(frozen=True)
class Line:
    """One line of a score; `left` and `wide` place its bar, `rest` the points that it could add, in per cent."""

    label: str
    value: str
    note: str
    amount: Decimal
    open: Decimal
    unknown: bool
    left: float = 0.0
    wide: float = 0.0
    rest: float = 0.0


@dataclass(frozen=True)
class Part:
    """A component of a score, with its lines; those in `quiet` gave nothing, and nothing was lost there."""

    total: Line
    lines: tuple[Line, ...]
    quiet: tuple[Line, ...]


@dataclass(frozen=True)
class ScoreShown:
    """A score as a chart of bars with the figures beside them.

    Amounts are tenths, as they are shown; those of `parts` and `others` add up to the score.
    """

    score: ExplainedScore
    risk: bool
    parts: tuple[Part, ...]
    others: tuple[Line, ...]


@dataclass(frozen=True)
class TestShown:
    """A condition in words; `truth` is None when it is unknown. Groups have items."""

    kind: str
    text: str
    truth: bool | None
    values: tuple[tuple[str, str], ...]
    items: tuple["TestShown", ...]


def score_shown(explained: Explained, score: ExplainedScore, currency: str) -> ScoreShown:
    """A score with a bar for each component and measure, all to one scale."""
    definition = explained.compiled.model.scores[score.name]
    words = _Lines(explained, currency)
    parts = []
    for name, component in definition.components.items():
        own = [line for line in score.lines if line.component == name]
        lines = [words.line(component, line) for line in own]
        if lines:
            parts.append((_total(name, component, own, lines), lines))
    scale = max([total.amount + total.open for total, _ in parts], default=ZERO) or Decimal(1)
    low = min([ZERO, *(line.amount for _, lines in parts for line in lines)])
    placed = tuple(_drawn(total, [_placed(line, low, scale) for line in lines], low, scale) for total, lines in parts)
    others = [words.other(line) for line in score.lines if not line.component and line.kind != "rounding"]
    if score.score is not None:
        told = sum((part.total.amount for part in placed), ZERO) + sum((line.amount for line in others), ZERO)
        others.append(Line("Rounding", "", "", Decimal(score.score) - told, ZERO, False))
    return ScoreShown(score, definition.kind == "risk", placed, tuple(line for line in others if line.amount))


def _drawn(total: Line, lines: list[Line], low: Decimal, scale: Decimal) -> Part:
    quiet = tuple(line for line in lines if not (line.amount or line.open or line.unknown))
    return Part(_placed(total, low, scale), tuple(line for line in lines if line not in quiet), quiet)


def _total(name: str, component: Component, own: list[Contribution], lines: list[Line]) -> Line:
    """A component as one line. What starts full can add no more than it lost."""
    amount = sum((line.amount for line in lines), ZERO)
    room = sum((line.open for line in lines), ZERO)
    start = next((line for line in own if line.kind == "start" and line.points), None)
    if start is not None and start.points:
        full = tenths(start.amount * Decimal(repr(component.maximum / start.points)))
        room = min(room, max(full - amount, ZERO))
    unknown = all(line.unknown for line in lines)
    return Line(component.label or label_of(name, None), "", "", amount, room, unknown)


def _placed(line: Line, low: Decimal, scale: Decimal) -> Line:
    span = scale - low
    left = (min(line.amount, ZERO) - low) / span * 100
    wide, rest = abs(line.amount) / span * 100, line.open / span * 100
    if line.amount < 0:
        # What was deducted is what it could add: one bar says both.
        rest = ZERO
    return Line(
        line.label, line.value, line.note, line.amount, line.open, line.unknown, *map(_rounded, (left, wide, rest))
    )


def tenths(amount: Decimal) -> Decimal:
    """Points as they are shown."""
    return amount.quantize(TENTH) + ZERO


def _rounded(share: Decimal) -> float:
    return round(float(share), 2)


class _Lines:
    """Lines of a score in words."""

    def __init__(self, explained: Explained, currency: str) -> None:
        self.explained, self.currency = explained, currency
        self.metrics = explained.compiled.model.metrics

    def line(self, component: Component, line: Contribution) -> Line:
        if line.kind != "measure":
            return self.other(line)
        measure = component.measures[line.measure]
        label = measure.label or label_of(line.metric or line.measure, self.metrics.get(line.metric))
        unknown = line.points is None or line.value == "unknown"
        note = "" if line.quality == "known" else line.quality
        return Line(label, self._value(line), note, tenths(line.amount), tenths(line.open), unknown)

    def other(self, line: Contribution) -> Line:
        label = {"start": "Start", "override": "Set by a rule", "limit": "Limit", "rounding": "Rounding"}[line.kind]
        return Line(label, "", line.reason, tenths(line.amount), ZERO, False)

    def _value(self, line: Contribution) -> str:
        column = self.explained.evaluation.columns.get(line.metric)
        if column is None or not column.known[self.explained.row]:
            return line.value
        return metric_words(column.item(self.explained.row), self.metrics.get(line.metric), self.currency)


def condition_shown(model: Model, condition: ExplainedCondition, currency: str) -> TestShown:
    """A condition with labels for names and the values that decided it."""
    items = tuple(condition_shown(model, item, currency) for item in condition.items)
    own = {name: value for name, value in condition.values.items() if not _repeats(condition, name)}
    return TestShown(
        condition.kind, test_words(model, condition.text), condition.truth, _values_shown(model, own), items
    )


def unmet_shown(model: Model, test: UnmetTest) -> TestShown:
    """A test that stands in the way, with the values that keep it from holding."""
    text = test_words(model, test.text.removesuffix(UNKNOWN))
    return TestShown("test", text, test.truth, _values_shown(model, test.values), ())


def _values_shown(model: Model, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((label_of(name, model.metrics.get(name)), with_minus(value)) for name, value in values.items())


def with_minus(value: str) -> str:
    """A value in words with a minus sign where a number is negative."""
    return f"{MINUS}{value[1:]}" if value[:1] == "-" and value[1:2].isdigit() else value


def _repeats(condition: ExplainedCondition, name: str) -> bool:
    """Whether the test is the bare name, so that its truth is its value."""
    return condition.text == name and condition.truth is not None


def test_words(model: Model, text: str) -> str:
    """A test as people read it: labels for names, settings by value, signs as they are printed."""

    def said(found: re.Match[str]) -> str:
        word = found.group()
        if word in _SIGNS:
            return _SIGNS[word]
        if word[-1].isdigit() and word[0] in "-0123456789":
            return _number(word)
        if word.startswith("'"):
            return f"“{word[1:-1]}”"
        if word.startswith("setting."):
            return _setting(model, word.removeprefix("setting."))
        name = model.segments.get(word) or model.signals.get(word)
        if name is not None:
            return name.label or word
        return label_of(word, model.metrics[word]) if word in model.metrics else _part(model, word)

    return _WORD.sub(said, text)


def _setting(model: Model, name: str) -> str:
    value = model.settings.values.get(name)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return name.replace("_", " ") if value is None else _number(str(value))


def _number(text: str) -> str:
    """A number of a definition with thousands and a minus sign; other texts stay."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    return with_minus(f"{value:,}")


def _part(model: Model, word: str) -> str:
    """A score's part by its label: `health_score` is `Health score`."""
    for name, score in model.scores.items():
        if word.startswith(f"{name}_"):
            return f"{score.label or name} {word.removeprefix(f'{name}_')}"
    return word


def segment_words(model: Model, segment: ExplainedSegment, currency: str) -> TestShown | None:
    """The condition of a segment, None where it has none."""
    return None if segment.condition is None else condition_shown(model, segment.condition, currency)


def reasons_of(explained: Explained, currency: str) -> tuple[str, ...]:
    """The strongest reasons of a customer, in words."""
    reasons = Reasons(explained.compiled.model, explained.evaluation, currency)
    return reasons.of(explained.explanation, explained.row)
