"""The state machine of a playbook: `step(state, event, now)` gives the next state and what is to be done. Pure.

A state at rest waits for a timer, waits for an approval, or has ended. Time that runs backwards stands still.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from keepwell.model.base import Scalar
from keepwell.model.playbook_definitions import EnteredTrigger, SignalTrigger
from keepwell.model.step_definitions import END, WaitForStep, WaitUntilStep
from keepwell.model.timelines import timeline
from keepwell.playbooks.events import Effect, Event, Happened
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.play import Play
from keepwell.playbooks.state import State
from keepwell.playbooks.walk import Walk

Moved = tuple[State, tuple[Effect, ...]]
_STOPS: Final = {
    Happened.OUTCOME: "outcome",
    Happened.SIGNAL_OFF: "signal_off",
    Happened.SEGMENT_LEFT: "segment_left",
}
LOST: Final = "lost"
NO_ANSWER: Final = "no answer"
"""An outcome of somebody who was not reached: a voicemail ends no ladder that waits for an answer."""
"""The outcome after which nothing goes on."""


def outcome_reason(name: str) -> str:
    """What an outcome that ends a run is called."""
    return "customer lost" if name == LOST else f"outcome: {name}"


@dataclass(frozen=True)
class Machine:
    """A playbook that can be started, and moved by events."""

    play: Play

    def begin(
        self,
        customer: str,
        entry: int,
        now: datetime,
        facts: Facts | None = None,
        variables: Mapping[str, Scalar] | None = None,
        *,
        asked_for: bool = False,
    ) -> Moved:
        """Start the playbook for a customer; `entry` is the number of this run, counted from 1.

        `asked_for` says that a person or another playbook wants it, whatever the trigger says.
        """
        now = now.astimezone(UTC)
        play = self.play
        first = State(play.name, play.version, customer, entry, now, now, play.first, now, variables=variables or {})
        if asked_for and facts is not None and self._reason_gone(first, facts):
            first = replace(first, anyway=True)
        walk = Walk(play, first.marked("", "started"), facts)
        self._end_if_over(walk)
        walk.advance()
        return walk.moved()

    def step(self, state: State, event: Event, now: datetime) -> Moved:
        """Move a run by one event; a run that has ended stays as it is."""
        if state.ended:
            return state, ()
        walk = Walk(self.play, replace(state, at=max(state.at, now.astimezone(UTC))), event.facts)
        if not self._stopped(walk, event) and not self._end_if_over(walk):
            self._move(walk, event)
        return walk.moved()

    def resume(self, state: State, now: datetime, facts: Facts | None = None) -> Moved:
        """Go on with a run whose stop was taken back, from the step at which it stood; one that goes on stays as it is.

        What it waited for is waited for anew, over the same time; its next end is another than the first.
        """
        if not state.ended:
            return state, ()
        ends = {**state.visits, END: state.visits.get(END, 0) + 1}
        back = replace(state, phase="waiting", at=max(state.at, now.astimezone(UTC)), visits=ends)
        walk = Walk(self.play, replace(back, ended_at=None, reason="", success=False), facts)
        walk.mark("goes on, what stopped it was taken back")
        if not self._end_if_over(walk):
            walk.advance()
        return walk.moved()

    def _stopped(self, walk: Walk, event: Event) -> bool:
        """Whether the event ends the run."""
        reason = self._stop_reason(walk.state, event)
        if reason:
            walk.end(reason)
        return bool(reason)

    def _stop_reason(self, state: State, event: Event) -> str:
        stops = self.play.playbook.stop_on
        match event.kind:
            case Happened.CANCELLED:
                return f"cancelled{f' by {event.name}' if event.name else ''}"
            case Happened.CHURNED:
                return "customer left"
            case Happened.OUTCOME if event.name == LOST:
                return outcome_reason(event.name)
            case Happened.RESPONSE:
                return event.name if event.name in stops else ""
            case Happened.OUTCOME if event.name != NO_ANSWER:
                return outcome_reason(event.name) if "outcome" in stops else ""
            case Happened.SIGNAL_OFF | Happened.SEGMENT_LEFT:
                about = self._about(state)
                return _STOPS[event.kind].replace("_", " ") if about == (_STOPS[event.kind], event.name) else ""
        return ""

    def _about(self, state: State) -> tuple[str, str] | None:
        """What must stay true of the customer, where the playbook stops with it: the stop, and the name."""
        trigger, stops = self.play.playbook.trigger, self.play.playbook.stop_on
        if state.anyway:
            return None
        if isinstance(trigger, SignalTrigger) and "signal_off" in stops:
            return "signal_off", trigger.signal
        if isinstance(trigger, EnteredTrigger) and "segment_left" in stops:
            return "segment_left", trigger.segment_entered
        return None

    def _end_if_over(self, walk: Walk) -> bool:
        """End a run whose customer left, whose reason is gone, that reached its goal, or that takes too long."""
        facts = walk.facts
        if facts is not None and not facts.active:
            walk.end("customer left")
        elif facts is not None and (gone := self._reason_gone(walk.state, facts)):
            walk.end(gone)
        elif facts is not None and self.play.playbook.goal is not None and walk.holds(self.play.playbook.goal):
            walk.end("goal reached", success=True)
        elif walk.now >= walk.limit:
            walk.end(f"still going on after {timeline(self.play.playbook.longest).words}")
        return walk.state.ended

    def _reason_gone(self, state: State, facts: Facts) -> str:
        """What ended the run's reason, when it is gone by the facts: an event about it may have been lost."""
        about = self._about(state)
        if about is None or about[1] in (facts.signals if about[0] == "signal_off" else facts.segments):
            return ""
        return about[0].replace("_", " ")

    def _move(self, walk: Walk, event: Event) -> None:
        state = walk.state
        step = self.play.steps.get(state.step)
        match event.kind:
            case Happened.TIMER if event.timer == state.timer:
                self._timer(walk)
            case Happened.FACTS if isinstance(step, WaitUntilStep) and state.begun is not None:
                walk.advance()
            case Happened.RESPONSE:
                self._response(walk, event, step)
            case Happened.OUTCOME:
                walk.mark(f"outcome: {event.name}")
            case Happened.APPROVAL_GIVEN | Happened.APPROVAL_REFUSED if (
                state.phase == "asking" and event.asked == state.asked
            ):
                walk.answered(given=event.kind is Happened.APPROVAL_GIVEN, who=event.name)
            case _:
                pass

    def _timer(self, walk: Walk) -> None:
        """Go on when it is time; a timer that comes early is set again, under the same key."""
        until = walk.state.waits_until
        if until is not None and walk.now < until:
            walk.emit_timer(until)
        else:
            walk.advance()

    def _response(self, walk: Walk, event: Event, step: object) -> None:
        walk.mark(f"response: {event.name}")
        if isinstance(step, WaitForStep) and walk.state.begun is not None and event.name in step.wait_for:
            walk.go(self.play.onwards(walk.state.step))
            walk.advance()
