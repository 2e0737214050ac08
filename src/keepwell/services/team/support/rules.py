"""What words say of a ticket: its category, its urgency and its impact. Works without anything learned."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from keepwell.services.team.support.desk import CHOICES, LEVELS, PRIORITIES, SECURITY, Desk

SUBJECT_WEIGHT: Final = 2
_SEVERE: Final = {"critical": "high", "blocker": "high", "urgent": "high", "high": "high", "normal": "medium"}
_ALIASES: Final = {
    "bug": "Bug",
    "problem": "Bug",
    "defect": "Bug",
    "incident": "Bug",
    "feature": "Feature Request",
    "featurerequest": "Feature Request",
    "enhancement": "Feature Request",
    "howto": "How-To",
    "question": "How-To",
    "billing": "Account/Billing",
    "account": "Account/Billing",
    "payment": "Account/Billing",
    "performance": "Performance",
    "data": "Data Issue",
    "integration": "Integration",
    "integrations": "Integration",
    "mobile": "Mobile",
    "security": SECURITY,
    "securityissue": SECURITY,
}


@dataclass(frozen=True)
class Judgement:
    """What something is, how sure that is (0 to 1), and why, in words."""

    value: str
    confidence: float | None = None
    why: str = ""


def known_category(text: str) -> str:
    """A category that somebody gave, by the name that it has here; one of the workspace's own stays as it is."""
    plain = re.sub(r"[^a-z]", "", text.lower())
    for name in CHOICES:
        if re.sub(r"[^a-z]", "", name.lower()) == plain:
            return name
    return _ALIASES.get(plain, text.strip())


def category_by_rules(desk: Desk, subject: str, body: str) -> Judgement | None:
    """The category whose words are there most often, those of the subject counting double; None when none is."""
    counts = {name: _hits(words, subject, body) for name, words in desk.words.items()}
    best = max(counts, key=lambda name: sum(counts[name].values()), default="")
    found = counts.get(best) or {}
    if not found:
        return None
    total = sum(sum(hits.values()) for hits in counts.values())
    said = ", ".join(f"“{word}”" for word in list(found)[:3])
    return Judgement(best, round(sum(found.values()) / total, 2), f"It says {said}"[:255])


def priority_by_rules(desk: Desk, urgency: str, impact: str, severity: str, subject: str, body: str) -> Judgement:
    """The priority by urgency and impact; what the ticket leaves out its words say, else it is medium."""
    levels = []
    for given, words in ((urgency, desk.urgent), (impact, desk.wide)):
        levels.append(_level(given, severity, words, subject, body))
    (urgent, urgent_why), (wide, wide_why) = levels
    found = desk.matrix[(urgent, wide)]
    why = f"Urgency {urgent} ({urgent_why}), impact {wide} ({wide_why})"
    return Judgement(found if found in PRIORITIES else "P2", None, why[:255])


def _level(given: str, severity: str, words: Mapping[str, tuple[str, ...]], subject: str, body: str) -> tuple[str, str]:
    if given.strip().lower() in LEVELS:
        return given.strip().lower(), "given"
    for level in ("high", "low"):
        if found := _hits(words.get(level, ()), subject, body):
            return level, f"says “{next(iter(found))}”"
    if severity.strip().lower() in _SEVERE:
        return _SEVERE[severity.strip().lower()], f"severity {severity.strip().lower()}"
    return "medium", "nothing says otherwise"


def _hits(words: Iterable[str], subject: str, body: str) -> dict[str, int]:
    """The words that are there, with their weight, the heaviest first."""
    pattern = _pattern(tuple(words))
    if pattern is None:
        return {}
    found: dict[str, int] = {}
    for text, weight in ((subject, SUBJECT_WEIGHT), (body, 1)):
        for hit in {one.lower() for one in pattern.findall(text)}:
            found[hit] = found.get(hit, 0) + weight
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


@lru_cache(maxsize=128)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str] | None:
    longest_first = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    if not longest_first:
        return None
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def names_in_text(names: Iterable[str], *texts: str) -> list[str]:
    """Which of these names stand in a text as words of their own."""
    pattern = _pattern(tuple(names))
    if pattern is None:
        return []
    said = {one.lower() for text in texts for one in pattern.findall(text)}
    return [name for name in names if name.lower() in said]
