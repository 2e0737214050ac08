"""Reading a file of criteria: documented YAML or JSON, or the neutral tree; every problem with its place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import duckdb
from pydantic import TypeAdapter, ValidationError

from keepwell.model.criteria_definitions import CRITERIA_KEYS, CriteriaDefinition, CriteriaFile
from keepwell.model.criteria_reading import criteria
from keepwell.model.criteria_tree import Criteria, Group, InSegment
from keepwell.model.problems import DefinitionError, Problem, did_you_mean
from keepwell.model.source import Source
from keepwell.model.translation import translate
from keepwell.model.yaml_source import Document, KeyPath, parse_yaml, read_yaml
from keepwell.segments.neutral import is_neutral, neutral_criteria
from keepwell.segments.neutral_values import NeutralError
from keepwell.warehouse.scratch import scratch

_ADAPTER: Final[TypeAdapter[Any]] = TypeAdapter(CriteriaDefinition)


@dataclass(frozen=True)
class CriteriaSet:
    """One segment to evaluate, `when`, and the segments that it may name."""

    when: Criteria
    segments: Mapping[str, Criteria] = field(default_factory=dict)
    label: str | None = None


def read_criteria(path: Path, *, segment: str | None = None) -> CriteriaSet:
    """Read the segment of a file; raises DefinitionError with all that is wrong.

    `segment` names one of several in the file.
    """
    return _read(read_yaml(path), segment)


def parse_criteria(
    text: str, *, shown: str = "definition", segment: str | None = None, segments: Iterable[str] = ()
) -> CriteriaSet:
    """The same for a text; `shown` is what messages call it, `segments` are names that are defined elsewhere."""
    return _read(parse_yaml(text, Document(shown)), segment, frozenset(segments))


def _read(document: Document, segment: str | None, elsewhere: frozenset[str] = frozenset()) -> CriteriaSet:
    if document.problems:
        raise DefinitionError(document.problems)
    data = document.data
    if data is None or data == {}:
        raise DefinitionError([document.problem((), "is empty; write a condition, or when: with one")])
    if isinstance(data, dict) and _is_file(data):
        found = _from_file(document, segment)
    else:
        if segment is not None:
            raise DefinitionError([document.problem((), f"has one segment without a name, not '{segment}'")])
        found = CriteriaSet(_node(document, ()))
    problems = [*_bad_patterns(document, data, ()), *_bad_names(document, found, elsewhere)]
    if problems:
        raise DefinitionError(problems)
    return found


def _is_file(data: dict[str, Any]) -> bool:
    return "when" in data or ("segments" in data and not any(key in data for key in CRITERIA_KEYS))


def _from_file(document: Document, segment: str | None) -> CriteriaSet:
    data = document.data
    if is_neutral(data):
        names = data.get("segments") or {}
        inner = {name: _node(document, _where(("segments", name), part)) for name, part in names.items()}
        when = _node(document, ("when",)) if "when" in data else None
        return _chosen(document, when, inner, segment, data.get("label"))
    try:
        file = CriteriaFile.model_validate(data)
    except ValidationError as error:
        raise DefinitionError(_problems(error, document, (), CriteriaFile)) from None
    inner = {name: criteria(part.when) for name, part in file.segments.items()}
    when = None if file.when is None else criteria(file.when)
    return _chosen(document, when, inner, segment, file.label or file.name)


def _where(path: KeyPath, part: Any) -> KeyPath:
    return (*path, "when") if isinstance(part, dict) and "when" in part else path


def _chosen(
    document: Document, when: Criteria | None, segments: dict[str, Criteria], segment: str | None, label: str | None
) -> CriteriaSet:
    if segment is None and when is not None:
        return CriteriaSet(when, segments, label)
    if segment is None and len(segments) == 1:
        segment = next(iter(segments))
    if segment in segments:
        return CriteriaSet(segments[segment], segments, segment)
    known = ", ".join(segments) or "none"
    what = f"has no segment '{segment}'{did_you_mean(segment, segments)}" if segment else "has several segments"
    raise DefinitionError([document.problem((), f"{what}; choose one with --segment NAME: {known}")])


def _node(document: Document, path: KeyPath) -> Criteria:
    data = _at(document.data, path)
    try:
        if is_neutral(data):
            return neutral_criteria(data, path)
        return criteria(_ADAPTER.validate_python(data))
    except NeutralError as error:
        raise DefinitionError([document.problem(error.path, error.message, key=error.key)]) from None
    except ValidationError as error:
        raise DefinitionError(_problems(error, document, path, CriteriaDefinition)) from None


def _at(data: Any, path: KeyPath) -> Any:
    for part in path:
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        data = data[part] if inside else None
    return data


def _problems(error: ValidationError, document: Document, path: KeyPath, root: Any) -> list[Problem]:
    """The findings at their places; those of a part of the file are looked for in that part."""
    part = document if not path else _part(document, path)
    source = Source(document.path, (part,), part.data, {(): part})
    found = translate(error, source, root=root)
    # A list whose entries are all wrong is too short for pydantic, too; the entries say what is wrong.
    told = [(where, problem) for where, problem in found if not _has_deeper(where, found)]
    return [_hinted(problem, _at(part.data, where)) for where, problem in told]


def _has_deeper(where: KeyPath, found: list[tuple[KeyPath, Problem]]) -> bool:
    return any(len(other) > len(where) and other[: len(where)] == where for other, _ in found)


def _hinted(problem: Problem, data: Any) -> Problem:
    """A mapping without any key that is known may have one that is misspelt."""
    if not (problem.message.startswith("a condition is") and isinstance(data, dict)):
        return problem
    hint = next(filter(None, (did_you_mean(key, CRITERIA_KEYS) for key in data)), "")
    return replace(problem, message=problem.message + hint)


def _part(document: Document, path: KeyPath) -> Document:
    def below(places: Mapping[KeyPath, Any]) -> dict[KeyPath, Any]:
        return {place[len(path) :]: where for place, where in places.items() if place[: len(path)] == path}

    keys, values, spans = below(document.keys), below(document.values), below(document.spans)
    return replace(document, data=_at(document.data, path), keys=keys, values=values, spans=spans)


def _bad_patterns(document: Document, data: Any, path: KeyPath) -> Iterator[Problem]:
    """Regular expressions that the engine, which knows no dangerous ones, cannot read."""
    if isinstance(data, dict):
        pattern = data.get("value")
        if (data.get("operator") == "matches" or data.get("op") == "regex") and isinstance(pattern, str):
            problem = pattern_problem(pattern)
            if problem:
                yield document.problem((*path, "value"), f"not a regular expression that can be used: {problem}")
        for key, value in data.items():
            yield from _bad_patterns(document, value, (*path, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from _bad_patterns(document, value, (*path, index))


def pattern_problem(pattern: str) -> str | None:
    """What is wrong with a regular expression; None when nothing is."""
    try:
        with scratch() as connection:
            connection.execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
    except duckdb.Error as error:
        return str(error).removeprefix("Invalid Input Error: ").splitlines()[0]
    return None


def _bad_names(document: Document, found: CriteriaSet, elsewhere: frozenset[str]) -> Iterator[Problem]:
    """Segments that are named and not there, and those that go in a circle."""
    yield from _circles(document, found.when, found.segments, elsewhere, ())


def _circles(
    document: Document,
    part: Criteria,
    segments: Mapping[str, Criteria],
    elsewhere: frozenset[str],
    above: tuple[str, ...],
) -> Iterator[Problem]:
    for name in _named(part):
        if name in above:
            yield document.problem(_place(document, name), f"segments go in a circle: {' -> '.join([*above, name])}")
        elif name in segments:
            yield from _circles(document, segments[name], segments, elsewhere, (*above, name))
        elif name not in elsewhere:
            message = f"unknown segment '{name}'{did_you_mean(name, (*segments, *elsewhere))}"
            yield document.problem(_place(document, name), message)


def _named(part: Criteria) -> Iterator[str]:
    """The segments that criteria name themselves."""
    if isinstance(part, Group):
        for item in part.items:
            yield from _named(item)
    elif isinstance(part, InSegment):
        if isinstance(part.segment, str):
            yield part.segment
        else:
            yield from _named(part.segment)


def _place(document: Document, name: str) -> KeyPath:
    found = (p for p in document.values if p and p[-1] in ("segment", "in_segment") and _at(document.data, p) == name)
    return next(found, ())
