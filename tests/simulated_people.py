"""People of a simulated year, and the worker: everything by one seed, at moments of a clock that jumps."""

import heapq
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, Final
from zoneinfo import ZoneInfo

from keepwell.model.playbook_definitions import EventTrigger, ManualTrigger
from keepwell.playbooks.events import Happened
from keepwell.services.planning.sources import current_model
from keepwell.services.playbook_facts import DayFacts, day_facts
from keepwell.services.team.audit import Actor, actor
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.outcomes import log_outcome
from keepwell.services.team.playing.approvals import approval_decide
from keepwell.services.team.playing.beginning import StartRefused
from keepwell.services.team.playing.days import LOGIN_DAYS, day_arrived
from keepwell.services.team.playing.happenings import happened
from keepwell.services.team.playing.known import look_up
from keepwell.services.team.playing.plays import plays_of
from keepwell.services.team.playing.starts import start_by_hand, start_from_event
from keepwell.services.team.playing.switches import switch
from keepwell.services.team.playing.turn import playing_turn
from keepwell.services.team.prepared import Prepared
from keepwell.services.workspace import Workspace
from keepwell.store.models import (
    Approval,
    AuditEntry,
    Outgoing,
    Person,
    PlaybookEffect,
    PlaybookHeldOut,
    PlaybookRun,
    PlaybookTimer,
    Role,
    Task,
)
from tests.services.team.playing.invariants import broken
from tests.services.team.playing.stage import plain_message
from tests.simulated_alarms import Alarms

MORNING: Final = time(9)
TICK: Final = timedelta(minutes=15)
AT_ONCE: Final = 500
MOST_SHOWN: Final = 20
ANSWERS: Final = (("click", 0.10), ("reply", 0.06), ("meeting", 0.03))
"""What a message to a customer is answered with, and how often."""
RESULTS: Final = ("resolved", "resolved", "resolved", "follow_up", "follow_up", "lost")
WITHIN_DAYS: Final = 9


TIMER: Final = Prepared(lambda: PlaybookTimer.objects.order_by("due_at").only("due_at")[:1])
LETTER: Final = Prepared(
    lambda: Outgoing.objects.filter(state__in=["waiting", "failed"]).order_by("due_at").only("due_at")[:1]
)
REHEARSED: Final = Prepared(
    # All other states are left out: SQLite would look through everything that was ever rehearsed.
    lambda read: (
        Outgoing.objects.filter(audience="customer", pk__gt=read)
        .exclude(state__in=set(Outgoing.State) - {Outgoing.State.REHEARSED})
        .only("customer_id")
    ),
    read=int,
)


class Year:
    """A workspace that lives from day to day."""

    def __init__(self, workspace: Workspace, seed: int = 11) -> None:
        self.workspace, self.draw = workspace, random.Random(seed)
        self.zone = ZoneInfo(workspace.zone)
        self.model = current_model(workspace).model
        self.now = datetime(2000, 1, 1, tzinfo=self.zone)
        self.people: dict[str, Person] = {}
        self.coming: list[tuple[datetime, int, Callable[[], object]]] = []
        self.number = count()
        self.read = 0
        self.before: DayFacts | None = None
        self.turns = 0
        self.alarms = Alarms(workspace, self, late=TICK)

    def day(self, day: date) -> None:
        """What a day brings is known in the morning of the next one; then people work, and time passes."""
        morning = datetime.combine(day + timedelta(days=1), MORNING, self.zone)
        self._until(morning)
        self.workspace.snapshots.point(day)
        plays = plays_of(self.workspace)
        today = day_facts(self.workspace.snapshots, day, {*plays.names, *LOGIN_DAYS})
        if not self.people:
            self._open()
            self.alarms.open(today)
        day_arrived(plays, self.before, today, self.now)
        self.alarms.day(day, today)
        self.before = today
        # Everybody will be asked for before the day is over: once for all is quicker than a few at a time.
        look_up(self.workspace)(today.customers(), plays.names)
        self._plan()
        self._turn()

    def counts(self) -> dict[str, Any]:
        """The last hours pass; then everything is counted, and held against the rules."""
        self._until(self.now + timedelta(days=1))
        rules = [*broken(plays_of(self.workspace)), *self._sent(), *self.alarms.broken()]
        effects = PlaybookEffect.objects
        return {
            "runs": PlaybookRun.objects.count(),
            "ended": PlaybookRun.objects.exclude(ended_at=None).count(),
            "held out": PlaybookHeldOut.objects.count(),
            "effects": effects.count(),
            "messages": effects.filter(kind__in=["message", "offer"]).count(),
            "tasks": Task.objects.count(),
            "approvals": Approval.objects.count(),
            "audit": AuditEntry.objects.count(),
            "turns": self.turns,
            **self.alarms.counts(),
            "broken": len(rules),
            "rules": rules[:MOST_SHOWN],
        }

    def _open(self) -> None:
        """On the first day: people, and every playbook on."""
        for role in (Role.ADMIN, Role.MANAGER, Role.CSM):
            self.people[role] = Person.objects.create_user(f"{role}@year.example", role=role, name=role.title())
        for name in self.model.playbooks:
            switch(Actor("year"), self.workspace, name, True, self.now)

    def _until(self, moment: datetime) -> None:
        """Let time pass in steps at which something is due."""
        while (due := self._next()) is not None and due < moment:
            self.now = max(self.now, due)
            while self.coming and self.coming[0][0] <= self.now:
                heapq.heappop(self.coming)[2]()
            self._turn()
        self.now = moment

    def _next(self) -> datetime | None:
        """The next quarter of an hour in which there is something to do."""
        rings = self.alarms.next()
        known = [*(one.due_at for one in TIMER()), *(one.due_at for one in LETTER()), *([rings] if rings else [])]
        found = min([*known, *(moment for moment, _, _ in self.coming[:1])], default=None)
        return None if found is None else _up(found)

    def _turn(self) -> None:
        """The worker's turn, as often as there is something to do; a turn that moves nothing sends nothing new."""
        self.alarms.turn()
        moved, sent = 0, AT_ONCE
        while moved or sent:
            self.turns += 1
            moved = playing_turn(self.workspace, self.now, worker="year", compose=plain_message)
            letters = moved or sent == AT_ONCE
            sent = delivery_turn(self.workspace, self.now, worker="year", limit=AT_ONCE) if letters else 0
        self._read_mail()

    def _read_mail(self) -> None:
        """Customers answer some of what they were sent, hours later."""
        for row in REHEARSED(read=self.read):
            self.read = max(self.read, row.pk)
            for name, chance in ANSWERS:
                if self.draw.random() < chance:
                    self.later(self._answer(row, name), hours=self.draw.uniform(1, 60))

    def _answer(self, row: Outgoing, name: str) -> Callable[[], object]:
        key = f"answer:{row.pk}:{name}"
        return lambda: happened(row.customer_id, Happened.RESPONSE, name=name, key=key, at=self.now)

    def _plan(self) -> None:
        """What people are going to do today: questions, tasks, playbooks by hand, events."""
        for pk in Approval.objects.filter(state="open").values_list("pk", flat=True):
            if self.draw.random() < 0.6:
                self.later(self._decide(pk), hours=self.draw.uniform(0.5, 7))
        tasks = Task.objects.filter(state="open", opened_on__lte=self.now.date()).order_by("pk")
        for pk in tasks.values_list("pk", flat=True):
            if self.draw.random() < 1 / WITHIN_DAYS:
                self.later(self._work(pk), hours=self.draw.uniform(0.5, 7))
        for what in self._by_hand():
            self.later(what, hours=self.draw.uniform(0.5, 7))

    def _by_hand(self) -> Iterator[Callable[[], object]]:
        customers = sorted(PlaybookRun.objects.values_list("customer_id", flat=True).distinct()[:200])
        for name, playbook in self.model.playbooks.items():
            if not customers or self.draw.random() > 0.3:
                continue
            customer = self.draw.choice(customers)
            if isinstance(playbook.trigger, ManualTrigger):
                yield self._start(name, customer)
            elif isinstance(playbook.trigger, EventTrigger):
                yield self._event(playbook.trigger.event, customer)

    def _start(self, name: str, customer: str) -> Callable[[], object]:
        def start() -> None:
            try:
                start_by_hand(actor(self.people[Role.CSM]), name, customer, self.now, compose=plain_message)
            except StartRefused:
                return

        return start

    def _event(self, name: str, customer: str) -> Callable[[], object]:
        return lambda: start_from_event(self.workspace, customer, name, self.now.isoformat(), self.now, self.now)

    def _decide(self, pk: int) -> Callable[[], object]:
        given = self.draw.random() < 0.7

        def decide() -> None:
            if Approval.objects.filter(pk=pk, state="open").exists():
                approval_decide(actor(self.people[Role.ADMIN]), pk, given, "", self.now)

        return decide

    def _work(self, pk: int) -> Callable[[], object]:
        result = self.draw.choice(RESULTS) if self.draw.random() < 0.3 else "resolved"

        def work() -> None:
            task, today = Task.objects.get(pk=pk), self.now.astimezone(self.zone).date()
            if task.state == Task.State.OPEN:
                said = {"contact": "reached", "issue": "usage", "result": result}
                on = today + timedelta(days=3) if result == "follow_up" else None
                who = actor(self.people[Role.CSM])
                log_outcome(who, pk, version=task.version, follow_up_on=on, now=self.now, today=today, **said)

        return work

    def later(self, what: Callable[[], object], *, hours: float) -> None:
        """Let something happen so many hours from now."""
        heapq.heappush(self.coming, (self.now + timedelta(hours=hours), next(self.number), what))

    def _sent(self) -> Iterator[str]:
        """Nothing left in quiet hours, and nothing after its run was stopped."""
        quiet = next(kept.play.calendar for kept in map(plays_of(self.workspace).current, self.model.playbooks) if kept)
        for row in Outgoing.objects.filter(audience="customer", sent_at__isnull=False).select_related("run"):
            if row.sent_at is not None and quiet.after_quiet(row.sent_at) != row.sent_at:
                yield f"{row.message} left in quiet hours, {row.sent_at}"
            stopped = row.run.ended_at if row.run is not None and row.run.reason != "done" else None
            if stopped is not None and row.sent_at is not None and row.sent_at > stopped:
                yield f"{row.message} left after its run was stopped"


def _up(moment: datetime) -> datetime:
    """The end of the quarter of an hour in which a moment is."""
    over = moment.timestamp() % TICK.total_seconds()
    return moment if not over else moment + timedelta(seconds=TICK.total_seconds() - over)
