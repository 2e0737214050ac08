"""What is done with a segment of the workspace beside building it: copy, delete, export, and the list kept by hand."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.team.access import Action, may_see_customer, scope_of
from keepwell.services.team.segment_text import exported
from keepwell.services.team.segments import (
    SegmentConflictError,
    SegmentError,
    may_change,
    members_change,
    segment_delete,
    segment_duplicate,
    segment_named,
)
from keepwell.store.models import WorkspaceSegment

FOUND = 8


@require_POST
@page(Action.PRIVATE_SEGMENTS)
def delete(request: PageRequest, name: str) -> HttpResponseBase:
    """Delete a segment."""
    segment = _visible(request, name)
    try:
        segment_delete(acting(request), request.user, name, now=request.now)
    except SegmentError as error:
        messages.error(request, str(error))
        return redirect("segment", name)
    messages.success(request, f"The segment “{segment.label}” was deleted.")
    return redirect("segments")


@require_POST
@page(Action.PRIVATE_SEGMENTS)
def duplicate(request: PageRequest, name: str) -> HttpResponseBase:
    """Copy a segment and open the copy in the builder."""
    _visible(request, name)
    copy = segment_duplicate(request.workspace, acting(request), request.user, name, now=request.now)
    messages.success(request, f"This is your own copy; the segment “{copy.label}” is private.")
    return redirect("segment_edit", copy.name)


@require_GET
@page(Action.SEE)
def export(request: PageRequest, name: str) -> HttpResponseBase:
    """A segment as YAML for a model: as a file, or as a text to be copied.

    A fixed list is exported with the customers that this person sees.
    """
    segment = _visible(request, name)
    text = exported(request.workspace, request.user, segment)
    if request.GET.get("form") == "text":
        return render(request, "workspace/segments/yaml.html", {"segment": segment, "text": text})
    answer = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{segment.name}.yaml"'
    return answer


@require_http_methods(["GET", "POST"])
@page(Action.PRIVATE_SEGMENTS)
def members(request: PageRequest, name: str) -> HttpResponseBase:
    """Look for customers to put on a fixed list; put them on it, take them off."""
    segment = _visible(request, name)
    if not may_change(request.user, segment):
        raise Http404
    if request.method == "GET":
        query = PortfolioQuery(search=request.GET.get("q", ""), limit=FOUND, scope=scope_of(request.user), sort="name")
        found = portfolio_page(request.workspace, query) if query.search.strip() else None
        known = {"found": found, "segment": segment, "on_list": frozenset(segment.members)}
        return render(request, "workspace/segments/candidates.html", known)
    chosen = {key: _allowed(request, request.POST.getlist(key)) for key in ("add", "remove")}
    try:
        members_change(acting(request), request.user, name, now=request.now, **chosen)
    except (SegmentError, SegmentConflictError) as error:
        messages.error(request, str(error))
    return redirect("segment", name)


def _allowed(request: PageRequest, customers: list[str]) -> list[str]:
    """The customers among these that this person may see; the others are as if they were not there."""
    return [one for one in customers if may_see_customer(request.user, one)]


def _visible(request: PageRequest, name: str) -> WorkspaceSegment:
    segment = segment_named(request.user, name)
    if segment is None:
        raise Http404
    return segment
