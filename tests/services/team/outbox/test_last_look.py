"""What became true after a message was put into the outbox, and before it left."""

from datetime import datetime, timedelta

import pytest

from keepwell.connectors.channels.results import Result, Retry, Sent
from keepwell.playbooks.events import Happened
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox import delivery
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.playing.happenings import START, happened
from keepwell.services.team.surveys.answers import answer, opt_out
from keepwell.services.team.surveys.daily import remind
from keepwell.services.team.surveys.defined import switch_survey
from keepwell.services.workspace import Workspace
from keepwell.store.models import Happening, Outgoing, SurveyInvitation
from tests.services.team.outbox.world import NOON, fresh, go_live, running, waiting
from tests.services.team.surveys.world import NPS, asked, customers, invited, occasion

pytestmark = pytest.mark.django_db
State = Outgoing.State
OPS = Actor("ops@example.com")


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of what was handed over by e-mail, which is live."""
    go_live()
    found: list[str] = []

    def post(row: Outgoing, now: object) -> Result:
        found.append(row.key)
        return Sent(f"id-{row.pk}")

    monkeypatch.setattr(delivery, "SENDERS", {"email": post})
    return found


def reminder(here: Workspace) -> SurveyInvitation:
    """An invitation that was sent days ago, and whose reminder waits."""
    switch_survey(OPS, here, NPS, True, NOON - timedelta(days=6))
    sent = waiting(now=NOON - timedelta(days=5), state=State.SENT)
    invitation = invited(customers(here)[0], sent_at=NOON - timedelta(days=5), outgoing=sent)
    assert remind(here, NOON) == 1
    return invitation


def test_who_has_answered_meanwhile_is_not_reminded(here: Workspace, left: list[str]) -> None:
    invitation = reminder(here)
    answer(here, invitation.pk, 9, NOON)
    delivery_turn(here, NOON, worker="w1")
    row = Outgoing.objects.get(key=f"survey:{invitation.pk}:again")
    assert (left, row.state) == ([], State.CANCELLED)
    assert "answered" in row.error


def test_who_wants_no_more_surveys_meanwhile_gets_none(here: Workspace, left: list[str]) -> None:
    invitation = reminder(here)
    opt_out(invitation, NOON)
    delivery_turn(here, NOON, worker="w1")
    assert (left, Outgoing.objects.get(key=f"survey:{invitation.pk}:again").state) == ([], State.SUPPRESSED)


def test_a_survey_that_ended_while_its_message_waited_is_not_sent(here: Workspace, left: list[str]) -> None:
    asked(here, occasion(customers(here)[0]))
    SurveyInvitation.objects.update(expires_at=NOON)
    delivery_turn(here, NOON + timedelta(minutes=1), worker="w1")
    row = Outgoing.objects.get()
    assert (left, row.state) == ([], State.CANCELLED)
    assert "ended" in row.error


def test_a_reminder_that_nothing_stands_against_leaves(here: Workspace, left: list[str]) -> None:
    invitation = reminder(here)
    delivery_turn(here, NOON, worker="w1")
    assert left == [f"survey:{invitation.pk}:again"]


def test_an_answer_that_the_run_has_not_heard_yet_holds_its_message_back(here: Workspace, left: list[str]) -> None:
    run = running("c-1")
    row = waiting(customer_id="c-1", run=run)
    happened("c-1", Happened.RESPONSE, name="reply", key="a reply", at=NOON)
    delivery_turn(here, NOON, worker="w1")
    assert (left, fresh(row).state) == ([], State.WAITING)
    assert row.due_at > NOON
    Happening.objects.update(heard_at=NOON)
    delivery_turn(here, row.due_at, worker="w1")
    assert left == [row.key], "the run heard it and went on"


def test_what_starts_another_playbook_holds_nothing_back(here: Workspace, left: list[str]) -> None:
    row = waiting(customer_id="c-1", run=running("c-1"))
    happened("c-1", START, name="another", key="a start", at=NOON)
    happened("c-2", Happened.RESPONSE, name="reply", key="of somebody else", at=NOON)
    delivery_turn(here, NOON, worker="w1")
    assert left == [row.key]


def test_while_one_worker_writes_to_a_customer_another_waits(here: Workspace, left: list[str]) -> None:
    about = {"customer_id": "c-1", "state": State.SENDING, "claimed_by": "w2", "claimed_at": NOON}
    under_way, row = waiting(**about, payload={"contact": "pb-1"}), waiting(customer_id="c-1")
    same = waiting(customer_id="c-1", payload={"contact": "pb-1"})
    delivery_turn(here, NOON, worker="w1")
    assert left == [same.key], "a message to several people is one contact"
    assert (fresh(row).state, fresh(under_way).state) == (State.WAITING, State.SENDING)
    assert NOON < row.due_at <= NOON + timedelta(minutes=1)


def test_a_channel_that_does_not_answer_keeps_no_other_waiting(
    here: Workspace, left: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    go_live("slack", "internal")
    broken = {"slack": lambda row, now: Retry("no connection")}
    monkeypatch.setattr(delivery, "SENDERS", delivery.SENDERS | broken)
    for _ in range(60):
        waiting(channel="slack", audience="internal")
    row = waiting()
    for number in range(3):
        delivery_turn(here, NOON + timedelta(seconds=number), worker="w1")
    assert left == [row.key]


def test_a_long_turn_looks_at_the_clock_for_each_message(here: Workspace, left: list[str]) -> None:
    evening = NOON.replace(hour=19, minute=59)
    first, second, third = (waiting(now=evening) for _ in range(3))

    def clock() -> datetime:
        return evening + timedelta(seconds=40 * len(left))

    delivery_turn(here, evening, worker="w1", clock=clock)
    assert fresh(first).sent_at == evening + timedelta(seconds=40), "who clicks at once is a program, counted from here"
    assert fresh(second).sent_at == evening + timedelta(seconds=80)
    assert (left, fresh(third).state) == ([first.key, second.key], State.WAITING)
    assert third.due_at.hour == 8
