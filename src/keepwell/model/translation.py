"""What pydantic found, said in plain words and with the place in the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from keepwell.model.definitions import Model
from keepwell.model.problems import Problem, did_you_mean
from keepwell.model.source import Source
from keepwell.model.yaml_source import KeyPath

# Tags that pydantic puts into a location and that are keys of the same condition, too.
CONDITION_TAGS = frozenset({"all", "any", "not", "segment"})
TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "string": "text",
    "tuple": "a list",
    "dict": "a mapping of keys to values",
    "model": "a mapping of keys to values",
}
LIMITS = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_pattern_mismatch": "must match {pattern}",
}


@dataclass(frozen=True)
class Finding:
    """One error of pydantic at its real place; `branch` says that it is one of several allowed shapes."""

    path: KeyPath
    message: str
    expected: str = ""
    key: bool = False
    branch: bool = False
    shift: int | None = None


def data_path(data: Any, location: tuple[int | str, ...]) -> tuple[KeyPath, bool]:
    """The path in the data that a location of pydantic means, without tags; True when a union was inside."""
    path: list[int | str] = []
    skipped = False
    for index, part in enumerate(location):
        following = location[index + 1] if index + 1 < len(location) else None
        is_tag = part in CONDITION_TAGS and isinstance(data, dict) and following in data
        inside = (isinstance(data, dict) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and 0 <= part < len(data)
        )
        if inside and not is_tag:
            path.append(part)
            data = data[part]
        else:
            skipped = True
    return tuple(path), skipped


def translate(error: ValidationError, source: Source, *, root: Any = Model) -> list[tuple[KeyPath, Problem]]:
    """Every error as a problem, with the path of what it is about; `root` is the kind of definition that was read."""
    findings = [_finding(details, source.data, root) for details in error.errors(include_url=False)]
    return [(f.path, source.problem(f.path, f.message, key=f.key, shift=f.shift)) for f in _without_branches(findings)]


def _without_branches(findings: list[Finding]) -> Iterator[Finding]:
    """Of the shapes a value may have, report the deepest attempt, or all that are allowed in one message."""
    done: set[KeyPath] = set()
    for finding in findings:
        same = [f for f in findings if f.branch and f.path == finding.path]
        if not finding.branch or len(same) == 1:
            if not (finding.branch and _goes_deeper(finding.path, findings)):
                yield finding
            continue
        if finding.path in done or _goes_deeper(finding.path, findings):
            continue
        done.add(finding.path)
        expected = list(dict.fromkeys(f.expected for f in same if f.expected))
        yield Finding(finding.path, f"must be {' or '.join(expected)}") if expected else finding


def _goes_deeper(path: KeyPath, findings: list[Finding]) -> bool:
    return any(len(f.path) > len(path) and f.path[: len(path)] == path for f in findings)


def _finding(details: Any, data: Any, root: Any) -> Finding:
    kind, context, location = details["type"], details.get("ctx") or {}, details["loc"]
    if location and location[-1] == "[key]":
        path, _ = data_path(data, location[:-1])
        return Finding(path, f"'{location[-2]}' cannot be a name: letters, digits and _ only", key=True)
    if kind == "missing":
        path, _ = data_path(data, location[:-1])
        return Finding(path, f"'{location[-1]}' is missing", key=True)
    path, skipped = data_path(data, location)
    if kind == "extra_forbidden":
        return Finding(path, _unknown_key(str(location[-1]), known_keys(path[:-1], root), details["input"]), key=True)
    if kind == "value_error":
        cause = context.get("error")
        return Finding(path, str(cause), shift=getattr(cause, "column", None))
    expected = _expected(kind, context)
    if expected:
        hint = did_you_mean(str(details["input"]), re.findall("'([^']*)'", expected))
        if kind == "string_type" and isinstance(details["input"], bool | int | float):
            hint = "; put it in quotes"
        return Finding(path, f"must be {expected}{hint}", expected, branch=skipped)
    return Finding(path, _words(kind, context, details["msg"]), key=kind == "too_short")


def _unknown_key(key: str, known: tuple[str, ...], value: Any) -> str:
    if value is None and any(c in key for c in ")'\" "):
        return f"'{key}' is not a key; inside {{…}} a text with a comma needs quotes around it"
    return f"unknown key '{key}'{did_you_mean(key, known)}"


def _expected(kind: str, context: dict[str, Any]) -> str:
    if kind in ("literal_error", "enum"):
        return str(context.get("expected", ""))
    return TYPES.get(kind.split("_", maxsplit=1)[0], "") if kind not in LIMITS and kind != "string_too_short" else ""


def _words(kind: str, context: dict[str, Any], message: str) -> str:
    if kind in LIMITS:
        shown = {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
        return LIMITS[kind].format(**shown)
    if kind in ("too_short", "string_too_short"):
        return "needs at least one entry" if context.get("min_length") == 1 else f"needs {context.get('min_length')}"
    return message[:1].lower() + message[1:]


def known_keys(path: KeyPath, root: Any = Model) -> tuple[str, ...]:
    """The keys that a definition at `path` may have, over all shapes it may take."""
    kinds: tuple[Any, ...] = tuple(leaves(root))
    for part in path:
        kinds = tuple(leaf for kind in kinds for leaf in _step(kind, part))
    return tuple(dict.fromkeys(name for kind in kinds if is_model(kind) for name in field_names(kind)))


def field_names(kind: type[BaseModel]) -> dict[str, Any]:
    """The keys of a definition as YAML writes them, with their types."""
    return {f.alias or name: f.annotation for name, f in kind.model_fields.items()}


def _step(kind: Any, part: int | str) -> Iterator[Any]:
    if is_model(kind):
        yield from leaves(field_names(kind).get(str(part)))
    elif get_origin(kind) is dict:
        yield from leaves(get_args(kind)[1])
    elif get_origin(kind) is tuple:
        yield from leaves(get_args(kind)[0])


def leaves(annotation: Any) -> Iterator[Any]:
    """The types of an annotation, unions and metadata taken apart."""
    if get_origin(annotation) is Annotated:
        yield from leaves(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from leaves(part)
    elif annotation is not None:
        yield annotation


def is_model(kind: Any) -> bool:
    """Whether an annotation is a definition."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)
