"""Surveys after events, at once."""

from datetime import timedelta

import pytest

from keepwell.services.ingest.incidents import incident_of
from keepwell.services.ingest.messages import message_of
from keepwell.services.planning.sources import current_model
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox.recipients import Addressee, account_of, recipients
from keepwell.services.team.outbox.suppression import suppress
from keepwell.services.team.surveys import defined
from keepwell.services.team.surveys.events import ask_after, asking_events
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import Outgoing, SurveyInvitation
from tests.services.ingest.sent import accepted
from tests.services.team.outbox.world import NOON

from .world import NPS, customers, survey

pytestmark = pytest.mark.django_db


def test_an_event_asks_once_a_day_and_only_while_it_is_on(published: Workspace) -> None:
    model = current_model(published).model
    tried = model.model_copy(update={"surveys": {NPS: survey(on=[{"event": "report_tried"}])}})
    assert asking_events(tried) == {"report_tried"}
    assert asking_events(model) == frozenset()
    first, second = customers(published, 2)

    def happens(customer: str, key: str, name: str = "report_tried") -> int:
        return ask_after(published, tried, [Incident(customer, (name,), NOON, key)], NOON)

    assert happens(first, "e-1") == 0, "it is off"
    defined.switch_survey(Actor("ops"), published, NPS, True, NOON - timedelta(hours=1))
    assert happens(first, "e-1", "another") == 0
    assert happens(first, "e-1") == 1
    assert happens(first, "e-2") == 0
    assert happens(second, "e-3") == 1
    assert SurveyInvitation.objects.count() == Outgoing.objects.count() == 2


def test_what_goes_wrong_undoes_nothing_else(published: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("keepwell.services.team.surveys.events.surveys_on", broken)
    assert ask_after(published, current_model(published).model, [], NOON) == 0


def test_who_did_it_is_asked_if_known_and_reachable(published: Workspace) -> None:
    """By any id of the product; strangers, and who does not want to be asked, leave it to the contact."""
    model = current_model(published).model
    tried = model.model_copy(update={"surveys": {NPS: survey(on=[{"event": "report_tried"}])}})
    defined.switch_survey(Actor("ops"), published, NPS, True, NOON - timedelta(hours=1))
    account, contact, user = _two_people(published)

    def asked(number: int, *users: str) -> str:
        SurveyInvitation.objects.all().delete()
        at = NOON + timedelta(days=number)
        incident = Incident(account, ("report_tried",), at, f"e-{number}", users=users)
        assert ask_after(published, tried, [incident], at) == 1
        return SurveyInvitation.objects.get().person_id

    assert asked(1) == contact.person_id
    assert asked(2, user.person_id) == user.person_id
    assert asked(3, "somebody-nobody-knows") == contact.person_id
    assert asked(4, "unknown", user.person_id) == user.person_id
    suppress(Actor("ops"), user.address, why="unsubscribed", scope="marketing", now=NOON)
    assert asked(5, user.person_id) == contact.person_id


def test_the_user_of_an_event_comes_with_it() -> None:
    message = message_of(accepted(userId="u-1", anonymousId="a-1", event="looked").line)
    assert message is not None
    told = incident_of(message, "acme")
    assert told is not None
    assert told.users == ("u-1", "anonymous:a-1")


def _two_people(published: Workspace) -> tuple[str, Addressee, Addressee]:
    """A customer with a contact, and a user who is somebody else."""
    for customer in customers(published, 60):
        account = account_of(published, customer, ())
        assert account is not None
        contact = next(iter(recipients(published, account, "primary")), None)
        for one in recipients(published, account, "all_users"):
            if contact and contact.person_id and one.person_id != contact.person_id and not one.unsubscribed:
                return customer, contact, one
    raise AssertionError("nobody has two people")
