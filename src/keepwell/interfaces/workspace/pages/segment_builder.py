"""The builder: conditions as rows or as YAML, with who would be in the segment while they change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.model.problems import DefinitionError
from keepwell.services.segment_fields import event_names, model_segments, segment_fields, suggestions
from keepwell.services.team.access import Action, may, scope_of
from keepwell.services.team.segment_drafts import Drafted, Placed, drafted
from keepwell.services.team.segment_membership import condition_of
from keepwell.services.team.segment_rows import NotRowsError, definition_of, parsed_rows, rows_of
from keepwell.services.team.segments import (
    Draft,
    SegmentConflictError,
    SegmentError,
    Visibility,
    may_change,
    peers_of,
    segment_change,
    segment_create,
    segment_named,
)
from keepwell.store.models import Role, WorkspaceSegment

_MOST_TEXT: Final = 100_000
_NOBODY: Final = "when:\n  customers: []\n"


@dataclass(frozen=True)
class Filled:
    """What a form of the builder holds: of a segment that is there, or as it was sent."""

    label: str = ""
    description: str = ""
    definition: str = ""
    fixed: bool = False
    shared: str = Visibility.PRIVATE
    roles: tuple[str, ...] = ()
    version: int = 0
    yaml_shown: bool = False


@require_http_methods(["GET", "POST"])
@page(Action.PRIVATE_SEGMENTS)
def builder(request: PageRequest, name: str = "") -> HttpResponseBase:
    """Make a segment, or change the one called `name`."""
    segment = segment_named(request.user, name) if name else None
    if name and (segment is None or not may_change(request.user, segment)):
        raise Http404
    if request.method == "POST":
        return _saved(request, segment)
    return _page(request, segment, _filled(segment))


def _saved(request: PageRequest, segment: WorkspaceSegment | None) -> HttpResponseBase:
    filled = _sent(request.POST)
    draft = Draft(
        label=filled.label,
        definition=filled.definition or (_NOBODY if filled.fixed else ""),
        description=filled.description,
        dynamic=not filled.fixed,
        shared=filled.shared != Visibility.PRIVATE,
        roles=filled.roles if filled.shared == Visibility.ROLES else (),
    )
    who, person, now = acting(request), request.user, request.now
    try:
        if filled.shared == Visibility.ROLES and not filled.roles:
            raise SegmentError("Choose at least one role, or share it with everybody.", "roles")
        if not draft.definition:
            raise SegmentError("Add at least one condition.", "definition")
        if segment is None:
            segment = segment_create(request.workspace, who, person, draft, now=now)
        else:
            segment = segment_change(
                request.workspace, who, person, segment.name, draft, version=filled.version, now=now
            )
    except SegmentError as error:
        return _page(request, segment, filled, {error.field or "definition": str(error)}, status=422)
    except SegmentConflictError as error:
        return _page(request, segment, filled, {"conflict": str(error)}, status=409)
    messages.success(request, f"The segment “{segment.label}” was saved.")
    return redirect("segment", segment.name)


def _page(
    request: PageRequest,
    segment: WorkspaceSegment | None,
    filled: Filled,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    tree, not_rows = _tree(filled.definition)
    known = {
        "segment": segment,
        "filled": filled,
        "errors": errors or {},
        "may_share": may(request.user, Action.SHARED_SEGMENTS),
        "roles": Role.choices,
        "tree": tree,
        "not_rows": not_rows,
        "yaml_shown": filled.yaml_shown or bool(not_rows),
        "catalogue": _catalogue(request, segment),
    }
    return render(request, "workspace/segments/builder.html", known, status=status)


def _tree(definition: str) -> tuple[Any, str]:
    """The rows of a definition, or why it has none."""
    if not definition.strip():
        return {"all": []}, ""
    try:
        return rows_of(condition_of(definition)), ""
    except NotRowsError as error:
        return None, f"Rows cannot show {error}."
    except DefinitionError as error:
        return None, f"This is no YAML that can be read: {error.problems[0].message}."


def _catalogue(request: PageRequest, segment: WorkspaceSegment | None) -> dict[str, Any]:
    """What rows can speak of."""
    own = peers_of(request.user, segment.name if segment else "")
    model = model_segments(request.workspace)
    return {
        "fields": [field.as_dict() for field in segment_fields(request.workspace)],
        "events": list(event_names(request.workspace)),
        "segments": [{"name": name, "label": label, "group": "Segments of the model"} for name, label in model]
        + [{"name": one.name, "label": one.label, "group": "Made in the workspace"} for one in own.values()],
    }


@require_POST
@page(Action.PRIVATE_SEGMENTS)
def preview(request: PageRequest) -> HttpResponseBase:
    """Who would be in the segment, in words and numbers, and what is wrong with it."""
    filled = _sent(request.POST)
    if not filled.definition:
        found = Drafted("")
    elif len(filled.definition) > _MOST_TEXT:
        found = Drafted(filled.definition, problems=(Placed("This definition is too long.", 0, ()),))
    else:
        found = drafted(request.workspace, request.user, filled.definition, request.POST.get("name", ""))
    state = {
        "problems": [problem.as_dict() for problem in found.problems],
        "yaml": found.definition,
        "asked": request.POST.get("asked", ""),
    }
    known = {"found": found, "state": state, "yaml_shown": filled.yaml_shown}
    return render(request, "workspace/segments/preview.html", known)


@require_POST
@page(Action.PRIVATE_SEGMENTS)
def rows(request: PageRequest) -> HttpResponseBase:
    """The rows of a definition in YAML, as JSON; a sentence where rows cannot show it."""
    tree, problem = _tree(request.POST.get("definition", "")[:_MOST_TEXT])
    return JsonResponse({"tree": tree, "problem": problem})


@require_GET
@page(Action.PRIVATE_SEGMENTS)
def values(request: PageRequest) -> HttpResponseBase:
    """What a field has among the customers that this person sees, as JSON."""
    found = suggestions(request.workspace, request.GET.get("field", ""), scope_of(request.user))
    return JsonResponse({"values": found.values, "hint": found.hint})


def _filled(segment: WorkspaceSegment | None) -> Filled:
    if segment is None:
        return Filled()
    return Filled(
        label=segment.label,
        description=segment.description,
        definition=segment.definition,
        fixed=not segment.dynamic,
        shared=segment.visibility,
        roles=tuple(segment.roles),
        version=segment.version,
    )


def _sent(posted: QueryDict) -> Filled:
    """A form as it was sent; rows become YAML, and what is no rows an empty definition."""
    yaml_shown = posted.get("mode") == "yaml"
    definition = posted.get("definition", "").replace("\r\n", "\n").strip()
    if not yaml_shown:
        definition = _from_rows(posted.get("tree", ""))
    version, shared = posted.get("version", "0"), posted.get("shared", "")
    return Filled(
        label=posted.get("label", "")[:120],
        description=posted.get("description", "")[:2000],
        definition=definition,
        fixed=posted.get("kind") == "fixed",
        shared=shared if shared in Visibility.values else Visibility.PRIVATE,
        roles=tuple(role for role in posted.getlist("roles") if role in Role.values),
        version=int(version) if version.isascii() and version.isdecimal() else 0,
        yaml_shown=yaml_shown,
    )


def _from_rows(text: str) -> str:
    try:
        tree = parsed_rows(text)
        if isinstance(tree, dict) and (tree.get("all") == [] or tree.get("any") == []):
            return ""
        return definition_of(tree)
    except NotRowsError:
        return ""
