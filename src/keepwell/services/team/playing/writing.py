"""A run as it is after a move, with everything that it asked for."""

from keepwell.playbooks.machine import Moved
from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.desk import Desk
from keepwell.services.team.playing.effects import KEEPWELL, apply_effects, settle
from keepwell.store.models import PlaybookRun


def write_move(desk: Desk, run: PlaybookRun, moved: Moved, who: Actor = KEEPWELL) -> None:
    """The run as it is now, and what it asked for."""
    state, effects = moved
    run.state, run.step, run.phase = state.as_dict(), state.step[:120], state.phase
    run.ended_at, run.reason, run.success = state.ended_at, state.reason[:255], state.success
    run.save()
    apply_effects(desk, run, desk.plays.of_run(run), effects, state, who)
    settle(run, state, desk.now)
