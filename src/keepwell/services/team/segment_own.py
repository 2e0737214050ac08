"""The workspace's own segments with their members, as figures take them."""

from collections.abc import Iterable
from datetime import date

from keepwell.model.problems import DefinitionError
from keepwell.reporting.profiles import Said
from keepwell.services.published.copies import copies_needed
from keepwell.services.segment_fields import with_labels
from keepwell.services.segment_figures import OwnSegment, Period
from keepwell.services.segment_preview import definition_in_words
from keepwell.services.team.segment_membership import Found, Peers, members_on
from keepwell.services.team.segments import known_segments, peers_of, visible_segments
from keepwell.services.workspace import Workspace
from keepwell.store.models import Person, WorkspaceSegment


def own_segments(
    workspace: Workspace, person: Person, period: Period, names: Iterable[str] | None = None
) -> tuple[OwnSegment, ...]:
    """The segments that a person sees (of these names), with who is in them on both dates."""
    peers = peers_of(person)
    wanted = None if names is None else frozenset(names)
    chosen = [one for one in peers.values() if wanted is None or one.name in wanted]
    return tuple(_own(workspace, one, period, peers) for one in chosen)


def _own(workspace: Workspace, segment: WorkspaceSegment, period: Period, peers: Peers) -> OwnSegment:
    now = members_on(workspace, segment, period.last, peers)
    then = None if period.first is None else members_on(workspace, segment, period.first, peers)
    said = Said(segment.description, said_of(workspace, segment, peers))
    return OwnSegment(segment.name, segment.label, now.ids, None if then is None or then.problem else then.ids, said)


def said_of(workspace: Workspace, segment: WorkspaceSegment, peers: Peers) -> str:
    """Who is in a segment, in words."""
    try:
        words = definition_in_words(segment.definition, names=known_segments(workspace, peers))
    except DefinitionError as error:
        return f"cannot be read any more: {error.problems[0].message}"
    return with_labels(workspace, words) if segment.dynamic else "a fixed list of customers"


def found_on(workspace: Workspace, person: Person, segment: WorkspaceSegment, as_of: date) -> Found:
    """Who is in a segment on a date, with what is to be said about it."""
    return members_on(workspace, segment, as_of, peers_of(person))


def own_members(workspace: Workspace, person: Person, name: str) -> frozenset[str]:
    """Who is in a segment now, by its name; nobody in one that the person does not see."""
    peers, copies = peers_of(person), copies_needed(workspace)
    return members_on(workspace, peers[name], copies.as_of, peers).ids if name in peers else frozenset()


def visible_names(person: Person) -> dict[str, str]:
    """The labels of the segments that a person sees, by name."""
    return {one.name: one.label for one in visible_segments(person)}
