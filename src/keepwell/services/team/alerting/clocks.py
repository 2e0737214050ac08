"""The clocks of alerts: due soon, overdue, the chain of people, and waking from snooze. Each thing is said once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from keepwell.model.alert_definitions import AlertRule
from keepwell.services.team.alerting.deadlines import Clock, Ring, clock_from, rung_out
from keepwell.services.team.alerting.marks import mark
from keepwell.services.team.alerting.raising import say
from keepwell.services.team.alerting.rules import Ruling, ruling_of
from keepwell.services.team.alerting.telling import People, tell
from keepwell.services.team.outbox.announcing import targets_known
from keepwell.services.team.prepared import Prepared, PreparedUpdate
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert, Person

LIMIT: Final = 200
_WITH_CLOCK: Final = Q(next_at__isnull=False) & ~Q(state=Alert.State.RESOLVED)
_DUE: Final = Prepared(
    lambda now: Alert.objects.filter(_WITH_CLOCK, next_at__lte=now).order_by("next_at", "pk").only("pk")[:LIMIT],
    now=datetime,
)
SPAN: Final = ("due_at", "near_at", "near_told_at", "breached_at", "level", "next_at")


def clock_turn(workspace: Workspace, now: datetime, *, worker: str = "", limit: int = LIMIT) -> int:
    """Ring every clock that is due, the longest due first; returns how many. Any number of workers may do so."""
    numbers = [one.pk for one in _DUE(now=now)[:limit]]
    if not numbers:
        return 0
    ruling, people = ruling_of(workspace), People()
    with targets_known():
        return sum(_ring(ruling, people, number, now) for number in numbers)


def _ringing(pk: int, now: datetime) -> QuerySet[Alert]:
    """One that no other worker has."""
    skip = connection.features.has_select_for_update_skip_locked
    locked = Alert.objects.select_for_update(skip_locked=skip, of=("self",) if skip else ())
    return locked.filter(_WITH_CLOCK, pk=pk, next_at__lte=now)


_RINGING: Final = Prepared(_ringing, pk=int, now=datetime)
_MOVED: Final = PreparedUpdate(
    lambda pk, **span: (Alert.objects.filter(pk=pk), span),
    pk=int,
    **{name: int if name == "level" else datetime for name in SPAN},
)


@transaction.atomic
def _ring(ruling: Ruling, people: People, number: int, now: datetime) -> bool:
    """One alert in one transaction; one that another worker has, or that was moved meanwhile, is left."""
    found = _RINGING.first(pk=number, now=now)
    if found is None:
        return False
    rule = ruling.model.alerts.get(found.rule)
    if found.state == Alert.State.SNOOZED:
        _wake(ruling, rule, people, found, now)
        return True
    clock = Clock(**{name: getattr(found, name) for name in SPAN})
    clock, rings = rung_out(clock, rule.escalation if rule else (), ruling.calendar, now)
    for name in SPAN:
        setattr(found, name, getattr(clock, name))
    _MOVED(pk=found.pk, **{name: getattr(found, name) for name in SPAN})
    for telling in _tellings(found, rings, rule, people):
        _say(found, telling, now)
    return True


@dataclass(frozen=True)
class _Telling:
    """What one ring says, and to whom; one that says nothing only stands in the history."""

    ring: Ring
    role: str
    people: tuple[Person, ...]
    last: bool
    silent: bool


def _tellings(found: Alert, rings: Sequence[Ring], rule: AlertRule | None, people: People) -> Sequence[_Telling]:
    """Who hears of what. Of several things that are due at once, a person and a chat hear the last that is so."""
    told: list[_Telling] = []
    heard: set[int] = set()
    for ring in reversed(rings):
        role = _rung_role(rule, ring) if ring.kind == "escalated" else _role(rule)
        person = people.of(role, found.owner_email) if ring.kind == "escalated" else _holder(found, rule, people)
        again = person is not None and person.pk in heard
        whom = () if person is None or again else (person,)
        told.append(_Telling(ring, role, whom, last=not told, silent=again))
        heard |= {one.pk for one in whom}
    return told[::-1]


def _say(found: Alert, telling: _Telling, now: datetime) -> None:
    """What a ring means: a line in the history, and whoever has to hear of it."""
    ring, role = telling.ring, telling.role
    if ring.kind == "near":
        mark(found, "near", "Four fifths of the time are over", ring.at)
        say(found, "alert.near", "due soon", now)
    elif ring.kind == "breached":
        mark(found, "breached", "The deadline passed and nobody had taken it up", ring.at)
        say(found, "alert.breached", "the deadline passed", now)
    else:
        mark(found, "escalated", f"Escalated to {role.replace('_', ' ')}, step {ring.rung + 1} of the chain", ring.at)
        say(found, "alert.escalated", f"told {role.replace('_', ' ')}", now)
    if not telling.silent:
        tell(found, ring.kind, telling.people, now, role=role, chats=telling.last)


def _rung_role(rule: AlertRule | None, ring: Ring) -> str:
    return rule.escalation[ring.rung].to if rule and ring.rung < len(rule.escalation) else "manager"


def _holder(found: Alert, rule: AlertRule | None, people: People) -> Person | None:
    """Who has it: the assignee, else whoever has the rule's role."""
    return found.assignee or people.of(_role(rule), found.owner_email)


def _role(rule: AlertRule | None) -> str:
    return rule.to if rule else "owner"


def _wake(ruling: Ruling, rule: AlertRule | None, people: People, found: Alert, now: datetime) -> None:
    """A snoozed alert comes back, with a deadline of its own unless somebody has it."""
    taken = found.acknowledged_at is not None
    found.state = Alert.State.ACKNOWLEDGED if taken else Alert.State.OPEN
    found.snoozed_until = None
    found.version += 1
    clock = Clock() if taken else clock_from(rule.within if rule else None, now, ruling.calendar)
    for name in SPAN:
        setattr(found, name, getattr(clock, name))
    found.save()
    mark(found, "woken", "Back from snooze", now)
    say(found, "alert.woken", "back from snooze", now)
    person = _holder(found, rule, people)
    tell(found, "woken", [person] if person else [], now, role=_role(rule))
