"""Which tasks a customer's situation calls for, by the plays of the model. Arithmetic only: no database, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from keepwell.model.definitions import Model
from keepwell.reporting.scores import AT_RISK_COLORS
from keepwell.reporting.words import action_words
from keepwell.services.team.reasons import Matched, SignalOn, Situation, reasons_in_words, segment_priority

DUE_HOURS: Final = 48
"""When a task is due where the model does not say."""
CLOSE_OF_DAY: Final = time(17)
EXPANSION_EVERY: Final = 90
EXPANSION_PRIORITY: Final = 5
_PRIORITIES: Final = {"critical": 1, "high": 2, "medium": 3}
TROUBLE_COLORS: Final = AT_RISK_COLORS | {"yellow"}
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Wanted:
    """A task that should be there. `conditions` are those that call for it; `hours` None is the next business day."""

    play: str
    kind: str
    title: str
    action: str
    segment: str
    priority: int
    hours: float | None
    reasons: tuple[str, ...]
    conditions: frozenset[str]
    at_most_once_per_days: int | None = None

    def due(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The moment by which it should be done."""
        if self.hours is not None:
            return now + timedelta(hours=self.hours)
        day = now.astimezone(zone).date() + timedelta(days=1)
        while day.weekday() >= _SATURDAY:
            day += timedelta(days=1)
        return datetime.combine(day, CLOSE_OF_DAY, zone)


def wanted_tasks(model: Model, situation: Situation) -> list[Wanted]:
    """What a situation calls for: the primary segment's play, and serious signals that it does not cover.

    While a serious signal is on, nobody is asked to sell or to check in. Where no segment of the model has a play,
    expansion signals call for one, once a quarter.
    """
    found = []
    task = _of_segment(model, situation)
    serious = [signal for signal in situation.signals if _calls(signal, "high")]
    if task is not None and situation.primary is not None:
        covered = [signal for signal in serious if _covers(situation.primary, signal)]
        serious = [signal for signal in serious if signal not in covered]
        if not serious or situation.primary.definition.color in TROUBLE_COLORS:
            found.append(_with_signals(task, covered))
    found += [_of_signal(signal, situation) for signal in serious]
    if not found and not any(segment.task for segment in model.segments.values()):
        found += _of_expansion(situation)
    return found


def wanted_for_new(situation: Situation, new: frozenset[str]) -> list[Wanted]:
    """Tasks for new signals that call for nothing by themselves, while somebody waits for a follow-up."""
    signals = (s for s in situation.signals if s.reason.condition in new and _calls(s, "medium"))
    return [_of_signal(signal, situation) for signal in signals]


def _of_segment(model: Model, situation: Situation) -> Wanted | None:
    primary = situation.primary
    if primary is None or primary.definition.task is None:
        return None
    task = primary.definition.task
    return Wanted(
        play=task.play,
        kind="segment",
        title=task.title,
        action=primary.definition.action,
        segment=primary.name,
        priority=segment_priority(model, primary.key),
        hours=DUE_HOURS if task.due_hours is None else task.due_hours,
        reasons=reasons_in_words(situation),
        conditions=frozenset(reason.condition for reason in primary.reasons),
        at_most_once_per_days=task.at_most_once_per_days,
    )


def _with_signals(task: Wanted, covered: list[SignalOn]) -> Wanted:
    """A segment's task that answers signals, too, asks for what they ask and is due when the most urgent one is."""
    within = [signal.definition.respond_within_hours for signal in covered]
    hours = [float(limit) for limit in within if isinstance(limit, int | float)]
    actions = dict.fromkeys([task.action, *(action_words(signal.definition.action) for signal in covered)])
    return replace(
        task,
        action="; ".join(filter(None, actions)),
        hours=min([*hours, *([task.hours] if task.hours is not None else [])], default=None),
        conditions=task.conditions | {signal.reason.condition for signal in covered},
    )


def _calls(signal: SignalOn, severity: str) -> bool:
    """Whether a signal asks somebody to do something."""
    definition = signal.definition
    return signal.at_least(severity) and bool(definition.action or definition.respond_within_hours is not None)


def _called(signal: SignalOn) -> str:
    """What there is to do, if the model says it in words; else what is going on."""
    action = signal.definition.action
    return action if " " in action else signal.label or action_words(action)


def _covers(primary: Matched, signal: SignalOn) -> bool:
    """The task of a segment in trouble covers every signal, that of another one what is about the same values."""
    about = frozenset().union(*(reason.metrics for reason in primary.reasons))
    same = bool(about & (signal.reason.metrics | {signal.name}))
    return primary.definition.color in AT_RISK_COLORS or (primary.attention and same)


def _of_signal(signal: SignalOn, situation: Situation) -> Wanted:
    definition = signal.definition
    within = definition.respond_within_hours
    words = reasons_in_words(situation)
    first = signal.reason.words
    return Wanted(
        play=signal.name,
        kind="signal",
        title=f"{_called(signal)}: {{company}}",
        action=action_words(definition.action),
        segment=situation.primary.name if situation.primary else "",
        priority=_PRIORITIES.get(definition.severity, EXPANSION_PRIORITY),
        hours=None if within == "next_business_day" else float(within if within is not None else DUE_HOURS),
        reasons=(first, *(text for text in words if text != first)),
        conditions=frozenset({signal.reason.condition}),
    )


def _of_expansion(situation: Situation) -> Iterator[Wanted]:
    for signal in situation.signals:
        if signal.definition.kind == "expansion" and signal.definition.action:
            wanted = _of_signal(signal, situation)
            yield replace(wanted, priority=EXPANSION_PRIORITY, hours=120, at_most_once_per_days=EXPANSION_EVERY)
