"""Messages of playbooks that ask: their link is an invitation like any other."""

from datetime import timedelta

import pytest

from keepwell.services.team.outbox.compose import compose_message
from keepwell.services.team.surveys.links import survey_url
from keepwell.services.workspace import Workspace
from keepwell.store.models import Outgoing, SurveyInvitation
from tests.services.team.outbox.world import NOON, running
from tests.services.team.outbox.world import asked as wish

from .world import NPS, customers

pytestmark = pytest.mark.django_db
MESSAGE = {"subject": "How are you?", "text": "One question.", "button": "Answer", "link": "{{ link.survey }}"}


def composed(published: Workspace, customer: str, key: str = "pb-1", days: int = 0) -> Outgoing:
    run = running(customer, messages={"check_in": MESSAGE})
    (row,) = compose_message(published, wish("check_in", key=key), run, NOON + timedelta(days=days))
    return row


def test_its_link_is_an_invitation_of_the_repeated_nps(published: Workspace) -> None:
    row = composed(published, customers(published)[0])
    invitation = SurveyInvitation.objects.get()
    assert (invitation.survey, invitation.outgoing_id) == (NPS, row.pk)
    assert survey_url(invitation.pk) in row.text
    composed(published, customers(published)[0])
    assert SurveyInvitation.objects.count() == 1, "the same message again is the same invitation"


def test_who_was_asked_not_long_ago_gets_the_words_without_the_button(published: Workspace) -> None:
    customer = customers(published)[0]
    composed(published, customer)
    later = composed(published, customer, key="pb-2", days=10)
    assert "/q/" not in later.text
    assert "/q/" in composed(published, customer, key="pb-3", days=31).text
