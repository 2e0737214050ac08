"""The small parts of the neutral tree: operators, comparisons, seconds and moments."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from keepwell.model.criteria_tree import Comparison, Path, PropertyTest
from keepwell.model.problems import did_you_mean
from keepwell.model.property_definitions import check_value
from keepwell.model.spans import SECOND, is_moment, moment_us
from keepwell.model.yaml_source import KeyPath

_OPERATORS: Final[Mapping[str, str]] = {
    "eq": "equals",
    "ne": "not_equals",
    "gt": "greater",
    "gte": "greater_or_equal",
    "lt": "less",
    "lte": "less_or_equal",
    "exists": "is_known",
    "not_exists": "is_unknown",
    "in": "in",
    "not_in": "not_in",
    "contains": "contains",
    "contains_ci": "contains_ignoring_case",
    "starts_with": "starts_with",
    "ends_with": "ends_with",
    "regex": "matches",
    "includes": "includes",
    "within_last": "within_last",
    "before": "before",
    "after": "after",
    "between": "between",
}
_COMPARISONS: Final[Mapping[str, Comparison]] = {
    ">=": ">=",
    "gte": ">=",
    "ge": ">=",
    "<=": "<=",
    "lte": "<=",
    "le": "<=",
    ">": ">",
    "gt": ">",
    "<": "<",
    "lt": "<",
    "==": "=",
    "=": "=",
    "eq": "=",
    "!=": "!=",
    "ne": "!=",
}
_YEAR_1970: Final = datetime(1970, 1, 1, tzinfo=UTC)


class NeutralError(ValueError):
    """What is wrong at a place of the tree; `key` says that it is about the key and not its value."""

    def __init__(self, path: KeyPath, message: str, *, key: bool = False) -> None:
        super().__init__(message)
        self.path, self.message, self.key = path, message, key


def neutral_test(path: Path, op: Any, value: Any, op_path: KeyPath, value_path: KeyPath) -> PropertyTest:
    """One test of a trait or a property."""
    operator = _OPERATORS.get(op) if isinstance(op, str) else None
    if operator is None:
        known = (*_OPERATORS, "has_been_for")
        hint = did_you_mean(str(op), known) or f"; it may be {', '.join(known)}"
        raise NeutralError(op_path, f"unknown op '{op}'{hint}")
    if operator == "within_last":
        return PropertyTest(path, operator, seconds(value, value_path))
    if operator in ("before", "after"):
        return PropertyTest(path, operator, moment(value, value_path))
    if operator in ("is_known", "is_unknown"):
        value = None
    found = tuple(map(_plain, value)) if isinstance(value, list) else _plain(value)
    try:
        check_value(operator, found)
    except ValueError as error:
        raise NeutralError(value_path, str(error).replace(f"'{operator}'", f"'{op}'")) from None
    if not isinstance(found, bool | int | float | str | tuple | None):
        raise NeutralError(value_path, "must be a text, a number, true or false, or a list of these")
    return PropertyTest(path, operator, found)


def comparison(text: Any, path: KeyPath) -> Comparison:
    """A comparison of numbers, as a sign or as a word."""
    found = _COMPARISONS.get(text) if isinstance(text, str) else None
    if found is None:
        raise NeutralError(path, f"unknown comparison '{text}'; use one of >=, <=, >, <, ==, !=")
    return found


def seconds(value: Any, path: KeyPath) -> int:
    """A length in seconds, as microseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise NeutralError(path, "must be a number of seconds, more than 0")
    return round(value * SECOND)


def moment(value: Any, path: KeyPath) -> int:
    """A moment, as microseconds since 1970: a text, `{"$t": seconds}`, or seconds."""
    if isinstance(value, dict) and set(value) == {"$t"}:
        value = value["$t"]
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e11:
        return round(value * SECOND)
    if is_moment(value):
        return moment_us(value)
    raise NeutralError(path, 'must be a moment: 2026-01-31T09:00:00Z or {"$t": seconds since 1970}')


def _plain(value: Any) -> Any:
    """`{"$t": seconds}` as the text of that moment, everything else as it is."""
    if isinstance(value, dict) and set(value) == {"$t"} and isinstance(value["$t"], int | float):
        return (_YEAR_1970 + timedelta(microseconds=round(value["$t"] * SECOND))).isoformat()
    return value
