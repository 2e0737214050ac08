"""Saved views: one's own, and shared ones."""

import pytest

from keepwell.services.team.audit import actor
from keepwell.services.team.saved import SavedViewError, delete_view, save_view, views_of
from keepwell.store.models import AuditEntry, Person
from tests.web import NOW, MakePerson

pytestmark = pytest.mark.django_db
QUERY = {"band": ["At risk"], "sort": ["-arr"]}


def saved(who: Person, name: str, *, shared: bool = False) -> int:
    return save_view(actor(who), who, page="portfolio", name=name, query=QUERY, shared=shared, now=NOW).pk


def test_a_view_is_replaced_by_its_name_and_written_down(person: MakePerson) -> None:
    who = person("csm")
    first = saved(who, "Mine")
    assert saved(who, " Mine ") == first
    assert AuditEntry.objects.filter(action="view.saved", actor=who).count() == 2


def test_shared_views_are_everybodys_and_private_ones_are_not(person: MakePerson) -> None:
    manager, csm = person("manager"), person("csm")
    saved(manager, "All", shared=True)
    saved(manager, "Mine")
    assert [view.name for view in views_of(csm, "portfolio")] == ["All"]
    assert [view.name for view in views_of(manager, "portfolio")] == ["All", "Mine"]
    assert not views_of(manager, "today")


def test_a_csm_cannot_share(person: MakePerson) -> None:
    with pytest.raises(SavedViewError, match="for you alone"):
        saved(person("csm"), "All", shared=True)
    with pytest.raises(SavedViewError, match="name"):
        saved(person("csm"), "  ")


def test_only_the_owner_deletes(person: MakePerson) -> None:
    manager, csm = person("manager"), person("csm")
    view = saved(manager, "All", shared=True)
    with pytest.raises(SavedViewError):
        delete_view(actor(csm), csm, view, now=NOW)
    delete_view(actor(manager), manager, view, now=NOW)
    assert not views_of(manager, "portfolio")
