"""Prepared questions answer as Django's do, whatever the values."""

from datetime import UTC, datetime, timedelta

import pytest

from keepwell.services.team.prepared import Prepared
from keepwell.store.models import Happening
from tests.playbooks.plays import MONDAY

pytestmark = pytest.mark.django_db


def test_only_the_values_change_and_constants_stay() -> None:
    for number in range(6):
        kind = "start" if number % 2 else "facts"
        at = MONDAY + timedelta(hours=number)
        Happening.objects.create(key=f"{number}", customer_id=f"c{number % 3}", kind=kind, at=at, data={"n": number})
    asked = Prepared(
        lambda customer, since, above: Happening.objects.filter(
            customer_id=customer, at__gte=since, pk__gt=above
        ).exclude(kind="start"),
        customer=str,
        since=datetime,
        above=int,
    )
    for customer in ("c0", "c1", "c2", "%s", "nobody's '"):
        for hours in (0, 3, 9):
            since = MONDAY + timedelta(hours=hours)
            plain = Happening.objects.filter(customer_id=customer, at__gte=since).exclude(kind="start")
            found = asked(customer=customer, since=since, above=0)
            assert [(one.pk, one.at, one.data) for one in found] == [(one.pk, one.at, one.data) for one in plain]
    first = Happening.objects.get(key="0")
    assert asked(customer="c0", since=datetime(1900, 1, 1, tzinfo=UTC), above=0) == [first]
    assert asked(customer="c0", since=MONDAY, above=first.pk) == []
