"""Who may enter, who is left alone, and what starts a playbook."""

from datetime import date, timedelta

import pytest

from keepwell.model.message_definitions import Cap
from keepwell.playbooks.entries import Entry, cap_allows, held_out, refusal, triggered
from keepwell.playbooks.facts import Facts, facts_from
from tests.playbooks.plays import MONDAY, facts, play

DAY = timedelta(days=1)


def body(re_entry: str) -> str:
    return f"trigger: {{manual: true}}\nre_entry: {re_entry}\nsteps: [{{task: A}}]"


@pytest.mark.parametrize(
    ("re_entry", "entries", "why"),
    [
        ("{after: 90d}", [], None),
        ("{after: 90d}", [Entry(MONDAY - DAY, None)], "is in it already"),
        ("{allowed: false}", [Entry(MONDAY - 9 * DAY, MONDAY - 8 * DAY)], "nobody does twice"),
        ("{after: 90d}", [Entry(MONDAY - 91 * DAY, MONDAY - 89 * DAY)], "less than 90 days ago"),
        ("{after: 90d}", [Entry(MONDAY - 91 * DAY, MONDAY - 90 * DAY)], None),
        ("{at_most: 1}", [Entry(MONDAY - 91 * DAY, MONDAY - 90 * DAY)], "1 is the most"),
    ],
)
def test_re_entry(re_entry: str, entries: list[Entry], why: str | None) -> None:
    one = play(body(re_entry))
    found = refusal(one.playbook, entries, MONDAY, one.calendar)
    assert found is None if why is None else why in str(found)


def test_the_hold_out_is_a_share_and_stays_the_same() -> None:
    people = [f"c{number}" for number in range(4000)]
    share = sum(held_out("p", one, 0.1) for one in people) / len(people)
    assert 0.08 < share < 0.12
    assert [held_out("p", one, 0.1) for one in people[:50]] == [held_out("p", one, 0.1) for one in people[:50]]
    assert not any(held_out("p", one, 0.0) for one in people)
    assert sum(held_out("p", one, 0.1) and held_out("q", one, 0.1) for one in people) < 80


def test_caps_are_kept_together() -> None:
    caps = [Cap(messages=1, per_days=1), Cap(messages=3, per_days=7), None]
    contacts = [MONDAY - 3 * DAY, MONDAY - 2 * DAY, MONDAY - DAY / 2]
    assert cap_allows(caps, contacts, MONDAY) == MONDAY + 4 * DAY
    assert cap_allows(caps, [], MONDAY) == MONDAY


@pytest.mark.parametrize(
    ("trigger", "before", "after", "starts"),
    [
        ("{signal: quiet}", facts(signals=frozenset()), facts(), True),
        ("{signal: quiet}", facts(), facts(), False),
        ("{signal: quiet}", None, facts(), False),
        ("{segment_entered: danger}", facts(segments=frozenset()), facts(), True),
        ("{segment_left: danger}", facts(), facts(segments=frozenset()), True),
        ("{segment_left: danger}", facts(segments=frozenset()), facts(segments=frozenset()), False),
        ("{signal: quiet}", facts(signals=frozenset()), facts(active=False), False),
        ("{event: payment_failed}", facts(), facts(), False),
    ],
)
def test_triggers(trigger: str, before: Facts | None, after: Facts, starts: bool) -> None:
    one = play(f"trigger: {trigger}\nsteps: [{{task: A}}]")
    assert triggered(one.playbook, before, after, one.rules) is starts


def test_the_audience_is_asked() -> None:
    one = play("trigger: {signal: quiet}\naudience: logins > 3\nsteps: [{task: A}]")
    assert not triggered(one.playbook, facts(signals=frozenset()), facts(), one.rules)
    assert triggered(one.playbook, facts(signals=frozenset()), facts(values={"logins": 4.0}), one.rules)


def on(day: date, renewal: date | None) -> Facts:
    return Facts(day, {"renewal": renewal})


def test_days_before_a_date() -> None:
    one = play("trigger: {date: renewal, days_before: 90}\nsteps: [{task: A}]")
    renewal = date(2026, 6, 1)
    due = renewal - timedelta(days=90)

    def starts(before: Facts | None, after: Facts) -> bool:
        return triggered(one.playbook, before, after, one.rules)

    assert starts(on(due - DAY, renewal), on(due, renewal))
    assert starts(on(due - 3 * DAY, renewal), on(due + DAY, renewal))
    assert not starts(on(due, renewal), on(due + DAY, renewal))
    assert starts(None, on(due, renewal))
    assert not starts(None, on(due + DAY, renewal))
    assert not starts(on(due, None), on(due, None))
    assert starts(on(due, date(2027, 6, 1)), on(due + DAY, renewal))
    assert not starts(on(renewal, None), on(renewal + DAY, renewal))


def test_facts_go_through_json() -> None:
    known = facts(values={"renewal": date(2026, 6, 1), "logins": 3.0, "x": None}, contacts=(MONDAY,))
    assert facts_from(known.as_dict()) == known
