"""Plan before apply: what a draft of the model would do; applying it; versions and the way back."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.model_shown import histogram_option, weeks_option
from keepwell.interfaces.workspace.pages.model import scorecards_known
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.model.problems import DefinitionError
from keepwell.services.planning.apply import history, version_sources
from keepwell.services.planning.sources import load_sources
from keepwell.services.team.access import Action
from keepwell.services.team.model_changes import apply_draft, draft_of, request_plan, roll_back
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import Job


class WhyForm(forms.Form):
    """Why the model is changed."""

    why = forms.CharField(
        label="Why",
        max_length=500,
        widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "What you want to reach with it"}),
    )


@page(Action.SEE)
def model_plan(request: PageRequest) -> HttpResponseBase:
    """The plan of one's draft: asked for by POST, then watched, then read."""
    if request.method == "POST":
        return _ask(request)
    known = _known(request)
    template = "plan_body" if request.htmx.target == "plan" else "plan"
    return render(request, f"workspace/model/{template}.html", known)


@require_POST
@page(Action.EDIT_MODEL)
def model_apply(request: PageRequest) -> HttpResponseBase:
    """Make the planned draft the model."""
    form = WhyForm(request.POST)
    if not form.is_valid():
        return render(request, "workspace/model/plan.html", _known(request) | {"form": form}, status=422)
    try:
        applied = apply_draft(
            acting(request), request.workspace, request.user, why=form.cleaned_data["why"], now=request.now
        )
    except (WorkspaceError, DefinitionError) as error:
        messages.error(request, str(error))
        return redirect("model_plan")
    messages.success(request, f"Version {applied.version} of the model counts now. Today's figures are computed anew.")
    return redirect("model_history")


@require_GET
@page(Action.SEE)
def model_history(request: PageRequest) -> HttpResponseBase:
    """All versions: who, when, why, and what changed."""
    known = scorecards_known(request) | {"entries": history(request.workspace), "form": WhyForm()}
    return render(request, "workspace/model/history.html", known)


@require_GET
@page(Action.SEE)
def model_version(request: PageRequest, version: int) -> HttpResponseBase:
    """The files of one version."""
    entry = next((one for one in history(request.workspace) if one.version == version), None)
    if entry is None:
        raise Http404
    sources = version_sources(request.workspace, version)
    return render(request, "workspace/model/version.html", {"entry": entry, "sources": sources.items()})


@require_POST
@page(Action.EDIT_MODEL)
def model_roll_back(request: PageRequest, version: int) -> HttpResponseBase:
    """Make an earlier version the model again."""
    form = WhyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say why you roll back; it is written into the history.")
        return redirect("model_history")
    try:
        applied = roll_back(acting(request), request.workspace, version, why=form.cleaned_data["why"], now=request.now)
    except (WorkspaceError, DefinitionError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The model is as in version {version} again, as version {applied.version}.")
    return redirect("model_history")


def _ask(request: PageRequest) -> HttpResponseBase:
    try:
        request_plan(acting(request), request.workspace, request.user, request.now)
    except WorkspaceError as error:
        messages.error(request, str(error))
        return redirect("model")
    return redirect("model_plan")


def _known(request: PageRequest) -> dict[str, Any]:
    draft = draft_of(request.workspace, request.user)
    job = draft.plan
    known: dict[str, Any] = {"draft": draft, "job": job, "form": WhyForm(), "address": reverse("model_plan")}
    if job is not None and draft.planned and job.result:
        segments = {**load_sources(draft.base).model.segments, **load_sources(draft.sources).model.segments}
        known["labels"] = {name: segment.label or name for name, segment in segments.items()}
        plan = job.result
        replay = plan.get("replay")
        known |= {
            "plan": plan,
            "charts": [(score, histogram_option(score["histogram"])) for score in plan["scores"]],
            "weeks": weeks_option(replay["weeks"]) if replay else None,
        }
    known["waiting"] = job is not None and job.state in (Job.State.QUEUED, Job.State.RUNNING)
    return known
