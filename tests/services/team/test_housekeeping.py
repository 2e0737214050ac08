"""What is removed once a day."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from keepwell.services.team.housekeeping import tidy_up
from keepwell.store.models import IdempotentAnswer, OneTimeLink
from tests.web import NOW, MakePerson

pytestmark = pytest.mark.django_db


def test_only_what_is_old_goes(person: MakePerson) -> None:
    who = person("csm")
    for days in (1, 8):
        IdempotentAnswer.objects.create(
            person=who, key=f"{days}", request_digest="x", made_at=NOW - timedelta(days=days)
        )
        Session.objects.create(session_key=f"{days}", session_data="", expire_date=NOW + timedelta(days=2 - days))
        OneTimeLink.objects.create(
            kind=OneTimeLink.Kind.PASSWORD, digest=f"{days}", made_at=NOW, expires_at=NOW - timedelta(days=13 * days)
        )
    assert tidy_up(NOW) == 3
    assert IdempotentAnswer.objects.get().key == "1"
    assert Session.objects.get().session_key == "1"
    assert OneTimeLink.objects.get().digest == "1"
