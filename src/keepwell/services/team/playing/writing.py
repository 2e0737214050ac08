"""A run as it is after a move, with everything that it asked for."""

from typing import Any

from keepwell.playbooks.machine import Moved
from keepwell.playbooks.state import State
from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.desk import Desk
from keepwell.services.team.playing.effects import KEEPWELL, apply_effects, settle
from keepwell.store.models import PlaybookRun


def write_move(desk: Desk, run: PlaybookRun, moved: Moved, who: Actor = KEEPWELL) -> None:
    """The run as it is now, and what it asked for."""
    for name, value in columns(moved[0]).items():
        setattr(run, name, value)
    run.save(update_fields=[*columns(moved[0]), "responded_at"])
    write_effects(desk, run, moved, who)


def write_effects(desk: Desk, run: PlaybookRun, moved: Moved, who: Actor = KEEPWELL) -> None:
    """What a move asked for, of a run that is written down already."""
    state, effects = moved
    apply_effects(desk, run, desk.plays.of_run(run), effects, state, who)
    settle(run, state, desk.now)


def columns(state: State) -> dict[str, Any]:
    """The machine's state, and the columns beside it."""
    return {
        "state": state.as_dict(),
        "step": state.step[:120],
        "phase": state.phase,
        "ended_at": state.ended_at,
        "reason": state.reason[:255],
        "success": state.success,
    }
