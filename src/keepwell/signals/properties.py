"""Conditions on the properties of one event, as it arrives: the same meaning as over the canonical events.

A property that is not there fails its test (`not_equals` and `not_in` hold).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from keepwell.model.criteria_tree import AnyItem, Criteria, Everyone, Group, Path, PropertyTest
from keepwell.model.spans import is_moment, moment_us

_NUMBER: Final = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_MOST_SECONDS: Final = 1e11
_MOST_MILLISECONDS: Final = 1e14
_MICRO: Final = 1_000_000
_SIGNS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "greater": lambda value, wanted: value > wanted,
    "greater_or_equal": lambda value, wanted: value >= wanted,
    "less": lambda value, wanted: value < wanted,
    "less_or_equal": lambda value, wanted: value <= wanted,
}
_TEXTS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "contains": lambda text, part: part in text,
    "contains_ignoring_case": lambda text, part: part.lower() in text.lower(),
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "matches": lambda text, pattern: re.search(pattern, text) is not None,
}


def holds(criteria: Criteria, properties: Mapping[str, Any], at: datetime) -> bool:
    """Whether criteria hold of an event's properties at a moment."""
    match criteria:
        case Everyone():
            return True
        case Group("not", items):
            return not holds(items[0], properties, at)
        case Group("all", items):
            return all(holds(item, properties, at) for item in items)
        case Group(_, items):
            return any(holds(item, properties, at) for item in items)
        case PropertyTest():
            return _test(criteria, value_at(properties, criteria.path), _micro(at))
        case AnyItem(path, match):
            items = value_at(properties, path)
            return isinstance(items, list) and any(holds(match, _document(item), at) for item in items)
    raise ValueError(f"{type(criteria).__name__} cannot be asked of properties")


def value_at(properties: Mapping[str, Any], path: Path) -> Any:
    """The value at a path: keys lead inwards, or the whole path is one key with dots; None when there is none."""
    found: Any = properties
    for key in path:
        found = found.get(key) if isinstance(found, Mapping) else None
    return properties.get(".".join(path)) if found is None else found


def _document(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, Mapping) else {}


def _test(test: PropertyTest, value: Any, at: int) -> bool:
    operator, wanted = test.operator, test.value
    if operator in ("is_known", "is_unknown"):
        return (value in (None, "", [], {})) is (operator == "is_unknown")
    if operator in ("equals", "in", "not_equals", "not_in"):
        return _one_of(value, wanted) is (operator in ("equals", "in"))
    if operator == "includes":
        return isinstance(value, list) and any(_one_of(item, wanted) for item in value)
    if operator in _TEXTS:
        text = _text(value)
        return text is not None and _TEXTS[operator](text, _text(wanted) or "")
    if operator == "between" and isinstance(wanted, tuple):
        return _ordered("greater_or_equal", value, wanted[0]) and _ordered("less_or_equal", value, wanted[1])
    return _ordered(operator, value, wanted) if operator in _SIGNS else _in_time(operator, value, wanted, at)


def _one_of(value: Any, wanted: Any) -> bool:
    options = wanted if isinstance(wanted, tuple) else (wanted,)
    return any(_equals(value, option) for option in options)


def _equals(value: Any, wanted: Any) -> bool:
    text = _text(value)
    if text is None or wanted is None:
        return False
    if isinstance(wanted, bool):
        return text.lower() == _text(wanted)
    if isinstance(wanted, int | float):
        return _number(value) == float(wanted)
    return text == wanted or (is_moment(wanted) and _moment(value) == moment_us(wanted))


def _ordered(operator: str, value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        found: float | None = _moment(value)
        limit: float = moment_us(wanted)
    else:
        found, limit = _number(value), float(wanted)
    return found is not None and _SIGNS[operator](found, limit)


def _in_time(operator: str, value: Any, wanted: Any, at: int) -> bool:
    found = _moment(value)
    if found is None:
        return False
    if operator == "within_last":
        return at - int(wanted) < found <= at
    bound = at - int(wanted) if operator.endswith("_ago") else int(wanted)
    return found > bound if operator.startswith("after") else found < bound


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else None


def _number(value: Any) -> float | None:
    text = _text(value)
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def _moment(value: Any) -> int | None:
    if isinstance(value, str):
        try:
            return moment_us(value)
        except ValueError:
            return None
    found = _number(value)
    if found is None or abs(found) >= _MOST_MILLISECONDS:
        return None
    return round(found * (_MICRO if abs(found) < _MOST_SECONDS else 1000))


def _micro(at: datetime) -> int:
    return round((at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * _MICRO)
