"""Prepared questions answer as Django's do, whatever the values."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from keepwell.services.team.prepared import Prepared, PreparedUpdate, insert
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


def test_a_change_changes_what_a_filter_would() -> None:
    for number in range(4):
        Happening.objects.create(key=f"{number}", customer_id=f"c{number % 2}", kind="facts", at=MONDAY)
    heard = PreparedUpdate(
        lambda customer, at: (Happening.objects.filter(customer_id=customer, heard_at=None), {"heard_at": at}),
        customer=str,
        at=datetime,
    )
    assert heard(customer="nobody's '", at=MONDAY) == 0
    for hours, customer in enumerate(("c0", "c1")):
        at = MONDAY + timedelta(hours=hours)
        assert (heard(customer=customer, at=at), heard(customer=customer, at=MONDAY)) == (2, 0)
        assert set(Happening.objects.filter(customer_id=customer).values_list("heard_at", flat=True)) == {at}


def test_a_new_row_is_as_django_writes_it() -> None:
    about = {"customer_id": "c%s'", "kind": "facts", "at": MONDAY, "data": {"n": [1, None, "%s é"]}}
    for number in range(3):
        Happening.objects.create(key=f"django {number}", **about)
        row = Happening(key=f"ours {number}", **about)
        insert(row)
        assert not row._state.adding
        there = Happening.objects.filter(pk=row.pk).values().get()
        theirs = Happening.objects.filter(key=f"django {number}").values().get()
        assert there | {"id": 0, "key": ""} == theirs | {"id": 0, "key": ""}
        assert there["key"] == f"ours {number}"
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Happening(key="ours 1", **about))
    assert Happening.objects.count() == 6
