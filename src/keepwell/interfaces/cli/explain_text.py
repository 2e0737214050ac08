"""An explanation as lines of text."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from keepwell.evaluation.contributions import Contribution
from keepwell.evaluation.explain import ExplainedScore, ExplainedSegment, ExplainedSignal
from keepwell.evaluation.explained_conditions import ExplainedCondition
from keepwell.model.words import counted
from keepwell.services.explaining import Changed, Explained

_MARKS: Final = {True: "yes", False: "no", None: "?"}


def explanation_lines(explained: Explained) -> Iterator[str]:
    """Everything about one customer on one date, for people."""
    explanation, model = explained.explanation, explained.compiled.model.model
    yield f"{explained.name} ({explanation.customer_id}) as of {explanation.as_of}, {model.name} {model.version}"
    for score in explanation.scores:
        yield ""
        yield from _score(score)
    yield ""
    yield f"Segment: {explanation.primary or 'none'}"
    for segment in explanation.segments:
        if segment.member:
            yield from _segment(segment)
    if explanation.nearest is not None:
        tests = (f"{test.text}{_values(test.values)}" for test in explanation.nearest.unmet_tests)
        yield f"  not in {explanation.nearest.name}: {'; '.join(tests)}"
    yield from _signals([signal for signal in explanation.signals if signal.on])
    if explanation.missing:
        yield ""
        yield "Missing:"
        yield from (f"  {name}: {why}" for name, why in explanation.missing.items())


def change_lines(changed: Changed, explained: Explained) -> Iterator[str]:
    """What is different from an earlier date, for people."""
    yield ""
    yield f"Since {changed.since}:"
    if changed.ledger is not None:
        ledger = changed.ledger
        yield f"  score {_shown(ledger.before)} -> {_shown(ledger.after)}"
        for entry in ledger.entries:
            what = f"{entry.metric} {entry.before} -> {entry.after}" if entry.metric else entry.part
            yield f"  {_signed(entry.difference)}  {what}" + (f" ({entry.part})" if entry.metric else "")
        if ledger.difference is not None:
            yield f"  {_signed(Decimal(ledger.difference))}  in total"
    before, after = changed.segments
    if before != after:
        yield f"  segment {before or 'none'} -> {after or 'none'}"
    yield from (f"  signal on: {name}" for name in changed.signals_on)
    yield from (f"  signal off: {name}" for name in changed.signals_off)
    listed = {entry.metric for entry in changed.ledger.entries} if changed.ledger else set()
    others = [change for change in changed.metrics if change.metric not in listed]
    if others:
        yield "  also changed, without an effect on the score:" if changed.ledger else "  metrics that changed:"
        yield from (f"    {change.metric}: {change.before} -> {change.after}" for change in others)


def _score(score: ExplainedScore) -> Iterator[str]:
    coverage = f"{score.coverage:.0%} of its weight has data"
    yield f"{score.label}: {_shown(score.score)} {score.band} ({coverage})"
    component = ""
    for line in score.lines:
        if line.component != component:
            component = line.component
            total = sum((one.amount for one in score.lines if one.component == component), Decimal(0))
            if component:
                yield f"  {_signed(total)}  {component}"
        yield f"  {'  ' if component else ''}{_signed(line.amount)}  {_what(line)}"
    if score.lines:
        yield f"  {_signed(score.total)}  in total"
    if score.ahead is not None:
        movers = ", ".join(f"{mover.measure} ({mover.points:.1f})" for mover in score.ahead.movers)
        yield f"  {score.ahead.band} from {score.ahead.needs}: {counted(score.ahead.points, 'point')} to go" + (
            f"; most to move: {movers}" if movers else ""
        )


def _what(line: Contribution) -> str:
    if line.kind != "measure":
        return f"{line.kind}: {line.reason}" if line.reason else line.kind
    value = f" = {line.value}" if line.value else ""
    why = line.reason or ("" if line.quality == "known" else line.quality)
    return f"{line.measure}{value}" + (f"  ({why})" if why else "")


def _segment(segment: ExplainedSegment) -> Iterator[str]:
    yield f"  in {segment.name}" + (" (primary)" if segment.primary else "")
    if segment.condition is not None:
        yield from _tests(segment.condition, 4)


def _signals(signals: list[ExplainedSignal]) -> Iterator[str]:
    yield ""
    yield "Signals:" if signals else "Signals: none"
    for signal in signals:
        value = "" if signal.value is None else f", {signal.value:,.2f} per {signal.value_period}"
        yield f"  {signal.label} ({signal.kind}, {signal.severity}{value}): {signal.action}"
        yield from _tests(signal.condition, 4)


def _tests(condition: ExplainedCondition, indent: int) -> Iterator[str]:
    space = " " * indent
    if condition.kind != "test":
        if len(condition.items) > 1 or condition.kind == "not":
            yield f"{space}{_MARKS[condition.truth]}: {condition.kind} of" if condition.kind != "not" else f"{space}not"
            indent += 2
        for item in condition.items:
            yield from _tests(item, indent)
        return
    yield f"{space}{_MARKS[condition.truth]}: {condition.text}{_values(condition.values)}"


def _values(values: Mapping[str, str]) -> str:
    """The values that decided a test, in brackets after it."""
    return f"  [{', '.join(f'{name} = {value}' for name, value in values.items())}]" if values else ""


def _signed(amount: Decimal) -> str:
    return f"{amount:+9.4f}"


def _shown(score: int | None) -> str:
    return "no score" if score is None else str(score)
