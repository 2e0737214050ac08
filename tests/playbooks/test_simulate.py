"""Replays: who enters, what it asks of whom in which week, against what fits into one."""

from datetime import date, datetime, timedelta

import pytest

from keepwell.playbooks.budget import budget
from keepwell.playbooks.events import Wanted
from keepwell.playbooks.facts import Facts
from keepwell.playbooks.simulate import DayOf, Replay, ReplayError, replay
from tests.playbooks.plays import play

FIRST = date(2026, 3, 2)
LADDER = """
trigger: {signal: quiet}
stop_on: [signal_off]
re_entry: {after: 5d}
steps:
  - {task: Call}
  - {wait: 2d}
  - {email: hello}
  - {notify: Still quiet}
  - {approval: "Give up?", by: manager}
"""


def customer(day: date, *, quiet: bool, owner: str = "ada@x.example", active: bool = True) -> Facts:
    signals = frozenset({"quiet"} if quiet else ())
    return Facts(day, {"owner_email": owner, "company": "Acme"}, frozenset(), signals, active=active)


def days(pattern: str, name: str = "c1", active_until: int = 99) -> list[DayOf]:
    """One customer; `q` is a quiet day, `-` is not."""
    found = []
    for number, mark in enumerate(pattern):
        day = FIRST + timedelta(days=number)
        found.append(DayOf(day, {name: customer(day, quiet=mark == "q", active=number < active_until)}))
    return found


def kinds(found: Replay) -> list[str]:
    return [str(done.effect.kind) for done in found.done]


def test_it_starts_when_the_signal_turns_on_and_goes_on_in_time() -> None:
    found = replay(play(LADDER), days("-qqqq"))
    assert [moment.isoformat() for moment, _ in found.entered] == ["2026-03-04T09:00:00+00:00"]
    assert kinds(found) == ["task", "message", "notify", "approval"]
    sent = next(done for done in found.done if done.effect.kind is Wanted.MESSAGE)
    assert sent.at == datetime.fromisoformat("2026-03-06T09:00:00+00:00")
    assert found.running == 1


def test_what_was_on_already_starts_nothing() -> None:
    assert replay(play(LADDER), days("qqqq")).entered == []


def test_the_signal_goes_off() -> None:
    found = replay(play(LADDER), days("-q--"))
    assert kinds(found) == ["task", "end"]
    assert found.ended == {"signal off": 1}


def test_a_customer_who_leaves() -> None:
    assert replay(play(LADDER), days("-qqq", active_until=2)).ended == {"customer left": 1}
    gone = [*days("-qq"), DayOf(FIRST + timedelta(days=3), {})]
    assert replay(play(LADDER), gone).ended == {"customer left": 1}


def test_nobody_enters_again_too_soon() -> None:
    found = replay(play(LADDER), days("-q-q-q------q-"))
    assert len(found.entered) == 2
    assert found.refused == {"went through it less than 5 days ago": 2}


def test_the_hold_out_is_left_alone() -> None:
    held = replay(play(LADDER + "hold_out: 0.5\n"), days("-qqq"))
    names = [f"c{number}" for number in range(40)]
    every = [
        DayOf(FIRST + timedelta(days=n), {name: customer(FIRST + timedelta(days=n), quiet=n > 0) for name in names})
        for n in range(3)
    ]
    found = replay(play(LADDER + "hold_out: 0.5\n"), every)
    assert len(found.held_out) + len(found.entered) == 40
    assert 8 < len(found.held_out) < 32
    assert len(held.held_out) + len(held.entered) == 1


def test_the_budget_counts_by_week_and_owner() -> None:
    one = play(LADDER)
    found = budget(one, replay(one, days("-qqqqqq")), FIRST, FIRST + timedelta(days=6), 10)
    assert [(week.week.isoformat(), week.tasks, week.messages) for week in found.weeks] == [
        ("2026-03-02", 1, 1),
        ("2026-03-09", 0, 0),
    ]
    assert found.weeks[0].share == 0.2
    assert [(owner.owner, owner.tasks) for owner in found.owners] == [("ada@x.example", 1), ("role: manager", 1)]
    assert (found.customers, found.runs, found.busiest) == (1, 1, found.weeks[0])
    plain = found.as_dict()
    assert plain["weeks"][0]["week"] == "2026-03-02"
    assert plain["ended"] == {}


@pytest.mark.parametrize(
    ("trigger", "why"), [("{manual: true}", "started by a person"), ("{event: x}", "starts with the event 'x'")]
)
def test_what_no_day_starts_cannot_be_replayed(trigger: str, why: str) -> None:
    with pytest.raises(ReplayError, match=why):
        replay(play(f"trigger: {trigger}\nsteps: [{{task: A}}]"), [])
