"""Customers' own words in a document: what to quote, and how it arrives in a tracker as text."""

import re
from collections.abc import Sequence
from typing import Final

from keepwell.services.team.support.rules import names_in_text
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.services.team.support.topics import words_of

LONGEST: Final = 240
_SPECIAL: Final = re.compile(r"([\\`*_\[\]<>|~#!])")
_BARE_LINK: Final = re.compile(r"(?i)\b(https?|ftp|javascript|data)(:)")
_GREETING: Final = re.compile(r"(?i)^(hello|hi|hey|dear|good (morning|afternoon|evening))\b[^,.!?]{0,30}[,!]\s*")
_TELLING: Final = (
    "would pay", "need", "cannot", "can't", "frustrat", "cancel", "switch", "consider", "lost", "error", "fails",
    "unacceptable", "instead", "miss", "would like", "wish", "love",
)  # fmt: skip


def plain(text: str) -> str:
    """Text of others as Markdown that shows exactly it: no links, no mentions, no headings, no HTML, one line."""
    one_line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    escaped = _SPECIAL.sub(r"\\\1", one_line)
    # A mention would call people in the tracker, a bare address would be a link there.
    return _BARE_LINK.sub("\\1\u200b\\2", escaped.replace("@", "@\u200b"))


def quotes(tickets: Sequence[DeskTicket], limit: int = 3, naming: Sequence[str] = ()) -> list[tuple[str, DeskTicket]]:
    """The most telling sentences, one of a customer, those who pay most first; `naming` are names to be told of."""
    found, seen, said = [], set(), set[str]()
    for one in sorted(tickets, key=lambda one: (-(one.row.mrr or 0.0), one.row.created_at, one.ticket_id)):
        quote = telling_sentence(one, naming)
        if quote and one.row.customer_id not in seen and quote not in said:
            seen.add(one.row.customer_id)
            said.add(quote)
            found.append((quote, one))
        if len(found) == limit:
            break
    return found


def telling_sentence(one: DeskTicket, naming: Sequence[str] = ()) -> str:
    """The sentence of a ticket that says most of what it is about."""
    subject = words_of(one)
    best, most = "", -1.0
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", one.body):
        text = _GREETING.sub("", sentence.strip())
        words = set(re.findall(r"[^\W\d_]{2,}", text.lower()))
        if len(words) < 4:
            continue
        worth = 2.0 * sum(any(word.startswith(stem) for word in words) for stem in subject)
        worth += sum(word in text.lower() for word in _TELLING) + 20 * len(names_in_text(naming, text))
        if worth > most:
            best, most = text, worth
    return best if len(best) <= LONGEST else best[: LONGEST - 1].rstrip() + "…"


def error_lines(tickets: Sequence[DeskTicket], limit: int = 3) -> list[tuple[str, DeskTicket]]:
    """Lines that look like messages of a program."""
    found = []
    for one in tickets:
        for line in re.split(r"(?<=[.!?])\s+|\n+", one.body):
            if re.search(r"(?i)\b(error|exception|traceback|failed|status \d{3}|\d{3} error)\b", line):
                found.append((line.strip()[:LONGEST], one))
                break
        if len(found) == limit:
            break
    return found
