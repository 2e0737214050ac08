"""Switching a playbook on, its alert budget first, and off with a word on what is under way."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from keepwell.interfaces.workspace.pages.playbooks import heading, playbook_or_404
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.playing.budgets import budget_ask, budget_of, replayable, share_of_one
from keepwell.services.team.playing.definitions import playbook_model
from keepwell.services.team.playing.switching import playbook_off, playbook_on
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import PlaybookRun

_FULL = 1.0


@page(Action.SWITCH_PLAYBOOKS)
def playbook_switch(request: PageRequest, name: str) -> HttpResponseBase:
    """The budget and the switch: asked for, watched, read, confirmed."""
    model = playbook_model(request.workspace)
    playbook_or_404(model, name)
    if request.method == "POST":
        return _switched(request, name)
    kept = budget_of(request.workspace, model, name)
    each = share_of_one((kept.result or {}).get("capacity"))
    known = {
        **heading(request, model, name),
        "kept": kept,
        "budget": _shown(kept.result, each),
        "each": each,
        "replayable": replayable(model, name),
        "going": PlaybookRun.objects.filter(playbook=name, ended_at__isnull=True).count(),
        "ready": not replayable(model, name) or (kept.result is not None and kept.same),
    }
    template = "budget" if request.htmx.target == "budget" else "switch"
    return render(request, f"workspace/playbooks/{template}.html", known)


@require_POST
@page(Action.SWITCH_PLAYBOOKS)
def playbook_budget(request: PageRequest, name: str) -> HttpResponse:
    """Ask the worker for the replay."""
    playbook_or_404(playbook_model(request.workspace), name)
    try:
        budget_ask(acting(request), request.workspace, name, request.now)
    except WorkspaceError as error:
        messages.error(request, str(error))
    return redirect("playbook_switch", name)


def _switched(request: PageRequest, name: str) -> HttpResponseBase:
    try:
        if request.POST.get("to") == "on":
            playbook_on(acting(request), request.workspace, name, request.now)
            messages.success(request, "Switched on. It starts for customers who meet its trigger from now on.")
        else:
            _off(request, name)
    except WorkspaceError as error:
        messages.error(request, str(error))
        return redirect("playbook_switch", name)
    return redirect("playbook", name)


def _off(request: PageRequest, name: str) -> None:
    stop = request.POST.get("runs") == "stop"
    stopped = playbook_off(acting(request), request.workspace, name, stop=stop, now=request.now)
    said = f" {stopped:,} run{'' if stopped == 1 else 's'} stopped." if stop else " Runs under way go on to their end."
    messages.success(request, f"Switched off.{said}")


def _shown(result: dict[str, Any] | None, each: int | None) -> dict[str, Any] | None:
    """A budget with what the page needs to draw it: weeks as dates, bars against the capacity or the busiest week."""
    if result is None:
        return None
    weeks = [week | {"work": week["tasks"] + week["approvals"]} for week in result["weeks"]]
    most = max([week["work"] for week in weeks], default=0)
    scale = max(result["capacity"] or 0, most, 1) if most * 10 > (result["capacity"] or 0) else max(most, 1)
    for week in weeks:
        week["first"] = date.fromisoformat(week["week"])
        week["percent"] = round(100 * week["work"] / scale)
        week["over"] = bool(week["share"] and week["share"] > _FULL)
    count = max(len(weeks), 1)
    sums = {key: sum(week[key] for week in weeks) for key in ("work", "messages", "offers", "notices")}
    busiest = max(weeks, key=lambda week: week["work"], default=None)
    dates = {key: date.fromisoformat(result[key]) for key in ("first", "last")}
    return {
        **result,
        **dates,
        "weeks": weeks,
        "owners": [owner | {"share": _share(owner, each)} for owner in result["owners"]],
        "sums": sums,
        "per_week": {key: round(value / count, 1) for key, value in sums.items()},
        "busiest": busiest,
        "ended": list(result["ended"].items()),
        "refused": list(result["refused"].items()),
    }


def _share(owner: dict[str, Any], each: int | None) -> float | None:
    """What the busiest week takes of a person's own; roles have no capacity of their own."""
    return owner["busiest"] / each if each and "@" in owner["owner"] else None
