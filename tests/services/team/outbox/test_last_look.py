"""What became true after a message was put into the outbox, and before it left."""

from datetime import timedelta

import pytest

from keepwell.connectors.channels.results import Result, Sent
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox import delivery
from keepwell.services.team.outbox.delivery import delivery_turn
from keepwell.services.team.surveys.answers import answer, opt_out
from keepwell.services.team.surveys.daily import remind
from keepwell.services.team.surveys.defined import switch_survey
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing, SurveyInvitation
from tests.services.team.outbox.world import NOON, go_live, waiting
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
