"""Whether a run need hear of something: most of what happens to customers changes no run of theirs."""

from datetime import datetime

from keepwell.playbooks.events import Event, Happened
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.state import state_from
from keepwell.services.team.playing.plays import Kept, Plays
from keepwell.store.models import PlaybookRun


def matters(kept: Kept, run: PlaybookRun, event: Event, now: datetime) -> bool:
    """Whether an event would do something to a run, end it, or let it go on."""
    state = state_from(run.state)
    after, effects = Machine(kept.play).step(state, event, now)
    return bool(effects) or after.ended or after.step != state.step


def answers(plays: Plays, run: PlaybookRun, name: str, at: datetime, now: datetime) -> bool:
    """Whether an answer of the customer is news to a run: its first one, or one that it waits for."""
    if run.started_at > at:
        return False
    return run.responded_at is None or matters(plays.of_run(run), run, Event(Happened.RESPONSE, name=name), now)
