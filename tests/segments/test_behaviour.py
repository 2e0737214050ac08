"""Behaviour against a plain reading of its definition, on small random histories."""

import json
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.model.spans import SECOND
from keepwell.segments.evaluation import Customers, History, members, truths
from keepwell.segments.reading import parse_criteria
from keepwell.segments.trait_sql import CriteriaError

AT = 40
Rows = list[tuple[int, str, int]]
"""Time in seconds, name, and the property `n`."""


def criteria(definition: Any) -> Any:
    return parse_criteria(json.dumps(definition)).when


def history(
    connection: duckdb.DuckDBPyConnection, events: dict[str, Rows], traits: list[tuple[str, int, dict[str, Any]]]
) -> History:
    connection.execute("CREATE TABLE e (entity VARCHAR, t BIGINT, ord BIGINT, name VARCHAR, properties JSON)")
    connection.execute("CREATE TABLE r (entity VARCHAR, t BIGINT, ord BIGINT, data JSON)")
    connection.execute("CREATE TABLE l (entity VARCHAR, list VARCHAR, ord BIGINT, inside BOOLEAN)")
    listed = [(who, row) for who, rows in events.items() for row in rows]
    for place, (who, (t, name, n)) in enumerate(listed):
        connection.execute("INSERT INTO e VALUES (?, ?, ?, ?, ?)", [who, t * SECOND, place, name, json.dumps({"n": n})])
    for place, (who, t, data) in enumerate(traits):
        connection.execute("INSERT INTO r VALUES (?, ?, ?, ?)", [who, t * SECOND, place, json.dumps(data)])
    return History("r", "e", "l")


def between(rows: Rows, start: float, end: float, name: str = "a") -> list[int]:
    return [t for t, event, _ in rows if event == name and start < t <= end]


def in_sequence(rows: Rows, within: int, gap: int) -> bool:
    first = between(rows, AT - within, AT)
    return any(a < b <= a + gap for a in first for b in between(rows, AT - within, AT, "b"))


def last_is(rows: Rows, wanted: int) -> bool:
    known = [(t, place, n) for place, (t, name, n) in enumerate(rows) if name == "a" and t <= AT]
    return bool(known) and max(known)[2] == wanted


def regular(rows: Rows, every: int, periods: int, least: int, test: Callable[[int], bool]) -> bool:
    counts = [len(between(rows, AT - (i + 1) * every, AT - i * every)) for i in range(periods)]
    return sum(map(test, counts)) >= least


NODES: list[tuple[dict[str, Any], Callable[[Rows], bool]]] = [
    ({"event": "a", "count": ">= 2"}, lambda rows: len(between(rows, -99, AT)) >= 2),
    ({"event": "a", "count": "< 2", "within": "10s"}, lambda rows: len(between(rows, AT - 10, AT)) < 2),
    ({"event": "a", "since": "1970-01-01T00:00:20"}, lambda rows: bool(between(rows, 19, AT))),
    ({"event": "a", "where": "n >= 2"}, lambda rows: any(t <= AT and e == "a" and n >= 2 for t, e, n in rows)),
    ({"event": "*", "count": 3}, lambda rows: sum(t <= AT for t, _, _ in rows) == 3),
    (
        {"first_time": "a", "within": "10s"},
        lambda rows: bool(between(rows, AT - 10, AT)) and not between(rows, -99, AT - 10),
    ),
    (
        {"stopped": "a", "for": "10s", "within": "30s"},
        lambda rows: bool(between(rows, AT - 30, AT - 10)) and not between(rows, AT - 10, AT),
    ),
    (
        {"stopped": "a", "for": "10s"},
        lambda rows: bool(between(rows, -99, AT - 10)) and not between(rows, AT - 10, AT),
    ),
    (
        {"restarted": "a", "within": "10s", "quiet": "10s"},
        lambda rows: (
            bool(between(rows, AT - 10, AT))
            and not between(rows, AT - 20, AT - 10)
            and bool(between(rows, -99, AT - 20))
        ),
    ),
    (
        {"regularly": "a", "every": "10s", "periods": 4, "at_least": 2},
        lambda rows: regular(rows, 10, 4, 2, lambda n: n >= 1),
    ),
    (
        {"regularly": "a", "every": "10s", "periods": 3, "at_least": 2, "count": "< 2"},
        lambda rows: regular(rows, 10, 3, 2, lambda n: n < 2),
    ),
    ({"sequence": ["a", "b"], "within": "20s", "gap": "5s"}, lambda rows: in_sequence(rows, 20, 5)),
    ({"sequence": ["a", {"event": "b"}]}, lambda rows: in_sequence(rows, 999, 999)),
    ({"last_event": "a", "has": "n = 2"}, lambda rows: last_is(rows, 2)),
]
EVENT = st.tuples(st.sampled_from([-5, 5, 9, 10, 11, 19, 20, 21, 29, 30, 31, 35, 40, 41]), st.sampled_from("ab"))


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("wxyz"), st.lists(st.tuples(EVENT, st.integers(1, 3)), max_size=6), min_size=1))
def test_behaviour_is_what_its_definition_says(drawn: dict[str, list[tuple[tuple[int, str], int]]]) -> None:
    events = {who: [(t, name, n) for (t, name), n in rows] for who, rows in drawn.items()}
    with duckdb.connect() as connection:
        source = history(connection, events, [(who, -9, {}) for who in events])
        found = truths(connection, [criteria(node) for node, _ in NODES], source, at=AT * SECOND)
    for who, *truth in found:
        expected = [test(events[str(who)]) for _, test in NODES]
        wrong = [NODES[i][0] for i, (a, b) in enumerate(zip(truth, expected, strict=True)) if a != b]
        assert wrong == [], events[str(who)]
    assert len(found) == len(events)


def test_three_steps_are_not_found_greedily() -> None:
    rows = [(1, "a", 0), (10, "a", 0), (12, "b", 0), (2, "b", 0), (14, "c", 0)]
    node = {"sequence": ["a", "b", "c"], "gap": "3s"}
    with duckdb.connect() as connection:
        source = history(connection, {"x": rows, "y": rows[:4], "z": [rows[0], *rows[3:]]}, [])
        assert members(connection, criteria(node), source, at=AT * SECOND) == ["x"]


TRAITS: list[tuple[str, int, dict[str, Any]]] = [
    ("u", 0, {"a": "10", "list": ["x", {"k": 1, "v": 2}], "day": "2026-01-31", "deep": {"x": 1}, "dot.ted": "yes"}),
    ("u", 5, {"a": 10, "none": None, "empty": "", "text": "Grüße an v12"}),
    ("v", 0, {"a": "ten", "big": 1e11, "day": "2026-01-31T01:00:00+01:00"}),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 10", "u"),
        ("a = '10'", "u"),
        ("a != 10", "v"),
        ("a > 9", "u"),
        ("a between 10 and 11", "u"),
        ("not a > 9", "v"),
        ("a in ('ten', 'x')", "v"),
        ("a not in ('ten', 'x')", "u"),
        ("none is null", "uv"),
        ("is_unknown(empty)", "uv"),
        ("is_known(list)", "u"),
        ("deep.x = 1", "u"),
        ("dot.ted = 'yes'", "u"),
        ("contains(text, 'an')", "u"),
        ("starts_with(a, 1)", "u"),
        ("day = '2026-01-31'", "uv"),
        ("day >= '2026-01-31T00:00:01Z'", ""),
        ({"attribute": "text", "operator": "matches", "value": "v\\d+$"}, "u"),
        ({"attribute": "text", "operator": "contains_ignoring_case", "value": "GRÜSSE"}, ""),
        ({"attribute": "text", "operator": "contains_ignoring_case", "value": "GRÜ"}, "u"),
        ({"attribute": "list", "operator": "includes", "value": "x"}, "u"),
        ({"any_item": "list", "match": {"all": ["k = 1", "v = 2"]}}, "u"),
        ({"any_item": "list", "match": "k = 2"}, ""),
        ({"attribute": "day", "operator": "before", "value": "2026-02-01"}, "uv"),
        ({"attribute": "day", "operator": "after", "value": "1d"}, "uv"),
        ({"attribute": ["dot.ted"], "operator": "is_known"}, "u"),
        ({"attribute": "a", "operator": "has_been_for", "value": 10, "for": ">= 40s"}, "u"),
        ({"attribute": "a", "operator": "has_been_for", "value": 10, "for": "> 40s"}, ""),
        ({"attribute": "deep.x", "operator": "has_been_for", "value": 1, "for": "30s"}, "u"),
        ({"customers": ["v", "nobody"]}, "v"),
        ({"list": "l"}, ""),
        ({"segment": {"everyone": True}}, "uv"),
    ],
)
def test_tests_of_attributes(text: Any, expected: str) -> None:
    with duckdb.connect() as connection:
        source = history(connection, {}, TRAITS)
        assert members(connection, criteria(text), source, at=AT * SECOND) == list(expected)


def customers(connection: duckdb.DuckDBPyConnection) -> Customers:
    connection.execute(
        "CREATE TABLE c AS SELECT * FROM (VALUES ('a', 5.0, 'x', ['s']), ('b', NULL, NULL, NULL), ('c', 1.0, 'y', []))"
        " t(customer_id, mrr, plan, segments)"
    )
    return Customers("c", members={"pilot": ["c"]})


def test_on_customers_what_is_not_known_stays_unknown() -> None:
    several = ["mrr > 2", {"not": "mrr > 2"}, "plan != 'x'", "is_unknown(plan)", {"event": "login"}, {"list": "pilot"}]
    several.append({"attribute": "segments", "operator": "includes", "value": "s"})
    with duckdb.connect() as connection:
        found = truths(connection, [criteria(c) for c in several], customers(connection), at=0)
    assert found == [
        ("a", True, False, False, False, None, False, True),
        ("b", None, None, None, True, None, False, None),
        ("c", False, True, True, False, None, True, False),
    ]


@pytest.mark.parametrize(
    ("definition", "message"),
    [
        ("mmr > 2", "there is no attribute 'mmr'; did you mean 'mrr'?"),
        ({"list": "pilots"}, "there is no list 'pilots'; did you mean 'pilot'?"),
        ({"attribute": "plan", "operator": "has_been_for", "value": "x", "for": "3d"}, "'plan' has no history here"),
    ],
)
def test_what_customers_do_not_have_is_named(definition: Any, message: str) -> None:
    with duckdb.connect() as connection, pytest.raises(CriteriaError, match=message):
        members(connection, criteria(definition), customers(connection), at=0)


def test_rows_may_stand_for_several_events() -> None:
    with duckdb.connect() as connection:
        source = customers(connection)
        connection.execute(
            "CREATE TABLE u AS SELECT 'a' AS entity, 30000000 AS t, 0 AS ord, 'login' AS name,"
            " '{}'::JSON AS properties, 3 AS n"
        )
        source = Customers(source.table, events="u", times="n")
        assert members(connection, criteria({"event": "login", "count": 3}), source, at=AT * SECOND) == ["a"]
