"""Criteria in words: what a person would say a segment is."""

from typing import Final

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
    Value,
)
from keepwell.model.spans import length_words, us_words

_SHOWN: Final = 5
_OPERATORS: Final = {
    "equals": "is",
    "not_equals": "is not",
    "greater": "is more than",
    "greater_or_equal": "is at least",
    "less": "is less than",
    "less_or_equal": "is at most",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "contains_ignoring_case": "contains, in any case,",
    "starts_with": "starts with",
    "ends_with": "ends with",
    "matches": "matches",
    "includes": "includes",
    "is_known": "is known",
    "is_unknown": "is not known",
}
_TIMES: Final = {"before": "is before", "after": "is after"}
_AMOUNTS: Final[dict[str, str]] = {
    ">=": "at least",
    "<=": "at most",
    ">": "more than",
    "<": "fewer than",
    "=": "exactly",
    "!=": "not exactly",
}
_LENGTHS: Final[dict[str, str]] = {**_AMOUNTS, "<": "less than"}


def criteria_words(criteria: Criteria) -> str:
    """The criteria as a sentence without a subject: `did 'login' at least 3 times in the last 30 days`."""
    match criteria:
        case Group("not", items):
            return f"not ({criteria_words(items[0])})"
        case Group(kind, items):
            return (" and " if kind == "all" else " or ").join(map(_inner, items))
        case Everyone():
            return "everyone"
        case PropertyTest():
            return property_words(criteria)
        case AnyItem(path, match):
            return f"one item of {_name(path)} meets: {criteria_words(match)}"
        case HeldFor(path, value, comparison, length):
            return held_words(path, value, comparison, length)
        case Listed(name):
            return f"is on the list '{name}'"
        case OneOf(customers):
            more = f" and {len(customers) - _SHOWN:,} more" if len(customers) > _SHOWN else ""
            return f"is one of {', '.join(customers[:_SHOWN]) or 'nobody'}{more}"
        case InSegment(segment):
            return f"is in segment '{segment}'" if isinstance(segment, str) else f"is in: ({criteria_words(segment)})"
        case _:
            return behaviour_words(criteria)


def behaviour_words(behaviour: Behaviour) -> str:
    """A behaviour in words."""
    match behaviour:
        case Counted(event, comparison, count, within, since):
            span = f" since {us_words(since)}" if since is not None else _within(within)
            return _counted(event, comparison, count, span)
        case FirstTime(event, within):
            return f"did {_event(event)} for the first time{_within(within)}"
        case Stopped(event, quiet, within):
            return f"stopped: did {_event(event)}{_within(within)}, but not{_within(quiet)}"
        case Restarted(event, within, quiet):
            return f"restarted: did {_event(event)}{_within(within)}, after {length_words(quiet)} without"
        case Regularly(event, period, total, minimum, comparison, count):
            each = _counted(event, comparison, count, "")
            return f"{each} in at least {minimum} of the last {total} periods of {length_words(period)}"
        case InSequence(steps, within, gap):
            near = f", each at most {length_words(gap)} after the one before" if gap is not None else ""
            return f"did {', then '.join(map(_event, steps))}{_within(within)}{near}"
        case LastEvent(event, has, within):
            return f"the last {_event(event)}{_within(within)} has: {criteria_words(has)}"


def held_words(path: Path, value: Value, comparison: str, length: int) -> str:
    """That an attribute has had a value for a time, in words."""
    return f"{_name(path)} has been {_value(value)} for {_LENGTHS[comparison]} {length_words(length)}"


def property_words(test: PropertyTest) -> str:
    """A test of an attribute or a property in words."""
    name, value = _name(test.path), test.value
    if test.operator == "within_last" and isinstance(value, int):
        return f"{name} is in the last {length_words(value)}"
    if test.operator.endswith("_ago") and isinstance(value, int):
        return f"{name} {_TIMES[test.operator.removesuffix('_ago')]} {length_words(value)} ago"
    if test.operator in _TIMES and isinstance(value, int):
        return f"{name} {_TIMES[test.operator]} {us_words(value)}"
    if test.operator == "between" and isinstance(value, tuple):
        return f"{name} is from {_value(value[0])} to {_value(value[1])}"
    return " ".join(filter(None, [name, _OPERATORS[test.operator], "" if value is None else _value(value)]))


def _inner(item: Criteria) -> str:
    words = criteria_words(item)
    return f"({words})" if isinstance(item, Group) and item.kind != "not" else words


def _counted(event: Happening, comparison: Comparison, count: int, span: str) -> str:
    if (comparison, count) in ((">=", 1), (">", 0), ("!=", 0)):
        return f"did {_event(event)}{span}"
    if (comparison, count) in (("=", 0), ("<", 1), ("<=", 0)):
        return f"did not do {_event(event)}{span}"
    return f"did {_event(event)} {_AMOUNTS[comparison]} {count:,} time{'' if count == 1 else 's'}{span}"


def _event(event: Happening) -> str:
    name = f"'{event.name}'" if event.prefix is None else f"any event '{event.name}'" if event.prefix else "any event"
    return name if event.where is None else f"{name} (where {criteria_words(event.where)})"


def _within(within: int | None) -> str:
    return "" if within is None else f" in the last {length_words(within).removeprefix('1 ')}"


def _name(path: Path) -> str:
    return ".".join(f'"{key}"' if "." in key or not key else key for key in path)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(_value, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}'" if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else str(value)
