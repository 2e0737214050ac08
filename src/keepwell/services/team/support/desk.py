"""How a workspace's support works: categories, the matrix of priorities, hours, and what opens an escalation.

Everything has the value of the household app's document until a model's settings say otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from keepwell.model.definitions import Settings
from keepwell.services.team.outbox.texts import settings_now
from keepwell.services.workspace import Workspace

CATEGORIES: Final = (
    "Bug",
    "Feature Request",
    "How-To",
    "Account/Billing",
    "Performance",
    "Data Issue",
    "Integration",
    "Mobile",
)
SECURITY: Final = "Security"
CHOICES: Final = (*CATEGORIES, SECURITY)
PRIORITIES: Final = ("P0", "P1", "P2", "P3", "P4")
LEVELS: Final = ("high", "medium", "low")
_MATRIX: Final = {
    ("high", "high"): "P0",
    ("high", "medium"): "P1",
    ("high", "low"): "P2",
    ("medium", "high"): "P1",
    ("medium", "medium"): "P2",
    ("medium", "low"): "P3",
    ("low", "high"): "P2",
    ("low", "medium"): "P3",
    ("low", "low"): "P4",
}
_RESPONSE: Final = {"P0": 1.0, "P1": 2.0, "P2": 4.0, "P3": 24.0, "P4": 48.0}
_RESOLUTION: Final = {"P0": 4.0, "P1": 8.0, "P2": 24.0, "P3": 48.0, "P4": 120.0}
NEAR: Final = 0.8
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    SECURITY: (
        "security", "vulnerability", "breach", "data leak", "leaked", "hacked", "compromised", "phishing",
        "unauthorized access", "someone else's data", "somebody else's data", "another user's data",
    ),
    "Account/Billing": (
        "invoice", "billing", "payment", "refund", "charged", "credit card", "subscription", "card was declined",
        "cancel my account", "receipt", "vat",
    ),
    "Integration": (
        "integration", "api", "webhook", "sync", "calendar sync", "zapier", "import from", "oauth", "third-party",
    ),
    "Mobile": ("ios", "android", "iphone", "ipad", "mobile app", "the app", "phone", "tablet", "push notification"),
    "Performance": ("slow", "laggy", "lag", "timeout", "timeouts", "unresponsive", "takes forever", "loading", "hangs"),
    "Data Issue": (
        "missing data", "wrong numbers", "incorrect", "records missing", "are missing", "lost data", "differ from",
        "incomplete", "does not add up", "wrong total", "data loss",
    ),
    "Feature Request": (
        "feature request", "would like to", "would be great", "could you add", "could this be added", "please add",
        "it would help", "wish", "is it planned", "suggestion", "would love", "bulk edit", "export as",
    ),
    "How-To": (
        "how do i", "how do we", "how can i", "how can we", "how to", "where do i", "where can i", "which steps",
        "training", "course", "tutorial", "is there a way", "can you show", "invite colleagues",
    ),
    "Bug": (
        "error", "bug", "broken", "crash", "crashes", "blank screen", "does not work", "doesn't work", "not working",
        "fails", "failed", "stopped working", "duplicate", "wrong result", "exception",
    ),
}  # fmt: skip
_URGENT: Final[Mapping[str, tuple[str, ...]]] = {
    "high": (
        "urgent", "asap", "immediately", "production down", "is down", "outage", "cannot work", "can't work",
        "blocking", "blocked", "losing money", "costs us", "emergency", "data loss", "data breach", "right now",
    ),
    "low": ("no hurry", "not urgent", "nice to have", "when you have time", "some day", "whenever", "just wondering"),
}  # fmt: skip
_WIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "high": (
        "all users", "everyone", "everybody", "all of our", "nobody can", "whole team", "entire company", "outage",
        "production", "data loss", "data breach", "all our", "nothing works",
    ),
    "low": ("only me", "just me", "one user", "cosmetic", "typo", "minor", "for me only"),
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """The settings of one workspace's support."""

    matrix: Mapping[tuple[str, str], str]
    response_hours: Mapping[str, float]
    resolution_hours: Mapping[str, float]
    near: float
    words: Mapping[str, tuple[str, ...]]
    urgent: Mapping[str, tuple[str, ...]]
    wide: Mapping[str, tuple[str, ...]]
    competitors: tuple[str, ...]
    enterprise_plans: tuple[str, ...]
    feature_requests: int
    bug_tickets: int
    affected: int
    latency_ratio: float
    days: int
    customers_word: str
    sender: str
    sender_title: str
    product: str

    @property
    def window(self) -> timedelta:
        """How far back patterns are looked for."""
        return timedelta(days=self.days)


def desk_of(workspace: Workspace) -> Desk:
    """The desk of a workspace, as its model says now."""
    return desk_from(settings_now(workspace))


def desk_from(settings: Settings) -> Desk:
    """The desk that settings describe; what they leave out, or give in another form, is the document's."""
    given = _Given(settings.values)
    return Desk(
        matrix={(u, i): given.text(f"priority_{u}_{i}", p) for (u, i), p in _MATRIX.items()},
        response_hours={p: given.number(f"response_hours_{p.lower()}", h) for p, h in _RESPONSE.items()},
        resolution_hours={p: given.number(f"resolution_hours_{p.lower()}", h) for p, h in _RESOLUTION.items()},
        near=given.number("near_breach_share", NEAR),
        words={name: given.texts(f"ticket_words_{slug(name)}", words) for name, words in _WORDS.items()},
        urgent={level: given.texts(f"ticket_urgency_{level}", words) for level, words in _URGENT.items()},
        wide={level: given.texts(f"ticket_impact_{level}", words) for level, words in _WIDE.items()},
        competitors=given.texts("competitors", ()),
        enterprise_plans=tuple(plan.lower() for plan in given.texts("enterprise_plans", ("Enterprise",))),
        feature_requests=int(given.number("escalate_feature_requests", 5)),
        bug_tickets=int(given.number("escalate_bug_tickets", 10)),
        affected=int(given.number("escalate_affected_households", 100)),
        latency_ratio=given.number("escalate_latency_ratio", 2.0),
        days=int(given.number("escalate_window_days", 30)),
        customers_word=given.text("customers_word", "customers"),
        sender=given.text("sender_name", "Customer Success"),
        sender_title=given.text("sender_title", ""),
        product=given.text("product_name", "the product"),
    )


def slug(category: str) -> str:
    """A category as a part of a setting's name."""
    return "".join(letter if letter.isalnum() else "_" for letter in category.lower())


@dataclass(frozen=True)
class _Given:
    values: Mapping[str, Any]

    def number(self, name: str, usual: float) -> float:
        found = self.values.get(name)
        usable = isinstance(found, int | float) and not isinstance(found, bool) and found > 0
        return float(found) if usable else usual  # type: ignore[arg-type]

    def text(self, name: str, usual: str) -> str:
        found = self.values.get(name)
        return found.strip() if isinstance(found, str) and found.strip() else usual

    def texts(self, name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
        found = self.values.get(name)
        if isinstance(found, str):
            return (found,) if found.strip() else ()
        if isinstance(found, list | tuple):
            return tuple(text for one in found if (text := str(one).strip()))
        return usual
