"""Runs of playbooks: the list, one as a timeline, started and stopped by hand, and those of a customer."""

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.customer import customer_page
from keepwell.interfaces.workspace.pages.playbooks import heading, playbook_or_404
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.interfaces.workspace.playbook_flow import flow_of
from keepwell.interfaces.workspace.playbook_runs_shown import RunShown, run_shown
from keepwell.interfaces.workspace.playbook_steps import steps_shown
from keepwell.interfaces.workspace.playbook_words import COMPANY, playbook_label
from keepwell.model.definitions import Model
from keepwell.services.published import PortfolioQuery, portfolio_page
from keepwell.services.team.access import Action, may, may_see_customer, scope_of
from keepwell.services.team.playing.beginning import StartRefused
from keepwell.services.team.playing.definitions import in_model, playbook_model
from keepwell.services.team.playing.seen import customers_seen
from keepwell.services.team.playing.shown import runs_of
from keepwell.services.team.playing.starts import start_by_hand, stop_run
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import PlaybookRun

PAGE: Final = 50
FOUND: Final = 8
OF_CUSTOMER: Final = 12
STATES: Final = (
    ("", "All runs"),
    ("running", "Running"),
    ("ended", "Ended"),
    ("answered", "Answered"),
    ("succeeded", "Reached the goal"),
)


@require_GET
@page(Action.SEE)
def playbook_runs(request: PageRequest, name: str) -> HttpResponse:
    """All runs of a playbook that the person may see."""
    model = playbook_model(request.workspace)
    seen = customers_seen(request.workspace, request.user)
    state, find = request.GET.get("state", ""), request.GET.get("find", "").strip()
    found = runs_of(seen, playbook=name, state=state, find=find)
    if name not in model.playbooks and not runs_of(None, playbook=name).exists():
        raise Http404
    shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known = {
        **heading(request, model, name),
        "shown": shown,
        "runs": list(shown),
        "kept": kept.urlencode(),
        "state": state,
        "find": find,
        "states": STATES,
        "labels": _labels(model, name),
        "empty": "No run fits. Choose others above." if state or find else "",
    }
    return render(request, "workspace/playbooks/runs.html", known)


@require_GET
@page(Action.SEE)
def playbook_run(request: PageRequest, pk: int) -> HttpResponse:
    """One run: its way so far, what it waits for, and how it goes on."""
    run = run_or_404(request, pk)
    shown = run_shown(request.workspace, run)
    template = "run_body" if request.htmx.target == "run" else "run"
    return render(request, f"workspace/playbooks/{template}.html", _run_known(request, shown))


@require_POST
@page(Action.WORK)
def playbook_run_stop(request: PageRequest, pk: int) -> HttpResponse:
    """Stop a run: nothing that it waits for happens any more."""
    run = run_or_404(request, pk)
    if run.ended_at is not None:
        messages.info(request, "It had ended already.")
    else:
        stop_run(acting(request), run, request.now)
        messages.success(request, f"Stopped for {run.company}. Messages that were not sent yet are withdrawn.")
    return redirect("playbook_run", pk)


def run_or_404(request: PageRequest, pk: int) -> PlaybookRun:
    """A run of a customer whom the person may see."""
    run = PlaybookRun.objects.filter(pk=pk).first()
    if run is None or not may_see_customer(request.user, run.customer_id):
        raise Http404
    return run


def _run_known(request: PageRequest, shown: RunShown) -> dict[str, Any]:
    return {
        "shown": shown,
        "run": shown.run,
        "label": shown.label,
        "steps": shown.steps,
        "flow": flow_of(shown.steps, shown.trigger, shown.states) if shown.steps else None,
        "in_model": in_model(request.workspace, shown.run.playbook),
        "may_stop": may(request.user, Action.WORK) and shown.run.ended_at is None,
    }


@page(Action.WORK)
def playbook_start(request: PageRequest, name: str) -> HttpResponseBase:
    """Choose a customer and start a playbook by hand."""
    model = playbook_model(request.workspace)
    playbook_or_404(model, name)
    if request.method == "POST":
        customer_id = customer_or_404(request, request.POST.get("customer", ""))
        run = _started(request, name, customer_id)
        return redirect("playbook_run", run.pk) if run else redirect("playbook_start", name)
    find = request.GET.get("find", "").strip()
    query = PortfolioQuery(search=find, limit=FOUND, scope=scope_of(request.user), sort="name", descending=False)
    found = portfolio_page(request.workspace, query)
    going = PlaybookRun.objects.filter(
        playbook=name, ended_at__isnull=True, customer_id__in=[row.customer_id for row in found.rows]
    )
    known = {
        **heading(request, model, name),
        "find": find,
        "found": found,
        "going": dict(going.values_list("customer_id", "pk")),
        "first": steps_shown(model, model.playbooks[name])[0],
        "first_title": steps_shown(model, model.playbooks[name])[0].title.replace(COMPANY, "the customer"),
    }
    template = "start_found" if request.htmx.target == "found-customers" else "start"
    return render(request, f"workspace/playbooks/{template}.html", known)


@require_GET
@page(Action.SEE)
def customer_playbooks(request: PageRequest, customer_id: str) -> HttpResponse:
    """The playbooks of a customer: what goes on, what was, and starting another; a part of its page."""
    customer_or_404(request, customer_id)
    return _of_customer(request, customer_id) if request.htmx else redirect(customer_page(customer_id, "playbooks"))


@require_POST
@page(Action.WORK)
def customer_playbook_start(request: PageRequest, customer_id: str) -> HttpResponse:
    """Start a playbook for this customer."""
    customer_or_404(request, customer_id)
    name = request.POST.get("playbook", "")
    playbook_or_404(playbook_model(request.workspace), name)
    if not request.htmx:
        run = _started(request, name, customer_id)
        return redirect("playbook_run", run.pk) if run else redirect(customer_page(customer_id, "playbooks"))
    try:
        start_by_hand(acting(request), name, customer_id, request.now)
    except (StartRefused, WorkspaceError) as refused:
        return _of_customer(request, customer_id, problem=_refused_words(refused))
    return _of_customer(request, customer_id)


def _of_customer(request: PageRequest, customer_id: str, problem: str = "") -> HttpResponse:
    model = playbook_model(request.workspace)
    runs = list(runs_of(None, customer_id=customer_id)[:OF_CUSTOMER])
    going = {run.playbook for run in runs if run.ended_at is None}
    labels = {name: playbook_label(model, name) for name in {*model.playbooks, *(run.playbook for run in runs)}}
    known = {
        "customer_id": customer_id,
        "shown": [run_shown(request.workspace, run) for run in runs if run.ended_at is None],
        "ended": [run for run in runs if run.ended_at is not None],
        "playbook_labels": labels,
        "choices": sorted((labels[name], name) for name in model.playbooks if name not in going),
        "problem": problem,
    }
    return render(request, "workspace/playbooks/of_customer.html", known, status=422 if problem else 200)


def _started(request: PageRequest, name: str, customer_id: str) -> PlaybookRun | None:
    try:
        run = start_by_hand(acting(request), name, customer_id, request.now)
    except (StartRefused, WorkspaceError) as refused:
        messages.error(request, _refused_words(refused))
        return None
    if run.ended_at is None:
        messages.success(request, f"Started for {run.company}.")
    elif not run.success and run.reason != "done":
        messages.warning(request, f"It ended at once for {run.company}: {run.reason}.")
    return run


def _refused_words(refused: Exception) -> str:
    return f"Not started: the customer {refused}." if isinstance(refused, StartRefused) else str(refused)


def _labels(model: Model, name: str) -> dict[str, str]:
    found = model.playbooks.get(name)
    return {step.name: step.heading for step in steps_shown(model, found)} if found else {}
