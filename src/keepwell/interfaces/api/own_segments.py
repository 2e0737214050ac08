"""Segments made in the workspace: making, changing, copying and deleting them; and trying a definition."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Router, Schema, Status
from pydantic import Field

from keepwell.interfaces.api.fields import KEYED, Long, Name, PersonBrief, Version, Word
from keepwell.interfaces.api.idempotency import idempotent
from keepwell.interfaces.api.paging import Limit, Offset, Page, page_of
from keepwell.interfaces.api.problems import PROBLEMS, Problem
from keepwell.interfaces.api.security import READ, SEGMENTS, ApiRequest, acting
from keepwell.services.published import PortfolioRow
from keepwell.services.team.access import may_see_customer
from keepwell.services.team.segment_drafts import drafted
from keepwell.services.team.segment_text import exported
from keepwell.services.team.segments import (
    Draft,
    members_change,
    segment_change,
    segment_create,
    segment_delete,
    segment_duplicate,
    segment_named,
    visible_segments,
)
from keepwell.store.models import Role, WorkspaceSegment

router = Router(tags=["Workspace segments"])
trying = Router(tags=["Workspace segments"])

Definition = Annotated[str, Field(min_length=1, max_length=100_000, pattern=r"^[^\u0000]*$")]
Ids = Annotated[list[Word], Field(max_length=10_000)]


class OwnSegmentBody(Schema):
    """A segment made in the workspace; its definition is the YAML that models use."""

    name: str
    label: str
    description: str
    definition: str
    dynamic: bool = Field(description="Whether its conditions decide; else it is a fixed list.")
    visibility: Literal["private", "shared", "roles"]
    roles: list[str] = Field(description="For whom it is shared where visibility is roles.")
    owner: PersonBrief | None
    made_at: datetime
    changed_at: datetime
    version: int = Field(description="Raised by every change; send it with yours.")


class OwnSegmentNew(Schema):
    """What a segment is to be."""

    label: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\u0000]*$")]
    definition: Definition
    description: Annotated[Long, Field(max_length=2_000)] = ""
    dynamic: bool = True
    shared: bool = False
    roles: Annotated[list[Role], Field(max_length=5)] = Field([], description="Shared with these; none: everybody.")

    def draft(self) -> Draft:
        """As services take it."""
        given = self.model_dump(exclude={"version", "roles"})
        return Draft(**given, roles=tuple(role.value for role in self.roles))


class OwnSegmentChange(OwnSegmentNew):
    """What a segment is to be instead."""

    version: Version


class MembersChange(Schema):
    """Customers to put on a fixed list, and to take off it."""

    add: Ids = Field([])
    remove: Ids = Field([])


class DefinitionBody(Schema):
    """A definition to be tried: YAML or JSON."""

    definition: Definition


class DefinitionProblem(Schema):
    """What is wrong with a definition, and where; line 0 is the whole."""

    message: str
    line: int


class Tried(Schema):
    """What a definition means now, for the customers that the token's person sees."""

    words: str
    problems: list[DefinitionProblem]
    customers: int
    unknown: int = Field(description="Of how many customers it cannot be said.")
    notes: list[str]
    sample: list[PortfolioRow]


class Exported(Schema):
    """A segment as YAML for a model."""

    yaml: str


@router.get("", response={200: Page[OwnSegmentBody], **PROBLEMS}, auth=READ)
def list_workspace_segments(request: ApiRequest, limit: Limit, offset: Offset) -> Any:
    """One's own segments and those that are shared with one."""
    found = visible_segments(request.user)
    shown = [OwnSegmentBody.from_orm(one) for one in found[offset : offset + limit]]
    return page_of(shown, found.count(), limit, offset)


@router.post("", response={201: OwnSegmentBody, **PROBLEMS}, auth=SEGMENTS, openapi_extra=KEYED)
@idempotent
def create_workspace_segment(request: ApiRequest, body: OwnSegmentNew) -> Any:
    """Make a segment; a fixed list takes those whom its definition finds now."""
    made = segment_create(request.workspace, acting(request), request.user, body.draft(), now=request.now)
    return Status(201, OwnSegmentBody.from_orm(made))


@router.get("/{name}", response={200: OwnSegmentBody, **PROBLEMS}, auth=READ)
def get_workspace_segment(request: ApiRequest, name: Name) -> Any:
    """One segment; its figures and members are under /segments."""
    return _visible(request, name)


@router.put("/{name}", response={200: OwnSegmentBody, **PROBLEMS}, auth=SEGMENTS, openapi_extra=KEYED)
@idempotent
def update_workspace_segment(request: ApiRequest, name: Name, body: OwnSegmentChange) -> Any:
    """Change a segment that is still at the version that was read."""
    _visible(request, name)
    changed = segment_change(
        request.workspace,
        acting(request),
        request.user,
        name,
        body.draft(),
        version=body.version,
        now=request.now,
    )
    return OwnSegmentBody.from_orm(changed)


@router.delete("/{name}", response={204: None, **PROBLEMS}, auth=SEGMENTS)
def delete_workspace_segment(request: ApiRequest, name: Name) -> Any:
    """Delete a segment; what it held on past dates stays stored."""
    _visible(request, name)
    segment_delete(acting(request), request.user, name, now=request.now)
    return Status(204, None)


@router.post("/{name}/duplicate", response={201: OwnSegmentBody, **PROBLEMS}, auth=SEGMENTS, openapi_extra=KEYED)
@idempotent
def duplicate_workspace_segment(request: ApiRequest, name: Name) -> Any:
    """A private copy of a segment."""
    _visible(request, name)
    copy = segment_duplicate(request.workspace, acting(request), request.user, name, now=request.now)
    return Status(201, OwnSegmentBody.from_orm(copy))


@router.post("/{name}/members", response={200: OwnSegmentBody, **PROBLEMS}, auth=SEGMENTS, openapi_extra=KEYED)
@idempotent
def change_segment_members(request: ApiRequest, name: Name, body: MembersChange) -> Any:
    """Put customers on a fixed list or take them off; those that one does not see are left as they are."""
    _visible(request, name)
    add, remove = ([one for one in ids if may_see_customer(request.user, one)] for ids in (body.add, body.remove))
    changed = members_change(acting(request), request.user, name, add=add, remove=remove, now=request.now)
    return OwnSegmentBody.from_orm(changed)


@router.get("/{name}/yaml", response={200: Exported, **PROBLEMS}, auth=READ)
def export_workspace_segment(request: ApiRequest, name: Name) -> Any:
    """A segment as YAML for a model; a fixed list with the customers that one sees."""
    segment = _visible(request, name)
    return Exported(yaml=exported(request.workspace, request.user, segment))


@trying.post("", response={200: Tried, **PROBLEMS}, auth=SEGMENTS)
def evaluate_definition(request: ApiRequest, body: DefinitionBody) -> Any:
    """Who would be in a segment: how many and some of them; or what is wrong with its definition."""
    found = drafted(request.workspace, request.user, body.definition)
    return {
        "words": found.words,
        "problems": [{"message": one.message, "line": one.line} for one in found.problems],
        "customers": found.total,
        "unknown": found.found.unknown if found.found else 0,
        "notes": list(found.found.notes) if found.found else [],
        "sample": list(found.sample.rows) if found.sample else [],
    }


def _visible(request: ApiRequest, name: str) -> WorkspaceSegment:
    segment = segment_named(request.user, name)
    if segment is None:
        raise Problem(404, "Not found", "There is no such segment, or it is not shared with this token's person.")
    return segment
