"""YAML with positions: plain data, and for every value the line and column it came from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from keepwell.model.problems import Problem, Severity

Key = str | int
KeyPath = tuple[Key, ...]


@dataclass
class Document:
    """One YAML file as data. `problems` holds what the reader itself found: syntax, duplicate keys."""

    path: str
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    keys: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    values: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def position(self, path: KeyPath, *, key: bool = False) -> tuple[int, int]:
        """Line and column (from 1) of the value at `path`, or of its nearest parent that exists."""
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            found = first.get(path[:length]) or second.get(path[:length])
            if found:
                return found
        return (1, 1)

    def problem(
        self, path: KeyPath, message: str, *, key: bool = False, severity: Severity = Severity.ERROR, shift: int = 0
    ) -> Problem:
        """A problem at `path`; `shift` moves the column into a text value."""
        line, column = self.position(path, key=key)
        return Problem(self.path, line, column + shift, severity, message)


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
    try:
        loader = yaml.SafeLoader(text)
    except yaml.YAMLError as error:
        document.problems.append(_syntax(document.path, error))
        return document
    try:
        node = loader.get_single_node()
        if node is not None:
            document.data = _build(loader, node, (), document, set())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        document.problems.append(_syntax(document.path, error))
    finally:
        loader.dispose()
    return document


def _syntax(path: str, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    what = " ".join(str(getattr(error, "problem", None) or error).split())
    return Problem(path, line, column, Severity.ERROR, f"not valid YAML: {what}")


def _build(loader: yaml.SafeLoader, node: yaml.Node, path: KeyPath, document: Document, above: set[int]) -> Any:
    document.values.setdefault(path, _mark(node))
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_object(node)
    if id(node) in above:
        raise ValueError("an anchor refers to itself")
    above = above | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, i), document, above) for i, item in enumerate(node.value)]
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - the three kinds of node that YAML has
    return _build_mapping(loader, node, path, document, above)


def _build_mapping(
    loader: yaml.SafeLoader, node: yaml.MappingNode, path: KeyPath, document: Document, above: set[int]
) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise ValueError("a key must be plain text")
        key = str(key_node.value)
        where = (*path, key)
        if key in built:
            first = document.keys[where][0]
            line, column = _mark(key_node)
            message = f"duplicate key '{key}' (first on line {first})"
            document.problems.append(Problem(document.path, line, column, Severity.ERROR, message))
            continue
        document.keys[where] = _mark(key_node)
        built[key] = _build(loader, value_node, where, document, above)
    return built


def _mark(node: yaml.Node) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1)
