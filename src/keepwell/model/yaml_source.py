"""YAML with positions: plain data, and for every value the line and column it came from.

The core schema of YAML 1.2 decides what a plain scalar is: `no`, `on`, `12:30` and `2026-01-31` are texts.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.composer import Composer

from keepwell.model.problems import Problem, Severity

Key = str | int
KeyPath = tuple[Key, ...]

# Aliases may repeat a value; a small file must not unfold into millions of values.
MOST_VALUES = 100_000
MOST_RIVALS: Final = 20
"""Definitions whose name is taken that are looked into: each copies all places and reads the whole model."""


class _Loader(yaml.SafeLoader):
    """The safe loader without YAML 1.1's surprises."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own name for it


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9][0-9_]*\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+0123456789."),
    ("float", r"[-+]?[0-9]+[eE][-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _fastest() -> type[Any]:
    """The same loader on the parser in C, several times faster, where the library was built with it.

    Nodes are composed in Python all the same: its recursion is bounded.
    """
    if not yaml.__with_libyaml__:
        return _Loader

    class Fast(Composer, yaml.CSafeLoader):
        yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

        def __init__(self, text: str) -> None:
            yaml.CSafeLoader.__init__(self, text)
            Composer.__init__(self)

    return Fast


_FAST: Final = _fastest()
_OTHERWISE: Final = re.compile(r"[\t?]")
"""Where the parser in C accepts what the one in Python does not."""


@dataclass(frozen=True)
class Span:
    """Where a scalar stands in the file: characters from `start` to `end`, and its quoting style."""

    start: int
    end: int
    style: str | None
    value: str


@dataclass
class Document:
    """One YAML file as data. `problems` holds what the reader itself found: syntax, duplicate keys.

    `rivals` are definitions whose name was taken in the file, each as a document that has it in the other's place.
    """

    path: str
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    values: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    text: str = ""
    spans: dict[KeyPath, Span] = field(default_factory=dict)
    rivals: "list[tuple[KeyPath, Document]]" = field(default_factory=list)

    def without(self, path: KeyPath) -> "Document":
        """The file without the places of what is at `path`; problems go to the same list."""
        keys = {p: v for p, v in self.keys.items() if p[: len(path)] != path}
        values = {p: v for p, v in self.values.items() if p[: len(path)] != path}
        spans = {p: v for p, v in self.spans.items() if p[: len(path)] != path}
        return Document(self.path, None, self.problems, keys, values, self.text, spans)

    def lines(self, path: KeyPath) -> range:
        """The lines on which `path` and what is in it begin and end."""
        starts = (v[0] for found in (self.keys, self.values) for p, v in found.items() if p[: len(path)] == path)
        ends = (self.text.count("\n", 0, s.end) + 1 for p, s in self.spans.items() if p[: len(path)] == path)
        lines = {*starts, *ends}
        return range(min(lines, default=1), max(lines, default=0) + 1)

    def position(self, path: KeyPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at `path`, or of its nearest parent that exists."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            found = first.get(path[:length]) or second.get(path[:length])
            if found:
                return found
        return (1, 1)

    def place(self, path: KeyPath, shift: int) -> tuple[int, int]:
        """Line and column of the character number `shift` (from 0) inside the text value at `path`."""
        span = self.spans.get(path)
        if span is None:
            return self.position(path)
        index = _raw_index(self.text, span, shift)
        line_start = self.text.rfind("\n", 0, index) + 1
        return (self.text.count("\n", 0, index) + 1, index - line_start + 1)

    def problem(
        self,
        path: KeyPath,
        message: str,
        *,
        key: bool = False,
        severity: Severity = Severity.ERROR,
        shift: int | None = None,
    ) -> Problem:
        """A problem at `path`; `shift` moves the place into a text value."""
        line, column = self.position(path, key=key) if shift is None else self.place(path, shift)
        return Problem(self.path, line, column, severity, message)


def _raw_index(text: str, span: Span, shift: int) -> int:
    """Find a value's character in the raw text: quoting, folding and indentation only ever add characters."""
    index = span.start
    if span.style in ("|", ">"):
        index = text.find("\n", index) + 1 or index
    elif span.style:
        index += 1
    wanted = span.value[: shift + 1]
    for position, character in enumerate(wanted):
        while index < span.end - 1 and not _same(text[index], character):
            index += 1
        if position < len(wanted) - 1:
            index += 1
    return min(index, max(span.start, span.end - 1))


def _same(raw: str, character: str) -> bool:
    return raw == character or (raw.isspace() and character.isspace())


def read_yaml(path: Path, *, shown: str | None = None) -> Document:
    """Read one file; never raises for what is in it: problems are on the document."""
    document = Document(shown or str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        document.problems.append(Problem(document.path, 1, 1, Severity.ERROR, f"cannot be read: {error}"))
        return document
    return parse_yaml(text, document)


def parse_yaml(text: str, document: Document) -> Document:
    """Fill `document` from text."""
    document.text = text
    # The parser in Python has the last word on what is wrong, so that it is the same everywhere.
    if _OTHERWISE.search(text) or _fill(document, _FAST, text):
        document.problems, document.keys, document.values, document.spans, document.rivals = [], {}, {}, {}, []
        if error := _fill(document, _Loader, text):
            document.problems.append(_syntax(document.path, error))
    return document


def _fill(document: Document, kind: type[Any], text: str) -> Exception | None:
    """Fill `document` by one of the loaders; what kept it from doing so."""
    try:
        loader = kind(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                document.data = _Builder(loader, document).build(node, (), frozenset())
        finally:
            loader.dispose()
    except (yaml.YAMLError, RecursionError) as error:
        return error
    return None


def _syntax(path: str, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = "too deeply nested" if isinstance(error, RecursionError) else getattr(error, "problem", None) or error
    return Problem(path, line, column, Severity.ERROR, f"not valid YAML: {' '.join(str(what).split())}")


class _Builder:
    """Turns nodes into plain data and notes where each came from."""

    def __init__(self, loader: Any, document: Document) -> None:
        self.loader = loader
        self.document = document
        self.count = 0

    def build(self, node: yaml.Node, path: KeyPath, above: frozenset[int]) -> Any:
        self.count += 1
        if self.count > MOST_VALUES:
            raise _refused(node, f"more than {MOST_VALUES:,} values")
        self.document.values.setdefault(path, _mark(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in above:
            raise _refused(node, "an anchor refers to itself")
        above = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, i), above) for i, item in enumerate(node.value)]
        return self._mapping(node, path, above)

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        if not node.tag.startswith("tag:yaml.org,2002:"):
            raise _refused(node, f"tag {node.tag} may not be used")
        try:
            value = self.loader.construct_object(node)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            raise _refused(node, "a value that cannot be read") from None
        if isinstance(value, str):
            start, end = node.start_mark.index, node.end_mark.index
            self.document.spans[path] = Span(start, end, node.style or None, value)
        return value

    def _mapping(
        self, node: yaml.Node, path: KeyPath, above: frozenset[int], before: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The keys of a mapping, added to those of an earlier one that has the same name."""
        built: dict[str, Any] = {} if before is None else before
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused(key_node, "a key must be plain text")
            key = str(key_node.value)
            where = (*path, key)
            if key in built:
                self._duplicate(key_node, where)
                if not path and isinstance(built[key], dict) and isinstance(value_node, yaml.MappingNode):
                    # A section that stands there twice: what is in the second one is looked at as well.
                    self._mapping(value_node, where, above | {id(value_node)}, built[key])
                elif len(path) == 1 and len(self.document.rivals) < MOST_RIVALS:
                    self._rival(key_node, value_node, where, above)
                continue
            self.document.keys[where] = _mark(key_node)
            built[key] = self.build(value_node, where, above)
        return built

    def _rival(self, key: yaml.Node, value: yaml.Node, where: KeyPath, above: frozenset[int]) -> None:
        """Read a definition whose name is taken, so that what is wrong in it is said at once."""
        document = self.document.without(where)
        document.keys[where] = _mark(key)
        builder = _Builder(self.loader, document)
        builder.count = self.count
        document.data = builder.build(value, where, above)
        self.count = builder.count
        self.document.rivals.append((where, document))

    def _duplicate(self, node: yaml.ScalarNode, where: KeyPath) -> None:
        line, column = _mark(node)
        message = f"duplicate key '{node.value}' (first on line {self.document.keys[where][0]})"
        self.document.problems.append(Problem(self.document.path, line, column, Severity.ERROR, message))


def _refused(node: yaml.Node, message: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=node.start_mark)


def _mark(node: yaml.Node) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1)
