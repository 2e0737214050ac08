"""Opening alerts, counting what happens again, and making good: everything in the caller's transaction."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.db import IntegrityError, transaction

from keepwell.model.alert_definitions import AlertRule
from keepwell.model.timelines import timeline
from keepwell.services.team.alerting.deadlines import clock_from
from keepwell.services.team.alerting.marks import mark, marked_before
from keepwell.services.team.alerting.rules import Ruling
from keepwell.services.team.alerting.telling import NOTIFY, People, tell
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.playing.known import Known
from keepwell.services.team.prepared import Prepared, insert
from keepwell.store.models import Alert

WORKER: Final = Actor("Keepwell")
_OPEN: Final = Prepared(
    lambda rule, customer: (
        Alert.objects.select_for_update()
        .filter(rule=rule, customer_id=customer)
        .exclude(state=Alert.State.RESOLVED)
        .order_by("pk")[:1]
    ),
    rule=str,
    customer=str,
)
_LAST: Final = Prepared(
    # Not by its state: SQLite would look through all that were ever resolved.
    lambda rule, customer: (
        Alert.objects.filter(rule=rule, customer_id=customer).exclude(resolved_at=None).order_by("-resolved_at")[:1]
    ),
    rule=str,
    customer=str,
)
COUNTED: Final = 500
"""So often what happens again is written down; after that it is only counted."""


@dataclass(frozen=True)
class Cause:
    """Something that sets a rule off for a customer. `key` makes it count once."""

    rule: str
    customer_id: str
    known: Known
    key: str
    at: datetime
    name: str
    signal: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, Any] = field(default_factory=dict)


def short(key: str) -> str:
    """A key of any length and form as one that fits."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def raise_alert(ruling: Ruling, cause: Cause, now: datetime, people: People) -> Alert | None:
    """Open an alert or count in the one that is open; None when it was counted before, or rests after the last one."""
    rule, key = ruling.model.alerts[cause.rule], _key(cause)
    if marked_before(key):
        return None
    open_one = _open_one(cause)
    if open_one is not None:
        return _again(ruling, rule, open_one, cause, key, now)
    if _rests(ruling, rule, cause, key, now):
        return None
    try:
        with transaction.atomic():
            return _opened(ruling, rule, cause, key, now, people)
    except IntegrityError:
        # Another worker opened one since we looked.
        there = _open_one(cause)
        return None if there is None else _again(ruling, rule, there, cause, key, now)


def make_good(ruling: Ruling, cause: Cause, now: datetime) -> Alert | None:
    """Resolve the open alert of a rule that an event, or a signal that stays off, made good."""
    found = _open_one(cause)
    if found is None or found.since > cause.at:
        return None
    what = cause.name.replace("_", " ").replace(".", " ")
    key = _key(cause)
    # An event that goes on waiting for its customer's day may have made an earlier alert good already.
    resolve_by_itself(found, f"Made good by itself: {what}", now, key=None if marked_before(key) else key)
    return found


def resolve_by_itself(found: Alert, why: str, now: datetime, *, key: str | None = None) -> None:
    """Close an alert that nobody has to look at any more."""
    found.state, found.resolved_at, found.resolved_why = Alert.State.RESOLVED, now, why[:255]
    found.next_at, found.snoozed_until = None, None
    found.version += 1
    found.save()
    mark(found, "resolved", why, now, key=key)
    say(found, "alert.resolved", why, now)


def say(found: Alert, action: str, why: str, now: datetime, who: Actor = WORKER, before: Any = None) -> None:
    """The audit row of what became of an alert."""
    after = {"state": found.state, "severity": found.severity, "rule": found.rule, "due_at": found.due_at}
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in after.items()}
    record(
        who,
        at=now,
        action=action,
        kind="alert",
        object_id=found.pk,
        customer_id=found.customer_id,
        summary=f"{found.title}: {why}",
        before=before,
        after=plain,
    )


def _key(cause: Cause) -> str:
    return f"{cause.rule[:60]}:{short(f'{cause.rule}|{cause.customer_id}|{cause.key}')}"


def _open_one(cause: Cause) -> Alert | None:
    return _OPEN.first(rule=cause.rule, customer=cause.customer_id)


def _rests(ruling: Ruling, rule: AlertRule, cause: Cause, key: str, now: datetime) -> bool:
    """Whether the last alert was resolved so lately that nothing new is opened; its history learns of it."""
    if rule.cool_down is None:
        return False
    last = _LAST.first(rule=cause.rule, customer=cause.customer_id)
    if last is None or last.resolved_at is None:
        return False
    until = ruling.calendar.later(last.resolved_at, timeline(rule.cool_down))
    if until <= now:
        return False
    mark(last, "quiet", f"Happened again within {timeline(rule.cool_down).words} of being resolved", now, key=key)
    return True


def _opened(ruling: Ruling, rule: AlertRule, cause: Cause, key: str, now: datetime, people: People) -> Alert:
    clock, known = clock_from(rule.within, now, ruling.calendar), cause.known
    person = people.of(rule.to, known.owner_email)
    own = rule.to == "owner" and (not known.owner_email or person is people.owner(known.owner_email))
    found = Alert(
        rule=cause.rule,
        customer_id=cause.customer_id,
        owner_email=known.owner_email,
        severity=rule.severity,
        since=min(cause.at, now),
        opened_at=now,
        last_at=min(cause.at, now),
        due_at=clock.due_at,
        near_at=clock.near_at,
        next_at=clock.next_at,
        assignee=None if own else person,
        **_said(ruling, rule, cause),
    )
    insert(found)
    mark(found, "opened", found.what or found.title, now, key=key)
    say(found, "alert.opened", found.what or found.title, now)
    tell(found, "opened", [person] if person else [], now, role=rule.to)
    return found


def _said(ruling: Ruling, rule: AlertRule, cause: Cause) -> dict[str, Any]:
    """What an alert says, with the values of this moment."""
    facts, who, known = cause.known.facts, cause.customer_id, cause.properties
    title = ruling.text(rule.title, who, facts, known) or f"{ruling.label(cause.rule)}: {cause.known.company}"
    return {
        "company": cause.known.company[:255],
        "title": title[:255],
        "what": ruling.text(rule.what, who, facts, known) or rule.description,
        "action": ruling.text(rule.action, who, facts, known)[:255],
        "money": ruling.money(rule, facts),
        "values": {
            "shown": ruling.values(cause.rule, facts, cause.shown),
            "cause": cause.name,
            "signal": cause.name if cause.signal else "",
            "period": rule.money_period,
            "label": ruling.label(cause.rule),
            NOTIFY: list(rule.notify),
        },
    }


def _again(ruling: Ruling, rule: AlertRule, found: Alert, cause: Cause, key: str, now: datetime) -> Alert:
    """The same thing once more: counted, with the newest values. The clock goes on as it did."""
    signal = found.values.get("signal", "")
    for name, value in _said(ruling, rule, cause).items():
        setattr(found, name, value)
    # An event in between must not keep it open once its signal is off.
    found.values["signal"] = found.values["signal"] or signal
    found.times += 1
    found.last_at, found.since = max(found.last_at, min(cause.at, now)), min(found.since, cause.at)
    found.save()
    if found.times <= COUNTED:
        mark(found, "again", f"Again: {found.what or found.title}", now, key=key)
    return found
