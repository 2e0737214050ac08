"""A playbook step by step: timelines, waiting, branches, approvals, stops, caps."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from keepwell.playbooks.events import Effect, Event, Happened, Wanted
from keepwell.playbooks.machine import Machine
from keepwell.playbooks.state import State
from tests.playbooks.plays import MONDAY, facts, machine, play

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def kinds(effects: Sequence[Effect]) -> list[str]:
    return [str(effect.kind) for effect in effects]


def timer(state: State) -> Event:
    return Event(Happened.TIMER, timer=state.timer, facts=facts())


def wake(one: Machine, state: State) -> tuple[State, tuple[Effect, ...]]:
    """Let time pass until the timer."""
    assert state.waits_until is not None
    return one.step(state, timer(state), state.waits_until)


LADDER = """
trigger: {signal: quiet}
stop_on: [reply, signal_off]
steps:
  - {task: "Call {company}: {logins} logins", within: 1h}
  - {wait: 24h}
  - {email: hello}
"""


def test_a_ladder_goes_step_by_step() -> None:
    one = machine(LADDER)
    state, effects = one.begin("c1", 1, MONDAY, facts())
    assert kinds(effects) == ["task", "timer"]
    assert effects[0].details["title"] == "Call Acme: 0 logins"
    assert effects[0].due == MONDAY + HOUR
    assert (state.step, state.waits_until, effects[1].due) == ("step_2", MONDAY + DAY, MONDAY + DAY)
    state, effects = wake(one, state)
    assert kinds(effects) == ["message", "end"]
    assert state.ended
    assert [mark.what for mark in state.history] == ["started", "task", "waited 24 hours", "e-mail", "done"]


def test_a_timer_that_comes_early_is_set_again_under_the_same_key() -> None:
    one = machine(LADDER)
    state, effects = one.begin("c1", 1, MONDAY, facts())
    again, repeated = one.step(state, timer(state), MONDAY + 23 * HOUR)
    assert repeated[0].key == effects[1].key
    assert again.step == state.step


def test_an_old_timer_does_nothing() -> None:
    one = machine(LADDER)
    state, _ = one.begin("c1", 1, MONDAY, facts())
    again, effects = one.step(state, Event(Happened.TIMER, timer=state.timer - 1), MONDAY + 2 * DAY)
    assert (again.step, effects) == (state.step, ())


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (Event(Happened.RESPONSE, "reply"), "reply"),
        (Event(Happened.SIGNAL_OFF, "quiet"), "signal off"),
        (Event(Happened.FACTS, facts=facts(signals=frozenset())), "signal off"),
        (Event(Happened.FACTS, facts=facts(active=False)), "customer left"),
        (Event(Happened.CHURNED), "customer left"),
        (Event(Happened.OUTCOME, "lost"), "customer lost"),
        (Event(Happened.CANCELLED, "ada"), "cancelled by ada"),
    ],
)
def test_what_ends_it(event: Event, reason: str) -> None:
    one = machine(LADDER)
    state, _ = one.begin("c1", 1, MONDAY, facts())
    ended, effects = one.step(state, event, MONDAY + HOUR)
    assert (ended.reason, kinds(effects)) == (reason, ["end"])
    assert one.step(ended, timer(state), MONDAY + 3 * DAY) == (ended, ())


@pytest.mark.parametrize(
    "event",
    [
        Event(Happened.RESPONSE, "click"),
        Event(Happened.SIGNAL_OFF, "other"),
        Event(Happened.OUTCOME, "resolved"),
        Event(Happened.FACTS, facts=facts()),
    ],
)
def test_what_does_not_end_it(event: Event) -> None:
    one = machine(LADDER)
    state, _ = one.begin("c1", 1, MONDAY, facts())
    after, effects = one.step(state, event, MONDAY + HOUR)
    assert (after.ended, effects) == (False, ())


@pytest.mark.parametrize(("said", "ended"), [("resolved", True), ("follow_up", True), ("no answer", False)])
def test_an_outcome_ends_a_ladder_unless_nobody_was_reached(said: str, ended: bool) -> None:
    one = machine("trigger: {manual: true}\nstop_on: [outcome]\nsteps: [{wait: 1d}, {task: Call}]")
    state, _ = one.begin("c1", 1, MONDAY, facts())
    after, _ = one.step(state, Event(Happened.OUTCOME, said), MONDAY + HOUR)
    assert after.ended is ended
    assert after.reason == (f"outcome: {said}" if ended else "")
    assert ended or after.history[-1].what == "outcome: no answer"


APPROVED = """
trigger: {manual: true}
steps:
  - {name: ask, approval: "Offer {company} a pause?", within: 4h, refused: call}
  - {name: give, offer: {kind: pause, months: 3, title: A break}, message: hello, then: end}
  - {name: call, task: Call}
"""


def test_an_approval_that_is_given() -> None:
    one = machine(APPROVED)
    state, effects = one.begin("c1", 1, MONDAY, facts())
    assert kinds(effects) == ["approval", "timer"]
    assert effects[0].details == {"question": "Offer Acme a pause?", "by": "manager"}
    unknown, nothing = one.step(state, Event(Happened.APPROVAL_GIVEN, "eve", asked="other"), MONDAY)
    assert (unknown.phase, nothing) == ("asking", ())
    state, effects = one.step(state, Event(Happened.APPROVAL_GIVEN, "eve", asked=effects[0].key), MONDAY + HOUR)
    assert kinds(effects) == ["offer", "end"]
    assert effects[0].details["offer"] == {
        "kind": "pause",
        "months": 3,
        "title": "A break",
        "expires": "14d",
        "terms": "",
    }
    assert effects[0].details["expires_at"] == (MONDAY + HOUR + 14 * DAY).isoformat()


def test_an_approval_that_is_refused_or_forgotten() -> None:
    one = machine(APPROVED)
    state, effects = one.begin("c1", 1, MONDAY, facts())
    _, refused = one.step(state, Event(Happened.APPROVAL_REFUSED, "eve", asked=effects[0].key), MONDAY + HOUR)
    _, forgotten = wake(one, state)
    assert kinds(refused) == kinds(forgotten) == ["task", "end"]


def test_branches_take_the_first_way_that_holds_and_unknown_is_not_true() -> None:
    one = machine(
        """
        trigger: {manual: true}
        steps:
          - branch:
              - {when: logins > setting.limit, go: a}
              - {when: {segment: danger}, go: b}
            otherwise: end
          - {name: a, task: A, then: end}
          - {name: b, task: B, when: quiet}
        """
    )
    for known, wanted in (
        (facts(values={"logins": 9.0}), ["A"]),
        (facts(values={}), ["B"]),
        (facts(values={}, signals=frozenset()), []),
        (facts(values={}, segments=frozenset()), []),
        (None, []),
    ):
        _, effects = one.begin("c1", 1, MONDAY, known)
        assert [e.details["title"] for e in effects if e.kind is Wanted.TASK] == wanted


WAIT_UNTIL = """
trigger: {manual: true}
steps:
  - {wait_until: logins >= 3, at_most: 7d, otherwise: sad}
  - {name: glad, task: Glad, then: end}
  - {name: sad, task: Sad}
"""


def test_waiting_for_a_condition() -> None:
    one = machine(WAIT_UNTIL)
    state, _ = one.begin("c1", 1, MONDAY, facts())
    same, nothing = one.step(state, Event(Happened.FACTS, facts=facts()), MONDAY + DAY)
    assert (same.step, nothing) == (state.step, ())
    _, glad = one.step(same, Event(Happened.FACTS, facts=facts(values={"logins": 3.0})), MONDAY + 2 * DAY)
    _, sad = wake(one, same)
    assert glad[0].details["title"] == "Glad"
    assert sad[0].details["title"] == "Sad"


def test_waiting_for_an_answer() -> None:
    one = machine(
        """
        trigger: {manual: true}
        steps:
          - {wait_for: [click], at_most: 2d, otherwise: sad}
          - {name: glad, task: Glad, then: end}
          - {name: sad, task: Sad}
        """
    )
    state, _ = one.begin("c1", 1, MONDAY, facts())
    _, glad = one.step(state, Event(Happened.RESPONSE, "click"), MONDAY + DAY)
    _, sad = wake(one, state)
    assert (glad[0].details["title"], sad[0].details["title"]) == ("Glad", "Sad")


def test_the_goal_is_success() -> None:
    one = machine("trigger: {manual: true}\ngoal: logins >= 3\nsteps: [{wait: 9d}]")
    state, _ = one.begin("c1", 1, MONDAY, facts())
    state, _ = one.step(state, Event(Happened.FACTS, facts=facts(values={"logins": 3.0})), MONDAY + DAY)
    assert (state.reason, state.success) == ("goal reached", True)


def test_days_are_counted_from_the_start() -> None:
    one = machine(
        """
        trigger: {manual: true}
        steps: [{email: hello, day: 0}, {email: hello, day: 3}, {email: hello, day: 7}]
        """
    )
    state, effects = one.begin("c1", 1, MONDAY, facts())
    sent = [effect.at for effect in effects if effect.kind is Wanted.MESSAGE]
    while not state.ended:
        state, effects = wake(one, state)
        sent += [effect.at for effect in effects if effect.kind is Wanted.MESSAGE]
    assert [moment.isoformat()[:16] for moment in sent] == ["2026-03-02T10:00", "2026-03-05T09:00", "2026-03-09T09:00"]


def test_messages_keep_quiet_hours_and_tasks_do_not() -> None:
    night = MONDAY.replace(hour=22)
    one = machine("trigger: {manual: true}\nsteps: [{task: Call}, {in_app: note}]")
    state, effects = one.begin("c1", 1, night, facts())
    assert kinds(effects) == ["task", "timer"]
    assert state.waits_until == night.replace(day=3, hour=8)
    assert kinds(wake(one, state)[1]) == ["message", "end"]


def test_messages_keep_the_cap_that_others_have_used_up() -> None:
    body = "trigger: {manual: true}\nsteps: [{email: hello}]"
    calendar = "{quiet_hours: null, quiet_days: [], cap: {messages: 2, per_days: 7}}"
    one = machine(body, calendar=calendar)
    contacts = (MONDAY - 6 * DAY, MONDAY - 2 * DAY, MONDAY - DAY)
    state, effects = one.begin("c1", 1, MONDAY, facts(contacts=contacts))
    assert kinds(effects) == ["timer"]
    assert state.waits_until == MONDAY + 5 * DAY


def test_one_without_an_end_ends() -> None:
    loop = """
    trigger: {manual: true}
    longest: 3d
    steps:
      - {name: again, task: Look}
      - {wait: 10h}
      - branch: [{when: quiet, go: again}]
    """
    one = machine(loop)
    state, _ = one.begin("c1", 1, MONDAY, facts())
    for _ in range(20):
        if state.ended:
            break
        state, _ = wake(one, state)
    assert (state.reason, state.ended_at) == ("still going on after 3 days", MONDAY + 3 * DAY)


def test_time_that_runs_backwards_stands_still() -> None:
    one = machine(LADDER)
    state, _ = one.begin("c1", 1, MONDAY, facts())
    state, _ = one.step(state, Event(Happened.RESPONSE, "click"), MONDAY - DAY)
    assert state.at == MONDAY


def test_the_version_is_that_of_the_content() -> None:
    first = play(LADDER)
    assert first.version == play(LADDER, zone="Europe/Berlin").version
    assert first.version != play(LADDER.replace("24h", "25h")).version


def test_keys_differ_by_entry_and_customer_and_visit() -> None:
    one = machine("trigger: {manual: true}\nsteps: [{task: A}, {task: B}]")
    keys = {
        effect.key
        for customer in ("a", "b")
        for entry in (1, 2)
        for effect in one.begin(customer, entry, MONDAY, facts())[1]
    }
    assert len(keys) == 12


@pytest.mark.parametrize(
    ("step", "kind", "details"),
    [
        ("{assign: manager}", "assign", {"to": "manager"}),
        ("{update: {stage: risk}}", "update_field", {"fields": {"stage": "risk"}}),
        ("{start: q}", "start", {"playbook": "q"}),
        ("{notify: 'Look at {company}', channel: slack, to: executive}", "notify", {"text": "Look at Acme"}),
    ],
)
def test_the_other_effects(step: str, kind: str, details: dict[str, object]) -> None:
    more = "  q: {trigger: {manual: true}, steps: [{task: Q}]}"
    _, effects = machine(f"trigger: {{manual: true}}\nsteps: [{step}]", more=more).begin("c1", 1, MONDAY, facts())
    assert effects[0].kind == kind
    assert {key: effects[0].details[key] for key in details} == details


def test_now_may_be_in_any_zone() -> None:
    one = machine(LADDER)
    local = datetime.fromisoformat("2026-03-02T11:00:00+01:00")
    assert one.begin("c1", 1, local, facts()) == one.begin("c1", 1, MONDAY, facts())


def test_who_is_asked_for_goes_through_without_the_reason_of_the_trigger() -> None:
    one = machine(LADDER)
    calm, gone = facts(signals=frozenset()), Event(Happened.SIGNAL_OFF, "quiet", facts=facts(signals=frozenset()))
    assert one.begin("c1", 1, MONDAY, calm)[0].reason == "signal off"
    state, _ = one.begin("c1", 1, MONDAY, calm, asked_for=True)
    assert not state.ended
    assert not one.step(state, gone, MONDAY)[0].ended
    with_it, _ = one.begin("c1", 1, MONDAY, facts(), asked_for=True)
    assert one.step(with_it, gone, MONDAY)[0].reason == "signal off"
