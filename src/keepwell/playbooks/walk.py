"""One move through a playbook: from step to step until something has to be waited for."""

from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from keepwell.model.condition_definitions import Condition
from keepwell.model.step_definitions import (
    CONTACTS,
    END,
    Acting,
    AnyStep,
    ApprovalStep,
    AssignStep,
    BranchStep,
    EmailStep,
    EndStep,
    InAppStep,
    NotifyStep,
    OfferStep,
    StartStep,
    TaskStep,
    UpdateStep,
    WaitForStep,
    WaitStep,
    WaitUntilStep,
)
from keepwell.model.timelines import timeline
from keepwell.playbooks.entries import contact_time
from keepwell.playbooks.events import TO_CUSTOMER, Effect, Wanted, effect_key
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.play import Play
from keepwell.playbooks.state import State
from keepwell.playbooks.texts import filled

MOST_VISITS: Final = 500
"""More steps than this no run makes, however it loops."""
UNANSWERED: Final = "nobody answered in time"
"""What the history says of a question that expired."""


class Walk:
    """A state on its way, and the effects so far."""

    def __init__(self, play: Play, state: State, facts: Facts | None) -> None:
        self.play = play
        self.state = state
        self.facts = facts
        self.effects: list[Effect] = []

    @property
    def now(self) -> datetime:
        return self.state.at

    @cached_property
    def limit(self) -> datetime:
        """When the run ends, wherever it is."""
        return self.play.calendar.later(self.state.started_at, timeline(self.play.playbook.longest))

    def moved(self) -> tuple[State, tuple[Effect, ...]]:
        """What came out."""
        return self.state, tuple(self.effects)

    def holds(self, condition: Condition | None) -> bool:
        """Whether a condition holds now; without facts nothing is known."""
        return self.play.rules.holds(condition, self.facts or Facts(self.now.date()))

    def mark(self, what: str) -> None:
        """A line for the history, at the current step."""
        self.state = self.state.marked(self.state.step, what)

    def go(self, name: str) -> None:
        """On to a step; what was waited for is over."""
        at_rest = replace(self.state, begun=None, waits_until=None, asked="", phase="waiting")
        self.state = replace(at_rest, step=name, since=self.now)

    def end(self, reason: str, *, success: bool = False) -> None:
        """The run is over."""
        self.emit(Wanted.END, {"reason": reason, "success": success}, step=END)
        over = replace(self.state.marked("", reason), phase="ended", waits_until=None, asked="", ended_at=self.now)
        self.state = replace(over, reason=reason, success=success)

    def emit(self, kind: Wanted, details: dict[str, Any], *, due: datetime | None = None, step: str = "") -> str:
        """Ask for something to be done; the key under which it is done once."""
        state, name = self.state, step or self.state.step
        key = effect_key(state.playbook, state.customer, state.entry, name, state.visits.get(name, 0), kind)
        self.effects.append(Effect(kind, key, name, self.now, due, details))
        if kind in TO_CUSTOMER:
            self.state = replace(state, sent=(*state.sent, self.now))
        return key

    def emit_timer(self, until: datetime) -> None:
        """Ask to be woken."""
        state = self.state
        key = effect_key(state.playbook, state.customer, state.entry, "", state.timer, Wanted.TIMER)
        details = {"timer": state.timer}
        self.effects.append(Effect(Wanted.TIMER, key, state.step, self.now, until, details))

    def rest(self, until: datetime) -> None:
        """Wait until a moment, or until the run takes too long."""
        until = min(until, self.limit)
        if until == self.state.waits_until:
            return
        self.state = replace(self.state, waits_until=until, timer=self.state.timer + 1)
        self.emit_timer(until)

    def advance(self) -> None:
        """Step by step until something has to be waited for, or all is done."""
        while not self.state.ended and self._one():
            pass

    def _one(self) -> bool:
        """The end, the beginning of a step, or its work; False when something has to be waited for."""
        if self.state.step == END:
            self.end("done")
            return True
        return self._begin() if self.state.begun is None else self._work()

    def answered(self, *, given: bool, who: str) -> None:
        """An approval was given or refused."""
        self.mark(f"{'approved' if given else 'refused'}{f' by {who}' if who else ''}")
        step = self.play.steps[self.state.step]
        refused = step.refused if isinstance(step, ApprovalStep) else END
        self.go(self.play.onwards(self.state.step) if given else refused)
        self.advance()

    def _begin(self) -> bool:
        """Begin the current step when it is time for it; False when it has to be waited for."""
        name, state = self.state.step, self.state
        if sum(state.visits.values()) >= MOST_VISITS:
            self.end(f"went through {MOST_VISITS} steps without coming to an end")
            return True
        step = self.play.steps[name]
        ready = self._ready(step)
        if ready > self.now:
            self.rest(ready)
            return False
        self.state = replace(state, visits={**state.visits, name: state.visits.get(name, 0) + 1}, waits_until=None)
        if step.when is not None and not self.holds(step.when):
            self.mark("left out")
            self.go(self.play.onwards(name))
        else:
            self.state = replace(self.state, begun=self.now)
        return True

    def _ready(self, step: AnyStep) -> datetime:
        """The first moment at which a step may begin."""
        state, calendar = self.state, self.play.calendar
        ready = self.now
        if step.after is not None:
            ready = max(ready, calendar.later(state.since, timeline(step.after)))
        if step.day is not None:
            ready = max(ready, calendar.day_of(state.started_at, step.day))
        if not isinstance(step, CONTACTS):
            return ready
        known = self.facts.contacts if self.facts else ()
        caps = (self.play.playbook.cap, self.play.workspace.cap)
        return contact_time(calendar, caps, (*known, *state.sent), ready)

    def _work(self) -> bool:
        """Do the current step; False when it has to be waited for."""
        step, name = self.play.steps[self.state.step], self.state.step
        match step:
            case WaitStep():
                return self._waited(step.wait, self.play.onwards(name))
            case WaitUntilStep() if self.holds(step.wait_until):
                self._on(self.play.onwards(name), "condition holds")
            case WaitUntilStep() | WaitForStep():
                return self._waited(step.at_most, step.otherwise or self.play.onwards(name))
            case ApprovalStep():
                return self._asked(step)
            case BranchStep():
                arm = next((arm.go for arm in step.branch if self.holds(arm.when)), None)
                to = arm or step.otherwise or self.play.onwards(name)
                self._on(to, f"goes on to {to}")
            case EndStep():
                self.end(step.end)
            case _:
                self._act(step)
                self._on(self.play.onwards(name), _DONE.get(type(step), "done"))
        return True

    def _on(self, name: str, what: str) -> None:
        self.mark(what)
        self.go(name)

    def _waited(self, length: str, onwards: str) -> bool:
        begun = self.state.begun or self.now
        until = self.play.calendar.later(begun, timeline(length))
        if until > self.now:
            self.rest(until)
            return False
        self._on(onwards, f"waited {timeline(length).words}")
        return True

    def _asked(self, step: ApprovalStep) -> bool:
        """Ask once; a question that nobody answers in time is answered with no."""
        due = self._due(step, self.state.begun or self.now)
        if self.state.phase != "asking":
            text = filled(step.approval, self.state.customer, self.facts, self.play.amounts)
            key = self.emit(Wanted.APPROVAL, {"question": text, "by": step.by}, due=due)
            self.state = replace(self.state, phase="asking", asked=key)
            self.mark(f"asks {step.by}")
        if due is None or due > self.now:
            self.rest(self.limit if due is None else due)
            return False
        self._on(step.refused, UNANSWERED)
        return True

    def _due(self, step: Acting, begun: datetime) -> datetime | None:
        return None if step.within is None else self.play.calendar.later(begun, timeline(step.within))

    def _act(self, step: AnyStep) -> None:
        due = self._due(step, self.now) if isinstance(step, Acting) else None
        kind, details = self._wanted(step)
        self.emit(kind, details, due=due)

    def _wanted(self, step: AnyStep) -> tuple[Wanted, dict[str, Any]]:
        def say(text: str) -> str:
            return filled(text, self.state.customer, self.facts, self.play.amounts)

        match step:
            case EmailStep():
                return Wanted.MESSAGE, {"channel": "email", "message": step.email, **_people(step)}
            case InAppStep():
                return Wanted.MESSAGE, {"channel": "in_app", "message": step.in_app, **_people(step)}
            case OfferStep():
                offered = step.offer.model_dump(mode="json", exclude_none=True)
                expires = self.play.calendar.later(self.now, timeline(step.offer.expires)).isoformat()
                return Wanted.OFFER, {"offer": offered, "expires_at": expires, "message": step.message, **_people(step)}
            case TaskStep():
                about = {"play": step.play or f"{self.play.name}.{self.state.step}", "assign_to": step.assign_to}
                lists = {"notes": say(step.notes), "checklist": list(map(say, step.checklist))}
                return Wanted.TASK, {"title": say(step.task), **about, **lists}
            case NotifyStep():
                return Wanted.NOTIFY, {"text": say(step.notify), "channel": step.channel, "to": step.to}
            case AssignStep():
                return Wanted.ASSIGN, {"to": step.assign}
            case UpdateStep():
                return Wanted.UPDATE_FIELD, {"fields": dict(step.update)}
            case StartStep():
                return Wanted.START, {"playbook": step.start}
        raise TypeError(f"{type(step).__name__} asks for nothing to be done")


def _people(step: EmailStep | InAppStep | OfferStep) -> dict[str, str]:
    return {"to": step.to, "sender": step.sender}


_DONE: Final[dict[type[Any], str]] = {
    EmailStep: "e-mail",
    InAppStep: "message in the product",
    OfferStep: "offer",
    TaskStep: "task",
    NotifyStep: "colleagues told",
    AssignStep: "assigned",
    UpdateStep: "fields written",
    StartStep: "another playbook started",
}
