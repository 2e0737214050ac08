"""Definitions of criteria turned into the one shape that is evaluated and put into words."""

from functools import singledispatch
from typing import Any, cast

from keepwell.model import behaviour_definitions as behaviours
from keepwell.model import criteria_definitions as definitions
from keepwell.model import property_definitions as properties
from keepwell.model.base import Strict
from keepwell.model.criteria_tree import (
    AnyItem,
    Behaviour,
    Comparison,
    Counted,
    Criteria,
    Everyone,
    FirstTime,
    Group,
    Happening,
    HeldFor,
    InSegment,
    InSequence,
    LastEvent,
    Listed,
    OneOf,
    Path,
    PropertyTest,
    Regularly,
    Restarted,
    Stopped,
    Values,
)
from keepwell.model.property_text import property_text
from keepwell.model.spans import compared_length, count_of, is_moment, length_us, moment_us


@singledispatch
def criteria(definition: Any) -> Criteria:
    """The criteria that a definition stands for."""
    raise TypeError(f"not a definition of criteria: {type(definition).__name__}")


@criteria.register
def _text(definition: str) -> Criteria:
    return property_text(definition)


@criteria.register(definitions.CriteriaAll)
@criteria.register(properties.PropertyAll)
def _all(definition: Any) -> Criteria:
    return Group("all", tuple(map(criteria, definition.all)))


@criteria.register(definitions.CriteriaAny)
@criteria.register(properties.PropertyAny)
def _any(definition: Any) -> Criteria:
    return Group("any", tuple(map(criteria, definition.any)))


@criteria.register(definitions.CriteriaNot)
@criteria.register(properties.PropertyNot)
def _not(definition: Any) -> Criteria:
    return Group("not", (criteria(definition.not_),))


@criteria.register
def _test(definition: properties.AttributeTest) -> Criteria:
    return property_test(path_of(definition.attribute), definition.operator, definition.value)


@criteria.register
def _item(definition: properties.ItemMatch) -> Criteria:
    return AnyItem(path_of(definition.any_item), criteria(definition.match))


@criteria.register
def _held(definition: definitions.HeldForTest) -> Criteria:
    comparison, length = compared_length(definition.for_)
    return HeldFor(path_of(definition.attribute), definition.value, cast(Comparison, comparison), length)


@criteria.register
def _counted(definition: behaviours.EventCount) -> Criteria:
    comparison, count = _count(definition.count)
    since = None if definition.since is None else moment_us(definition.since)
    return Counted(_event(definition.event, definition), comparison, count, _length(definition.within), since)


@criteria.register
def _first(definition: behaviours.FirstTimeEvent) -> Criteria:
    return FirstTime(_event(definition.first_time, definition), length_us(definition.within))


@criteria.register
def _stopped(definition: behaviours.StoppedEvent) -> Criteria:
    return Stopped(_event(definition.stopped, definition), length_us(definition.for_), _length(definition.within))


@criteria.register
def _restarted(definition: behaviours.RestartedEvent) -> Criteria:
    event = _event(definition.restarted, definition)
    return Restarted(event, length_us(definition.within), length_us(definition.quiet))


@criteria.register
def _regularly(definition: behaviours.RegularEvent) -> Criteria:
    event, period = _event(definition.regularly, definition), length_us(definition.every)
    return Regularly(event, period, definition.periods, definition.at_least, *_count(definition.count))


@criteria.register
def _sequence(definition: behaviours.EventSequence) -> Criteria:
    steps = (Happening(s) if isinstance(s, str) else _event(s.event, s) for s in definition.sequence)
    return InSequence(tuple(steps), _length(definition.within), _length(definition.gap))


@criteria.register
def _last(definition: behaviours.LastEventHas) -> Criteria:
    event = _event(definition.last_event, definition)
    return LastEvent(event, criteria(definition.has), _length(definition.within))


@criteria.register
def _segment(definition: definitions.SegmentCriteria) -> Criteria:
    inner = definition.segment
    return InSegment(inner if isinstance(inner, str) else criteria(inner))


@criteria.register
def _list(definition: definitions.ListCriteria) -> Criteria:
    return Listed(definition.list)


@criteria.register
def _customers(definition: definitions.CustomersCriteria) -> Criteria:
    return OneOf(definition.customers)


@criteria.register
def _everyone(definition: definitions.EveryoneCriteria) -> Criteria:
    return Everyone()


def behaviour(definition: behaviours.BehaviourDefinition) -> Behaviour:
    """The behaviour that a definition stands for."""
    return cast(Behaviour, criteria(definition))


def property_test(path: Path, operator: str, value: Values) -> PropertyTest:
    """A test with lengths and moments as numbers; a length after `before` or `after` means so long ago."""
    if operator == "within_last":
        return PropertyTest(path, operator, length_us(str(value)))
    if operator in ("before", "after"):
        if is_moment(value):
            return PropertyTest(path, operator, moment_us(str(value)))
        return PropertyTest(path, f"{operator}_ago", length_us(str(value)))
    return PropertyTest(path, operator, value)


def path_of(attribute: str | tuple[str, ...]) -> Path:
    """The keys that lead to a value: `a.b` goes into `a`, a list names every key as it is."""
    return tuple(attribute.split(".")) if isinstance(attribute, str) else attribute


def _event(name: str, definition: Strict) -> Happening:
    where = getattr(definition, "where", None)
    return Happening(name, None if where is None else criteria(where))


def _length(text: str | None) -> int | None:
    return None if text is None else length_us(text)


def _count(text: str) -> tuple[Comparison, int]:
    comparison, count = count_of(text)
    return cast(Comparison, comparison), count
