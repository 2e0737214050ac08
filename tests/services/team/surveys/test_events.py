"""Surveys after events, at once."""

from datetime import timedelta

import pytest

from keepwell.services.planning.sources import current_model
from keepwell.services.team.audit import Actor
from keepwell.services.team.surveys import defined
from keepwell.services.team.surveys.events import ask_after, asking_events
from keepwell.services.workspace import Workspace
from keepwell.signals.alert_rules import Incident
from keepwell.store.models import Outgoing, SurveyInvitation
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
