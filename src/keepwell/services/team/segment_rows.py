"""Definitions as rows that people edit, and rows as definitions: plain data with one key for each kind of row."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from keepwell.model.criteria_tree import Criteria, Group, PropertyTest
from keepwell.model.expressions import ExpressionError
from keepwell.model.property_text import property_text
from keepwell.services.team.segment_text import as_yaml

Node = dict[str, Any]
_BEHAVIOURS: Final = ("event", "first_time", "stopped", "restarted", "regularly", "sequence", "last_event")
_SHOWN: Final = frozenset({"attribute", "segment", *_BEHAVIOURS})
MOST_ROWS: Final = 200
_DEEPEST: Final = 12


class NotRowsError(Exception):
    """A definition that rows cannot show; the message says what in it."""


def rows_of(condition: Any) -> Node:
    """A condition as rows; texts are taken apart. Raises NotRowsError for what only YAML can say."""
    node = _node(condition, 0)
    return node if node.keys() & {"all", "any", "not"} else {"all": [node]}


def definition_of(tree: Any) -> str:
    """Rows as a definition; raises NotRowsError for what is no tree of rows."""
    _check(tree, 0)
    return as_yaml({"when": tree})


def parsed_rows(text: str) -> Any:
    """Rows that a page sent; raises NotRowsError when they are none."""
    try:
        return json.loads(text)
    except ValueError:
        raise NotRowsError("These conditions cannot be read; load the page again.") from None


def _node(condition: Any, depth: int) -> Node:
    if depth > _DEEPEST:
        raise NotRowsError("groups that are nested more than twelve deep")
    if isinstance(condition, bool):
        condition = str(condition).lower()
    if isinstance(condition, str):
        try:
            return _from_tree(property_text(condition))
        except ExpressionError as error:
            raise NotRowsError(str(error)) from error
    if not isinstance(condition, Mapping):
        raise NotRowsError("something that is no condition")
    for key in ("all", "any"):
        if isinstance(condition.get(key), Sequence) and not isinstance(condition[key], str):
            return {key: [_node(item, depth + 1) for item in condition[key]]}
    if "not" in condition:
        return {"not": _node(condition["not"], depth + 1)}
    return _leaf(condition)


def _leaf(condition: Mapping[str, Any]) -> Node:
    if not condition.keys() & _SHOWN:
        raise NotRowsError(f"'{next(iter(condition), 'nothing')}'")
    if isinstance(condition.get("segment", ""), str) and not isinstance(condition.get("attribute"), list):
        kept = dict(condition)
        for name in ("where", "has"):
            if name in kept:
                kept[name] = _properties(kept[name])
        if isinstance(kept.get("sequence"), list):
            kept["sequence"] = [_step(step) for step in kept["sequence"]]
        return kept
    raise NotRowsError("a segment that is written out, or an attribute inside of another")


def _step(step: Any) -> Node:
    if isinstance(step, str):
        return {"event": step}
    return {**step, **({"where": _properties(step["where"])} if "where" in step else {})}


def _properties(condition: Any) -> Node:
    """Conditions on properties as one list, all of which must hold."""
    node = _node(condition, 0)
    items = node.get("all", [node])
    if any("attribute" not in item for item in items):
        raise NotRowsError("conditions on properties joined by 'or' or 'not'")
    return {"all": items}


def _from_tree(criteria: Criteria) -> Node:
    match criteria:
        case Group("not", items):
            return {"not": _from_tree(items[0])}
        case Group(kind, items):
            return {kind: [_from_tree(item) for item in items]}
        case PropertyTest(path, operator, value):
            test: Node = {"attribute": ".".join(path), "operator": operator}
            if value is not None:
                test["value"] = list(value) if isinstance(value, tuple) else value
            return test
    raise NotRowsError("a condition that rows cannot show")


def _check(tree: Any, depth: int) -> int:
    """Count the rows of a tree from outside; what is wrong inside of a row is found when it is read as YAML."""
    if not isinstance(tree, dict) or depth > _DEEPEST:
        raise NotRowsError("These conditions cannot be read; load the page again.")
    inner = tree.get("all") or tree.get("any") or ([tree["not"]] if "not" in tree else [])
    if not isinstance(inner, list):
        raise NotRowsError("These conditions cannot be read; load the page again.")
    rows = sum(_check(item, depth + 1) for item in inner) or 1
    if rows > MOST_ROWS:
        raise NotRowsError(f"A segment takes at most {MOST_ROWS} conditions.")
    return rows
