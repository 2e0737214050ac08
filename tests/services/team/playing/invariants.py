"""What must be true of everything that playbooks ever did, read from the database alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from keepwell.model.message_definitions import Cap
from keepwell.model.step_definitions import WaitStep
from keepwell.model.timelines import timeline
from keepwell.playbooks.events import TO_CUSTOMER, Wanted
from keepwell.playbooks.play import Play
from keepwell.playbooks.state import State, state_from
from keepwell.services.team.playing.plays import Plays
from keepwell.store.models import Approval, AuditEntry, Outgoing, PlaybookEffect, PlaybookRun, PlaybookTimer, Task

_TO_CUSTOMER = [str(kind) for kind in TO_CUSTOMER]


def broken(plays: Plays, *, caps: bool = True) -> list[str]:
    """Every rule that is broken, in words; nothing when all is well."""
    found: list[str] = []
    effects: dict[int, list[PlaybookEffect]] = defaultdict(list)
    for effect in PlaybookEffect.objects.order_by("at", "pk"):
        effects[effect.run_id].append(effect)
    told: dict[str, int] = defaultdict(int)
    for after in AuditEntry.objects.filter(after__has_key="effect").values_list("after", flat=True):
        told[after["effect"]] += 1
    contacts: dict[str, list[tuple[datetime, Play]]] = defaultdict(list)
    for run in PlaybookRun.objects.order_by("pk"):
        play, state = plays.of_run(run).play, state_from(run.state)
        found += [f"run {run.pk}: {what}" for what in _of_run(run, play, state, effects[run.pk], told)]
        sent = [e for e in effects[run.pk] if e.kind in _TO_CUSTOMER and "refused" not in e.result]
        contacts[run.customer_id] += [(effect.at, play) for effect in sent]
    found += _tables()
    for customer, sendings in contacts.items():
        found += [f"{customer}: {what}" for what in _contacts(sorted(sendings, key=lambda one: one[0]), caps)]
    return found


def _of_run(
    run: PlaybookRun, play: Play, state: State, effects: Sequence[PlaybookEffect], told: dict[str, int]
) -> Iterator[str]:
    ends = [effect for effect in effects if effect.kind == Wanted.END]
    if len(ends) != (run.ended_at is not None):
        yield f"{len(ends)} ends, and it ended at {run.ended_at}"
    for effect in effects:
        if told[effect.key] != 1:
            yield f"{effect.kind} at {effect.step} has {told[effect.key]} audit rows"
        if run.ended_at is not None and effect.at > run.ended_at:
            yield f"{effect.kind} at {effect.step} after the end"
        if effect.at < run.started_at:
            yield f"{effect.kind} at {effect.step} before the start"
    asked: dict[tuple[str, str], int] = defaultdict(int)
    for effect in effects:
        asked[effect.step, effect.kind] += 1
    for (step, kind), times in asked.items():
        if step in play.steps and times > state.visits.get(step, 0):
            yield f"{kind} at {step} {times} times in {state.visits.get(step, 0)} visits"
    yield from _times(play, state)


def _times(play: Play, state: State) -> Iterator[str]:
    """No step before its time: by the marks that the run left in its history."""
    for before, mark in pairwise(state.history):
        step = play.steps.get(mark.step)
        if step is None or mark.what.startswith(("response", "outcome", "asks")) or before.what.startswith("response"):
            continue
        if step.day is not None and mark.at < play.calendar.day_of(state.started_at, step.day):
            yield f"{mark.step} before day {step.day}"
        if before.step == mark.step:
            continue
        if step.after is not None and mark.at < play.calendar.later(before.at, timeline(step.after)):
            yield f"{mark.step} sooner than {step.after} after {before.step}"
        waited = isinstance(step, WaitStep) and mark.what.startswith("waited")
        if waited and mark.at < play.calendar.later(before.at, timeline(step.wait)):  # type: ignore[union-attr]
            yield f"{mark.step} waited less than {step.wait}"  # type: ignore[union-attr]


def _tables() -> Iterator[str]:
    ended = {"run__ended_at__isnull": False}
    if PlaybookTimer.objects.filter(**ended).exists():
        yield "a run that ended has a timer"
    if Approval.objects.filter(state="open", kind="playbook", **ended).exists():
        yield "a run that ended waits for an approval"
    running = PlaybookRun.objects.filter(ended_at=None)
    if running.filter(timers=None).exists():
        yield "a run that goes on has no timer"
    open_tasks = list(Task.objects.filter(state__in=["open", "snoozed"]).values_list("customer_id", "play"))
    if len(open_tasks) != len(set(open_tasks)):
        yield "two open tasks of one play"
    for row in Outgoing.objects.filter(audience="customer", **ended).select_related("run"):
        if row.run is not None and row.run.ended_at is not None and row.made_at > row.run.ended_at:
            yield f"message {row.message} after its run had ended"
    yield from _overlaps()


def _overlaps() -> Iterator[str]:
    last: dict[tuple[str, str], PlaybookRun] = {}
    for run in PlaybookRun.objects.order_by("playbook", "customer_id", "entry"):
        before = last.get((run.playbook, run.customer_id))
        if before is not None and (before.ended_at is None or before.ended_at > run.started_at):
            yield f"run {run.pk} began while run {before.pk} went on"
        if before is not None and run.entry != before.entry + 1:
            yield f"run {run.pk} is entry {run.entry} after {before.entry}"
        last[run.playbook, run.customer_id] = run


def _contacts(sendings: Sequence[tuple[datetime, Play]], caps: bool) -> Iterator[str]:
    """Quiet hours and caps: each message at the moment at which it was asked for."""
    for number, (at, play) in enumerate(sendings):
        if play.calendar.after_quiet(at) != at:
            yield f"a message of {play.name} in quiet hours, {at}"
        for cap in (play.workspace.cap, play.playbook.cap) if caps else ():
            if cap is not None and _within(cap, sendings[:number], at) >= cap.messages:
                yield f"a message of {play.name} at {at} over the cap of {cap.messages} in {cap.per_days} days"


def _within(cap: Cap, earlier: Sequence[tuple[datetime, Play]], at: datetime) -> int:
    return sum(at - timedelta(days=cap.per_days) < sent for sent, _ in earlier)
