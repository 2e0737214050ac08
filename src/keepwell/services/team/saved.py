"""Saved views: a page's filters, order and columns under a name; one's own, and those that are shared."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from keepwell.services.team.access import Action, may
from keepwell.services.team.audit import Actor, record
from keepwell.store.models import Person, SavedView


class SavedViewError(Exception):
    """A view that cannot be saved or changed; the message says why."""


def views_of(person: Person, page: str) -> QuerySet[SavedView]:
    """The views of a page that a person may open: own ones first."""
    found = SavedView.objects.filter(page=page).filter(Q(person=person) | Q(shared=True))
    return found.select_related("person").order_by("name")


@transaction.atomic
def save_view(
    who: Actor, person: Person, *, page: str, name: str, query: dict[str, Any], shared: bool, now: datetime
) -> SavedView:
    """Save a view; one's own view of the same name is replaced. Sharing is for managers, CS-ops and admins."""
    title = name.strip()
    if not title:
        raise SavedViewError("Give the view a name.")
    if shared and not may(person, Action.ASSIGN):
        raise SavedViewError("Managers, CS-ops and admins share views; this one can be saved for you alone.")
    before = SavedView.objects.filter(person=person, page=page, name=title).first()
    view, _ = SavedView.objects.update_or_create(
        person=person, page=page, name=title, defaults={"query": query, "shared": shared}
    )
    record(
        who,
        at=now,
        action="view.saved",
        kind="view",
        object_id=view.pk,
        summary=f"Saved the view “{title}” of {page}" + (", shared" if shared else ""),
        before=before and {"query": before.query, "shared": before.shared},
        after={"query": query, "shared": shared},
    )
    return view


@transaction.atomic
def delete_view(who: Actor, person: Person, pk: int, *, now: datetime) -> None:
    """Delete one's own view; raises SavedViewError for somebody else's."""
    view = SavedView.objects.filter(pk=pk, person=person).first()
    if view is None:
        raise SavedViewError("This view is not yours, or it is gone already.")
    values = {"name": view.name, "query": view.query, "shared": view.shared}
    view.delete()
    record(
        who, at=now, action="view.deleted", kind="view", object_id=pk,
        summary=f"Deleted the view “{values['name']}”", before=values,
    )  # fmt: skip
