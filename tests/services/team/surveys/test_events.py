"""Surveys after events, at once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import pytest
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from keepwell.services.ingest.belonging import Belonging
from keepwell.services.ingest.incidents import incident_of
from keepwell.services.ingest.messages import message_of
from keepwell.services.planning.sources import current_model
from keepwell.services.team.alerting.waiting import hear_again
from keepwell.services.team.audit import Actor
from keepwell.services.team.outbox.recipients import Addressee, account_of, recipients
from keepwell.services.team.outbox.suppression import suppress
from keepwell.services.team.surveys import defined
from keepwell.services.team.surveys.events import ask_after, asking_events
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import Outgoing, SurveyInvitation, WaitingEvent
from tests.services.ingest.sent import accepted
from tests.services.team.alerting.told import NOW, arrive, clean
from tests.services.team.outbox.world import NOON

from .world import NPS, customers, survey

pytestmark = pytest.mark.django_db
HOUR: Final = timedelta(hours=1)
ASKING: Final = """
surveys:
  report_ces:
    kind: ces
    question: How easy was it?
    on: {event: report_tried}
    delay: 2h
"""


@pytest.fixture
def asking(published: Workspace) -> Iterator[str]:
    """A survey that is on and sent two hours after an event; its name."""
    clean(published)
    more = published.model_dir / "asking.yaml"
    more.write_text(ASKING, encoding="utf-8")
    defined.switch_survey(Actor("ops"), published, "report_ces", True, NOW - HOUR)
    yield "report_ces"
    more.unlink()
    clean(published)


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


def test_a_day_is_one_of_the_workspace(
    published: Workspace, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    far = replace(published, zone="Australia/Sydney")
    tried = current_model(far).model.model_copy(update={"surveys": {NPS: survey(on=[{"event": "report_tried"}])}})
    defined.switch_survey(Actor("ops"), far, NPS, True, NOON - timedelta(days=2))
    (first,) = customers(published, 1)
    asked = []
    # In Sydney, ten hours ahead, midnight is at 14:00 UTC.
    for hours in (-13, 1, 3):
        happened = Incident(first, ("report_tried",), NOON + hours * HOUR, f"e{hours}")
        with django_capture_on_commit_callbacks(execute=True):
            asked.append(ask_after(far, tried, [happened], NOON + 4 * HOUR))
        SurveyInvitation.objects.all().delete()  # or the pause between two surveys would speak first
    assert asked == [1, 0, 1]


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


def test_an_event_of_nobody_s_asks_once_its_link_is_there(published: Workspace, asking: str) -> None:
    """Many of one person on one day are one reason to ask, and wait as one; the delay counts from the first."""
    tried = [accepted(event="report_tried", userId="nobody", messageId=f"r{number}") for number in range(3)]
    arrive(published, *tried, now=NOW)
    assert (SurveyInvitation.objects.count(), WaitingEvent.objects.count()) == (0, 1)
    customer = customers(published)[0]

    def linked(unknown: str, now: datetime) -> int:
        return hear_again(published, Belonging(), now, links={unknown: customer})

    assert linked("user:somebody else", NOW + HOUR) == 0
    assert [linked("user:nobody", NOW + HOUR) for _ in range(2)] == [1, 0]
    invitation = SurveyInvitation.objects.get()
    assert (invitation.survey, invitation.customer_id, invitation.sent_at) == (asking, customer, NOW + 2 * HOUR)
    assert Outgoing.objects.get().due_at == NOW + 2 * HOUR


@pytest.mark.parametrize(("hours", "asked"), [(70, 1), (73, 0)])
def test_a_link_that_comes_late(published: Workspace, asking: str, hours: int, asked: int) -> None:
    """The delay is over by then; and what happened days ago is nothing to be asked about any more."""
    arrive(published, accepted(event="report_tried", userId="nobody", messageId="r"), now=NOW)
    late = NOW + hours * HOUR
    links = {"user:nobody": customers(published)[0]}
    assert hear_again(published, Belonging(), late, links=links) == asked
    assert [one.sent_at for one in SurveyInvitation.objects.all()] == [late] * asked


def test_what_happened_before_the_survey_was_on_asks_nobody(published: Workspace, asking: str) -> None:
    before = NOW - 2 * HOUR
    arrive(published, accepted(event="report_tried", userId="nobody", messageId="r", at=before), now=NOW)
    assert WaitingEvent.objects.count() == 1
    hear_again(published, Belonging(), NOW, links={"user:nobody": customers(published)[0]})
    assert not SurveyInvitation.objects.exists()
    assert not WaitingEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_is_asked_again(published: Workspace) -> None:
    """A worker that remembers what it looked at must not remember what never happened."""
    tried = current_model(published).model.model_copy(update={"surveys": {NPS: survey(on=[{"event": "undone"}])}})
    defined.switch_survey(Actor("ops"), published, NPS, True, NOON - HOUR)
    incident = Incident(customers(published)[0], ("undone",), NOON, "e-1")
    with transaction.atomic():
        assert ask_after(published, tried, [incident], NOON) == 1
        transaction.set_rollback(True)
    assert ask_after(published, tried, [incident], NOON) == 1
