"""Words to colleagues in Slack, Teams and a hundred others. Where they go stands in the environment, by name:

KEEPWELL_CHAT_SLACK is the place of the channel `slack`, KEEPWELL_CHAT_SLACK_ESCALATIONS that of its target
`escalations`. The value is an address as https://appriseit.com describes them, or the webhook's address that Slack or
Teams shows.
"""

import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import apprise
from apprise.common import NotifyFormat
from apprise.conversion import convert_between
from apprise.logger import LogCapture

from keepwell.connectors.channels.results import GiveUp, Result, Retry, Sent

PREFIX: Final = "KEEPWELL_CHAT_"
_TARGET: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_STATUS: Final = re.compile(r"\berror[= ](\d{3})\b")
_FINAL: Final = frozenset({400, 401, 403, 404, 405, 410})
_ADDRESS: Final = re.compile(r"\S+://\S+")
_LONGEST: Final = 3_000
_LOOK: Final = "Open in Keepwell"
# Control characters, and those that turn the direction of all text after them.
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_ABOUT: Final = apprise.AppriseAsset(
    app_id="Keepwell", app_desc="Keepwell", app_url="", image_url_mask="", image_url_logo="", async_mode=False
)


@dataclass(frozen=True)
class Words:
    """What is said: a title, which may be empty, plain text, and a page of Keepwell to look at."""

    title: str
    text: str
    link: str = ""


def variable_of(channel: str, target: str = "") -> str:
    """The name of the variable that says where a channel's words go."""
    name = f"{channel}_{target}" if _TARGET.fullmatch(target) else channel
    return PREFIX + name.upper()


def place_of(channel: str, target: str = "", environment: Mapping[str, str] = os.environ) -> str | None:
    """Where the words for a target go; a target that has no place of its own shares the channel's."""
    own = environment.get(variable_of(channel, target), "").strip()
    return own or environment.get(variable_of(channel), "").strip() or None


def trouble_of(place: str) -> str | None:
    """What is wrong with an address, without repeating it: it is a secret."""
    return None if apprise.Apprise().add(place) else "it is not an address that a chat program can be reached at"


def say(channel: str, target: str, words: Words, environment: Mapping[str, str] = os.environ) -> Result:
    """Say something once."""
    place = place_of(channel, target, environment)
    if place is None:
        return GiveUp(f"{variable_of(channel)} is not set, so nobody can be told through {channel}.")
    ways = apprise.Apprise(asset=_ABOUT)
    if not ways.add(place):
        return GiveUp(f"{variable_of(channel, target)} cannot be used: {trouble_of(place)}.")
    with LogCapture(level=logging.WARNING, fmt="%(message)s") as said:  # type: ignore[no-untyped-call]
        marked = all(way.notify_format == NotifyFormat.MARKDOWN for way in ways)
        title, body = _marked(words) if marked else _unmarked(words)
        kind = NotifyFormat.MARKDOWN if marked else NotifyFormat.TEXT
        done = ways.notify(title=title, body=body or " ", body_format=kind)
        heard = said.getvalue()
    return Sent() if done else _failed(channel, heard)


def _unmarked(words: Words) -> tuple[str, str]:
    """Plain text: whatever a customer is called, it mentions nobody and links nowhere."""
    return _plain(words.title), "\n\n".join(filter(None, (_plain(words.text), words.link)))


def _marked(words: Words) -> tuple[str, str]:
    """The same where title and text are read as Markdown, as in Teams.

    Everything is escaped; a line takes a paragraph, and an address is a link only when it is written as one.
    """
    lines = [_escaped(line) for line in _plain(words.text).splitlines() if line.strip()]
    if words.link:
        lines.append(f"[{_LOOK}]({words.link})")
    return _escaped(_plain(words.title)), "\n\n".join(lines)


def _escaped(text: str) -> str:
    return str(convert_between(NotifyFormat.TEXT, NotifyFormat.MARKDOWN, text))  # type: ignore[no-untyped-call]


def _plain(text: str) -> str:
    return _HIDDEN.sub("", text)[:_LONGEST]


def _failed(channel: str, heard: str) -> Result:
    """What the program said, without addresses, which are secrets."""
    last = heard.strip().splitlines()[-1:] or [""]
    words = _ADDRESS.sub("…", last[0])[-200:]
    status = _STATUS.search(heard)
    if status and int(status.group(1)) in _FINAL:
        return GiveUp(f"{channel} refused it ({status.group(1)}); look at {variable_of(channel)}.")
    return Retry(f"{channel} could not be reached{f': {words}' if words else ''}")
