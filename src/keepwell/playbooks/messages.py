"""Fills in messages: values arrive as text, whatever is in them, and subjects stay on one line."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from keepwell.model.definitions import Settings
from keepwell.model.message_definitions import Message
from keepwell.model.message_text import template
from keepwell.playbooks.facts import Facts

_LINE: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of all text after them."""
_MARKED: Final = re.compile(r"([\\`*_{}\[\]()#+!|~=-]|(?<=\d)\.)")
_BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")


@dataclass(frozen=True)
class Around:
    """What a message can name besides the customer and the settings: `person`, `owner`, `sender`, `offer`,
    `playbook` and `link`, each with its fields."""

    person: Mapping[str, Any] = field(default_factory=dict)
    owner: Mapping[str, Any] = field(default_factory=dict)
    sender: Mapping[str, Any] = field(default_factory=dict)
    offer: Mapping[str, Any] = field(default_factory=dict)
    playbook: Mapping[str, Any] = field(default_factory=dict)
    link: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """A message as it goes out; `text` is Markdown in which values are plain."""

    subject: str
    preview: str
    text: str
    button: str
    link: str


def rendered(message: Message, fields: Mapping[str, Any]) -> Rendered:
    """Fill in a message; raises LiquidError for a template that cannot be."""

    def fill(text: str) -> str:
        return template(text).render(**fields)

    return Rendered(
        subject=one_line(fill(message.subject)),
        preview=one_line(fill(message.preview)),
        text=_BLANK_LINES.sub("\n\n", fill(message.text)).strip(),
        button=one_line(fill(message.button)),
        link=fill(message.link).strip(),
    )


def message_fields(
    customer: str, facts: Facts, settings: Settings, around: Around, *, as_text: Callable[[str], str] = str
) -> dict[str, Any]:
    """Everything that a message can name; `as_text` is `markdown_escaped` where the Markdown becomes HTML."""
    said = dict.fromkeys(facts.signals, True) | dict(facts.values)
    about = {"customer_id": customer, "company": customer} | {n: v for n, v in said.items() if v is not None}
    fields = {"customer": about, "setting": dict(settings.values), **around.__dict__}
    return {
        root: {name: _plain(value, str if _written_by_us(root, name) else as_text) for name, value in found.items()}
        for root, found in fields.items()
    }


def _written_by_us(root: str, name: str) -> bool:
    """Settings and addresses come from the workspace itself, and an address must stay as it is.

    What a customer calls an address does not: it is as hostile as the rest of what customers say.
    """
    return root in ("setting", "link") or (root not in ("customer", "person") and name.endswith(("url", "link")))


def one_line(text: str) -> str:
    """A text that fits into a header: no line ends, nothing invisible."""
    return " ".join(_LINE.sub(" ", _HIDDEN.sub("", text)).split())


def markdown_escaped(text: str) -> str:
    """A text that Markdown and HTML show as it is."""
    return _MARKED.sub(r"\\\1", html.escape(text, quote=False))


def _plain(value: Any, as_text: Callable[[str], str]) -> Any:
    """Numbers without a needless `.0`, dates as people write them, texts on one line without what cannot be seen."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime | date):
        return f"{value.day} {value:%B %Y}"
    return as_text(one_line(value)) if isinstance(value, str) else value
