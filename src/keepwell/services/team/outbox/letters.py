"""A message in the words of one customer: subject, plain text, and HTML in the layout. Values arrive as text."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Final

from mjml import mjml2html

from keepwell.model.definitions import Settings
from keepwell.model.message_definitions import Message
from keepwell.model.message_text import template
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.messages import Around, Rendered, markdown_escaped, message_fields, rendered
from keepwell.services.team.outbox.markdown import Follow, as_html, as_plain, safe_link, same, signed_apart

_LAYOUT: Final = "layouts/message.mjml"


@dataclass(frozen=True)
class Letter:
    """A message filled in; `markdown` has values that Markdown shows as they are, the rest is plain."""

    subject: str
    preview: str
    markdown: str
    button: str
    link: str

    @property
    def body(self) -> str:
        """The plain text without the button."""
        return as_plain(self.markdown)

    @property
    def text(self) -> str:
        """The plain text with the button's link, which stands before the sign-off."""
        if not self.button:
            return self.body
        body, signed = (as_plain(part) for part in signed_apart(self.markdown))
        return "\n\n".join(filter(None, (body, f"{self.button}: {self.link}", signed)))

    def fragment(self, follow: Follow = same) -> str:
        """The body alone as HTML, without a button."""
        return as_html(self.markdown, follow)


def letter(message: Message, customer_id: str, facts: Facts, settings: Settings, around: Around) -> Letter:
    """Fill in a message for one customer; raises LiquidError for a template that cannot be."""
    plain = rendered(message, message_fields(customer_id, facts, settings, around))
    marked = rendered(message, message_fields(customer_id, facts, settings, around, as_text=markdown_escaped))
    return _letter(plain, marked.text)


def _letter(plain: Rendered, markdown: str) -> Letter:
    link = safe_link(plain.link)
    return Letter(plain.subject, plain.preview, markdown, plain.button if link else "", link)


def laid_out(one: Letter, *, footer: str = "", pixel: str = "", follow: Follow = same) -> str:
    """The whole e-mail as HTML. `footer` is HTML, `pixel` an address, `follow` gives links the address to be used."""
    body, signed = signed_apart(one.markdown) if one.button else (one.markdown, "")
    said: Mapping[str, str] = {
        "subject": html.escape(one.subject),
        "preview": html.escape(one.preview),
        "body": as_html(body, follow),
        "signed": as_html(signed, follow),
        "button": html.escape(one.button),
        "link": html.escape(follow(one.link) if one.link.startswith("http") else one.link),
        "footer": footer,
        "pixel": html.escape(pixel),
    }
    return str(mjml2html(template(_layout()).render(**said)))


@lru_cache(maxsize=1)
def _layout() -> str:
    return files("keepwell.services.team.outbox").joinpath(_LAYOUT).read_text(encoding="utf-8")
