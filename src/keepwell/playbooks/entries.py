"""Who may enter a playbook, when the next message may go out, and what starts a playbook: pure functions."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from keepwell.model.message_definitions import Cap
from keepwell.model.playbook_definitions import (
    DateTrigger,
    EnteredTrigger,
    EventTrigger,
    LeftTrigger,
    ManualTrigger,
    Playbook,
    ScoreTrigger,
    SignalTrigger,
)
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import WorkCalendar
from keepwell.playbooks.facts import Facts, Rules

SINCE: Final = "customer_since"
_NEW: Final = timedelta(days=30)
_SHARES: Final = 1 << 64
_TRIES: Final = 1000


@dataclass(frozen=True)
class Entry:
    """An earlier run of the same playbook for the same customer; `ended_at` is None while it goes on."""

    started_at: datetime
    ended_at: datetime | None


def held_out(playbook: str, customer: str, share: float, salt: str = "") -> bool:
    """Whether a customer is left alone, to compare with: always the same answer for the same customer."""
    digest = hashlib.sha256(f"{salt}\0{playbook}\0{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * _SHARES


def refusal(playbook: Playbook, entries: Sequence[Entry], now: datetime, calendar: WorkCalendar) -> str | None:
    """Why a customer may not start the playbook now, in words; None when nothing is against it."""
    if any(entry.ended_at is None for entry in entries):
        return "is in it already"
    if not entries:
        return None
    again = playbook.re_entry
    if not again.allowed:
        return "went through it before, and nobody does twice"
    if again.at_most is not None and len(entries) >= again.at_most:
        return f"went through it {len(entries)} times, and {again.at_most} is the most"
    last = max(entry.ended_at or entry.started_at for entry in entries)
    if again.after is not None and now < calendar.later(last, timeline(again.after)):
        return f"went through it less than {timeline(again.after).words} ago"
    return None


def cap_allows(caps: Iterable[Cap | None], contacts: Iterable[datetime], moment: datetime) -> datetime:
    """The first moment from this one on at which one more message is within every cap."""
    found = sorted(contacts)
    wanted = list(filter(None, caps))
    for _ in range(_TRIES):
        later = [until for cap in wanted if (until := _full_until(cap, found, moment)) is not None]
        if not later:
            break
        moment = max(later)
    return moment


def _full_until(cap: Cap, contacts: Sequence[datetime], moment: datetime) -> datetime | None:
    window = timedelta(days=cap.per_days)
    recent = [at for at in contacts if moment - window < at]
    return recent[len(recent) - cap.messages] + window if len(recent) >= cap.messages else None


def contact_time(
    calendar: WorkCalendar, caps: Sequence[Cap | None], contacts: Sequence[datetime], moment: datetime
) -> datetime:
    """The first moment from this one on that is neither quiet nor over a cap."""
    for _ in range(_TRIES):
        allowed = calendar.after_quiet(cap_allows(caps, contacts, moment))
        if allowed == moment:
            break
        moment = allowed
    return moment


def newcomer(playbook: Playbook, now: Facts) -> Facts | None:
    """The day before of somebody who was not there and has just become a customer: in no segment yet.

    Of customers who are brought over from elsewhere nobody knows since when they are as they are.
    """
    if not isinstance(playbook.trigger, EnteredTrigger) or not playbook.trigger.newcomers:
        return None
    since = now.values.get(SINCE)
    if not isinstance(since, date) or not timedelta(0) <= now.as_of - since <= _NEW:
        return None
    return replace(now, as_of=now.as_of - timedelta(days=1), segments=frozenset(), signals=frozenset())


def triggered(playbook: Playbook, before: Facts | None, now: Facts, rules: Rules) -> bool:
    """Whether a playbook starts for a customer between two days; the first day on record starts none but dates."""
    if not now.active or not _fires(playbook, before, now):
        return False
    return rules.holds(playbook.audience, now)


def _fires(playbook: Playbook, before: Facts | None, now: Facts) -> bool:
    match playbook.trigger:
        case SignalTrigger(signal=name):
            return before is not None and name in now.signals and name not in before.signals
        case EnteredTrigger(segment_entered=name):
            return before is not None and name in now.segments and name not in before.segments
        case LeftTrigger(segment_left=name):
            return before is not None and name in before.segments and name not in now.segments
        case ScoreTrigger() as trigger:
            return before is not None and _crossed(trigger, before, now)
        case DateTrigger() as trigger:
            return _date_reached(trigger, before, now)
        case EventTrigger() | ManualTrigger():
            return False


def _crossed(trigger: ScoreTrigger, before: Facts, now: Facts) -> bool:
    first, last = _number(before, trigger.score), _number(now, trigger.score)
    if first is None or last is None:
        return False
    if trigger.below is not None:
        return first >= trigger.below > last
    limit = trigger.reaches or 0.0
    return first < limit <= last


def _number(facts: Facts, score: str) -> float | None:
    found = facts.values.get(f"{score}_score")
    return float(found) if isinstance(found, int | float) else None


def _date_reached(trigger: DateTrigger, before: Facts | None, now: Facts) -> bool:
    """The day itself, or the first day on record after it; a date that moved counts anew."""
    found = now.values.get(trigger.date)
    if not isinstance(found, date):
        return False
    days = -trigger.days_before if trigger.days_before is not None else trigger.days_after or 0
    wanted = found + timedelta(days=days)
    passed = trigger.days_before is not None and now.as_of > found
    if now.as_of < wanted or passed:
        return False
    if before is None:
        return now.as_of == wanted
    return before.as_of < wanted or before.values.get(trigger.date) != found
