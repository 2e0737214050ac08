"""A run as it is after a move, with everything that it asked for."""

from typing import Any, Final

from keepwell.playbooks.machine import Moved
from keepwell.playbooks.state import State
from keepwell.services.team.audit import Actor
from keepwell.services.team.playing.desk import Desk
from keepwell.services.team.playing.effects import KEEPWELL, apply_effects, settle
from keepwell.store.models import PlaybookRun

_CLOCK: Final = {"at": None}
"""What every move changes in a state, and nobody asks for when nothing else changed."""


def write_move(desk: Desk, run: PlaybookRun, moved: Moved, who: Actor = KEEPWELL, *, rang: int = 0) -> None:
    """The run as it is now, and what it asked for; a move that only looked at the clock leaves no trace.

    Whatever the customer answers leaves a mark in the state, so `responded_at` comes with it. `rang` is the number
    of the timer that moved it and is gone.
    """
    state, effects = moved
    before, after = run.state, columns(state)
    if not effects and before | _CLOCK == after["state"] | _CLOCK:
        return
    for name, value in after.items():
        setattr(run, name, value)
    run.save(update_fields=[*after, "responded_at"])
    apply_effects(desk, run, desk.plays.of_run(run), effects, state, who)
    settle(run, 0 if before["timer"] == rang else before["timer"], state, desk.now)


def write_first(desk: Desk, run: PlaybookRun, moved: Moved, who: Actor = KEEPWELL) -> None:
    """What a new run asked for; the run itself is written down already."""
    apply_effects(desk, run, desk.plays.of_run(run), moved[1], moved[0], who, new=True)


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
