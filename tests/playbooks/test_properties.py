"""Any playbook, any events, a simulated clock: what must be true of all of them."""

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from keepwell.model.message_definitions import Calendar, Cap
from keepwell.model.playbook_definitions import Playbook
from keepwell.model.playbook_parts import takes_time
from keepwell.model.step_definitions import CONTACTS, Step
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import work_calendar
from keepwell.playbooks.events import TO_CUSTOMER, Effect, Event, Happened, Wanted, effect_from, event_from
from keepwell.playbooks.facts import Facts, Rules
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.play import Play
from keepwell.playbooks.state import State, state_from
from tests.playbooks.plays import MONDAY, facts, play

LENGTHS = st.sampled_from(
    ["20min", "5h", "24h", "2d", "1w", "3 business hours", "2 business days", "next business day"]
)
CONDITIONS = st.sampled_from(["logins >= 3", "quiet", "logins < 1", "logins + 1 > 2 or quiet", {"segment": "danger"}])
ACTIONS: list[dict[str, Any]] = [
    {"email": "hello"},
    {"in_app": "note"},
    {"task": "Call {company}", "within": "4 business hours"},
    {"notify": "Look at {company}"},
    {"offer": {"kind": "custom", "title": "x"}, "message": "hello"},
    {"assign": "manager"},
    {"update": {"stage": "risk"}},
    {"start": "q"},
]
REST = play("trigger: {manual: true}\nsteps: [{task: A}]")


@st.composite
def steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Any steps: forwards, backwards, in circles, whatever a validated model would refuse included."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 7)))]
    target = st.sampled_from([*names, "end"])
    return [_step(draw, name, target) for name in names]


def _step(draw: st.DrawFn, name: str, target: st.SearchStrategy[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": name}
    kind = draw(st.sampled_from(["act", "act", "act", "wait", "wait_until", "wait_for", "branch", "approval", "end"]))
    match kind:
        case "act":
            found |= draw(st.sampled_from(ACTIONS))
        case "wait":
            found["wait"] = draw(LENGTHS)
        case "wait_until":
            found |= {"wait_until": draw(CONDITIONS), "at_most": draw(LENGTHS), "otherwise": draw(target)}
        case "wait_for":
            found |= {"wait_for": ["click"], "at_most": draw(LENGTHS), "otherwise": draw(target)}
        case "branch":
            found |= {"branch": [{"when": draw(CONDITIONS), "go": draw(target)}], "otherwise": draw(target)}
        case "approval":
            found |= {"approval": "Really?", "refused": draw(target)}
            found |= {"within": draw(LENGTHS)} if draw(st.booleans()) else {}
        case _:
            found["end"] = "over"
    for key, values in (("after", LENGTHS), ("day", st.integers(0, 9)), ("when", CONDITIONS), ("then", target)):
        if draw(st.integers(0, 3)) == 0:
            found[key] = draw(values)
    return found


@st.composite
def plays(draw: st.DrawFn) -> Play:
    body: dict[str, Any] = {
        "trigger": draw(st.sampled_from([{"signal": "quiet"}, {"segment_entered": "danger"}, {"manual": True}])),
        "steps": draw(steps()),
        "longest": draw(st.sampled_from(["3d", "4w"])),
        "cap": draw(st.sampled_from([None, {"messages": 1, "per_days": 2}])),
    }
    stops = ["reply", "outcome"]
    stops += ["signal_off"] if "signal" in body["trigger"] else []
    stops += ["segment_left"] if "segment_entered" in body["trigger"] else []
    body["stop_on"] = draw(st.lists(st.sampled_from(stops), unique=True))
    calendar = Calendar(cap=Cap(messages=2, per_days=3), holidays=("2026-03-04",))
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles"]))
    rules = Rules(REST.rules.settings, frozenset({"quiet"}))
    return Play("p", Playbook.model_validate(body), "v", work_calendar(calendar, zone), calendar, rules)


KNOWN = st.builds(
    lambda logins, quiet, danger: facts(
        values={"logins": logins, "company": "Acme"},
        signals=frozenset({"quiet"} if quiet else ()),
        segments=frozenset({"danger"} if danger else ()),
        contacts=(MONDAY - timedelta(days=1),),
    ),
    st.sampled_from([None, 0.0, 3.0]),
    st.booleans(),
    st.booleans(),
)
HAPPENINGS = st.one_of(
    st.builds(Event, st.just(Happened.RESPONSE), st.sampled_from(["reply", "click", "login"])),
    st.builds(Event, st.just(Happened.OUTCOME), st.sampled_from(["resolved", "follow_up", "lost"])),
    st.builds(lambda known: Event(Happened.FACTS, facts=known), KNOWN),
    st.sampled_from([Event(Happened.SIGNAL_OFF, "quiet"), Event(Happened.SEGMENT_LEFT, "danger")]),
    st.sampled_from([Event(Happened.CHURNED), Event(Happened.CANCELLED), Event(Happened.SIGNAL_ON, "quiet")]),
    st.sampled_from([Event(Happened.APPROVAL_GIVEN, "ada"), Event(Happened.APPROVAL_REFUSED, "ada")]),
    st.builds(lambda number: Event(Happened.TIMER, timer=number), st.integers(0, 9)),
)
STORIES = st.lists(st.tuples(st.integers(0, 9 * 1440), HAPPENINGS), max_size=12)


@dataclass
class Told:
    """What happened in one life of a run."""

    states: list[State] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    log: list[tuple[datetime, Event]] = field(default_factory=list)


def live(one: Machine, known: Facts, story: list[tuple[int, Event]], *, through_json: bool = False) -> Told:
    """Deliver events and timers in their order; the clock jumps from one to the next."""
    told = Told()
    state, effects = one.begin("c1", 1, MONDAY, known)
    waiting: list[tuple[datetime, int, Event]] = []
    counter = iter(range(1_000_000))
    for minutes, event in story:
        heapq.heappush(waiting, (MONDAY + timedelta(minutes=minutes), next(counter), event))
    while True:
        if through_json:
            state = state_from(json.loads(json.dumps(state.as_dict())))
            effects = tuple(effect_from(json.loads(json.dumps(effect.as_dict()))) for effect in effects)
        told.states.append(state)
        told.effects.extend(effects)
        for effect in effects:
            if effect.kind is Wanted.TIMER and effect.due is not None:
                timer = Event(Happened.TIMER, timer=effect.details["timer"], facts=known)
                heapq.heappush(waiting, (effect.due, next(counter), timer))
        if not waiting or len(told.log) > 2000:
            return told
        moment, _, event = heapq.heappop(waiting)
        if event.kind in (Happened.APPROVAL_GIVEN, Happened.APPROVAL_REFUSED):
            event = Event(event.kind, event.name, asked=state.asked)
        if through_json:
            event = event_from(json.loads(json.dumps(event.as_dict())))
        told.log.append((moment, event))
        state, effects = one.step(state, event, moment)


def asked_for(told: Told) -> Iterator[Effect]:
    return (effect for effect in told.effects if effect.kind is not Wanted.TIMER)


@given(plays(), KNOWN, STORIES)
@settings(max_examples=60, deadline=None)
def test_every_life_ends_and_nothing_is_asked_for_twice_or_afterwards(
    one: Play, known: Facts, story: list[tuple[int, Event]]
) -> None:
    told = live(Machine(one), known, story)
    assert told.states[-1].ended
    assert len(told.log) <= 2000
    keys = [effect.key for effect in asked_for(told)]
    assert len(keys) == len(set(keys))
    ends = [index for index, effect in enumerate(told.effects) if effect.kind is Wanted.END]
    assert ends == [len(told.effects) - 1]
    last = told.states[-1]
    assert last.ended_at is not None
    limit = one.calendar.later(last.started_at, timeline(one.playbook.longest))
    assert all(effect.at <= limit for effect in asked_for(told) if effect.kind is not Wanted.END)


@given(plays(), KNOWN, STORIES)
@settings(max_examples=60, deadline=None)
def test_nothing_before_its_time(one: Play, known: Facts, story: list[tuple[int, Event]]) -> None:
    told = live(Machine(one), known, story)
    for before, after in zip(told.states, told.states[1:], strict=False):
        began = after.step == before.step and before.begun is None and after.begun is not None
        if began and before.phase == "waiting":
            assert after.at >= _earliest(one, before)
    for effect in asked_for(told):
        step = one.steps.get(effect.step)
        if isinstance(step, Step) and step.day is not None:
            assert effect.at >= one.calendar.day_of(MONDAY, step.day)


def _earliest(one: Play, state: State) -> datetime:
    step = one.steps[state.step]
    return state.since if step.after is None else one.calendar.later(state.since, timeline(step.after))


@given(plays(), KNOWN, STORIES)
@settings(max_examples=60, deadline=None)
def test_quiet_hours_and_caps_are_kept(one: Play, known: Facts, story: list[tuple[int, Event]]) -> None:
    told = live(Machine(one), known, story)
    sent = [effect.at for effect in told.effects if effect.kind in TO_CUSTOMER]
    assert all(one.calendar.after_quiet(at) == at for at in sent)
    assert tuple(sent) == told.states[-1].sent
    for cap in filter(None, (one.workspace.cap, one.playbook.cap)):
        for at in sent:
            window = [other for other in (*known.contacts, *sent) if at - timedelta(days=cap.per_days) < other <= at]
            assert len(window) <= cap.messages


@given(plays(), KNOWN, STORIES)
@settings(max_examples=60, deadline=None)
def test_the_same_events_give_the_same_states_also_through_json(
    one: Play, known: Facts, story: list[tuple[int, Event]]
) -> None:
    first = live(Machine(one), known, story)
    assert live(Machine(one), known, story) == first
    resumed = live(Machine(one), known, story, through_json=True)
    assert resumed.states == first.states
    assert resumed.effects == first.effects


@given(plays(), KNOWN, STORIES, st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_events_delivered_twice_do_nothing_more(
    one: Play, known: Facts, story: list[tuple[int, Event]], which: int
) -> None:
    """A timer or an approval that a worker delivers again after a crash finds a state that has moved on."""
    told = live(Machine(one), known, story)
    machine = Machine(one)
    for index, (moment, event) in enumerate(told.log):
        if event.kind in (Happened.TIMER, Happened.APPROVAL_GIVEN, Happened.APPROVAL_REFUSED):
            after = told.states[index + 1]
            if not after.ended and after.timer != told.states[index].timer:
                _, again = machine.step(after, event, moment)
                assert [effect for effect in again if effect.kind is not Wanted.TIMER] == []


@given(steps())
@settings(max_examples=60, deadline=None)
def test_what_takes_time_is_never_done_at_once(body: list[dict[str, Any]]) -> None:
    playbook = Playbook.model_validate({"trigger": {"manual": True}, "steps": body})
    one = Play("p", playbook, "v", REST.calendar, REST.workspace, REST.rules)
    state, _ = Machine(one).begin("c1", 1, MONDAY, facts())
    done = {mark.step for mark in state.history if mark.step}
    assert not [
        name for name, step in one.steps.items() if takes_time(step) and name in done and step.after is not None
    ]


def test_contacts_are_the_steps_that_reach_customers() -> None:
    assert {kind.__name__ for kind in CONTACTS} == {"EmailStep", "InAppStep", "OfferStep"}
