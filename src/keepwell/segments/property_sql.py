"""Tests of JSON values as SQL, three-valued: unknown where there is no value to test."""

from collections.abc import Callable
from itertools import count
from typing import Final

import duckdb

from keepwell.model.criteria_tree import AnyItem, Criteria, Everyone, Group, Path, PropertyTest, Value
from keepwell.model.spans import is_moment, moment_us
from keepwell.segments.binding import Binding

Locate = Callable[[Path], str]
"""From the keys of a path to SQL that gives the JSON value there, NULL when there is none."""

_ZONED: Final = "([+-]\\d{2}(:?\\d{2})?|Z)$"
_DATE: Final = "\\d{4}-\\d{2}-\\d{2}"
_TIMED: Final = _DATE + "[T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?"
_NUMBER: Final = "\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?\\s*"
# A number that is a moment is in seconds, unless it is so large that it must be milliseconds.
_MACROS: Final = (
    "kw_text(v) AS CASE WHEN json_type(v) IN ('NULL', 'OBJECT', 'ARRAY') THEN NULL ELSE v->>'$' END",
    f"kw_as_number(t) AS CASE WHEN regexp_full_match(t, '{_NUMBER}') THEN try_cast(t AS DOUBLE) END",
    "kw_number(v) AS kw_as_number(kw_text(v))",
    "kw_as_moment(t) AS CASE"
    f" WHEN regexp_full_match(t, '{_DATE}') THEN epoch_us(try_cast(t || ' 00:00:00+00' AS TIMESTAMPTZ))"
    f" WHEN regexp_full_match(t, '{_TIMED}') THEN epoch_us(try_cast(t || '+00' AS TIMESTAMPTZ))"
    f" WHEN regexp_full_match(t, '{_TIMED}\\s*{_ZONED}') THEN epoch_us(try_cast(t AS TIMESTAMPTZ)) END",
    "kw_moment(v) AS CASE WHEN json_type(v) = 'VARCHAR' THEN kw_as_moment(v->>'$')"
    " WHEN abs(kw_number(v)) < 1e11 THEN round(kw_number(v) * 1e6)::BIGINT"
    " WHEN abs(kw_number(v)) < 1e14 THEN round(kw_number(v) * 1e3)::BIGINT END",
    "kw_empty(v) AS v IS NULL OR json_type(v) = 'NULL' OR v IN ('\"\"', '[]', '{}')",
)
_SIGNS: Final = {"greater": ">", "greater_or_equal": ">=", "less": "<", "less_or_equal": "<="}
_TEXTS: Final = {
    "contains": "contains({t}, {p})",
    "contains_ignoring_case": "contains(lower({t}), lower({p}))",
    "starts_with": "starts_with({t}, {p})",
    "ends_with": "ends_with({t}, {p})",
    "matches": "regexp_matches({t}, {p})",
}


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """Put the macros that the tests use on a connection; doing it again changes nothing."""
    for macro in _MACROS:
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")


def in_document(document: str, bind: Binding) -> Locate:
    """Finds values inside one JSON document: keys lead inwards, or the whole path is one key with dots."""

    def locate(path: Path) -> str:
        inner = f"json_extract({document}, {bind.value(pointer(path))})"
        if len(path) == 1:
            return inner
        return f"coalesce({inner}, json_extract({document}, {bind.value(pointer(('.'.join(path),)))}))"

    return locate


def pointer(path: Path) -> str:
    """A JSON pointer: any text can be a key."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)


class PropertySql:
    """Writes criteria on properties as SQL. With `absent_is_false`, no value means: the test does not hold.

    (`not_equals` and `not_in` hold then.) Without it the truth is unknown, NULL.
    """

    def __init__(self, bind: Binding, locate: Locate, at: int, *, absent_is_false: bool) -> None:
        self.bind, self.locate, self.at, self.absent_is_false = bind, locate, at, absent_is_false
        self._items = count()

    def criteria(self, criteria: Criteria) -> str:
        """The truth of criteria on properties."""
        match criteria:
            case Everyone():
                return "true"
            case Group("not", items):
                return f"(NOT {self.criteria(items[0])})"
            case Group(kind, items):
                return "(" + (" AND " if kind == "all" else " OR ").join(map(self.criteria, items)) + ")"
            case PropertyTest():
                return self.test(criteria)
            case AnyItem(path, match):
                return self._any_item(path, match)
        raise ValueError(f"{type(criteria).__name__} cannot be asked of properties")

    def test(self, test: PropertyTest) -> str:
        """The truth of one test."""
        value = self.locate(test.path)
        if test.operator == "is_known":
            return f"(NOT (kw_empty({value})))"
        if test.operator == "is_unknown":
            return f"(kw_empty({value}))"
        truth = self._truth(test, value)
        if not self.absent_is_false:
            # A list without items is known to include nothing.
            known = f"json_type({value}) <> 'NULL'" if test.operator == "includes" else f"NOT kw_empty({value})"
            return f"(CASE WHEN {known} THEN coalesce({truth}, false) END)"
        return f"coalesce({truth}, {'true' if test.operator in ('not_equals', 'not_in') else 'false'})"

    def _truth(self, test: PropertyTest, value: str) -> str:
        operator, wanted = test.operator, test.value
        if operator in ("not_equals", "not_in"):
            return f"(NOT {self._one_of(value, wanted)})"
        if operator in ("equals", "in"):
            return self._one_of(value, wanted)
        if operator in _SIGNS and not isinstance(wanted, tuple):
            return self._ordered(value, _SIGNS[operator], wanted)
        if operator == "between" and isinstance(wanted, tuple):
            return f"({self._ordered(value, '>=', wanted[0])} AND {self._ordered(value, '<=', wanted[1])})"
        if operator in _TEXTS:
            text = wanted if isinstance(wanted, str) else _text(wanted)
            return _TEXTS[operator].format(t=f"kw_text({value})", p=self.bind.value(text))
        if operator == "includes":
            return self._includes(value, wanted)
        return self._in_time(operator, value, wanted)

    def _one_of(self, value: str, wanted: object) -> str:
        options = wanted if isinstance(wanted, tuple) else (wanted,)
        if len(options) > 1 and all(isinstance(o, str) and not is_moment(o) for o in options):
            return f"list_contains({self.bind.value(list(options))}, kw_text({value}))"
        return "(" + " OR ".join(self._equals(value, option) for option in options or (None,)) + ")"

    def _equals(self, value: str, wanted: object) -> str:
        """Equal as texts, or as numbers or moments where the wanted value is one; lists equal nothing."""
        text = f"kw_text({value})"
        if wanted is None:
            return "false"
        if isinstance(wanted, bool):
            return f"(lower({text}) = {self.bind.value(_text(wanted))})"
        if isinstance(wanted, int | float):
            return (
                f"(CASE WHEN {text} IS NOT NULL THEN coalesce(kw_number({value}) = {self._number(wanted)}, false) END)"
            )
        same = f"{text} = {self.bind.value(wanted)}"
        if is_moment(wanted):
            moment = self.bind.value(moment_us(str(wanted)))
            return f"({same} OR coalesce(kw_moment({value}) = {moment}, false))"
        return f"({same})"

    def _ordered(self, value: str, sign: str, wanted: object) -> str:
        if isinstance(wanted, str):
            return f"(kw_moment({value}) {sign} {self.bind.value(moment_us(wanted))})"
        return f"(kw_number({value}) {sign} {self._number(wanted)})"

    def _number(self, wanted: object) -> str:
        try:
            return f"{self.bind.value(float(str(wanted)))}::DOUBLE"
        except OverflowError:
            return "NULL::DOUBLE"

    def _in_time(self, operator: str, value: str, wanted: object) -> str:
        moment = f"kw_moment({value})"
        if operator == "within_last":
            return (
                f"({moment} > {self.bind.value(self.at - _whole(wanted))} AND {moment} <= {self.bind.value(self.at)})"
            )
        bound = self.at - _whole(wanted) if operator.endswith("_ago") else _whole(wanted)
        return f"({moment} {'>' if operator.startswith('after') else '<'} {self.bind.value(bound)})"

    def _includes(self, value: str, wanted: object) -> str:
        return self._some_item(value, lambda item: self._one_of(item, wanted))

    def _any_item(self, path: Path, match: Criteria) -> str:
        value = self.locate(path)

        def holds(item: str) -> str:
            inner = PropertySql(self.bind, in_document(item, self.bind), self.at, absent_is_false=True)
            inner._items = self._items
            return inner.criteria(match)

        truth = self._some_item(value, holds)
        return (
            f"coalesce({truth}, false)" if self.absent_is_false else f"(CASE WHEN {value} IS NOT NULL THEN {truth} END)"
        )

    def _some_item(self, value: str, holds: Callable[[str], str]) -> str:
        item = f"item{next(self._items)}"
        return f"(len(list_filter(json_extract({value}, '$[*]'), lambda {item}: coalesce({holds(item)}, false))) > 0)"


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError(f"not a number of microseconds: {value!r}")
    return value


def _text(value: Value | object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
