"""What must be true of every alert that ever was, read from the database alone and counted without the code under test.

`late` is how long after its moment a clock may ring: the time between two turns of the worker.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from keepwell.model.alert_definitions import AlertRule
from keepwell.model.timelines import timeline
from keepwell.services.team.alerting.rules import Ruling
from keepwell.services.team.playing.roles import People
from keepwell.store.models import Alert, AlertMark, AuditEntry, Outgoing, Person
from tests.services.team.alerting.lengths import four_fifths, is_so_long_after

RINGS: Final = ("near", "breached", "escalated")
AUDITED: Final = (*RINGS, "opened", "acknowledged", "snoozed", "woken", "assigned", "resolved")
_BECOMES: Final = {"opened": "open", "acknowledged": "acknowledged", "snoozed": "snoozed", "resolved": "resolved"}


def broken(ruling: Ruling, now: datetime, late: timedelta) -> list[str]:
    """Every rule that is broken, in words; nothing when all is well."""
    marks: dict[int, list[AlertMark]] = defaultdict(list)
    for mark in AlertMark.objects.order_by("pk"):
        marks[mark.alert_id].append(mark)
    told: dict[int, list[Outgoing]] = defaultdict(list)
    for row in Outgoing.objects.filter(payload__has_key="alert").order_by("pk"):
        told[row.payload["alert"]].append(row)
    audit: dict[str, Counter[str]] = defaultdict(Counter)
    for number, action in AuditEntry.objects.filter(object_kind="alert").values_list("object_id", "action"):
        audit[number][action.removeprefix("alert.")] += 1
    found, people = list(_rests(ruling)), People()
    for alert in Alert.objects.order_by("pk"):
        life = Life(alert, ruling.model.alerts[alert.rule], ruling, marks[alert.pk], told[alert.pk], people)
        wrong = [*life.states(), *life.clocks(now, late), *life.words(late), *life.written(audit[str(alert.pk)])]
        found += [f"alert {alert.pk}, {alert.rule} of {alert.customer_id}: {what}" for what in wrong]
    return [*found, *_audiences()]


def _rests(ruling: Ruling) -> Iterator[str]:
    """Never two at once, and none while the last one rests."""
    by_rule: dict[tuple[str, str], list[Alert]] = defaultdict(list)
    for alert in Alert.objects.order_by("opened_at", "pk"):
        by_rule[alert.rule, alert.customer_id].append(alert)
    for (rule, customer), alerts in by_rule.items():
        cool_down = ruling.model.alerts[rule].cool_down
        for before, after in pairwise(alerts):
            if before.resolved_at is None or after.opened_at < before.resolved_at:
                yield f"{rule} of {customer}: alert {after.pk} was opened while {before.pk} was open"
            elif cool_down and after.opened_at < ruling.calendar.later(before.resolved_at, timeline(cool_down)):
                yield f"{rule} of {customer}: alert {after.pk} was opened within {cool_down} of {before.pk}"


def _audiences() -> Iterator[str]:
    """What is for colleagues goes to colleagues, and what is for customers to none of them."""
    colleagues = set(Person.objects.values_list("email", flat=True))
    for row in Outgoing.objects.all():
        inside = row.audience == "internal"
        if "alert" in row.payload and not inside:
            yield f"a word on alert {row.payload['alert']} is for {row.audience}"
        if inside and row.address and row.address not in colleagues:
            yield f"a word to colleagues goes to {row.address}"
        if not inside and row.address in colleagues:
            yield f"a message to a customer goes to {row.address}"


@dataclass(frozen=True)
class Span:
    """A time in which an alert's clock ran: from opening or waking until somebody stopped it."""

    start: datetime
    until: datetime | None
    rings: Sequence[AlertMark]


@dataclass(frozen=True)
class Life:
    """One alert with its history, what was said of it, and its rule."""

    alert: Alert
    rule: AlertRule
    ruling: Ruling
    marks: Sequence[AlertMark]
    told: Sequence[Outgoing]
    people: People

    def states(self) -> Iterator[str]:
        """Each thing only when it can be, nothing after the end, and the row says what the history does."""
        state, taken, last = "", False, self.marks[0].at
        for mark in self.marks:
            if state == "resolved" and mark.kind != "quiet":
                yield f"{mark.kind} after it was resolved"
            if (mark.kind == "opened") != (state == ""):
                yield f"{mark.kind} while it was {state or 'not there'}"
            if mark.kind in RINGS and state != "open":
                yield f"{mark.kind} while it was {state}"
            if mark.kind not in RINGS and mark.at < last:
                yield f"{mark.kind} before what was before"
            taken = taken or mark.kind == "acknowledged"
            state = ("acknowledged" if taken else "open") if mark.kind == "woken" else _BECOMES.get(mark.kind, state)
            last = max(last, mark.at)
        if state != self.alert.state:
            yield f"it is {self.alert.state}, its history says {state}"
        if self.alert.state == "resolved" and any(row.made_at > (self.alert.resolved_at or last) for row in self.told):
            yield "somebody was told after it was resolved"
        times = 1 + sum(mark.kind == "again" for mark in self.marks)
        if times != self.alert.times:
            yield f"it happened {times} times by its history, and {self.alert.times} by itself"

    def spans(self) -> Iterator[Span]:
        """The times in which nobody had it."""
        start, rings, taken = self.marks[0].at, list[AlertMark](), False
        running = True
        for mark in self.marks:
            if mark.kind in RINGS:
                rings.append(mark)
            elif mark.kind in ("acknowledged", "snoozed", "resolved") and running:
                yield Span(start, mark.at, rings)
                running = False
            elif mark.kind == "woken" and not taken:
                start, rings, running = mark.at, [], True
            taken = taken or mark.kind == "acknowledged"
        if running:
            yield Span(start, None, rings)

    def clocks(self, now: datetime, late: timedelta) -> Iterator[str]:
        """What rings does so once, in its order, at its moment, and none is left out."""
        for span in self.spans():
            if self.rule.within is None:
                yield from (f"{mark.kind} without a deadline" for mark in span.rings)
                continue
            kinds = [mark.kind for mark in span.rings]
            if kinds != ["near", "breached", *["escalated"] * len(self.rule.escalation)][: len(kinds)]:
                yield f"rang {', '.join(kinds)}"
                continue
            yield from self._moments(self.rule.within, span)
            yield from self._missing(span, (span.until or now) - late)

    def _moments(self, within: str, span: Span) -> Iterator[str]:
        calendar, length = self.ruling.calendar, timeline(within)
        rings = {mark.kind: mark.at for mark in span.rings if mark.kind != "escalated"}
        if "breached" in rings and not is_so_long_after(calendar, span.start, rings["breached"], length, ends=True):
            yield f"due {rings['breached']}, {within} after {span.start}"
        if len(rings) == 2 and not four_fifths(calendar, span.start, rings["near"], rings["breached"], length):
            yield f"nearly due {rings['near']} of {span.start} to {rings['breached']}"
        up = [mark.at for mark in span.rings if mark.kind in ("breached", "escalated")]
        for number, (before, at) in enumerate(pairwise(up)):
            after = self.rule.escalation[number].after
            right = at == before if after is None else is_so_long_after(calendar, before, at, timeline(after))
            if not right:
                yield f"step {number + 1} of the chain at {at}, {after} after {before}"

    def _missing(self, span: Span, until: datetime) -> Iterator[str]:
        """Whatever was to ring before this moment did: the next one is reckoned by the calendar itself."""
        calendar, done = self.ruling.calendar, len(span.rings)
        if done < 2:
            length = timeline(self.rule.within or "")
            due = calendar.later(span.start, length)
            due = calendar.at(calendar.local(due).date(), calendar.closes) if length.next_day else due
            if due < until:
                yield f"it was due {due}, and rang {done} times"
        elif done < 2 + len(self.rule.escalation):
            after, last = self.rule.escalation[done - 2].after, span.rings[-1].at
            at = last if after is None else calendar.later(last, timeline(after))
            if at < until:
                yield f"step {done - 1} of the chain was due {at}"

    def words(self, late: timedelta) -> Iterator[str]:
        """Who has to hear of a ring does so within a turn, and the steps name their roles."""
        rung = 0
        for mark in self.marks:
            if mark.kind == "woken":
                rung = 0
            if mark.kind != "escalated":
                continue
            role = self.rule.escalation[rung].to
            rung += 1
            if f"to {role.replace('_', ' ')}, step {rung} " not in mark.text:
                yield f"step {rung} of the chain says: {mark.text}"
            person = self.people.of(role, self.alert.owner_email)
            heard = [row for row in self.told if person and row.address == person.email]
            if person and not any(mark.at <= row.made_at <= mark.at + late for row in heard):
                yield f"{person.email} was not told of step {rung}"
        for row in self.told:
            rang = [mark.at for mark in self.marks if mark.kind == row.payload["kind"]]
            if row.payload["kind"] in RINGS and not any(at <= row.made_at for at in rang):
                yield f"{row.address} was told of {row.payload['kind']} too soon"
        keys = Counter((row.payload["kind"], row.made_at, row.channel, row.address) for row in self.told)
        for (kind, at, channel, address), times in keys.items():
            # Whoever gives an alert away twice within a turn says so twice.
            if times > max(1, sum(mark.kind == kind and mark.at == at for mark in self.marks)):
                yield f"{address or channel} was told of {kind} {times} times at {at}"

    def written(self, audit: "Counter[str]") -> Iterator[str]:
        """Every change has its audit row."""
        done = Counter(mark.kind for mark in self.marks if mark.kind in AUDITED)
        for kind in AUDITED:
            if done[kind] != audit[kind]:
                yield f"{kind} {done[kind]} times, with {audit[kind]} audit rows"
