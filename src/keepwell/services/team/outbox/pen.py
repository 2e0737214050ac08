"""Writes messages for one customer: who signs, which words, in which form. Everything is looked up once."""

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from keepwell.model.definitions import Settings
from keepwell.model.message_definitions import Message
from keepwell.playbooks.messages import Around, one_line
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.letters import Letter, laid_out, letter
from keepwell.services.team.outbox.markdown import same
from keepwell.services.team.outbox.recipients import Account, Addressee, owner_fields, person_of
from keepwell.services.team.outbox.switches import tracked
from keepwell.services.team.outbox.texts import settings_now
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, PlaybookRun

EMAIL: Final = "email"
MARKETING: Final = "marketing"


@dataclass(frozen=True)
class Writing:
    """What a message is about besides its customer; `links` and `offer` are what templates name so."""

    key: str
    sender: str = "owner"
    run: PlaybookRun | None = None
    step: str = ""
    name: str = ""
    offer: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    playbook: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


def imprint_name(workspace: Workspace) -> str:
    """What customers know the sender as: the product, else the workspace."""
    return said(settings_now(workspace), "product_name") or workspace.name


def said(settings: Settings, name: str) -> str:
    """A setting of the model as text; empty when there is none."""
    found = settings.values.get(name)
    return str(found).strip() if isinstance(found, str | int | float) else ""


@dataclass(frozen=True)
class Pen:
    """A customer, and all that its messages have in common; `counted` says whether links and openings are."""

    workspace: Workspace
    account: Account
    counted: bool | None = None

    @cached_property
    def settings(self) -> Settings:
        """The model's settings."""
        return settings_now(self.workspace)

    @cached_property
    def owner(self) -> Person | None:
        """Who looks after the customer, if that is somebody in the workspace."""
        return person_of(self.account.owner_email)

    @cached_property
    def _counted(self) -> bool:
        return tracked(EMAIL) if self.counted is None else self.counted

    def sender(self, kind: str) -> dict[str, str]:
        """Who writes: the customer's owner, the executive of the settings, or the team."""
        found = {name: one_line(value) for name, value in self._sender(kind).items()}
        words = found["name"].split()
        return found | {"first_name": words[0] if words else ""}

    def _sender(self, kind: str) -> dict[str, str]:
        if kind == "team":
            return {"name": said(self.settings, "product_name") or self.workspace.name, "email": "", "title": ""}
        if kind == "owner" and self.owner is not None:
            return {"name": self.owner.name, "email": self.owner.email, "title": ""}
        return {name: said(self.settings, f"sender_{name}") for name in ("name", "email", "title")}

    def words(self, message: Message, to: Addressee, writing: Writing, key: str) -> Letter:
        """The message filled in; raises LiquidError."""
        calendar = said(self.settings, "calendar_link")
        links = {
            "product": said(self.settings, "product_link"),
            "calendar": calendar,
            "unsubscribe": tokens.unsubscribe_url(key),
        }
        around = Around(
            person=to.fields,
            owner=owner_fields(self.account.owner_email, self.owner, calendar),
            sender={name: value for name, value in self.sender(writing.sender).items() if value},
            offer=writing.offer,
            playbook=writing.playbook,
            link={name: url for name, url in {**links, **writing.links}.items() if url},
        )
        return letter(message, self.account.customer_id, self.account.facts, self.settings, around)

    def body(self, message: Message, words: Letter, key: str) -> dict[str, str]:
        """Text and HTML as they leave: an e-mail in its layout, or what the product shows."""
        if message.channel != EMAIL:
            return {"text": words.body, "html": words.fragment()}
        text, footer = words.text, ""
        if message.purpose == MARKETING:
            url = tokens.unsubscribe_url(key)
            text = f"{text}\n\n--\n{self._imprint}\nUnsubscribe: {url}"
            footer = f'{html.escape(self._imprint)}<br /><a href="{html.escape(url)}">Unsubscribe</a>'
        return {"text": text, "html": self._laid_out(words, footer, key)}

    def _laid_out(self, words: Letter, footer: str, key: str) -> str:
        if not self._counted:
            return laid_out(words, footer=footer, follow=same)
        pixel = tokens.open_url(key)
        return laid_out(words, footer=footer, pixel=pixel, follow=lambda url: tokens.click_url(key, url))

    @cached_property
    def _imprint(self) -> str:
        """Who writes, and from where, as laws on marketing ask for it."""
        name = said(self.settings, "product_name") or self.workspace.name
        return " · ".join(filter(None, (f"News from {name}", said(self.settings, "postal_address"))))
