"""Segments that people make in the workspace: who sees them, and how they are made, changed, copied and deleted."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.text import slugify

from keepwell.model.problems import DefinitionError
from keepwell.services.published import Scope, copies_current
from keepwell.services.segment_figures import ids_seen
from keepwell.services.segment_preview import definition_in_words
from keepwell.services.team.access import Action, may, scope_of
from keepwell.services.team.audit import Actor, record
from keepwell.services.team.segment_membership import (
    Found,
    Peers,
    condition_of,
    evaluated,
    refresh_segments,
    segments_named,
)
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, Role, WorkspaceSegment

__all__ = ["refresh_segments"]

Visibility = WorkspaceSegment.Visibility
RESERVED: Final = frozenset({"new", "compare", "movement", "overlap", "preview", "rows", "values"})
_LONGEST_NAME: Final = 80
_MOST_MEMBERS: Final = 100_000


class SegmentError(Exception):
    """A segment that cannot be kept; `field` is what to change: label, definition, roles or members."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


class SegmentConflictError(Exception):
    """Somebody else changed the segment meanwhile."""


@dataclass(frozen=True)
class Draft:
    """What a person wants a segment to be. `roles` are for whom it is shared; none means everybody."""

    label: str
    definition: str
    description: str = ""
    dynamic: bool = True
    shared: bool = False
    roles: tuple[str, ...] = ()


def visible_segments(person: Person) -> QuerySet[WorkspaceSegment]:
    """The segments that a person sees: own ones, and those that are shared with the role."""
    seen = Q(owner=person) | Q(visibility=Visibility.SHARED)
    shared = WorkspaceSegment.objects.filter(visibility=Visibility.ROLES).values_list("pk", "roles")
    # JSON is not searched the same way by every database; there are few of them.
    seen |= Q(pk__in=[pk for pk, roles in shared if person.role in roles])
    if may(person, Action.SHARED_SEGMENTS):
        seen |= Q(owner=None) | Q(visibility=Visibility.ROLES)
    return WorkspaceSegment.objects.filter(seen).select_related("owner").order_by("label", "name")


def segment_named(person: Person, name: str) -> WorkspaceSegment | None:
    """A segment by its name, when the person may see it."""
    return visible_segments(person).filter(name=name).first()


def peers_of(person: Person, but: str = "") -> Peers:
    """The segments that a definition of this person may refer to."""
    return {one.name: one for one in visible_segments(person) if one.name != but}


def may_change(person: Person, segment: WorkspaceSegment) -> bool:
    """One's own; shared ones by who may share."""
    if may(person, Action.SHARED_SEGMENTS) and (segment.visibility != Visibility.PRIVATE or segment.owner_id is None):
        return True
    return segment.owner_id == person.pk and may(person, Action.PRIVATE_SEGMENTS)


@transaction.atomic
def segment_create(
    workspace: Workspace, who: Actor, person: Person, draft: Draft, *, now: datetime
) -> WorkspaceSegment:
    """Make a segment; a fixed list takes those whom its definition finds now, of the customers the person sees."""
    values = _checked(workspace, person, draft, "")
    segment = WorkspaceSegment.objects.create(
        name=_free_name(workspace, values["label"]),
        members=_found(workspace, person, draft, ""),
        owner=person,
        made_at=now,
        changed_at=now,
        **values,
    )
    _record(who, segment, now, "segment.made", f"Made the segment “{segment.label}”", after=_values(segment))
    return segment


@transaction.atomic
def segment_change(
    workspace: Workspace, who: Actor, person: Person, name: str, draft: Draft, *, version: int, now: datetime
) -> WorkspaceSegment:
    """Change a segment that is still at `version`; raises SegmentConflictError when somebody was faster."""
    segment = _mine(person, name)
    before, values = _values(segment), _checked(workspace, person, draft, name)
    if not draft.dynamic and (segment.dynamic or condition_of(segment.definition) != condition_of(draft.definition)):
        values["members"] = _kept_unseen(workspace, person, segment, _found(workspace, person, draft, name))
    elif draft.dynamic:
        values["members"] = []
    _save(segment, values, version, now)
    _record(who, segment, now, "segment.changed", f"Changed the segment “{segment.label}”", before, _values(segment))
    return segment


@transaction.atomic
def segment_delete(who: Actor, person: Person, name: str, *, now: datetime) -> None:
    """Delete a segment; what it held on past dates stays stored."""
    segment = _mine(person, name)
    users = [one.label for one in WorkspaceSegment.objects.exclude(pk=segment.pk) if _refers(one, name)]
    if users:
        raise SegmentError(f"“{segment.label}” is used by {', '.join(users)}; change these first.")
    _record(who, segment, now, "segment.deleted", f"Deleted the segment “{segment.label}”", before=_values(segment))
    segment.delete()


@transaction.atomic
def segment_duplicate(
    workspace: Workspace, who: Actor, person: Person, name: str, *, now: datetime
) -> WorkspaceSegment:
    """A private copy of a segment that the person sees; of a fixed list's customers those that the person sees."""
    source = segment_named(person, name)
    if source is None or not may(person, Action.PRIVATE_SEGMENTS):
        raise SegmentError("This segment is gone, or it is not shared with you.")
    label = f"{source.label} (copy)"[:120]
    ids = ids_seen(workspace, scope_of(person))
    copy = WorkspaceSegment.objects.create(
        name=_free_name(workspace, label),
        label=label,
        description=source.description,
        definition=source.definition,
        dynamic=source.dynamic,
        members=[one for one in source.members if ids is None or one in ids],
        owner=person,
        made_at=now,
        changed_at=now,
    )
    _record(who, copy, now, "segment.made", f"Copied the segment “{source.label}”", after=_values(copy))
    return copy


@transaction.atomic
def members_change(
    who: Actor, person: Person, name: str, *, add: Collection[str] = (), remove: Collection[str] = (), now: datetime
) -> WorkspaceSegment:
    """Put customers on a fixed list or take them off; the caller has checked that the person may see them."""
    segment = _mine(person, name)
    if segment.dynamic:
        raise SegmentError("Conditions decide who is in this segment; make it a fixed list first.", "members")
    before = set(segment.members)
    after = sorted((before | set(add)) - set(remove))
    if len(after) > _MOST_MEMBERS:
        raise SegmentError(f"A list holds at most {_MOST_MEMBERS:,} customers.", "members")
    _save(segment, {"members": after}, segment.version, now)
    added, removed = sorted(set(after) - before), sorted(before - set(after))
    summary = f"Changed the list “{segment.label}”: {len(added)} added, {len(removed)} removed"
    _record(who, segment, now, "segment.members", summary, {"removed": removed}, {"added": added})
    return segment


def known_segments(workspace: Workspace, peers: Peers) -> tuple[str, ...]:
    """The names that a definition may refer to: segments of the model and of the workspace."""
    return (*_model_segments(workspace), *peers)


def _model_segments(workspace: Workspace) -> tuple[str, ...]:
    copies = copies_current(workspace)
    loaded = workspace.model() if copies is None else workspace.kept_model(copies.model_hash)
    return tuple(loaded.model.segments)


def _checked(workspace: Workspace, person: Person, draft: Draft, name: str) -> dict[str, Any]:
    """The columns of a draft that can be kept; raises SegmentError for one that cannot."""
    label = " ".join(draft.label.split())
    if not label:
        raise SegmentError("Give the segment a name.", "label")
    if draft.shared and not may(person, Action.SHARED_SEGMENTS):
        raise SegmentError("CS-ops and admins share segments; this one can be saved for you alone.", "roles")
    unknown = set(draft.roles) - set(Role.values)
    if unknown:
        raise SegmentError(f"There is no role '{min(unknown)}'.", "roles")
    taken = WorkspaceSegment.objects.filter(label__iexact=label).exclude(name=name)
    if taken.filter(Q(owner=person) | ~Q(visibility=Visibility.PRIVATE)).exists() or label.lower() in {
        one.lower() for one in _model_segments(workspace)
    }:
        raise SegmentError(f"There is a segment “{label}” already; choose another name.", "label")
    _check_definition(workspace, person, draft, name)
    visibility = (Visibility.ROLES if draft.roles else Visibility.SHARED) if draft.shared else Visibility.PRIVATE
    return {
        "label": label[:120],
        "description": draft.description.strip(),
        "definition": draft.definition.strip() + "\n",
        "dynamic": draft.dynamic,
        "visibility": visibility,
        "roles": sorted(draft.roles) if draft.shared else [],
    }


def _check_definition(workspace: Workspace, person: Person, draft: Draft, name: str) -> None:
    try:
        definition_in_words(draft.definition, names=known_segments(workspace, peers_of(person, name)))
    except DefinitionError as error:
        raise SegmentError(str(error.problems[0].message), "definition") from error
    problem = _now(workspace, person, draft.definition, name).problem
    if problem:
        raise SegmentError(problem, "definition")


def _now(workspace: Workspace, person: Person, definition: str, name: str) -> Found:
    copies = copies_current(workspace)
    if copies is None:
        raise SegmentError("Nothing is published yet, so it cannot be said who would be in the segment.", "definition")
    return evaluated(workspace, definition, copies.as_of, peers_of(person), own=name)


def _found(workspace: Workspace, person: Person, draft: Draft, name: str) -> list[str]:
    """The members of a fixed list: whom its definition finds now, of those that the person sees."""
    if draft.dynamic:
        return []
    found = _now(workspace, person, draft.definition, name).ids
    return sorted(_seen(workspace, scope_of(person), found))


def _seen(workspace: Workspace, scope: Scope, customers: Iterable[str]) -> set[str]:
    ids = ids_seen(workspace, scope)
    return set(customers) if ids is None else set(customers) & ids


def _kept_unseen(workspace: Workspace, person: Person, segment: WorkspaceSegment, found: Iterable[str]) -> list[str]:
    """What a person does not see stays as it was."""
    hidden = set(segment.members) - _seen(workspace, scope_of(person), segment.members)
    return sorted(hidden | set(found))


def _mine(person: Person, name: str) -> WorkspaceSegment:
    segment = segment_named(person, name)
    if segment is None:
        raise SegmentError("This segment is gone, or it is not shared with you.")
    if not may_change(person, segment):
        raise SegmentError("Only who made a segment, CS-ops and admins change it; duplicate it to make it yours.")
    return segment


def _save(segment: WorkspaceSegment, values: dict[str, Any], version: int, now: datetime) -> None:
    rows = WorkspaceSegment.objects.filter(pk=segment.pk, version=version)
    if not rows.update(**values, version=version + 1, changed_at=now):
        raise SegmentConflictError("Somebody else changed this segment meanwhile. Open it again to see how it is now.")
    segment.refresh_from_db()


def _free_name(workspace: Workspace, label: str) -> str:
    """A name for addresses that neither the model nor another segment has."""
    base = slugify(label)[: _LONGEST_NAME - 8] or "segment"
    taken = {slugify(name) for name in _model_segments(workspace)} | RESERVED
    taken |= set(WorkspaceSegment.objects.filter(name__startswith=base).values_list("name", flat=True))
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def _refers(segment: WorkspaceSegment, name: str) -> bool:
    return name in segments_named(condition_of(segment.definition))


def _values(segment: WorkspaceSegment) -> dict[str, Any]:
    kept = ("name", "label", "description", "definition", "dynamic", "visibility", "roles")
    return {name: getattr(segment, name) for name in kept} | {"members": len(segment.members)}


def _record(
    who: Actor,
    segment: WorkspaceSegment,
    now: datetime,
    action: str,
    summary: str,
    before: Any = None,
    after: Any = None,
) -> None:
    record(
        who, at=now, action=action, kind="segment", object_id=segment.name, summary=summary, before=before, after=after
    )
