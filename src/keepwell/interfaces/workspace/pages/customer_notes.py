"""Notes on a customer's page: write one, change and remove one's own."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from keepwell.interfaces.workspace.pages.customer import customer_page
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.services.team.access import Action
from keepwell.services.team.notes import NoteError, note_add, note_edit, note_remove, notes_of


@require_GET
@page(Action.SEE)
def notes(request: PageRequest, customer_id: str) -> HttpResponse:
    """The notes on a customer."""
    return _shown(request, customer_or_404(request, customer_id))


@require_POST
@page(Action.WORK)
def note_new(request: PageRequest, customer_id: str) -> HttpResponse:
    """Write a note."""
    customer_or_404(request, customer_id)
    try:
        note_add(acting(request), customer_id=customer_id, text=request.POST.get("text", ""), now=request.now)
    except NoteError as error:
        return _shown(request, customer_id, problem=str(error), text=request.POST.get("text", ""))
    return _done(request, customer_id)


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def note(request: PageRequest, customer_id: str, pk: int) -> HttpResponse:
    """Change one's own note: the form, and what it sends."""
    customer_or_404(request, customer_id)
    if request.method == "GET":
        shown = get_object_or_404(notes_of(customer_id), pk=pk, written_by=request.user)
        return _shown(request, customer_id, editing=shown.pk)
    text = request.POST.get("text", "")
    try:
        note_edit(acting(request), pk, customer_id=customer_id, text=text, now=request.now)
    except NoteError as error:
        return _shown(request, customer_id, problem=str(error), editing=pk, text=text)
    return _done(request, customer_id)


@require_POST
@page(Action.WORK)
def note_gone(request: PageRequest, customer_id: str, pk: int) -> HttpResponse:
    """Remove one's own note."""
    customer_or_404(request, customer_id)
    try:
        note_remove(acting(request), pk, customer_id=customer_id, now=request.now)
    except NoteError as error:
        return _shown(request, customer_id, problem=str(error))
    return _done(request, customer_id)


def _done(request: PageRequest, customer_id: str) -> HttpResponse:
    return _shown(request, customer_id) if request.htmx else redirect(customer_page(customer_id, "notes"))


def _shown(request: PageRequest, customer_id: str, *, problem: str = "", **more: Any) -> HttpResponse:
    known = {"customer_id": customer_id, "notes": notes_of(customer_id), "problem": problem, **more}
    return render(request, "workspace/customer/notes.html", known, status=422 if problem else 200)
