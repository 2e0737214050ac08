"""Numbers and the words after them: one ticket, two tickets."""

import re
from typing import Final

_ONE: Final = frozenset({"1", "-1", "−1"})
_VERBS: Final = {"are": "is", "were": "was", "have": "has"}
# What stands between a number and a word ends the phrase that the number is about.
_ENDS: Final = frozenset({"a", "an", "and", "at", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"})
_NO_PLURAL: Final = re.compile(r"(ss|us|is|as)$")
_FEW: Final = 3


def counted(amount: int, noun: str, plural: str | None = None) -> str:
    """`1 customer`, `1,200 customers`."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def singular(word: str) -> str:
    """The word for one of them; a word that is no plural stays."""
    if not word.endswith("s") or _NO_PLURAL.search(word) or word == "times":
        return word
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-2] if word.endswith(("ches", "shes", "xes", "sses")) else word[:-1]


def with_unit(number: str, unit: str) -> str:
    """A number with its unit: `1 day`, `2 days`."""
    return number + after_number(number, f" {unit}") if unit else number


def after_number(number: str, text: str) -> str:
    """The text that follows a number; after a 1 its first words speak of one: ` urgent ticket is open`."""
    if number not in _ONE or not text.startswith(" "):
        return text
    words = re.split(r"(\s+)", text)
    for place in range(2, min(len(words), 2 * _FEW + 1), 2):
        word = re.match(r"[a-z-]*", words[place])
        plain = word.group() if word else ""
        if not plain or plain in _ENDS:
            break
        if singular(plain) != plain:
            words[place] = singular(plain) + words[place][len(plain) :]
            return "".join([*words[: place + 1], *_agreeing(words[place + 1 :])])
        if plain != words[place]:
            break
    return text


def _agreeing(words: list[str]) -> list[str]:
    """The words after a noun, with the verb that comes first."""
    return [words[0], _VERBS.get(words[1], words[1]), *words[2:]] if len(words) > 1 else words
