"""Notices: what playbooks and alerts had to say to oneself."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.services.team.access import Action
from keepwell.services.team.outbox.notices import notices as notices_of
from keepwell.services.team.outbox.notices import read_all


@require_GET
@page(Action.SEE)
def notices(request: PageRequest) -> HttpResponse:
    """One's own notices, the newest first."""
    found = notices_of(request.user, request.now)
    known = {"notices": found, "new": sum(not one.read for one in found)}
    return render(request, "workspace/outbox/notices.html", known)


@require_POST
@page(Action.SEE)
def notices_read(request: PageRequest) -> HttpResponse:
    """All of them were read."""
    count = read_all(request.user, request.now)
    messages.success(request, f"{count} notice{'' if count == 1 else 's'} marked as read.")
    return redirect("notices")
