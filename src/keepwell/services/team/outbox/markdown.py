"""Markdown as HTML and as plain text. What stands in it as HTML is shown as text; links lead to known schemes only."""

import re
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

Follow = Callable[[str], str]
_READER: Final = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True, "breaks": True})
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel"})
_NEWLINES: Final = re.compile(r"\r\n?|\n")
_SENTENCE_ENDS: Final = (".", "?", "!", ":", ";")
_SIGNED_LINES, _SIGNED_WIDTH = 4, 60
_ENDS: Final = frozenset({"paragraph_close", "heading_close", "bullet_list_close", "ordered_list_close"})


def same(url: str) -> str:
    """Links that are left as they are."""
    return url


def safe_link(url: str) -> str:
    """A link that may stand in a message; empty for what leads elsewhere than to a page, an address or a number."""
    text = url.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES or any(ord(c) < 33 or c in '<>"' for c in text):
        return ""
    return text if scheme in ("mailto", "tel") or parts.hostname else ""


def as_html(text: str, follow: Follow = same) -> str:
    """HTML of a text; `follow` gives each link to a page the address that it has in the message."""
    tokens = _READER.parse(text)
    for token in _links(tokens):
        url = safe_link(str(token.attrs.get("href", "")))
        token.attrs["href"] = follow(url) if url.startswith("http") else url
    return str(_READER.renderer.render(tokens, _READER.options, {}))


def as_plain(text: str) -> str:
    """The text without marks; a link stands behind its words."""
    return _Plain().of(_READER.parse(text))


def signed_apart(text: str) -> tuple[str, str]:
    """A letter without its sign-off, and the sign-off: the name it ends with and the "Best regards," above it.

    A letter that ends with a sentence has none.
    """
    blocks = [one for one in _READER.parse(text) if one.map and one.level == 0 and one.nesting >= 0]
    lines, start = _NEWLINES.split(text), None
    for block in reversed(blocks[1:]):
        said = [line.strip() for line in lines[slice(*block.map)]] if block.map else []
        wanted = _is_greeting(said) if start is not None else _is_name(said)
        if block.type != "paragraph_open" or not wanted or block.map is None:
            break
        start = block.map[0]
        if said[0].endswith(","):
            break
    if start is None:
        return text, ""
    return "\n".join(lines[:start]).rstrip(), "\n".join(lines[start:])


def _is_name(lines: Sequence[str]) -> bool:
    """Whether a paragraph is who signs: a few short lines, the first of which is no sentence."""
    short = len(lines) <= _SIGNED_LINES and all(len(line) <= _SIGNED_WIDTH for line in lines)
    return short and not lines[0].endswith(_SENTENCE_ENDS) and not any("](" in line for line in lines)


def _is_greeting(lines: Sequence[str]) -> bool:
    return _is_name(lines) and len(lines) == 1 and lines[0].endswith(",")


def _links(tokens: Sequence[Token]) -> list[Token]:
    found = []
    for token in tokens:
        found.extend([token] if token.type == "link_open" else _links(token.children or ()))
    return found


class _Plain:
    """Writes tokens as plain text."""

    def __init__(self) -> None:
        self.lists: list[int | None] = []
        self.parts: list[str] = []

    def of(self, tokens: Sequence[Token]) -> str:
        """The whole text."""
        for token in tokens:
            self._block(token)
        lines = "".join(self.parts).split("\n")
        return "\n".join(line.rstrip() for line in lines).strip()

    def _block(self, token: Token) -> None:
        match token.type:
            case "inline":
                self.parts.append(_inline(token.children or ()))
            case "bullet_list_open":
                self.lists.append(None)
            case "ordered_list_open":
                self.lists.append(int(token.attrs.get("start", 1)))
            case "list_item_open":
                self.parts.append(self._bullet())
            case "fence" | "code_block":
                self.parts.append(f"{token.content.rstrip()}\n\n")
            case "hr":
                self.parts.append("---\n\n")
            case kind if kind in _ENDS:
                self._end(kind)

    def _end(self, kind: str) -> None:
        if kind.endswith("list_close"):
            self.lists.pop()
            self.parts.append("" if self.lists else "\n")
        else:
            self.parts.append("\n" if self.lists else "\n\n")

    def _bullet(self) -> str:
        deep, number = "  " * (len(self.lists) - 1), self.lists[-1]
        if number is None:
            return f"{deep}- "
        self.lists[-1] = number + 1
        return f"{deep}{number}. "


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    begun: list[tuple[int, str]] = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline" | "image":
                parts.append(token.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "link_open":
                begun.append((len(parts), safe_link(str(token.attrs.get("href", "")))))
            case "link_close":
                start, url = begun.pop()
                said = "".join(parts[start:])
                parts.append(f" ({url})" if url and url not in (said, f"mailto:{said}") else "")
    return "".join(parts)
