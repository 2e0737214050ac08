"""Changes single values in the YAML of a model: everything else, comments included, stays as it is written."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import yaml

from keepwell.model.problems import did_you_mean
from keepwell.model.yaml_source import Document, Key, KeyPath, parse_yaml
from keepwell.services.planning.sources import Sources, is_message

Value = bool | int | float | str | list[Any] | dict[str, Any] | None
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ .%/()'<>=-]*")
_BLOCK: Final = ("|", ">")


class EditError(ValueError):
    """An edit that cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Edit:
    """A new value at a place of the merged model, whichever file that is in.

    A key that is not there yet is added when the mapping around it is.
    """

    path: KeyPath
    value: Value


@dataclass(frozen=True)
class _Place:
    """A span of a text and what is to stand there."""

    start: int
    end: int
    text: str


def edit_model(sources: Sources, edits: Sequence[Edit]) -> dict[str, str]:
    """The texts with the edits made one after the other; raises EditError for one that cannot be made.

    Only the edited values' characters change. Whether the result is a good model is for `load_sources` to say.
    """
    texts = dict(sources)
    roots = {name: _root(name, text) for name, text in texts.items() if not is_message(name)}
    made: dict[str, list[Edit]] = {}
    for edit in edits:
        name = _file(roots, edit.path)
        text = texts[name]
        place = _place(roots[name], text, edit, name)
        texts[name] = text[: place.start] + place.text + text[place.end :]
        roots[name] = _root(name, texts[name])
        made.setdefault(name, []).append(edit)
    for name, here in made.items():
        _check(name, sources[name], texts[name], here)
    return texts


def edit_value(text: str) -> Value:
    """What a person typed into a field, as YAML reads it: `0.4`, `true`, `gold`; what is no YAML is a text."""
    document = parse_yaml(text.strip(), Document(""))
    found: Value = document.data
    return text.strip() if document.problems else found


def path_words(path: KeyPath) -> str:
    """A place of a model in words, as messages name it."""
    return ": ".join(map(str, path))


def _root(name: str, text: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        what = " ".join(str(getattr(error, "problem", None) or error).split())
        raise EditError(f"{name} is not valid YAML: {what}; put that right in the file first") from None
    return root


def _file(roots: Mapping[str, yaml.Node | None], path: KeyPath) -> str:
    """The file in which the path goes furthest: it has the value, or the mapping that the value belongs in."""
    if not path:
        raise EditError("an edit needs the place of a value")
    depth = {name: len(list(_steps(root, path))) for name, root in roots.items()}
    best = max(depth.values(), default=0)
    if best < len(path):
        raise EditError(_missing(roots, path, best))
    return next(name for name in sorted(depth) if depth[name] == best)


def _missing(roots: Mapping[str, yaml.Node | None], path: KeyPath, best: int) -> str:
    """What is not there, and what it may have been meant to be."""
    reached, wanted = path[: max(0, best - 1)], path[max(0, best - 1)]
    nodes = [_node(root, reached) for root in roots.values()]
    keys = [key.value for node in nodes if isinstance(node, yaml.MappingNode) for key, _ in node.value]
    where = f"in {path_words(reached)} " if reached else ""
    return f"there is no '{wanted}' {where}to change{did_you_mean(str(wanted), keys)}"


def _steps(root: yaml.Node | None, path: KeyPath) -> Iterator[yaml.Node]:
    """The nodes from the root on along a path, as far as they exist."""
    node = root
    for key in (*path, None):
        if node is None:
            return
        yield node
        node = None if key is None else _child(node, key)


def _node(root: yaml.Node | None, path: KeyPath) -> yaml.Node | None:
    found = list(_steps(root, path))
    return found[-1] if len(found) == len(path) + 1 else None


def _child(node: yaml.Node, key: Key) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == str(key)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and 0 <= key < len(node.value):
        found: yaml.Node = node.value[key]
        return found
    return None


def _place(root: yaml.Node | None, text: str, edit: Edit, name: str) -> _Place:
    node, parent = _node(root, edit.path), _node(root, edit.path[:-1])
    if parent is not None and _seen(root, parent) > 1:
        raise EditError(f"{path_words(edit.path)} is shared through an anchor in {name}; change it in the file")
    if node is not None:
        if _seen(root, node) > 1:
            raise EditError(f"{path_words(edit.path)} is shared through an anchor in {name}; change it in the file")
        return _replaced(node, text, edit, name)
    if not isinstance(parent, yaml.MappingNode) or not parent.value:
        raise EditError(f"{path_words(edit.path[:-1])} in {name} has no keys to add '{edit.path[-1]}' to")
    return _added(parent, text, edit)


def _seen(root: yaml.Node | None, node: yaml.Node) -> int:
    """How many places a node stands at: an anchor's is at each of its aliases, too."""
    if root is None:
        return 0
    if root is node:
        return 1
    parts: list[yaml.Node] = []
    if isinstance(root, yaml.MappingNode):
        parts = [value for _, value in root.value]
    elif isinstance(root, yaml.SequenceNode):
        parts = root.value
    return sum(_seen(part, node) for part in parts)


def _replaced(node: yaml.Node, text: str, edit: Edit, name: str) -> _Place:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        raise EditError(f"{path_words(edit.path)} in {name} spans several lines; change the values inside it")
    if start == end:
        # An empty value: it stands right after its colon.
        return _Place(start, end, f" {_written(edit.value)}")
    if isinstance(node, yaml.ScalarNode) and node.style in _BLOCK:
        while end > start and text[end - 1] in "\r\n ":
            end -= 1
    quoted = isinstance(node, yaml.ScalarNode) and node.style in ("'", '"')
    return _Place(start, end, _written(edit.value, quoted=quoted and isinstance(edit.value, str)))


def _added(parent: yaml.MappingNode, text: str, edit: Edit) -> _Place:
    """The key as the first of its mapping, in the mapping's own style."""
    first = parent.value[0][0].start_mark
    entry = f"{_written(str(edit.path[-1]))}: {_written(edit.value)}"
    if parent.flow_style:
        return _Place(first.index, first.index, f"{entry}, ")
    newline = "\r\n" if "\r\n" in text else "\n"
    return _Place(first.index, first.index, f"{entry}{newline}{' ' * first.column}")


def _written(value: Value, *, quoted: bool = False) -> str:
    """A value as YAML that reads the same inside and outside of brackets."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number(value)
        case str():
            return json.dumps(value, ensure_ascii=False) if quoted or not _stays_text(value) else value
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case dict():
            return "{" + ", ".join(f"{_written(str(key))}: {_written(entry)}" for key, entry in value.items()) + "}"


def _number(value: float) -> str:
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        raise EditError("a number must have a value")
    return f"{Decimal(repr(value)):f}".removesuffix(".0")


def _stays_text(value: str) -> bool:
    """Whether a text may stand without quotes: it is read as itself, in brackets, too."""
    plain = _PLAIN.fullmatch(value) is not None and value == value.strip()
    return plain and edit_value(value) == value


def _check(name: str, before: str, after: str, edits: Sequence[Edit]) -> None:
    """The new text must read as the old one with these values, and nothing else, changed."""
    old, new = (parse_yaml(text, Document(name)) for text in (before, after))
    wanted = old.data
    for edit in edits:
        wanted = _with(wanted, edit.path, edit.value)
    if new.data != wanted or (new.problems and not old.problems):
        places = ", ".join(path_words(edit.path) for edit in edits)
        raise EditError(f"{places} cannot be changed without changing more; change it in {name}")


def _with(data: Any, path: KeyPath, value: Value) -> Any:
    if not path:
        return value
    if isinstance(data, list):
        return [_with(item, path[1:], value) if i == path[0] else item for i, item in enumerate(data)]
    inner = data if isinstance(data, dict) else {}
    return inner | {str(path[0]): _with(inner.get(str(path[0])), path[1:], value)}
