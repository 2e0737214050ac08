"""Moves the runs of one customer, in the order in which things happened, within one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import transaction

from keepwell.playbooks.events import Event, Happened
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.machine import Machine, Moved
from keepwell.playbooks.state import state_from
from keepwell.services.team.playing.beginning import begin_from
from keepwell.services.team.playing.desk import Desk
from keepwell.services.team.playing.happenings import START
from keepwell.services.team.playing.writing import write_move
from keepwell.services.team.prepared import Prepared
from keepwell.store.models import Happening, PlaybookRun, PlaybookTimer

_RUNNING: Final = Prepared(
    lambda customer: PlaybookRun.objects.filter(customer_id=customer, ended_at=None).order_by("pk"), customer=str
)
_HAPPENED: Final = Prepared(
    lambda customer: Happening.objects.filter(customer_id=customer, heard_at=None), customer=str
)
_DUE: Final = Prepared(
    lambda customer, now: PlaybookTimer.objects.filter(run__customer_id=customer, due_at__lte=now),
    customer=str,
    now=datetime,
)


@dataclass
class Moving:
    """One customer in one transaction."""

    desk: Desk
    customer_id: str
    happened: Sequence[Happening] | None = None
    """What the turn has read, of a customer without a timer that is due; None to read here."""
    _runs: dict[int, PlaybookRun] = field(default_factory=dict)

    def all(self) -> int:
        """Hear what happened and fire what is due; how much there was. What follows from it waits for the next turn."""
        happened, due = self._waiting()
        if self.desk.plays.model is None:
            # Nobody knows what would start: it waits until the model can be read again.
            happened = [one for one in happened if one.kind != START]
        if not self._taken(happened):
            transaction.set_rollback(True)
            return 0
        if due or any(one.kind != START for one in happened):
            self._runs = {run.pk: run for run in _RUNNING(customer=self.customer_id)}
        for one in _in_order(happened, due):
            self._hear(one) if isinstance(one, Happening) else self._fire(one)
        return len(happened) + len(due)

    def _waiting(self) -> tuple[Sequence[Happening], Sequence[PlaybookTimer]]:
        if self.happened is not None:
            return self.happened, ()
        return _HAPPENED(customer=self.customer_id), _DUE(customer=self.customer_id, now=self.desk.now)

    def _taken(self, happened: Sequence[Happening]) -> bool:
        """Say that these are heard; False when another worker heard some of them since the turn read them."""
        if not happened:
            return True
        mine = Happening.objects.filter(pk__in=[one.pk for one in happened], heard_at=None)
        return mine.update(heard_at=self.desk.now) == len(happened)

    def _fire(self, timer: PlaybookTimer) -> None:
        timer.delete()
        run = self._runs.get(timer.run_id)
        if run is not None and run.ended_at is None:
            self._move(run, Event(Happened.TIMER, timer=timer.number))

    def _hear(self, one: Happening) -> None:
        if one.kind == START:
            begin_from(self.desk, one)
            return
        event = Event(Happened(one.kind), name=one.name, asked=str(one.data.get("asked", "")))
        for run in self._hearing(one):
            if event.kind is Happened.RESPONSE and run.responded_at is None:
                run.responded_at = one.at
            self._move(run, event)

    def _hearing(self, one: Happening) -> Iterable[PlaybookRun]:
        """The run that it is for, or all that had begun by then."""
        runs = [run for run in self._runs.values() if run.ended_at is None]
        if one.run_id is not None:
            return [run for run in runs if run.pk == one.run_id]
        return [run for run in runs if run.started_at <= one.at]

    def _move(self, run: PlaybookRun, event: Event) -> None:
        kept = self.desk.plays.of_run(run)
        state, now = state_from(run.state), self.desk.now

        def step(facts: Facts | None) -> Moved:
            told = Event(event.kind, event.name, event.timer, event.asked, facts)
            return Machine(kept.play).step(state, told, now)

        write_move(self.desk, run, self.desk.moved(self.customer_id, kept, run, step), rang=event.timer)


def _in_order(happened: Iterable[Happening], due: Iterable[PlaybookTimer]) -> list[Happening | PlaybookTimer]:
    """In the order of time; an answer that came when a timer was due comes first."""
    ordered = [((h.at, 0, h.pk), h) for h in happened] + [((t.due_at, 1, t.run_id), t) for t in due]
    return [one for _, one in sorted(ordered, key=lambda pair: pair[0])]
