"""Ids that are linked by hand, and what had waited for that."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from keepwell.services.ingest import journal_of
from keepwell.services.team.alerting.follow import Follower
from keepwell.services.team.alerting.journal_reader import JournalReader
from keepwell.services.team.jobs import job_claim
from keepwell.services.team.perform import perform
from keepwell.services.workspace import Workspace
from keepwell.store.models import Alert
from tests.services.ingest.sent import accepted, send
from tests.web import NOW

from .test_data import faulty, ops

__all__ = ["faulty", "ops"]

pytestmark = pytest.mark.django_db


def test_a_link_by_hand_opens_the_alert_of_an_event_that_waited_for_it(ops: Client, faulty: Workspace) -> None:
    event = accepted(userId="u", event="nps_answered", context={"groupId": "C_1"}, properties={"score": 1})
    send(faulty, event, now=NOW)
    Follower(JournalReader(journal_of(faulty))).turn(faulty, NOW, 100)
    assert not Alert.objects.exists()
    ops.post(reverse("data_link"), {"unknown_id": "C_1", "customer_id": "c-1"})
    job = job_claim("tests", NOW + timedelta(days=400))
    assert job is not None
    perform(faulty, job, now=lambda: NOW + timedelta(hours=1))
    job.refresh_from_db()
    assert job.counts == {"rows loaded": 1, "events heard": 1}
    assert Alert.objects.get().customer_id == "c-1"
