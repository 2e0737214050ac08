"""What a run asks for becomes rows, in the transaction that moved the run: each effect once, each with an audit row."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from keepwell.playbooks.events import Effect, Wanted
from keepwell.playbooks.state import State
from keepwell.playbooks.walk import UNANSWERED
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.moments import moment_words
from keepwell.services.team.playing.desk import NOT_RECEIVED, Desk
from keepwell.services.team.playing.effects_data import assign, update_fields
from keepwell.services.team.playing.effects_people import approval, notify, task
from keepwell.services.team.playing.effects_selling import offer
from keepwell.services.team.playing.happenings import START, happened
from keepwell.services.team.playing.plays import Kept
from keepwell.services.team.playing.wish import Result, Wish
from keepwell.store.models import (
    Approval,
    Channel,
    Offer,
    Outgoing,
    PlaybookEffect,
    PlaybookRun,
    PlaybookTimer,
)

KEEPWELL: Final = Actor("Keepwell")
NOBODY: Final = "nobody there can be written to"
ACTIONS: Final[Mapping[Wanted, str]] = {
    Wanted.TASK: "task.opened",
    Wanted.NOTIFY: "playbook.told",
    Wanted.APPROVAL: "approval.asked",
    Wanted.MESSAGE: "playbook.message",
    Wanted.OFFER: "offer.made",
    Wanted.ASSIGN: "playbook.assigned",
    Wanted.UPDATE_FIELD: "playbook.updated",
    Wanted.START: "playbook.calls",
    Wanted.TIMER: "playbook.waits",
    Wanted.END: "playbook.ended",
}
"""What the audit log calls each effect."""
_MADE: Final = ("task", "approval", "offer")
STOPPED: Final = "The playbook was stopped: "
"""Why messages of a run that something stopped do not leave; they wait again when it goes on."""
WITHDRAWABLE: Final = (Outgoing.State.WAITING, Outgoing.State.FAILED)


def apply_effects(
    desk: Desk, run: PlaybookRun, kept: Kept, effects: Sequence[Effect], state: State, who: Actor, *, new: bool = False
) -> None:
    """Do what a move asked for. What has a row under its key was done before and is left; a new run did nothing yet."""
    done = set[str]() if new else _done(effects)
    rows: list[PlaybookEffect] = []
    for effect in effects:
        if effect.key in done:
            continue
        wish = Wish(desk, run, kept, effect)
        if effect.kind is Wanted.TIMER:
            result, words = _timer(wish)
        else:
            result, words = _end(wish, state) if effect.kind is Wanted.END else HANDLERS[effect.kind](wish)
            rows.append(_row(wish, result))
        _record(wish, who, words, result)
    if rows:
        PlaybookEffect.objects.bulk_create(rows)


def _done(effects: Sequence[Effect]) -> set[str]:
    keys = [effect.key for effect in effects if effect.kind is not Wanted.TIMER]
    return set(PlaybookEffect.objects.filter(key__in=keys).values_list("key", flat=True)) if keys else set()


def settle(run: PlaybookRun, timer: int, state: State, now: datetime) -> None:
    """After a move: timers that no longer count go, and questions that were passed over are closed.

    `timer` is the number of the one that counted before, 0 when it is gone already.
    """
    if timer and (state.ended or state.timer != timer):
        old = PlaybookTimer.objects.filter(run=run)
        old = old if state.ended else old.exclude(number=state.timer)
        old.delete()
    if _asked(state):
        open_ones = Approval.objects.filter(run=run, kind="playbook", state=Approval.State.OPEN)
        open_ones = open_ones.exclude(key=state.asked)
        over = Approval.State.EXPIRED if not state.ended or _unanswered(state) else Approval.State.GONE
        open_ones.update(state=over, decided_at=now)


def _asked(state: State) -> bool:
    """Whether a run ever asked for an approval."""
    return any(mark.what.startswith("asks ") for mark in state.history)


def _unanswered(state: State) -> bool:
    """Whether the last question of a run is the one that nobody answered in time, wherever the run went then."""
    told = (mark.what for mark in reversed(state.history) if mark.what.startswith("asks ") or mark.what == UNANSWERED)
    return next(told, "") == UNANSWERED


def _row(wish: Wish, result: Result) -> PlaybookEffect:
    effect = wish.effect
    return PlaybookEffect(
        key=effect.key,
        run=wish.run,
        kind=str(effect.kind),
        step=effect.step[:120],
        at=effect.at,
        due=effect.due,
        details=dict(effect.details),
        result=dict(result),
    )


def _record(wish: Wish, who: Actor, words: str, result: Result) -> None:
    """The audit row: of what was made, where something was, else of the run."""
    kind, made = next(((name, result[name]) for name in _MADE if name in result), ("playbook_run", wish.run.pk))
    action = ACTIONS[wish.effect.kind]
    if result.get("linked") or (wish.effect.kind is Wanted.OFFER and "refused" in result):
        action, kind, made = f"playbook.{wish.effect.kind}", "playbook_run", wish.run.pk
    record(
        who,
        at=wish.now,
        action=action,
        kind=kind,
        object_id=made,
        customer_id=wish.run.customer_id,
        summary=f"{wish.kept.label} for {wish.run.company}: {words}",
        after={"effect": wish.effect.key, "step": wish.effect.step, "run": wish.run.pk, **result},
    )


def _timer(wish: Wish) -> tuple[Result, str]:
    """A run's wish to be woken; one that rang too early is set again under its number."""
    number, due = int(wish.effect.details["timer"]), wish.effect.due or wish.now
    PlaybookTimer.objects.bulk_create(
        [PlaybookTimer(run=wish.run, number=number, due_at=due)],
        update_conflicts=True,
        unique_fields=["run", "number"],
        update_fields=["due_at"],
    )
    return {}, f"waits until {moment_words(due)}"


def _message(wish: Wish) -> tuple[Result, str]:
    rows = wish.desk.compose(wish.workspace, wish.effect, wish.run, wish.now)
    name = str(wish.effect.details["message"])
    refused = {} if any(row.state not in NOT_RECEIVED for row in rows) else {"refused": NOBODY}
    if not rows:
        return refused, f"message {name} not sent: {NOBODY}"
    return {"outbox": [row.pk for row in rows], **refused}, f"message {name}{' not sent' if refused else ''}"


def _start(wish: Wish) -> tuple[Result, str]:
    """Another playbook for the same customer, in a transaction of its own right after."""
    name = str(wish.effect.details["playbook"])
    if name not in wish.desk.on:
        return {"refused": f"{name} is switched off"}, f"{name} not started: it is switched off"
    by = f"playbook {wish.kept.label}"
    happened(wish.run.customer_id, START, name=name, key=wish.effect.key, at=wish.now, data={"by": by})
    return {"playbook": name}, f"starts {name}"


def _end(wish: Wish, state: State) -> tuple[Result, str]:
    """The run is closed; when something stopped it, nothing that still waits goes to the customer."""
    reason = str(wish.effect.details["reason"])
    if wish.kept.came_to_its_end(state):
        return {}, f"ended: {reason}"
    cancelled = withdrawn = 0
    if state.sent:
        waiting = Outgoing.objects.filter(run=wish.run, audience=Channel.Audience.CUSTOMER, state__in=WITHDRAWABLE)
        cancelled = waiting.update(state=Outgoing.State.CANCELLED, error=f"{STOPPED}{reason}")
        asked = Offer.objects.filter(run=wish.run, state=Offer.State.ASKED)
        withdrawn = asked.update(state=Offer.State.WITHDRAWN, answered_at=wish.now, result=f"Stopped: {reason}")
    if state.sent or _asked(state):
        gone = Approval.objects.filter(run=wish.run, state=Approval.State.OPEN)
        gone.update(state=Approval.State.GONE, decided_at=wish.now)
    counts = {"cancelled": cancelled, "withdrawn": withdrawn}
    return {name: count for name, count in counts.items() if count}, f"stopped: {reason}"


HANDLERS: Final[Mapping[Wanted, Callable[[Wish], tuple[Result, str]]]] = {
    Wanted.TASK: task,
    Wanted.NOTIFY: notify,
    Wanted.APPROVAL: approval,
    Wanted.MESSAGE: _message,
    Wanted.OFFER: offer,
    Wanted.ASSIGN: assign,
    Wanted.UPDATE_FIELD: update_fields,
    Wanted.START: _start,
}
