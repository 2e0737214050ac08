"""Escalations: what other teams have to hear of, as documents to paste into their trackers."""

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.interfaces.workspace.support_shown import PRIORITY_COLORS, STATE_COLORS
from keepwell.services.team.access import Action
from keepwell.services.team.support.escalations import (
    EscalationRefused,
    escalation_close,
    escalation_file,
    escalation_reopen,
)
from keepwell.services.team.support.listing import (
    escalation_history,
    escalation_label,
    escalation_tickets,
    escalations_found,
    may_see_escalations,
)
from keepwell.services.team.support.patterns import PATTERNS
from keepwell.store.models import Escalation

PAGE: Final = 50
STATES: Final = (("", "Open and filed"), *Escalation.State.choices, ("all", "All"))
TEAMS: Final = (("", "All teams"), ("product", "Product"), ("engineering", "Engineering"))
VERBS: Final = ("filed", "closed", "reopened")


@require_GET
@page(Action.ASSIGN)
def escalations(request: PageRequest) -> HttpResponse:
    """What is open and what was filed, the newest first."""
    asked = {name: request.GET.get(name, "") for name in ("state", "pattern", "team")}
    asked["state"] = asked["state"] if asked["state"] in dict(STATES) else ""
    shown = Paginator(escalations_found(**asked), PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known = {
        "shown": shown,
        "rows": [(one, escalation_label(one)) for one in shown],
        "kept": kept.urlencode(),
        "asked": asked,
        "filtered": any(asked.values()),
        "states": STATES,
        "teams": TEAMS,
        "patterns": [("", "All patterns"), *((name, found.label) for name, found in PATTERNS.items())],
        "colors": STATE_COLORS,
        "currency": request.workspace.currency,
    }
    return render(request, "workspace/support/escalations.html", known)


@require_GET
@page(Action.ASSIGN)
def escalation(request: PageRequest, pk: int) -> HttpResponse:
    """One escalation: its document, its tickets, and where it stands."""
    return _shown(request, _escalation_or_404(pk))


@require_POST
@page(Action.ASSIGN)
def escalation_change(request: PageRequest, pk: int, verb: str) -> HttpResponse:
    """Say that it was filed and where, close it, or open it again."""
    if verb not in VERBS:
        raise Http404
    one, said = _escalation_or_404(pk), request.POST
    if not may_see_escalations(request.user):
        raise PermissionDenied
    version = int(said["version"]) if said.get("version", "").isdecimal() and len(said["version"]) < 10 else 0
    who, now = acting(request), request.now
    link, why = said.get("link", ""), said.get("why", "")
    try:
        match verb:
            case "filed":
                done = escalation_file(who, one.pk, version=version, link=link, now=now)
            case "closed":
                done = escalation_close(who, one.pk, version=version, why=why, now=now)
            case _:
                done = escalation_reopen(who, one.pk, version=version, now=now)
    except EscalationRefused as refused:
        return _shown(request, _escalation_or_404(pk), problem=str(refused), link=link, why=why, status=422)
    messages.success(request, f"{done.title}: {done.get_state_display().lower()}.")
    return redirect("escalation", pk)


def _escalation_or_404(pk: int) -> Escalation:
    found = Escalation.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _shown(
    request: PageRequest, one: Escalation, *, problem: str = "", link: str = "", why: str = "", status: int = 200
) -> HttpResponse:
    filed = one.figures.get("filed_tickets")
    known = {
        "one": one,
        "label": escalation_label(one),
        "color": STATE_COLORS[one.state],
        "priority_color": PRIORITY_COLORS.get(one.priority, "orange"),
        "tickets": escalation_tickets(request.workspace, request.user, one, request.now),
        "history": escalation_history(one),
        "since_filed": len(one.tickets) - filed if isinstance(filed, int) else 0,
        "problem": problem,
        "link": link or one.link,
        "why": why,
        "currency": request.workspace.currency,
    }
    return render(request, "workspace/support/escalation.html", known, status=status)
