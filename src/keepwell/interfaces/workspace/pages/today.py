"""Today: the queue, the task card, and logging what came of a task."""

from datetime import date
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import get_default_timezone
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.interfaces.workspace.pages.today_shown import (
    due_words,
    moment_of,
    query_from,
    queue_context,
)
from keepwell.interfaces.workspace.templatetags.keepwell import day
from keepwell.services.team.access import Action, may
from keepwell.services.team.holds import segment_label
from keepwell.services.team.outcomes import (
    OutcomeConflict,
    OutcomeInvalid,
    Undone,
    UndoRefused,
    log_outcome,
    outcome_words,
    undo_outcome,
)
from keepwell.services.team.queue import QueueQuery, next_of
from keepwell.services.team.settings import team_settings
from keepwell.services.team.task_card import task_card
from keepwell.services.team.task_days import published_model
from keepwell.services.team.task_records import OPEN_STATES
from keepwell.store.models import Hold, Outcome, Task

PAGE: Final = "workspace/today/page.html"
WORK: Final = "workspace/today/work.html"
CARD: Final = "workspace/today/card.html"
RESULTS: Final = {"resolved": "7", "follow_up": "8", "lost": "9"}


@require_GET
@page(Action.SEE)
def today(request: PageRequest) -> HttpResponse:
    """The queue, with the first task open beside it."""
    query = query_from(request.GET)
    context = queue_context(request, query)
    first = context["lines"][0].task if context["lines"] else None
    return _answer(request, context, first, chosen=False)


@require_GET
@page(Action.SEE)
def task(request: PageRequest, pk: int) -> HttpResponse:
    """One task: only its card when the list is there already."""
    found = task_or_404(request, pk)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, CARD, card_context(request, found, query_from(request.GET)) | {"focus": True})
    return _answer(request, queue_context(request, query_from(request.GET)), found, chosen=True)


@require_POST
@page(Action.WORK)
def outcome(request: PageRequest, pk: int) -> HttpResponse:
    """Log what came of a task; then the next one is open."""
    found, said = task_or_404(request, pk), request.POST
    query = query_from(QueryDict(said.get("back", "")))
    try:
        logged = log_outcome(
            acting(request),
            pk,
            version=_number(said.get("version")),
            contact=said.get("contact", ""),
            issue=said.get("issue", ""),
            result=said.get("result", ""),
            note=said.get("note", ""),
            follow_up_on=_date(said.get("follow_up_on")),
            now=request.now,
            today=request.today,
        )
    except OutcomeInvalid as invalid:
        return _again(request, found, query, status=422, problems=invalid.problems)
    except OutcomeConflict as conflict:
        return _again(request, conflict.task, query, status=409, conflict=str(conflict))
    return after_change(request, query, said=effects_of(logged), after=logged.task, undo=logged)


@require_POST
@page(Action.WORK)
def undo(request: PageRequest, pk: int) -> HttpResponse:
    """Take back the outcome of a task, on the same day; one's own, or as somebody who assigns work."""
    found = task_or_404(request, pk)
    query = query_from(QueryDict(request.POST.get("back", "")))
    logged = Outcome.objects.filter(task=found).first()
    if logged is not None and logged.logged_by_id != request.user.pk and not may(request.user, Action.ASSIGN):
        return _again(request, found, query, status=409, conflict="Only who logged an outcome takes it back.")
    try:
        undone = undo_outcome(acting(request), logged.pk if logged else 0, now=request.now, today=request.today)
    except UndoRefused as refused:
        return _again(request, found, query, status=409, conflict=str(refused))
    return after_change(request, query, said=_undone_words(undone), show=undone.task)


def _undone_words(undone: Undone) -> str:
    return f"{undone.task.title}: the outcome was taken back. {undone.runs.words}".rstrip()


def task_or_404(request: PageRequest, pk: int) -> Task:
    """The task when this person may see its customer."""
    chosen = Task.objects.select_related("assignee", "linked_to", "outcome__logged_by")
    found = chosen.filter(pk=pk).first()
    if found is None:
        raise Http404
    customer_or_404(request, found.customer_id)
    return found


def after_change(
    request: PageRequest,
    query: QueueQuery,
    *,
    said: str,
    after: Task | None = None,
    show: Task | None = None,
    undo: Outcome | None = None,
    problem: str = "",
) -> HttpResponse:
    """The queue after something was done: what happened in words, and the next task open."""
    context = queue_context(request, query)
    following = show or next_of(context["queue"], after)
    if not request.htmx:
        messages.success(request, said)
        return redirect("task", following.pk) if following else redirect("today")
    if following is not None:
        context |= card_context(request, following, query)
    context |= {"said": said, "problem": problem, "undo": undo, "focus": True, "chosen": following is not None}
    answer = render(request, WORK, context)
    address = reverse("task", args=[following.pk]) if following else reverse("today")
    answer["HX-Push-Url"] = f"{address}?{context['address']}" if context["address"] else address
    answer["HX-Trigger"] = "keepwell:close-dialog"
    return answer


def card_context(request: PageRequest, found: Task, query: QueueQuery) -> dict[str, Any]:
    """What the card needs."""
    at, model = moment_of(request), published_model(request.workspace)
    card = task_card(request.workspace, found, model=model, today=request.today)
    return {
        "card": card,
        "task": found,
        "due": due_words(found, at),
        "query": query,
        "back": request.GET.urlencode() if request.method == "GET" else request.POST.get("back", ""),
        "contacts": [(*choice, str(place)) for place, choice in enumerate(Outcome.Contact.choices, 1)],
        "issues": [(*choice, str(place)) for place, choice in enumerate(Outcome.Issue.choices, 4)],
        "results": [(*choice, RESULTS[choice[0]]) for choice in Outcome.Result.choices],
        "chosen_values": {"contact": card.preset.contact, "issue": card.preset.issue},
        "can_work": may(request.user, Action.WORK),
        "can_undo": _can_undo(request, found),
        **checklist_context(request, found),
        "currency": request.workspace.currency,
        "today": request.today,
    }


def checklist_context(request: PageRequest, found: Task) -> dict[str, Any]:
    """What the points of a task need."""
    return {
        "task": found,
        "ticked": sum(bool(point.get("done")) for point in found.checklist),
        "can_tick": may(request.user, Action.WORK) and found.state in OPEN_STATES,
    }


def effects_of(logged: Outcome) -> str:
    """What an outcome did, for the person who logged it."""
    who, words = logged.task.company, outcome_words(logged)
    if logged.result == Outcome.Result.LOST:
        return f"{who}: {words}. Marked as lost: it has left every queue and counts as churned from today."
    if logged.result == Outcome.Result.FOLLOW_UP:
        return f"{who}: {words} on {day(logged.follow_up_on)}. Until then only something new opens another task."
    hold = Hold.objects.filter(outcome=logged).first()
    until = f" until {day(hold.until)}" if hold and hold.until else ""
    label = segment_label(hold.segment if hold else "")
    return f"{who}: {words}. Shown as {label}{until}, or until something new is true."


def _answer(request: PageRequest, context: dict[str, Any], shown: Task | None, *, chosen: bool) -> HttpResponse:
    """The whole page; `chosen` says that somebody asked for the task, which a phone then shows alone."""
    query: QueueQuery = context["query"]
    if shown is not None:
        context |= card_context(request, shown, query) | {"back": context["address"]}
    if not context["lines"]:
        context["run_time"] = team_settings(request.workspace).run_time
    context |= {"chosen": chosen}
    return render(request, PAGE, context)


def _again(request: PageRequest, found: Task, query: QueueQuery, *, status: int, **more: Any) -> HttpResponse:
    """The card with what is wrong, as the person filled it in."""
    said = request.POST
    found = task_or_404(request, found.pk)
    filled = {name: said.get(name, "") for name in ("contact", "issue", "result", "note", "follow_up_on")}
    context = card_context(request, found, query) | more | {"chosen_values": filled, "focus": True}
    if request.htmx:
        answer = render(request, CARD, context, status=status)
        answer["HX-Retarget"], answer["HX-Reswap"] = "#card", "outerHTML"
        return answer
    whole = queue_context(request, query) | context | {"chosen": True}
    return render(request, PAGE, whole, status=status)


def _can_undo(request: PageRequest, found: Task) -> bool:
    logged: Outcome | None = getattr(found, "outcome", None)
    if logged is None or logged.logged_at.astimezone(get_default_timezone()).date() != request.today:
        return False
    return logged.logged_by_id == request.user.pk or may(request.user, Action.ASSIGN)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
