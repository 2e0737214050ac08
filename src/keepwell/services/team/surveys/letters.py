"""The e-mails of surveys: the model's words, or short ones of our own, and below them the answers as links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from keepwell.model.message_definitions import Message
from keepwell.model.survey_definitions import Survey, SurveyKind
from keepwell.playbooks.messages import markdown_escaped
from keepwell.services.team.outbox.markdown import as_plain, signed_apart
from keepwell.services.team.outbox.pen import Pen, Writing
from keepwell.services.team.outbox.recipients import Addressee
from keepwell.services.team.surveys.links import survey_url

ENDS: Final[Mapping[SurveyKind, tuple[str, str]]] = {
    "nps": ("not at all likely", "extremely likely"),
    "csat": ("very dissatisfied", "very satisfied"),
    "ces": ("very difficult", "very easy"),
}
"""What the lowest and the highest answer mean."""
_BUTTON: Final = (
    "display:inline-block;min-width:18px;margin:0 2px 6px 0;padding:7px 9px;border:1px solid #1d4ed8;"
    "border-radius:6px;text-align:center;text-decoration:none"
)
"""Large enough for a thumb; mail programs know no other place for looks than the link itself."""
_GREETING: Final = 'Hi {{ person.first_name | default: "there" }},'
_SHORT: Final = "one question, one click:"
_AGAIN: Final = "a few days ago we asked you one question. If you have a second, one click is enough:"


@dataclass(frozen=True)
class Words:
    """An e-mail as it leaves."""

    subject: str
    text: str
    html: str


def key_of(invitation_id: int, *, again: bool = False) -> str:
    """The outbox's key of an invitation, or of its reminder: links in it name it so."""
    return f"survey:{invitation_id}{':again' if again else ''}"


def words_of(
    pen: Pen, survey: Survey, message: Message | None, to: Addressee, invitation_id: int, *, again: bool = False
) -> Words:
    """The invitation, or the reminder, to one person; raises LiquidError."""
    own = message is None or again
    used = _own(_AGAIN if again else _SHORT) if message is None or again else message
    url = survey_url(invitation_id)
    writing = Writing(key=key_of(invitation_id, again=again), sender=survey.sender, links={"survey": url})
    one = pen.words(used, to, writing, writing.key)
    # The answers are the buttons: one that leads to the same page would only be one more.
    plain = replace(one, button="" if one.link == url else one.button)
    body, signed = signed_apart(plain.markdown)
    asked = f"{body}\n\n{_scale(survey, invitation_id)}"
    shown = replace(plain, markdown=f"{asked}\n\n{signed}" if signed else asked)
    html = pen.body(used, shown, writing.key)["html"].replace(
        f'<a href="{url}?s=', f'<a style="{_BUTTON}" href="{url}?s='
    )
    said = (replace(plain, markdown=body).text, _plain_scale(survey, invitation_id), as_plain(signed))
    text = "\n\n".join(filter(None, said))
    return Words(survey.question if own else one.subject, text, html)


def _own(text: str) -> Message:
    return Message(subject="Survey", purpose="service", text=f"{_GREETING}\n\n{text}")


def _scale(survey: Survey, invitation_id: int) -> str:
    """The question and its answers as Markdown."""
    first, last = ENDS[survey.kind]
    answers = " ".join(f"[**{score}**]({survey_url(invitation_id, score)})" for score in survey.scale)
    ends = f"{survey.scale[0]}: {first} · {survey.scale[-1]}: {last}"
    return f"**{markdown_escaped(survey.question)}**\n\n{answers}\n\n{ends}"


def _plain_scale(survey: Survey, invitation_id: int) -> str:
    """The same for programs without HTML: one link, for eleven would bury the words."""
    first, last = ENDS[survey.kind]
    ends = f"{survey.scale[0]} is {first}, {survey.scale[-1]} {last}"
    return f"{survey.question}\n({ends})\n\nAnswer here: {survey_url(invitation_id)}"
