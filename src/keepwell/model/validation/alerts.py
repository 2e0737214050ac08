"""Alerts name signals and events that exist, and escalate further than they began."""

from collections.abc import Iterable, Iterator
from string import Formatter
from typing import Final

from keepwell.model.alert_definitions import AlertRule, OnSignal
from keepwell.model.expressions import parse_expression
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.validation.context import Context
from keepwell.model.validation.inference import NUMBER, Kinds
from keepwell.model.yaml_source import KeyPath

TEXTS: Final = ("title", "what", "action")
_ALWAYS: Final = frozenset({"company", "customer_id"})
_EVENT: Final = "event."


def check(context: Context) -> Iterable[Problem]:
    """Unknown signals and placeholders, keys that say nothing, and chains that lead nowhere."""
    for name, rule in context.model.alerts.items():
        path: KeyPath = ("alerts", name)
        yield from _causes(context, rule, path)
        yield from _keys(context, rule, path)
        yield from _chain(context, rule, path)
        yield from _texts(context, rule, path)
        yield from _money(context, rule, path)


def _causes(context: Context, rule: AlertRule, path: KeyPath) -> Iterator[Problem]:
    known = context.names("signals")
    written = context.source.data.get("alerts", {}).get(path[1], {}).get("on")
    for index, cause in enumerate(rule.on):
        place = (*path, "on", index) if isinstance(written, list) else (*path, "on")
        if cause in rule.on[:index]:
            yield context.error(place, "sets it off already")
        elif isinstance(cause, OnSignal) and cause.signal not in known:
            hint = did_you_mean(cause.signal, known)
            yield context.error((*place, "signal"), f"unknown signal '{cause.signal}'{hint}")


def _keys(context: Context, rule: AlertRule, path: KeyPath) -> Iterator[Problem]:
    said = rule.model_fields_set
    if "off_for_days" in said and not any(isinstance(cause, OnSignal) for cause in rule.on):
        yield context.error((*path, "off_for_days"), "'off_for_days' needs a signal in 'on'", key=True)
    if "money_period" in said and rule.money is None:
        yield context.error((*path, "money_period"), "'money_period' needs 'money'", key=True)
    for index, channel in enumerate(rule.notify):
        if channel in rule.notify[:index]:
            yield context.error((*path, "notify", index), f"'{channel}' is named already")
    if rule.escalation and rule.within is None:
        yield context.error((*path, "escalation"), "a chain of people needs a deadline: 'within'", key=True)


def _chain(context: Context, rule: AlertRule, path: KeyPath) -> Iterator[Problem]:
    told = [rule.to]
    for index, rung in enumerate(rule.escalation):
        if rung.to in told:
            yield context.error((*path, "escalation", index, "to"), f"'{rung.to}' was told before")
        told.append(rung.to)


def _texts(context: Context, rule: AlertRule, path: KeyPath) -> Iterator[Problem]:
    known = context.value_names | _ALWAYS
    for key in TEXTS:
        text = getattr(rule, key)
        try:
            names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        except ValueError:
            yield context.error((*path, key), "a brace { or } does not close; a brace as such is written twice")
            continue
        for name in names:
            if name not in known and not name.startswith(_EVENT):
                message = f"unknown placeholder '{{{name}}}'{did_you_mean(name, known)}"
                hint = "" if "did you" in message else "; a property of the event is {event.NAME}"
                yield context.error((*path, key), message + hint, shift=max(0, text.find("{" + name)))


def _money(context: Context, rule: AlertRule, path: KeyPath) -> Iterator[Problem]:
    if rule.money is None:
        return
    found = Kinds(context).of(parse_expression(rule.money)).type
    if found is not None and found is not NUMBER:
        yield context.error((*path, "money"), f"is a {found}; 'money' takes a number")
