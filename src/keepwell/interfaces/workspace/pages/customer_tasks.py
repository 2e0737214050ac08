"""Tasks on a customer's page: what is open, and a new one made by hand."""

from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.customer import customer_page, open_tasks
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.services.published import customers_named
from keepwell.services.team.access import Action
from keepwell.services.team.task_changes import TaskRefused, add_manual


@require_GET
@page(Action.SEE)
def tasks(request: PageRequest, customer_id: str) -> HttpResponse:
    """What is to be done for the customer."""
    return _shown(request, customer_or_404(request, customer_id))


@require_POST
@page(Action.WORK)
def task_new(request: PageRequest, customer_id: str) -> HttpResponse:
    """Make a task by hand, for oneself or for whose customer it is."""
    row = customers_named(request.workspace, [customer_or_404(request, customer_id)]).get(customer_id)
    if row is None:
        raise Http404
    title, due = request.POST.get("title", ""), request.POST.get("due_on", "")
    to = request.user if request.POST.get("mine") else None
    try:
        add_manual(acting(request), row, title=title, due_on=_day(due), to=to, now=request.now, today=request.today)
    except TaskRefused as error:
        return _shown(request, customer_id, problem=str(error), title=title, due=due)
    return _shown(request, customer_id) if request.htmx else redirect(customer_page(customer_id))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _shown(request: PageRequest, customer_id: str, *, problem: str = "", **more: Any) -> HttpResponse:
    known = {
        "customer_id": customer_id,
        "tasks": open_tasks(customer_id),
        "problem": problem,
        "today": request.today,
        "moment_now": request.now,
        **more,
    }
    return render(request, "workspace/customer/tasks.html", known, status=422 if problem else 200)
