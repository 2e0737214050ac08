"""Tickets about the same thing: by the words of their subjects, the same way every day."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

ALIKE: Final = 0.6
"""So much two subjects share (twice the common words by all words) when they are about the same thing."""
_MOST_WORDS: Final = 10
_STOP_WORDS: Final = (
    "a an and are as at be been but by can could do does for from had has have help hello hi how i if in into is it"
    " its me my no not of on or our please re request feature since so support than thanks that the their there"
    " these they this to too us very was we were what when where which while with would you your"
)
_STOP: Final = frozenset(_STOP_WORDS.split())


class Told(Protocol):
    """What has a subject and a body."""

    @property
    def subject(self) -> str:
        """A few words."""

    @property
    def body(self) -> str:
        """All of it."""


One = TypeVar("One", bound=Told)


@dataclass(frozen=True)
class Topic(Generic[One]):
    """Tickets about one thing, the oldest first; `name` is the subject that most of them have."""

    name: str
    tickets: tuple[One, ...]


def topics(tickets: Iterable[One]) -> list[Topic[One]]:
    """Each ticket in one topic: that of the earliest ticket that it is alike. The largest topics first."""
    leaders: list[frozenset[str]] = []
    groups: list[list[One]] = []
    by_word: dict[str, list[int]] = defaultdict(list)
    for one in tickets:
        words = words_of(one)
        place = _alike(words, leaders, by_word)
        if place is None:
            place = len(leaders)
            leaders.append(words)
            groups.append([])
            for word in words:
                by_word[word].append(place)
        groups[place].append(one)
    found = [Topic(_name(group), tuple(group)) for group in groups]
    return sorted(found, key=lambda topic: (-len(topic.tickets), topic.name))


def words_of(one: Told) -> frozenset[str]:
    """The words that tell what a ticket is about; of the body where the subject says nothing."""
    found = _words(one.subject)
    return frozenset(found or _words(one.body)[:_MOST_WORDS])


def _words(text: str) -> list[str]:
    plain = re.findall(r"[^\W\d_]{2,}", text.lower())
    return [stem for word in plain if word not in _STOP and (stem := _stem(word))]


def _stem(word: str) -> str:
    """One form of a word: plural and singular are the same thing."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > 3 else word


def _alike(words: frozenset[str], leaders: Sequence[frozenset[str]], by_word: dict[str, list[int]]) -> int | None:
    shared = Counter(place for word in words for place in by_word.get(word, ()))
    best, most = None, 0.0
    for place, count in sorted(shared.items()):
        likeness = 2 * count / (len(words) + len(leaders[place]))
        if likeness >= ALIKE and likeness > most:
            best, most = place, likeness
    return best


def _name(group: Sequence[Told]) -> str:
    said = [one.subject.strip() or " ".join(one.body.split()[:8]) for one in group]
    counts = Counter(said)
    # Of equally frequent subjects the earliest: the name stays when tickets come in.
    name = max(counts, key=lambda text: (counts[text], -said.index(text)))
    return name or "No subject"
