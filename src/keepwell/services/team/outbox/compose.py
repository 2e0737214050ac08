"""Messages of playbooks become rows of the outbox: to whom, from whom, and in which words."""

import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from liquid.exceptions import LiquidError

from keepwell.model.definitions import Settings
from keepwell.model.message_definitions import Message
from keepwell.model.problems import DefinitionError
from keepwell.playbooks.events import Effect
from keepwell.playbooks.messages import Around, one_line
from keepwell.services.team.outbox import tokens
from keepwell.services.team.outbox.letters import Letter, laid_out, letter
from keepwell.services.team.outbox.markdown import same
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.outbox.recipients import (
    EVERYBODY,
    PRIMARY,
    Account,
    Addressee,
    account_of,
    owner_fields,
    person_of,
    recipients,
)
from keepwell.services.team.outbox.switches import tracked
from keepwell.services.team.outbox.texts import message_named, model_now, settings_now
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Channel, Outgoing, PlaybookRun

EMAIL: Final = "email"
IN_APP: Final = "in_app"
MARKETING: Final = "marketing"
_PREVIEW: Final = "preview"


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


@dataclass(frozen=True)
class Preview:
    """A message as one customer would get it now; `problem` says why it could not be sent."""

    channel: str
    purpose: str
    to_name: str
    to_address: str
    sender_name: str
    subject: str
    preview: str
    text: str
    html: str
    problem: str = ""


def compose_message(
    workspace: Workspace, effect: Effect, run: PlaybookRun, now: datetime, *, offer: Mapping[str, Any] | None = None
) -> list[Outgoing]:
    """The rows of a message that a run asks for, one for each recipient; none when nobody can be written to.

    `offer` is what the offer knows besides its definition, such as the `url` where it is accepted. What cannot be
    written (a text that is gone, a template that fails) is a row that was given up and says why: the run goes on.
    """
    details = effect.details
    account = account_of(workspace, run.customer_id)
    if account is None:
        return []
    writing = Writing(
        key=effect.key,
        sender=str(details.get("sender", "owner")),
        run=run,
        step=effect.step,
        name=str(details["message"]),
        offer=_offer(details) | dict(offer or {}),
        playbook={"label": _label(run), "started_on": run.started_at.date(), "reason": run.started_by},
        payload={"contact": effect.key},
    )
    try:
        message = message_named(workspace, writing.name, run)
    except (KeyError, DefinitionError, WorkspaceError) as error:
        return [_failed(writing, account, f"The message “{writing.name}” cannot be read: {error}", now)]
    people = _people(workspace, account, message, str(details.get("to", PRIMARY)))
    return [write(workspace, message, account, one, writing, now) for one in people]


def write(
    workspace: Workspace, message: Message, account: Account, to: Addressee, writing: Writing, now: datetime
) -> Outgoing:
    """One message to one person into the outbox, under a key made of the writing's and the address."""
    key = f"{writing.key}:{_short(to.address or to.person_id)}"
    sender = _sender(workspace, account, writing.sender)
    try:
        words = _words(workspace, message, account, to, writing, sender, key)
    except LiquidError as error:
        return _failed(writing, account, f"The message “{writing.name}” cannot be filled in: {error}", now)
    refused = message.purpose == MARKETING and to.unsubscribed
    return put(
        now,
        key=key,
        channel=message.channel,
        audience=Channel.Audience.CUSTOMER,
        purpose=message.purpose,
        address=to.address,
        to_name=to.name,
        person_id=to.person_id,
        sender={name: sender.get(name, "") for name in ("name", "email", "title")},
        subject=words.subject,
        state=Outgoing.State.SUPPRESSED if refused else Outgoing.State.WAITING,
        error="This person has unsubscribed." if refused else "",
        **_about(writing, account) | _body(workspace, message, words, key, writing),
    )


def preview_message(workspace: Workspace, message_name: str, customer_id: str, *, to: str = PRIMARY) -> Preview:
    """A message of the workspace's model with a real customer; nothing is kept, no link of it is counted.

    Raises KeyError when there is no such message or customer, LiquidError for a template that cannot be filled in.
    """
    message = model_now(workspace).messages[message_name]
    account = account_of(workspace, customer_id)
    if account is None:
        raise KeyError(customer_id)
    found = _people(workspace, account, message, to)
    person = found[0] if found else Addressee("")
    writing = Writing(key=_PREVIEW, name=message_name)
    sender = _sender(workspace, account, writing.sender)
    words = _words(workspace, message, account, person, writing, sender, _PREVIEW)
    shown = _mail(workspace, message, words, _PREVIEW, track=False) if message.channel == EMAIL else _in_app(words)
    return Preview(
        channel=message.channel,
        purpose=message.purpose,
        to_name=person.name,
        to_address=person.address,
        sender_name=sender.get("name", ""),
        subject=words.subject,
        preview=words.preview,
        text=str(shown["text"]),
        html=str(shown["html"]),
        problem="" if found else "Nobody at this customer can be written to.",
    )


def _people(workspace: Workspace, account: Account, message: Message, to: str) -> tuple[Addressee, ...]:
    """Inside the product everybody sees what is for everybody: one row, without a person."""
    if message.channel == IN_APP and to == EVERYBODY:
        return (Addressee(""),)
    return recipients(workspace, account, to)


def _words(
    workspace: Workspace,
    message: Message,
    account: Account,
    to: Addressee,
    writing: Writing,
    sender: Mapping[str, str],
    key: str,
) -> Letter:
    settings = settings_now(workspace)
    links = {
        "product": _setting(settings, "product_link"),
        "calendar": _setting(settings, "calendar_link"),
        "unsubscribe": tokens.unsubscribe_url(key),
    }
    around = Around(
        person=to.fields,
        owner=owner_fields(account.owner_email, lambda name: _setting(settings, name)),
        sender={name: value for name, value in sender.items() if value},
        offer=writing.offer,
        playbook=writing.playbook,
        link={name: url for name, url in (links | dict(writing.links)).items() if url},
    )
    return letter(message, account.customer_id, account.facts, settings, around)


def _body(workspace: Workspace, message: Message, words: Letter, key: str, writing: Writing) -> dict[str, Any]:
    if message.channel == EMAIL:
        return _mail(workspace, message, words, key, track=tracked(EMAIL))
    shown = {"preview": words.preview, "button": words.button, "link": words.link}
    return _in_app(words) | {"payload": dict(writing.payload) | shown}


def _in_app(words: Letter) -> dict[str, Any]:
    return {"text": words.body, "html": words.fragment()}


def _mail(workspace: Workspace, message: Message, words: Letter, key: str, *, track: bool) -> dict[str, Any]:
    """Text and HTML; marketing says how to get no more of it."""
    text, footer = words.text, ""
    if message.purpose == MARKETING:
        url, said = tokens.unsubscribe_url(key), _imprint(workspace)
        text = f"{text}\n\n--\n{said}\nUnsubscribe: {url}"
        footer = f'{html.escape(said)}<br /><a href="{html.escape(url)}">Unsubscribe</a>'
    return {
        "text": text,
        "html": laid_out(
            words,
            footer=footer,
            pixel=tokens.open_url(key) if track else "",
            follow=(lambda url: tokens.click_url(key, url)) if track else same,
        ),
    }


def _imprint(workspace: Workspace) -> str:
    """Who writes, and from where, as laws on marketing ask for it."""
    address = _setting(settings_now(workspace), "postal_address")
    return " · ".join(filter(None, (f"News from {imprint_name(workspace)}", address)))


def imprint_name(workspace: Workspace) -> str:
    """What customers know the sender as: the product, else the workspace."""
    return _setting(settings_now(workspace), "product_name") or workspace.name


def _sender(workspace: Workspace, account: Account, kind: str) -> dict[str, str]:
    """Who writes: the customer's owner, the executive of the settings, or the team."""
    settings = settings_now(workspace)
    if kind == "team":
        said = {"name": imprint_name(workspace), "email": "", "title": ""}
    else:
        said = {
            "name": _setting(settings, "sender_name"),
            "email": _setting(settings, "sender_email"),
            "title": _setting(settings, "sender_title"),
        }
        owner = person_of(account.owner_email) if kind == "owner" else None
        if owner is not None:
            said = {"name": owner.name, "email": owner.email, "title": ""}
    words = said["name"].split()
    return {name: one_line(value) for name, value in said.items()} | {"first_name": words[0] if words else ""}


def _setting(settings: Settings, name: str) -> str:
    found = settings.values.get(name)
    return str(found).strip() if isinstance(found, str | int | float) else ""


def _offer(details: Mapping[str, Any]) -> dict[str, Any]:
    offered = dict(details.get("offer") or {})
    if expires := details.get("expires_at"):
        offered["expires_on"] = datetime.fromisoformat(str(expires)).date()
    return offered


def _label(run: PlaybookRun) -> str:
    return run.playbook.replace("_", " ").capitalize()


def _about(writing: Writing, account: Account) -> dict[str, Any]:
    return {
        "customer_id": account.customer_id,
        "company": account.company,
        "run": writing.run,
        "step": writing.step,
        "message": writing.name,
        "payload": dict(writing.payload),
    }


def _failed(writing: Writing, account: Account, why: str, now: datetime) -> Outgoing:
    return put(
        now,
        key=f"{writing.key}:unwritten",
        channel=EMAIL,
        audience=Channel.Audience.CUSTOMER,
        state=Outgoing.State.DEAD,
        subject=writing.name,
        error=why,
        **_about(writing, account),
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.lower().encode()).hexdigest()[:12]
