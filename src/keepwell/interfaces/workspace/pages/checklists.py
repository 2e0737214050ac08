"""Checklists of today, this week and this month: ticked by people, and by data where data can tell."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.model.checklist_definitions import ChecklistItem
from keepwell.services.team.access import Action, may
from keepwell.services.team.checklists import ListShown, TickRefused, checklists_shown, tick, untick

THIS = {"day": "Today", "week": "This week", "month": "This month"}


@require_GET
@page(Action.SEE)
def checklists(request: PageRequest) -> HttpResponse:
    """Every list of the model, and how earlier days, weeks and months went."""
    shown = [_list(one) for one in checklists_shown(request.workspace, request.today, request.now)]
    return render(
        request, "workspace/checklists/page.html", {"lists": shown, "can_work": may(request.user, Action.WORK)}
    )


@require_POST
@page(Action.WORK)
def checklist_tick(request: PageRequest, name: str, item: str) -> HttpResponse:
    """Tick an item, or take the tick back."""
    who, here = acting(request), request.workspace
    try:
        if request.POST.get("to") == "open":
            untick(who, here, name, item, request.today, request.now)
        else:
            tick(who, here, name, item, request.today, request.now, request.POST.get("note", "")[:255])
    except TickRefused as refused:
        messages.error(request, str(refused))
    if not request.htmx:
        return redirect("checklists")
    found = next((one for one in checklists_shown(here, request.today, request.now) if one.name == name), None)
    known = {"shown": _list(found) if found else None, "can_work": True, "focus": item}
    return render(request, "workspace/checklists/list.html", known)


def _list(one: ListShown) -> dict[str, Any]:
    return {
        "list": one,
        "this": THIS[one.checklist.every],
        "percent": round(100 * one.done / len(one.items)),
        "items": [{"shown": item, "url": url_of(item.item)} for item in one.items],
        "past": [(went, round(100 * went.done / went.of)) for went in one.past],
    }


def url_of(item: ChecklistItem) -> str:
    """Where an item leads; nothing where the workspace has no such page."""
    if item.page is None:
        return ""
    try:
        url = reverse(item.page)
    except NoReverseMatch:
        return ""
    return f"{url}?{item.query}" if item.query else url
