"""What can still be read of definitions with mistakes, so that the rest of them is checked in the same go."""

from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

from pydantic import ValidationError

from keepwell.model.definitions import Model
from keepwell.model.problems import Problem
from keepwell.model.source import NAMED, Source
from keepwell.model.translation import translate
from keepwell.model.yaml_source import KeyPath

# What is left out goes one level up each time that the rest still cannot be read; conditions nest a few levels deep.
_ROUNDS: Final = 12
# How far up a part is missed: a weight by its component, and by the sum of all components.
_MISSED_BY: Final = 2


@dataclass(frozen=True)
class Salvaged:
    """A model without the parts that cannot be read; `left_out` are their paths."""

    model: Model | None
    left_out: frozenset[KeyPath]


def salvage(source: Source, unreadable: list[KeyPath]) -> Salvaged:
    """Leave out as little as possible: the key that cannot be read, else what it is part of."""
    data, left_out = deepcopy(source.data), set[KeyPath]()
    data.setdefault("model", {"name": "unread", "version": "0"})
    for _ in range(_ROUNDS):
        left_out |= {_drop(data, path) for path in unreadable}
        data.setdefault("model", {"name": "unread", "version": "0"})
        try:
            return Salvaged(Model.model_validate(data), frozenset(left_out))
        except ValidationError as error:
            unreadable = [path for path, _ in translate(error, replace(source, data=data))]
    return _whole_definitions(source, left_out)


def follow_ons(source: Source, left_out: frozenset[KeyPath]) -> frozenset[tuple[str, int, int]]:
    """The places where something would be reported only because a part of it was left out."""
    missed = {path[:-up] for path, up in product(left_out, range(1, _MISSED_BY + 1)) if len(path) - up > 1}
    return frozenset(place(source.problem(path, "", key=key)) for path in missed for key in (True, False))


def place(problem: Problem) -> tuple[str, int, int]:
    """Where a problem is."""
    return problem.path, problem.line, problem.column


def definition_of(path: KeyPath) -> KeyPath:
    """The largest part that is left out of a model: a named definition, or one setting."""
    if path[:2] in (("settings", "values"), ("settings", "stale_after_days")):
        return path[:3]
    return path[:2] if path[:1] and path[0] in (*NAMED, "settings") else path[:1]


def _whole_definitions(source: Source, left_out: set[KeyPath]) -> Salvaged:
    data, whole = deepcopy(source.data), frozenset(map(definition_of, left_out))
    for path in whole:
        _drop(data, path)
    data.setdefault("model", {"name": "unread", "version": "0"})
    try:
        return Salvaged(Model.model_validate(data), whole)
    except ValidationError:
        return Salvaged(None, whole)


def _drop(data: dict[str, Any], path: KeyPath) -> KeyPath:
    """Remove the part at `path`, or the nearest key above it, and say which one it was.

    An entry of a list never goes alone: the places of those behind it would be told wrong.
    """
    for length in range(len(path), len(definition_of(path)) - 1, -1):
        inner = _at(data, path[: length - 1]) if length else None
        if isinstance(inner, dict) and path[length - 1] in inner:
            del inner[path[length - 1]]
            return path[:length]
    return definition_of(path)


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        held = data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        if part not in held:
            return None
        data = held[part]
    return data
