"""Snoozing, handing over and taking off tasks, one or many at once; dialogs ask what there is to ask."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.interfaces.workspace.pages.today import after_change, checklist_context, task_or_404
from keepwell.interfaces.workspace.pages.today_shown import query_from
from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.services.team.access import Action
from keepwell.services.team.holds import NoHold, end_hold
from keepwell.services.team.queue import assignable
from keepwell.services.team.task_card import workday
from keepwell.services.team.task_changes import Seen, TaskRefused, mark_done, reassign, snooze, wake
from keepwell.services.team.task_checklist import tick
from keepwell.store.models import Person, Task

MOST: Final = 500
WAITS: Final = ("Waiting for an answer", "Customer is away", "Another team is on it", "Agreed on a later date")
Change = Callable[[list[Seen]], list[Task]]


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def tasks_snooze(request: PageRequest) -> HttpResponse:
    """Put tasks away until a day, with a reason."""
    tasks = tasks_or_404(request)
    tomorrow = workday(request.today + timedelta(days=1))
    asked = {
        "form": "snooze",
        "waits": WAITS,
        "until": request.POST.get("until") or tomorrow.isoformat(),
        "reason": request.POST.get("reason", ""),
        "quick": (
            ("Tomorrow", tomorrow),
            ("In 3 days", workday(request.today + timedelta(days=3))),
            ("Next week", workday(request.today + timedelta(days=7))),
            ("In a month", workday(request.today + timedelta(days=30))),
        ),
    }
    if request.method == "GET":
        return _dialog(request, tasks, asked)
    until, reason = _date(request.POST.get("until", "")), request.POST.get("reason", "")

    def change(seen: list[Seen]) -> list[Task]:
        return snooze(acting(request), seen, until=until, reason=reason, now=request.now, today=request.today)

    return _changed(request, tasks, change, f"snoozed until {day(until)}", asked)


@require_http_methods(["GET", "POST"])
@page(Action.WORK)
def tasks_assign(request: PageRequest) -> HttpResponse:
    """Give tasks to somebody, or back to the owners of their customers."""
    tasks, people = tasks_or_404(request), assignable(request.user)
    chosen = request.POST.get("to", "")
    asked = {"form": "assign", "people": people, "to": chosen or str(request.user.pk)}
    if request.method == "GET":
        return _dialog(request, tasks, asked)
    to: Person | None = next((one for one in people if str(one.pk) == chosen), None)
    if to is None and chosen:
        return _dialog(request, tasks, asked | {"problem": "Choose somebody from the list."}, status=422)
    words = f"given to {to.shown_name}" if to else "given back to the customer's owner"
    return _changed(request, tasks, lambda seen: reassign(acting(request), seen, to=to, now=request.now), words, asked)


@require_POST
@page(Action.WORK)
def tasks_done(request: PageRequest) -> HttpResponse:
    """Take tasks off the list without an outcome."""
    tasks = tasks_or_404(request)
    words = "off the list, without an outcome"
    return _changed(request, tasks, lambda seen: mark_done(acting(request), seen, now=request.now), words, {})


@require_POST
@page(Action.WORK)
def tasks_wake(request: PageRequest) -> HttpResponse:
    """Put snoozed tasks back into the queue."""
    tasks = tasks_or_404(request)
    return _changed(request, tasks, lambda seen: wake(acting(request), seen, now=request.now), "back in the queue", {})


@require_POST
@page(Action.WORK)
def task_tick(request: PageRequest, pk: int, place: int) -> HttpResponse:
    """Tick a point of a task off, or take the tick back."""
    found, problem = task_or_404(request, pk), ""
    try:
        found = tick(acting(request), found.pk, place, done=request.POST.get("done") == "1", now=request.now)
    except TaskRefused as refused:
        problem = str(refused)
    if not request.htmx:
        if problem:
            messages.error(request, problem)
        return redirect("task", found.pk)
    known = checklist_context(request, found) | {"tick_problem": problem, "back": request.POST.get("back", "")}
    return render(request, "workspace/today/checklist.html", known, status=409 if problem else 200)


@require_POST
@page(Action.WORK)
def hold_end(request: PageRequest, customer_id: str) -> HttpResponse:
    """End by hand what somebody said of a customer: resolved, or lost."""
    customer_or_404(request, customer_id)
    why = request.POST.get("why", "").strip() or "ended by hand"
    try:
        end_hold(acting(request), customer_id=customer_id, why=why, now=request.now, today=request.today)
        messages.success(request, "The data decide again: the next run opens what the day calls for.")
    except NoHold as nothing:
        messages.error(request, str(nothing))
    return redirect("customer", customer_id)


def tasks_or_404(request: PageRequest) -> list[Task]:
    """The tasks that are named; all of them must be of customers that the person may see."""
    named = (request.GET if request.method == "GET" else request.POST).getlist("id")
    ids = {int(text) for text in named if text.isdecimal() and len(text) < 19}
    found = list(Task.objects.filter(pk__in=ids).order_by("pk")[:MOST])
    if not found or len(found) < len(ids):
        raise Http404
    for customer_id in sorted({task.customer_id for task in found}):
        customer_or_404(request, customer_id)
    return found


def _changed(
    request: PageRequest, tasks: list[Task], change: Change, words: str, asked: dict[str, Any]
) -> HttpResponse:
    """Do it; what is refused is said in the dialog, or above the list where there is none."""
    versions = dict(pair.split(":", 1) for pair in request.POST.getlist("seen") if ":" in pair)
    seen = [Seen(task.pk, _number(versions.get(str(task.pk)))) for task in tasks]
    query = query_from(QueryDict(request.POST.get("back", "")))
    try:
        done = change(seen)
    except TaskRefused as refused:
        if asked:
            return _dialog(request, tasks, asked | {"problem": str(refused)}, status=422)
        if request.htmx:
            return after_change(request, query, said="", problem=str(refused))
        messages.error(request, str(refused))
        return redirect("today")
    subject = done[0].title if len(done) == 1 else f"{len(done)} tasks"
    return after_change(request, query, said=f"{subject}: {words}.", after=done[0] if len(done) == 1 else None)


def _dialog(request: PageRequest, tasks: list[Task], asked: dict[str, Any], status: int = 200) -> HttpResponse:
    values = request.GET if request.method == "GET" else request.POST
    context = asked | {"tasks": tasks, "back": values.get("back", ""), "today": request.today}
    if request.method == "GET":
        whole = "workspace/today/dialog.html" if request.htmx else "workspace/today/dialog_page.html"
        return render(request, whole, context)
    if not request.htmx:
        return render(request, "workspace/today/dialog_page.html", context, status=status)
    answer = render(request, "workspace/today/dialog_content.html", context, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog .modal-content", "innerHTML"
    return answer


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 10 else None
