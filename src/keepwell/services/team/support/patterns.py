"""Patterns in tickets that another team has to hear of. Nothing here reads a clock or a database."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from keepwell.services.published.tickets import Measured
from keepwell.services.team.support.desk import SECURITY, Desk
from keepwell.services.team.support.rules import names_in_text
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.services.team.support.topics import Topic, topics

PRODUCT, ENGINEERING = "product", "engineering"
FEATURE, BUG, WIDESPREAD = "feature_request", "bug", "widespread_bug"
COMPETITOR, ENTERPRISE, CRITICAL = "competitor", "enterprise_request", "critical"
LATENCY, SECURE = "latency", "security"
REQUEST: Final = "Feature Request"
FRESH: Final = timedelta(days=3)
"""A measurement older than this says nothing of now."""
USUAL: Final = timedelta(days=30)
_LATENCY_WORDS: Final = ("latency", "response_time", "response time", "p95", "p99", "duration")


@dataclass(frozen=True)
class Pattern:
    """What a pattern is called, and whom it is for."""

    label: str
    team: str
    priority: str


PATTERNS: Final[Mapping[str, Pattern]] = {
    FEATURE: Pattern("Feature request pattern", PRODUCT, "High"),
    BUG: Pattern("Bug pattern", PRODUCT, "High"),
    COMPETITOR: Pattern("Competitor named", PRODUCT, "High"),
    ENTERPRISE: Pattern("Enterprise request", PRODUCT, "High"),
    CRITICAL: Pattern("Critical bug", ENGINEERING, "P0"),
    WIDESPREAD: Pattern("Widespread bug", ENGINEERING, "P1"),
    LATENCY: Pattern("Performance degradation", ENGINEERING, "P1"),
    SECURE: Pattern("Security issue", ENGINEERING, "P0"),
}


@dataclass(frozen=True)
class Found:
    """One pattern that is there: what about, and the tickets it shows in, the oldest first."""

    pattern: str
    subject: str
    title: str
    why: str
    tickets: tuple[DeskTicket, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def customers(self) -> tuple[str, ...]:
        """Whose tickets these are."""
        return tuple(sorted({one.row.customer_id for one in self.tickets}))


@dataclass(frozen=True)
class Seen:
    """What patterns are looked for in. `done` are tickets of closed escalations by pattern: they count no more."""

    desk: Desk
    tickets: Sequence[DeskTicket]
    measured: Sequence[Measured]
    now: datetime
    done: Mapping[str, Collection[str]] = field(default_factory=dict)
    quiet: Mapping[str, datetime] = field(default_factory=dict)

    def fresh(self, pattern: str) -> list[DeskTicket]:
        """The tickets of the window that no closed escalation of the pattern has."""
        first, done = self.now - self.desk.window, self.done.get(pattern, ())
        return [one for one in self.tickets if one.row.created_at >= first and one.ticket_id not in done]


def patterns(seen: Seen) -> list[Found]:
    """Every pattern that is there."""
    return [found for look in _LOOKS for found in look(seen)]


def _features(seen: Seen) -> Iterator[Found]:
    requests = [one for one in seen.fresh(FEATURE) if one.category == REQUEST]
    for topic in topics(requests):
        if len(topic.tickets) >= seen.desk.feature_requests:
            why = f"{len(topic.tickets)} requests for the same thing in {seen.desk.days} days"
            yield _of(FEATURE, topic, why)


def _bugs(seen: Seen) -> Iterator[Found]:
    for topic in topics([one for one in seen.fresh(BUG) if one.fault]):
        if len(topic.tickets) >= seen.desk.bug_tickets:
            yield _of(BUG, topic, f"{len(topic.tickets)} tickets about the same bug in {seen.desk.days} days")


def _widespread(seen: Seen) -> Iterator[Found]:
    for topic in topics([one for one in seen.fresh(WIDESPREAD) if one.fault]):
        many = len({one.row.customer_id for one in topic.tickets})
        if many >= seen.desk.affected:
            why = f"One bug affects {_many(seen.desk, many)} in {seen.desk.days} days"
            yield _of(WIDESPREAD, topic, why)


def _competitors(seen: Seen) -> Iterator[Found]:
    named: dict[str, list[DeskTicket]] = {name: [] for name in seen.desk.competitors}
    for one in seen.fresh(COMPETITOR):
        for name in names_in_text(seen.desk.competitors, one.subject, one.body):
            named[name].append(one)
    for name, tickets in named.items():
        if tickets:
            many = len({one.row.customer_id for one in tickets})
            why = f"{_many(seen.desk, many)} named {name} in {seen.desk.days} days"
            yield Found(COMPETITOR, name, f"{name} named by {seen.desk.customers_word}", why, tuple(tickets))


def _enterprise(seen: Seen) -> Iterator[Found]:
    """Requests of Enterprise customers that are not yet a pattern of their own."""
    requests = [one for one in seen.fresh(ENTERPRISE) if one.category == REQUEST]
    for topic in topics(requests):
        theirs = tuple(one for one in topic.tickets if _enterprise_plan(seen.desk, one))
        if theirs and len(topic.tickets) < seen.desk.feature_requests:
            many = len({one.row.customer_id for one in theirs})
            why = f"Asked for by {_many(seen.desk, many, 'Enterprise ')}"
            yield Found(ENTERPRISE, topic.name[:160], topic.name, why, theirs)


def _critical(seen: Seen) -> Iterator[Found]:
    waiting = [one for one in seen.fresh(CRITICAL) if one.priority == "P0" and one.open and one.category != REQUEST]
    for topic in topics(waiting):
        count = len(topic.tickets)
        yield _of(CRITICAL, topic, "A P0 ticket is open" if count == 1 else f"{count} P0 tickets are open")


def _security(seen: Seen) -> Iterator[Found]:
    for topic in topics([one for one in seen.fresh(SECURE) if _about_security(one)]):
        yield _of(SECURE, topic, "A ticket's category or tag says security")


def _latency(seen: Seen) -> Iterator[Found]:
    by_name: dict[str, list[Measured]] = {}
    for one in seen.measured:
        if any(word in one.name.lower() for word in _LATENCY_WORDS) and one.at <= seen.now:
            by_name.setdefault(one.name, []).append(one)
    for name, values in by_name.items():
        last = values[-1]
        usual = last.baseline if last.baseline is not None else _usual(values)
        quiet = seen.quiet.get(name)
        if usual is None or usual <= 0 or last.at < seen.now - FRESH or (quiet is not None and last.at <= quiet):
            continue
        if last.value > seen.desk.latency_ratio * usual:
            yield _slow(seen, name, last, usual)


def _slow(seen: Seen, name: str, last: Measured, usual: float) -> Found:
    ratio = last.value / usual
    tickets = tuple(
        one
        for one in seen.tickets
        if one.category == "Performance" and one.row.created_at >= min(last.at, seen.now) - timedelta(days=7)
    )
    at = f"{last.at:%Y-%m-%d %H:%M} UTC"
    figures = {"metric": name, "value": last.value, "baseline": usual, "ratio": round(ratio, 2), "at": at}
    words = name.replace("_", " ")
    why = f"{words} is {last.value:g}, {ratio:.1f} times its baseline of {usual:g}"
    return Found(LATENCY, name[:160], f"{words} at {ratio:.1f} times its baseline", why, tickets, figures)


def _usual(values: Sequence[Measured]) -> float | None:
    """What is usual where no baseline is given: the middle of the month before."""
    last = values[-1]
    before = [one.value for one in values[:-1] if one.at >= last.at - USUAL]
    return median(before) if len(before) >= 7 else None


def _of(pattern: str, topic: Topic[DeskTicket], why: str) -> Found:
    return Found(pattern, topic.name[:160], topic.name, why, topic.tickets)


def _enterprise_plan(desk: Desk, one: DeskTicket) -> bool:
    return any(
        plan in text.lower() for plan in desk.enterprise_plans for text in (one.row.plan, one.row.tier) if text and plan
    )


def _many(desk: Desk, count: int, kind: str = "") -> str:
    word = desk.customers_word
    return f"{count} {kind}{word.removesuffix('s') if count == 1 else word}"


def _about_security(one: DeskTicket) -> bool:
    tags = one.row.tags.lower().replace(";", ",").split(",")
    return one.category == SECURITY or "security" in one.row.category.lower() or any("security" in t for t in tags)


_LOOKS: Final[Sequence[Callable[[Seen], Iterator[Found]]]] = (
    _features,
    _bugs,
    _widespread,
    _competitors,
    _enterprise,
    _critical,
    _security,
    _latency,
)
