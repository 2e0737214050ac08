"""What playbooks name exists: signals, segments, scores, dates, messages, steps and other playbooks."""

from collections.abc import Iterable, Iterator

from keepwell.model.base import Strict
from keepwell.model.behaviour_definitions import BehaviourDefinition
from keepwell.model.condition_definitions import HeldFor, InSegment, Moved
from keepwell.model.conditions import simple_conditions
from keepwell.model.expression_tree import Call, walk
from keepwell.model.expressions import parse_expression
from keepwell.model.metric_definitions import MetricType
from keepwell.model.playbook_definitions import (
    DateTrigger,
    EnteredTrigger,
    LeftTrigger,
    Playbook,
    ScoreTrigger,
    SignalTrigger,
)
from keepwell.model.playbook_parts import message_of, playbook_conditions, step_names, ways
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.step_definitions import END, OfferStep, StartStep
from keepwell.model.validation.context import Context
from keepwell.model.validation.inference import Kinds
from keepwell.model.yaml_source import KeyPath


def check(context: Context) -> Iterable[Problem]:
    """Names that are not there, each with the nearest that is."""
    for name, playbook in context.model.playbooks.items():
        path: KeyPath = ("playbooks", name)
        yield from _trigger(context, playbook, (*path, "trigger"))
        yield from _stops(context, playbook, path)
        yield from _steps(context, playbook, path)
    yield from _conditions(context)


def _trigger(context: Context, playbook: Playbook, path: KeyPath) -> Iterator[Problem]:
    trigger = playbook.trigger
    match trigger:
        case SignalTrigger():
            yield from _known(context, (*path, "signal"), trigger.signal, "signal", context.names("signals"))
        case EnteredTrigger():
            yield from _segment(context, (*path, "segment_entered"), trigger.segment_entered)
        case LeftTrigger():
            yield from _segment(context, (*path, "segment_left"), trigger.segment_left)
        case ScoreTrigger():
            yield from _known(context, (*path, "score"), trigger.score, "score", context.names("scores"))
        case DateTrigger():
            yield from _date(context, (*path, "date"), trigger.date)


def _date(context: Context, path: KeyPath, name: str) -> Iterator[Problem]:
    problems = list(_known(context, path, name, "metric", context.names("metrics")))
    yield from problems
    if not problems and name in context.model.metrics:
        found = Kinds(context).of(parse_expression(name)).type
        if found is not None and found is not MetricType.DATE:
            yield context.error(path, f"'{name}' is a {found}; 'date' takes a date")


def _stops(context: Context, playbook: Playbook, path: KeyPath) -> Iterator[Problem]:
    needs: dict[str, type[Strict]] = {"signal_off": SignalTrigger, "segment_left": EnteredTrigger}
    for index, stop in enumerate(playbook.stop_on):
        kind = needs.get(stop)
        if kind is not None and not isinstance(playbook.trigger, kind):
            key = "signal" if stop == "signal_off" else "segment_entered"
            yield context.error((*path, "stop_on", index), f"'{stop}' needs a trigger with '{key}'")


def _steps(context: Context, playbook: Playbook, path: KeyPath) -> Iterator[Problem]:
    names = step_names(playbook)
    for index, step in enumerate(playbook.steps):
        place: KeyPath = (*path, "steps", index)
        if names[index] in (*names[:index], END):
            why = f"'{END}' is what ends a playbook" if names[index] == END else f"duplicate step '{names[index]}'"
            yield context.error((*place, "name"), why)
        for way in ways(playbook, index):
            if way.path:
                yield from _known(context, (*place, *way.path), way.to, "step", (*names, END))
        if isinstance(step, StartStep):
            yield from _known(context, (*place, "start"), step.start, "playbook", context.names("playbooks"))
        sent = message_of(step)
        if sent is not None:
            yield from _message(context, (*place, sent[0]), sent)
        if isinstance(step, OfferStep):
            yield from _offer(context, step, (*place, "offer"))


def _message(context: Context, path: KeyPath, sent: tuple[str, str]) -> Iterator[Problem]:
    key, name = sent
    if name not in context.names("messages"):
        hint = did_you_mean(name, context.names("messages"))
        yield context.error(path, f"there is no message '{name}' (messages/{name}.md){hint}")
        return
    message = context.model.messages.get(name)
    if message is not None and key in ("email", "in_app") and message.channel != key:
        yield context.error(path, f"message '{name}' is written for {message.channel}, not for {key}")


def _offer(context: Context, step: OfferStep, path: KeyPath) -> Iterator[Problem]:
    needs = {"pause": "months", "discount": "percent", "free_months": "months", "free_sessions": "sessions"}
    key = needs.get(step.offer.kind, "days" if step.offer.kind == "trial" else None)
    if key is not None and getattr(step.offer, key) is None:
        yield context.error(path, f"an offer of kind {step.offer.kind} needs '{key}'", key=True)
    if step.offer.kind == "pause" and (step.offer.months or 0) > 3:
        yield context.error((*path, "months"), "a pause is at most 3 months")


def _conditions(context: Context) -> Iterator[Problem]:
    """A step looks at the customer as of that moment: what needs earlier days belongs into a signal or a segment."""
    for path, condition in playbook_conditions(context.model):
        for place, part in simple_conditions(condition, path):
            if isinstance(part, InSegment):
                yield from _segment(context, (*place, "segment"), part.segment)
            elif isinstance(part, Moved | HeldFor | BehaviourDefinition) or _looks_back(part):
                yield context.error(place, "a playbook sees one moment; make this a signal and name the signal here")


def _looks_back(part: object) -> bool:
    if not isinstance(part, str):
        return False
    return any(isinstance(node, Call) and node.function == "before" for node in walk(parse_expression(part)))


def _segment(context: Context, path: KeyPath, name: str) -> Iterator[Problem]:
    by = [key for key, segment in context.model.segments.items() if segment.by is not None]
    if not any(name.startswith(f"{key}: ") for key in by):
        yield from _known(context, path, name, "segment", context.names("segments"))


def _known(context: Context, path: KeyPath, name: str, what: str, known: tuple[str, ...]) -> Iterator[Problem]:
    if name not in known:
        yield context.error(path, f"unknown {what} '{name}'{did_you_mean(name, known)}")
