"""The neutral tree of criteria that other engines' cases are written in: `trait`/`op`, `event`, seconds.

`docs/segments.md` describes it. Whatever is wrong is found with its place.
"""

from collections.abc import Mapping
from typing import Any, Final

from keepwell.model.criteria_reading import path_of
from keepwell.model.criteria_tree import (
    AnyItem,
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
)
from keepwell.model.problems import did_you_mean
from keepwell.model.yaml_source import KeyPath
from keepwell.segments.neutral_values import NeutralError, comparison, moment, neutral_test, seconds

_ONLY_NEUTRAL: Final = frozenset(
    {"trait", "op", "prop", "within_seconds", "gap_seconds", "in_segment", "manual"}
    | {"event_first_time", "event_stopped", "event_restarted", "event_regularly", "event_sequence"}
)
_EVENT: Final = ("within_seconds", "where")
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "all": (),
    "any": (),
    "not": (),
    "trait": ("op", "value", "comparator", "seconds"),
    "prop": ("op", "value"),
    "event": ("count", "since", *_EVENT),
    "last_event": ("has", *_EVENT),
    "event_first_time": _EVENT,
    "event_stopped": ("where",),
    "event_restarted": ("where",),
    "event_regularly": ("period_seconds", "total_periods", "min_periods", "count", "where"),
    "event_sequence": ("within_seconds", "gap_seconds"),
    "any_item": ("match",),
    "in_segment": (),
    "manual": (),
    "everyone": (),
}
_SPANS: Final = ("event_stopped", "event_restarted")


def is_neutral(data: Any) -> bool:
    """Whether a tree uses words that only the neutral form has."""
    if isinstance(data, list):
        return any(map(is_neutral, data))
    if not isinstance(data, dict):
        return False
    if _ONLY_NEUTRAL & data.keys() or isinstance(data.get("count"), list):
        return True
    return any(map(is_neutral, data.values()))


def neutral_criteria(data: Any, path: KeyPath = ()) -> Criteria:
    """Read a neutral tree; raises NeutralError with the place of what is wrong."""
    if not isinstance(data, dict):
        raise NeutralError(path, f"a node is a mapping with one of: {', '.join(_KEYS)}")
    kind = next((k for k in _KEYS if k in data), None)
    if kind is None:
        key = next(iter(data), "")
        raise NeutralError((*path, key), f"unknown node '{key}'{did_you_mean(str(key), _KEYS)}", key=True)
    _check_keys(data, kind, path)
    return _Node(data, path, kind).read()


def _check_keys(data: dict[str, Any], kind: str, path: KeyPath) -> None:
    for key in data:
        known = key == kind or key in _KEYS[kind] or (kind in _SPANS and key.endswith("_seconds"))
        if not known:
            raise NeutralError((*path, key), f"unknown key '{key}'{did_you_mean(key, _KEYS[kind])}", key=True)


class _Node:
    """One node: its data, its place, and its kind."""

    def __init__(self, data: dict[str, Any], path: KeyPath, kind: str) -> None:
        self.data, self.path, self.kind = data, path, kind

    def read(self) -> Criteria:
        match self.kind:
            case "all" | "any":
                return Group("all" if self.kind == "all" else "any", self._several(self.kind))
            case "not":
                return Group("not", (neutral_criteria(self.data["not"], (*self.path, "not")),))
            case "trait" | "prop":
                return self._test()
            case "any_item":
                return AnyItem(self._path("any_item"), neutral_criteria(self._need("match"), (*self.path, "match")))
            case "in_segment":
                return self._in_segment()
            case "manual":
                return self._manual()
            case "everyone":
                return Everyone()
        return self._behaviour()

    def _several(self, key: str) -> tuple[Criteria, ...]:
        items = self.data[key]
        if not isinstance(items, list) or not items:
            raise self._error(key, f"'{key}' takes a list with at least one node")
        return tuple(neutral_criteria(item, (*self.path, key, i)) for i, item in enumerate(items))

    def _test(self) -> PropertyTest | HeldFor:
        path, op = self._path(self.kind), self._need("op")
        value_path = (*self.path, "value")
        if op != "has_been_for":
            return neutral_test(path, op, self.data.get("value"), (*self.path, "op"), value_path)
        value = self._need("value")
        if not isinstance(value, bool | int | float | str):
            raise NeutralError(value_path, "has_been_for takes one value")
        sign = comparison(self.data.get("comparator", ">="), (*self.path, "comparator"))
        return HeldFor(path, value, sign, self._need_seconds("seconds"))

    def _in_segment(self) -> InSegment:
        inner = self.data["in_segment"]
        if isinstance(inner, str | int):
            return InSegment(str(inner))
        return InSegment(neutral_criteria(inner, (*self.path, "in_segment")))

    def _manual(self) -> Criteria:
        listed = self.data["manual"]
        return OneOf(tuple(map(str, listed))) if isinstance(listed, list) else Listed(str(listed))

    def _behaviour(self) -> Criteria:
        within = self._seconds("within_seconds")
        match self.kind:
            case "event":
                since = moment(self.data["since"], (*self.path, "since")) if "since" in self.data else None
                if since is not None and within is not None:
                    raise self._error("since", "takes one of within_seconds and since, not both")
                return Counted(self._event(), *self._count(), within, since)
            case "last_event":
                return LastEvent(self._event(), self._conditions("has") or Everyone(), within)
            case "event_first_time":
                return Counted(self._event()) if within is None else FirstTime(self._event(), within)
            case "event_regularly":
                return self._regularly()
            case "event_sequence":
                return InSequence(self._steps(), within, self._seconds("gap_seconds"))
        return self._stopped_or_restarted()

    def _stopped_or_restarted(self) -> Stopped | Restarted:
        spans = sorted(self._need_seconds(key) for key in self.data if key.endswith("_seconds"))
        if self.kind == "event_stopped" and len(spans) in (1, 2) and len(set(spans)) == len(spans):
            return Stopped(self._event(), spans[0], spans[1] if len(spans) == 2 else None)
        if self.kind == "event_restarted" and len(spans) == 2 and spans[0] < spans[1]:
            return Restarted(self._event(), spans[0], spans[1] - spans[0])
        raise self._error(
            self.kind, f"'{self.kind}' takes two different lengths: the whole window, and the recent part"
        )

    def _regularly(self) -> Regularly:
        total, least = self._whole("total_periods"), self._whole("min_periods")
        if least > total:
            raise self._error("min_periods", f"is more than total_periods ({total})")
        return Regularly(self._event(), self._need_seconds("period_seconds"), total, least, *self._count())

    def _event(self) -> Happening:
        name = self.data[self.kind]
        if not isinstance(name, str) or not name:
            raise self._error(self.kind, "must be the name of an event")
        return Happening(name, self._conditions("where"))

    def _steps(self) -> tuple[Happening, ...]:
        steps = self.data["event_sequence"]
        if not isinstance(steps, list) or len(steps) < 2:
            raise self._error("event_sequence", "takes a list of at least two events")
        return tuple(_step(step, (*self.path, "event_sequence", i)) for i, step in enumerate(steps))

    def _conditions(self, key: str) -> Criteria | None:
        return _conditions(self.data.get(key), (*self.path, key))

    def _count(self) -> tuple[Comparison, int]:
        count = self.data.get("count", [">=", 1])
        if isinstance(count, int) and not isinstance(count, bool):
            count = ["==", count]
        if not (isinstance(count, list) and len(count) == 2 and isinstance(count[1], int) and count[1] >= 0):
            raise self._error("count", "takes [comparison, whole number]")
        return comparison(count[0], (*self.path, "count", 0)), count[1]

    def _path(self, key: str) -> Path:
        value = self.data[key]
        if isinstance(value, list) and value and all(isinstance(part, str | int) for part in value):
            return tuple(map(str, value))
        if isinstance(value, str) and value:
            return path_of(value)
        raise self._error(key, "must be a name, a path with dots, or a list of keys")

    def _whole(self, key: str) -> int:
        value = self._need(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1000:
            raise self._error(key, "must be a whole number from 1 to 1000")
        return value

    def _seconds(self, key: str) -> int | None:
        return None if self.data.get(key) is None else seconds(self.data[key], (*self.path, key))

    def _need_seconds(self, key: str) -> int:
        return seconds(self._need(key), (*self.path, key))

    def _need(self, key: str) -> Any:
        if self.data.get(key) is None:
            raise NeutralError(self.path, f"'{key}' is missing", key=True)
        return self.data[key]

    def _error(self, key: str, message: str) -> NeutralError:
        return NeutralError((*self.path, key), message)


def _step(step: Any, path: KeyPath) -> Happening:
    if isinstance(step, str) and step:
        return Happening(step)
    if isinstance(step, list) and step and isinstance(step[0], str) and len(step) <= 2:
        return Happening(step[0], _conditions(step[1] if len(step) == 2 else None, (*path, 1)))
    if isinstance(step, dict) and isinstance(step.get("event"), str) and set(step) <= {"event", "where"}:
        return Happening(step["event"], _conditions(step.get("where"), (*path, "where")))
    raise NeutralError(path, "a step is the name of an event, or {event, where}")


def _conditions(data: Any, path: KeyPath) -> Criteria | None:
    """The list of conditions of `where` and `has`, all of which must hold; one alone needs no list."""
    if data is None or data == []:
        return None
    if not isinstance(data, list):
        return neutral_criteria(data, path)
    items = tuple(neutral_criteria(item, (*path, i)) for i, item in enumerate(data))
    return items[0] if len(items) == 1 else Group("all", items)
