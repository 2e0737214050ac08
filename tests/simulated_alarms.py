"""What sets alerts off in a simulated year, and the colleagues who look at them or do not: by a seed of its own."""

import random
import shutil
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any, Final, Protocol

from keepwell.connectors.channels.results import Sent
from keepwell.services.ingest import Journal, journal_of
from keepwell.services.ingest.belonging import Belonging
from keepwell.services.ingest.places import day_of
from keepwell.services.playbook_facts import DayFacts
from keepwell.services.team.alerting.alerts import AlertRefused, Seen, acknowledge, assign, resolve, snooze
from keepwell.services.team.alerting.clocks import clock_turn
from keepwell.services.team.alerting.days import open_from_day
from keepwell.services.team.alerting.follow import follow_turn
from keepwell.services.team.alerting.hearing import arrived
from keepwell.services.team.alerting.raising import short
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.alerting.waiting import FRESH, forget_old, hear_again
from keepwell.services.team.alerting.ways import choose_channels
from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.outbox import senders
from keepwell.services.team.playing.known import look_up
from keepwell.services.team.playing.roles import NAMED, name_people
from keepwell.services.team.prepared import Prepared
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import Alert, AlertMark, Channel, Outgoing, Person, Role
from tests.services.ingest.sent import accepted
from tests.services.team.alerting.invariants import broken
from tests.services.team.alerting.signals_on import days_of

OPS: Final = Actor("ops@year.example")
A_DAY: Final = (4, 12, 0.05)
"""Events of a day: at least, at most, and by customer."""
UNLUCKY: Final = 0.1
"""The share of customers to whom most of it happens: what is grouped and rests has to happen again and again."""


AGAIN: Final = 0.4
"""How often it is the same once more."""


RINGS: Final = Prepared(
    lambda: Alert.objects.exclude(next_at=None).exclude(state="resolved").order_by("next_at").only("next_at")[:1]
)
FRESHLY_OPENED: Final = Prepared(lambda seen: Alert.objects.filter(pk__gt=seen).order_by("pk").only("pk"), seen=int)


class Clock(Protocol):
    """The year: what moment it is, and what happens later."""

    now: datetime

    def later(self, what: Callable[[], object], *, hours: float) -> None:
        """Let something happen so many hours from now."""


class Alarms:
    """Events and colleagues of one workspace."""

    def __init__(self, workspace: Workspace, clock: Clock, late: timedelta, seed: int = 23) -> None:
        self.workspace, self.clock, self.late, self.draw = workspace, clock, late, random.Random(seed)
        self.ruling = ruling_of(workspace)
        self.journal = Journal(journal_of(workspace))
        self.number, self.seen, self.refused = count(1), 0, 0
        self.people: list[Person] = []
        self.days: list[date] = []
        self.expected: dict[str, tuple[bool, str]] = {}
        self.sent: set[str] = set()
        self.last = ("", "")

    def open(self, today: DayFacts) -> None:
        """On the first day: a person for each owner and role, and a switch that is live for colleagues alone."""
        owners = sorted({str(name).lower() for name in today.values["owner_email"] if name})
        made = [Person.objects.create_user(mail, role=Role.CSM, name=mail.split("@")[0]) for mail in owners]
        named = {role: Person.objects.create_user(f"{role}@roles.example", role=Role.MANAGER) for role in NAMED}
        self.people = [*made, *named.values()]
        name_people(OPS, {role: person.pk for role, person in named.items()}, self.clock.now)
        rules = sorted(self.ruling.model.alerts)[::3]
        choose_channels(
            OPS, self.ruling.model, {rule: ["email", "slack", "workspace"] for rule in rules}, self.clock.now
        )
        for channel in ("email", "slack"):
            Channel.objects.update_or_create(
                name=channel, audience="internal", defaults={"live": True, "changed_at": self.clock.now}
            )
            senders.SENDERS[channel] = self._post  # type: ignore[index]

    def day(self, day: date, today: DayFacts) -> None:
        """A day arrives; then things happen until the next one."""
        self._put_away(day)
        open_from_day(self.workspace, day, self.clock.now)
        forget_old(self.clock.now)
        self.days.append(day)
        there = [name for name in today.customers() if (one := today.facts(name)) is not None and one.active]
        least, most, share = A_DAY
        unlucky = there[:: max(1, round(1 / UNLUCKY))]
        for _ in range(min(most, max(least, round(len(there) * share))) if there else 0):
            customer = self.draw.choice(unlucky if self.draw.random() < 0.7 else there)
            self.clock.later(self._event(customer), hours=self.draw.uniform(0, 23.5))

    def _put_away(self, day: date) -> None:
        """Loaded files, as a run leaves them, and none that are older than a week."""
        places = self.journal.places
        for path in self.journal.seal(self.clock.now):
            places.done(day_of(path)).mkdir(parents=True, exist_ok=True)
            path.rename(places.done(day_of(path)) / path.name)
        shutil.rmtree(places.done(day - timedelta(days=8)), ignore_errors=True)

    def next(self) -> datetime | None:
        """When the next clock rings."""
        due = RINGS.first()
        return due.next_at if due else None

    def turn(self) -> None:
        """The worker's turn, in the worker's order; then colleagues see what is new."""
        follow_turn(self.workspace, self.clock.now)
        while clock_turn(self.workspace, self.clock.now):
            pass
        for one in FRESHLY_OPENED(seen=self.seen):
            self.seen = one.pk
            self._look_at(one.pk)

    def broken(self) -> list[str]:
        """The rules that are broken, of alerts, of events and of what was sent."""
        found = [
            *broken(self.ruling, self.clock.now, self.late),
            *days_of(self.workspace, self.ruling, self.days).broken(),
        ]
        keys = set(AlertMark.objects.filter(key__in=self.expected).values_list("key", flat=True))
        for key, (heard, what) in self.expected.items():
            if heard != (key in keys):
                found.append(f"{what} was {'not ' if heard else ''}heard of")
        left = Outgoing.objects.filter(state="sent").exclude(channel__in=("workspace", "in_app"))
        found += [f"{row} left, and is for {row.audience}" for row in left.exclude(audience="internal")]
        if self.sent != set(left.values_list("key", flat=True)):
            found.append("what left is not what the outbox says")
        return found

    def counts(self) -> dict[str, int]:
        """What there was."""
        return {
            "alerts": Alert.objects.count(),
            "again": AlertMark.objects.filter(kind="again").count(),
            "resting": AlertMark.objects.filter(kind="quiet").count(),
            "overdue": AlertMark.objects.filter(kind="breached").count(),
            "escalated": AlertMark.objects.filter(kind="escalated").count(),
            "by people": AlertMark.objects.exclude(person=None).count(),
            "told": len(self.sent),
        }

    def _post(self, row: Outgoing, _: datetime) -> Sent:
        """A mail server and a chat that take everything."""
        assert row.key not in self.sent, f"{row} left twice"
        self.sent.add(row.key)
        return Sent()

    def _event(self, customer: str) -> Callable[[], object]:
        """One thing that happens, and how it becomes known whose it is."""
        if self.draw.random() < AGAIN and self.last[0]:
            customer, name = self.last
        else:
            name = self.draw.choice(sorted(self.ruling.rules.events))
        self.last = customer, name
        said = {
            "priority": self.draw.choice(["P0", "P1", "P2", "low"]),
            "score": self.draw.randint(0, 10),
            "subject": "It does not work",
            "amount": 99,
            "currency": "EUR",
        }
        way, number = self.draw.random(), next(self.number)
        late, after = self.draw.uniform(0, 120), self.draw.uniform(0.5, 100)
        one = {"event": name, "properties": said, "userId": f"u{number}", "messageId": f"year-{number}"}
        if way < 0.6:
            return lambda: self._send(customer, one, known=True)
        if way < 0.7:
            return lambda: self._send(customer, one, known=True, hours_ago=late)
        if way < 0.8:
            return lambda: self._twice(customer, name, said, number)
        return lambda: self._of_nobody(customer, one, after, by_hand=way < 0.9)

    def _send(self, customer: str, one: dict[str, Any], *, known: bool, hours_ago: float = 0) -> datetime:
        """Through the journal, as programs do; returns when it happened."""
        now = self.clock.now
        at = now - timedelta(hours=hours_ago)
        context: dict[str, Any] = {"context": {"groupId": customer}} if known else {}
        self.journal.append([accepted(**one, **context, timestamp=at.isoformat(), at=now)], now)
        if known:
            self._expect(customer, one["event"], one["properties"], one["messageId"], at)
        return at

    def _twice(self, customer: str, name: str, said: dict[str, Any], number: int) -> None:
        """What comes another way than through the journal, and is told of twice."""
        incident = Incident(customer, (name,), self.clock.now, f"other-{number}", said)
        self._expect(customer, name, said, incident.key, incident.at)
        for _ in range(2):
            arrived(self.workspace, [incident], self.clock.now)

    def _of_nobody(self, customer: str, one: dict[str, Any], after: float, *, by_hand: bool) -> None:
        """Somebody of whom nobody knows whose user they are; that is told hours later, by hand or by a call."""
        at, user = self._send(customer, one, known=False), one["userId"]

        def told() -> None:
            self._expect(customer, one["event"], one["properties"], one["messageId"], at)
            if by_hand:
                hear_again(self.workspace, Belonging(), self.clock.now, links={f"user:{user}": customer})
            else:
                call = accepted("group", userId=user, groupId=customer, messageId=f"{user}-group", at=self.clock.now)
                self.journal.append([call], self.clock.now)

        self.clock.later(told, hours=after)

    def _expect(self, customer: str, name: str, said: dict[str, Any], key: str, at: datetime) -> None:
        """Write down whether this has to set off what rules say, once; what makes good leaves no trace of its own."""
        known = look_up(self.workspace)([customer], self.ruling.names).get(customer)
        heard = self.clock.now - at <= FRESH and known is not None and known.facts.active
        for hit in self.ruling.rules.hits(Incident(customer, (name,), at, key, said)):
            if not hit.good:
                mark = f"{hit.rule[:60]}:{short(f'{hit.rule}|{customer}|{key}')}"
                self.expected[mark] = heard, f"{name} {key} of {customer} at {at}, told of at {self.clock.now},"

    def _look_at(self, pk: int) -> None:
        """What becomes of a new alert: a third is left alone until somebody finds it days later."""
        chance, draw = self.draw.random(), self.draw
        if chance < 0.3:
            self._soon(pk, self._resolve, 48, 250)
        elif chance < 0.5:
            self._soon(pk, self._acknowledge, 0.1, 12)
            self._soon(pk, self._resolve, 12, 120)
        elif chance < 0.7:
            self._soon(pk, self._snooze, 0.1, 30)
            self._soon(pk, draw.choice((self._acknowledge, self._resolve, self._snooze)), 24, 150)
            self._soon(pk, self._resolve, 160, 300)
        elif chance < 0.85:
            self._soon(pk, self._resolve, 0.1, 10)
        else:
            for what in (self._assign, self._acknowledge, self._acknowledge, self._assign):
                self._soon(pk, what, 0.1, 40)
            self._soon(pk, self._resolve, 40, 90)

    def _soon(self, pk: int, what: Callable[[Actor, Sequence[Seen]], object], least: float, most: float) -> None:
        who = actor(self.draw.choice(self.people))

        def act() -> None:
            try:
                what(who, [Seen(pk)])
            except AlertRefused:
                self.refused += 1

        self.clock.later(act, hours=self.draw.uniform(least, most))

    def _acknowledge(self, who: Actor, seen: Sequence[Seen]) -> None:
        acknowledge(who, seen, now=self.clock.now)

    def _snooze(self, who: Actor, seen: Sequence[Seen]) -> None:
        until = self.clock.now + timedelta(hours=self.draw.uniform(1, 60))
        snooze(who, seen, until=until, reason="They asked for time", now=self.clock.now)

    def _resolve(self, who: Actor, seen: Sequence[Seen]) -> None:
        resolve(who, seen, why="Talked about it", now=self.clock.now)

    def _assign(self, who: Actor, seen: Sequence[Seen]) -> None:
        assign(who, seen, to=self.draw.choice([*self.people, None]), now=self.clock.now)
