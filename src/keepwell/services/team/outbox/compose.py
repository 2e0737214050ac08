"""Messages of playbooks become rows of the outbox: to whom, from whom, and in which words."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from liquid.exceptions import LiquidError

from keepwell.model.message_definitions import Message
from keepwell.model.message_text import liquid_uses
from keepwell.model.problems import DefinitionError
from keepwell.playbooks.events import Effect
from keepwell.reporting.words import label_of
from keepwell.services.published import NothingPublished
from keepwell.services.team.outbox.letters import Letter
from keepwell.services.team.outbox.pen import EMAIL, MARKETING, Pen, Writing
from keepwell.services.team.outbox.queue import put
from keepwell.services.team.outbox.recipients import EVERYBODY, PRIMARY, Account, Addressee, account_of, recipients
from keepwell.services.team.outbox.texts import message_named, model_now
from keepwell.services.team.surveys.in_messages import asks, belongs_to, survey_link
from keepwell.services.workspace import Workspace, WorkspaceError
from keepwell.store.models import Channel, Outgoing, PlaybookRun

IN_APP: Final = "in_app"
_PREVIEW: Final = "preview"
_CUSTOMER: Final = "customer."


@dataclass(frozen=True)
class Preview:
    """A message as one customer would get it now; `problem` says why it could not be sent."""

    channel: str
    purpose: str
    to_name: str
    to_address: str
    sender_name: str
    sender_email: str
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
        account = account_of(workspace, run.customer_id, used(message))
    except NothingPublished:
        return []
    except (KeyError, DefinitionError, WorkspaceError, LiquidError) as error:
        return [_failed(writing, run, f"The message “{writing.name}” cannot be read: {error}", now)]
    if account is None:
        return []
    pen = Pen(workspace, account)
    return [write(pen, message, one, writing, now) for one in _people(pen, message, str(details.get("to", PRIMARY)))]


def write(pen: Pen, message: Message, to: Addressee, writing: Writing, now: datetime) -> Outgoing:
    """One message to one person into the outbox, under a key made of the writing's and the address."""
    key = f"{writing.key}:{_short(to.address or to.person_id)}"
    try:
        words = pen.words(message, to, _asking(pen, message, to, writing, key, now), key)
    except LiquidError as error:
        return _failed(writing, pen.account, f"The message “{writing.name}” cannot be filled in: {error}", now)
    refused = message.purpose == MARKETING and to.unsubscribed
    sender = pen.sender(writing.sender)
    row = put(
        now,
        key=key,
        channel=message.channel,
        audience=Channel.Audience.CUSTOMER,
        purpose=message.purpose,
        address=to.address,
        to_name=to.name,
        person_id=to.person_id,
        sender={name: sender[name] for name in ("name", "email", "title")},
        subject=words.subject,
        state=Outgoing.State.SUPPRESSED if refused else Outgoing.State.WAITING,
        error="This person has unsubscribed." if refused else "",
        payload={**writing.payload, **_shown_beside(message, words)},
        **(_about(writing, pen.account) | pen.body(message, words, key)),
    )
    if asks(message):
        belongs_to(key, row.pk)
    return row


def _asking(pen: Pen, message: Message, to: Addressee, writing: Writing, key: str, now: datetime) -> Writing:
    """The same with the link to a survey where the message names one."""
    if not asks(message):
        return writing
    link = survey_link(model_now(pen.workspace), pen.account, to, key, now)
    return replace(writing, links={**writing.links, "survey": link})


def preview_message(
    workspace: Workspace,
    message_name: str,
    customer_id: str,
    *,
    to: str = PRIMARY,
    sender: str = "owner",
    offer: Mapping[str, Any] | None = None,
) -> Preview:
    """A message of the workspace's model with a real customer; nothing is kept, no link of it is counted.

    `to`, `sender` and `offer` are what the step says that sends it. Raises KeyError when there is no such message or
    customer, LiquidError for a template that cannot be filled in.
    """
    message = model_now(workspace).messages[message_name]
    account = account_of(workspace, customer_id, used(message))
    if account is None:
        raise KeyError(customer_id)
    pen = Pen(workspace, account, counted=False)
    found = _people(pen, message, to)
    person = found[0] if found else Addressee("")
    writing = Writing(key=_PREVIEW, sender=sender, name=message_name, offer=offer or {})
    words = pen.words(message, person, writing, _PREVIEW)
    return Preview(
        channel=message.channel,
        purpose=message.purpose,
        to_name=person.name,
        to_address=person.address,
        sender_name=pen.sender(sender)["name"],
        sender_email=pen.sender(sender)["email"],
        subject=words.subject,
        preview=words.preview,
        problem="" if found else "Nobody at this customer can be written to.",
        **pen.body(message, words, _PREVIEW),
    )


def used(message: Message) -> frozenset[str] | None:
    """The values of a customer that a message names; None for all of them. Raises LiquidError."""
    texts = (message.subject, message.preview, message.button, message.link, message.text)
    names = {use.name for text in texts for use in liquid_uses(text) if use.kind == "field"}
    if "customer" in names or "customer.?" in names:
        return None
    return frozenset(name.removeprefix(_CUSTOMER) for name in names if name.startswith(_CUSTOMER))


def _people(pen: Pen, message: Message, to: str) -> tuple[Addressee, ...]:
    """Inside the product everybody sees what is for everybody: one row, without a person."""
    if message.channel == IN_APP and to == EVERYBODY:
        return (Addressee(""),)
    return recipients(pen.workspace, pen.account, to)


def _shown_beside(message: Message, words: Letter) -> dict[str, str]:
    """What the product shows beside the text; an e-mail has it in its layout."""
    if message.channel == EMAIL:
        return {}
    return {"preview": words.preview, "button": words.button, "link": words.link}


def _offer(details: Mapping[str, Any]) -> dict[str, Any]:
    offered = dict(details.get("offer") or {})
    if expires := details.get("expires_at"):
        offered["expires_on"] = datetime.fromisoformat(str(expires)).date()
    return offered


def _label(run: PlaybookRun) -> str:
    return run.playbook.replace("_", " ").capitalize()


def _about(writing: Writing, whose: Account | PlaybookRun) -> dict[str, Any]:
    return {
        "customer_id": whose.customer_id,
        "company": whose.company,
        "run": writing.run,
        "step": writing.step,
        "message": writing.name,
    }


def _failed(writing: Writing, whose: Account | PlaybookRun, why: str, now: datetime) -> Outgoing:
    return put(
        now,
        key=f"{writing.key}:unwritten",
        channel=EMAIL,
        audience=Channel.Audience.CUSTOMER,
        state=Outgoing.State.DEAD,
        subject=label_of(writing.name, None),
        error=why,
        payload=dict(writing.payload),
        **_about(writing, whose),
    )


def _short(text: str) -> str:
    return hashlib.sha256(text.lower().encode()).hexdigest()[:12]
