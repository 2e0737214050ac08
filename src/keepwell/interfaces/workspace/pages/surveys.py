"""Surveys: what was asked, what came back, what people said, and the switch of each."""

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace import survey_words
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.model.survey_definitions import GROUPS, group_of
from keepwell.services.team.access import Action, may, scope_of
from keepwell.services.team.outbox.switches import live
from keepwell.services.team.surveys.defined import switch_survey
from keepwell.services.team.surveys.figures import (
    SurveyFigures,
    answers,
    group_label,
    last_comments,
    one_survey,
    survey_figures,
)
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import Channel, SurveyInvitation

PAGE: Final = 50


@require_GET
@page(Action.SEE)
def surveys(request: PageRequest) -> HttpResponse:
    """Every survey of the model with its figures, and the last words of customers."""
    found = survey_figures(request.workspace, request.user, request.now)
    comments = last_comments(request.workspace, request.user)
    known = {
        "lines": [{"figures": one, "when": survey_words.sent_when(one.survey), **_drawn(one)} for one in found],
        "comments": _said(sorted((c for few in comments.values() for c in few), key=_answered, reverse=True)[:8]),
        "labels": {one.name: one.label for one in found},
        **_common(request),
    }
    return render(request, "workspace/surveys/list.html", known)


@require_GET
@page(Action.SEE)
def survey(request: PageRequest, name: str) -> HttpResponse:
    """One survey: its figures, its answers, what it is, and its switch."""
    one = _survey_or_404(request, name)
    group = request.GET.get("group", "")
    found = answers(request.workspace, request.user, name, group=group, commented="words" in request.GET)
    shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known = {
        "figures": one,
        **_drawn(one),
        **_common(request),
        "about": survey_words.about(one.survey),
        "follow_ups": [
            (group_label(one.survey.kind, which), text)
            for which in GROUPS
            if (text := getattr(one.survey.follow_up, which))
        ],
        "shown": shown,
        "said": _said(shown.object_list),
        "group": group,
        "words": "words" in request.GET,
        "tabs": [(which, group_label(one.survey.kind, which)) for which in GROUPS],
        "kept": kept.urlencode(),
        "may_switch": may(request.user, Action.SWITCH_PLAYBOOKS),
    }
    return render(request, "workspace/surveys/survey.html", known)


@require_POST
@page(Action.SWITCH_PLAYBOOKS)
def survey_switch(request: PageRequest, name: str) -> HttpResponse:
    """Switch it on or off."""
    on = request.POST.get("to") == "on"
    try:
        taken_back = switch_survey(acting(request), request.workspace, name, on, request.now)
    except WorkspaceError as error:
        messages.error(request, str(error))
        return redirect("surveys")
    if on:
        dry = "" if _live() else " Nothing leaves while e-mail to customers is a dry run."
        messages.success(request, f"Switched on: what happens from today on is asked about.{dry}")
    else:
        back = f" {taken_back:,} that waited {'was' if taken_back == 1 else 'were'} taken back." if taken_back else ""
        messages.success(request, f"Switched off.{back} Links that were sent work until they end.")
    return redirect("survey", name)


def _survey_or_404(request: PageRequest, name: str) -> SurveyFigures:
    found = one_survey(request.workspace, request.user, name, request.now)
    if found is None:
        raise Http404
    return found


def _common(request: PageRequest) -> dict[str, Any]:
    return {
        "kinds": survey_words.KINDS,
        "colors": survey_words.GROUP_COLORS,
        "live": _live(),
        "own_only": scope_of(request.user).owners is not None,
    }


def _drawn(one: SurveyFigures) -> dict[str, Any]:
    return {"bars": [(group, round(100 * group.share)) for group in one.groups], "scale": survey_words.SCORES}


def _said(found: Any) -> list[dict[str, Any]]:
    return [{"one": one, "group": _group(one), "label": group_label(one.kind, _group(one))} for one in found]


def _group(one: SurveyInvitation) -> Any:
    return group_of(one.kind, int(one.score or 0))  # type: ignore[arg-type]


def _answered(one: SurveyInvitation) -> Any:
    return one.answered_at


def _live() -> bool:
    return live("email", Channel.Audience.CUSTOMER)
