"""Where customers answer a survey, without signing in.

Programs that check mail open links, so opening one takes no answer: it shows the one that the link names, and the
page's script, or its reader, sends it. The signed address alone says what may be done here, so there is no cookie and
nothing for CSRF to protect.
"""

from contextlib import suppress
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from keepwell.interfaces.site import clock
from keepwell.model.survey_definitions import Survey, group_of
from keepwell.services.team.here import workspace
from keepwell.services.team.outbox.pen import imprint_name
from keepwell.services.team.surveys.answers import (
    LONGEST,
    AnswerRefused,
    answer,
    comment,
    invitation_of,
    opt_out,
    survey_of,
)
from keepwell.services.team.surveys.letters import ENDS
from keepwell.store.models import SurveyInvitation

_PAGE: Final = "workspace/surveys/answer.html"
_NONE: Final = -1


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def survey_answer(request: HttpRequest, token: str) -> HttpResponse:
    """The question with its answers; with POST an answer, words about it, or the wish not to be asked again."""
    invitation = invitation_of(token)
    if invitation is None:
        return _shown(request, {"unknown": True}, 404)
    if request.method == "POST" and "stop" in request.POST:
        _keep_words(request, invitation)
        opt_out(invitation, clock.now())
        return _done(token, "?said=stop")
    survey = survey_of(workspace(), invitation)
    if survey is None or clock.now() > invitation.expires_at:
        about = {"answered": invitation.score is not None, "said": request.GET.get("said", "")}
        return _shown(request, {"ended": True, "invitation": invitation, **about}, 410)
    if request.method == "POST":
        return _post(request, token, survey, invitation)
    return _shown(request, _question(request, survey, invitation))


def _post(request: HttpRequest, token: str, survey: Survey, invitation: SurveyInvitation) -> HttpResponse:
    said = ""
    words = request.POST.get("comment")
    try:
        if "score" in request.POST or words is None:
            answer(workspace(), invitation.pk, _number(request.POST.get("score", "")), clock.now())
        # Whoever writes and then thinks better of the number sends both.
        if words is not None and (words.strip() or "score" not in request.POST):
            comment(workspace(), invitation.pk, words[:LONGEST], clock.now())
            said = "?said=words"
    except AnswerRefused as refused:
        return _shown(request, _question(request, survey, invitation) | {"problem": str(refused)}, 422)
    return _done(token, said)


def _keep_words(request: HttpRequest, invitation: SurveyInvitation) -> None:
    """Words that were typed and not sent arrive with the wish not to be asked again, while words are taken."""
    words = request.POST.get("comment", "")
    if words.strip():
        with suppress(AnswerRefused):
            comment(workspace(), invitation.pk, words[:LONGEST], clock.now())


def _done(token: str, said: str) -> HttpResponse:
    """After POST another address, so that loading the page again sends nothing again."""
    found = HttpResponseRedirect(reverse("survey_answer", args=[token]) + said)
    found.status_code = 303
    return found


def _question(request: HttpRequest, survey: Survey, invitation: SurveyInvitation) -> dict[str, Any]:
    named = _number(request.GET.get("s", ""))
    chosen = named if named in survey.scale else None
    score = invitation.score
    group = None if score is None else group_of(survey.kind, score)
    first, last = ENDS[survey.kind]
    return {
        "survey": survey,
        "invitation": invitation,
        "scale": list(survey.scale),
        "ends": (first, last),
        "chosen": score if chosen is None else chosen,
        "send": chosen is not None and chosen != score,
        "follow_up": getattr(survey.follow_up, group) if group else "",
        "said": request.GET.get("said", ""),
        "longest": LONGEST,
    }


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 3 else _NONE


def _shown(request: HttpRequest, about: dict[str, Any], status: int = 200) -> HttpResponse:
    found = render(request, _PAGE, about | {"sender": imprint_name(workspace())}, status=status)
    found["X-Robots-Tag"] = "noindex"
    return found
