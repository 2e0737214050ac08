"""Runs that an outcome stopped go on when the outcome is taken back, where nothing else happened since."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db.models import Q

from keepwell.playbooks.events import Happened, Wanted
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.machine import Machine, Moved, outcome_reason
from keepwell.playbooks.state import state_from
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox.checks import ENDED
from keepwell.services.team.outbox.compose import compose_message
from keepwell.services.team.playing.desk import Compose, Desk, desk_of
from keepwell.services.team.playing.effects import STOPPED
from keepwell.services.team.playing.happenings import short_key
from keepwell.services.team.playing.holding import hold_customer
from keepwell.services.team.playing.known import Look
from keepwell.services.team.playing.writing import write_move
from keepwell.store.models import Approval, Channel, Happening, Outgoing, PlaybookEffect, PlaybookRun

_STOPS: Final = tuple(
    str(kind)
    for kind in (
        Happened.RESPONSE,
        Happened.OUTCOME,
        Happened.SIGNAL_OFF,
        Happened.SEGMENT_LEFT,
        Happened.CHURNED,
        Happened.CANCELLED,
    )
)


@dataclass(frozen=True)
class Resumed:
    """What playbooks are called that go on, and that stay stopped, each with the reason."""

    goes_on: tuple[str, ...] = ()
    stays: tuple[tuple[str, str], ...] = ()

    @property
    def words(self) -> str:
        """The same in a sentence or two; empty when the outcome stopped nothing."""
        named = [f"{', '.join(self.goes_on)} {'goes' if len(self.goes_on) == 1 else 'go'} on."] if self.goes_on else []
        named += [f"{name} stays stopped: {why}." for name, why in self.stays]
        return " ".join(named)


def resume_runs(
    who: Actor,
    customer_id: str,
    key: str,
    now: datetime,
    *,
    look: Look | None = None,
    compose: Compose = compose_message,
) -> Resumed:
    """Take back what a customer's runs heard under a key, in the caller's transaction, which begins with this.

    Who has not heard it never will.
    """
    hold_customer(customer_id, wait=True)
    heard = Happening.objects.filter(key=short_key(key), customer_id=customer_id).first()
    if heard is None:
        return Resumed()
    if heard.heard_at is None:
        heard.delete()
        return Resumed()
    runs = list(_stopped_by(heard))
    if not runs:
        return Resumed()
    desk = desk_of(workspace(), now, look=look, compose=compose)
    desk.read([customer_id], {(run.playbook, run.version) for run in runs})
    return _resumed(desk, runs, heard, who)


def _stopped_by(heard: Happening) -> Iterable[PlaybookRun]:
    """The runs that ended at the moment when this was heard, for its reason."""
    ended = PlaybookRun.objects.filter(customer_id=heard.customer_id, ended_at=heard.heard_at)
    return ended.filter(reason=outcome_reason(heard.name)).order_by("pk")


def _resumed(desk: Desk, runs: Iterable[PlaybookRun], heard: Happening, who: Actor) -> Resumed:
    goes_on: list[str] = []
    stays: list[tuple[str, str]] = []
    for run in runs:
        label = desk.plays.of_run(run).label
        why = _why_not(run, heard) or _go_on(desk, run, who)
        if why:
            stays.append((label, why))
        else:
            goes_on.append(label)
    return Resumed(tuple(goes_on), tuple(stays))


def _why_not(run: PlaybookRun, heard: Happening) -> str:
    """Why a run stays stopped: what happened since would have stopped it, or cannot be taken back."""
    later = Happening.objects.filter(customer_id=run.customer_id, pk__gt=heard.pk, kind__in=_STOPS)
    if later.filter(Q(run=None) | Q(run=run)).exists():
        return "something else happened since"
    if PlaybookRun.objects.filter(playbook=run.playbook, customer_id=run.customer_id, entry__gt=run.entry).exists():
        return "it began anew since"
    ends = PlaybookEffect.objects.filter(run=run, kind=str(Wanted.END)).order_by("-at", "-pk").first()
    return "its offer was withdrawn" if ends is not None and "withdrawn" in ends.result else ""


def _go_on(desk: Desk, run: PlaybookRun, who: Actor) -> str:
    """Move it on from where it stood; the reason why not, where what is true today would end it at once."""
    kept, state = desk.plays.of_run(run), state_from(run.state)

    def move(facts: Facts | None) -> Moved:
        return Machine(kept.play).resume(state, desk.now, facts)

    moved = desk.moved(run.customer_id, kept, run, move)
    if moved[0].ended:
        return moved[0].reason
    again = _wait_again(run, moved[0].asked)
    record(
        who,
        at=desk.now,
        action="playbook.resumed",
        kind="playbook_run",
        object_id=run.pk,
        customer_id=run.customer_id,
        summary=f"{kept.label} for {run.company}: goes on, what stopped it was taken back",
        before={"reason": run.reason},
        after=again,
    )
    write_move(desk, run, moved, who)
    return ""


def _wait_again(run: PlaybookRun, asked: str) -> dict[str, int]:
    """Messages that the stop kept back, and the question that it closed; how many."""
    kept_back = Outgoing.objects.filter(run=run, audience=Channel.Audience.CUSTOMER, state=Outgoing.State.CANCELLED)
    stopped = kept_back.filter(error__in=[STOPPED + run.reason, ENDED + run.reason])
    gone = Approval.objects.filter(run=run, key=asked, state=Approval.State.GONE)
    return {
        "messages": stopped.update(state=Outgoing.State.WAITING, error=""),
        "questions": gone.update(state=Approval.State.OPEN, decided_at=None),
    }
