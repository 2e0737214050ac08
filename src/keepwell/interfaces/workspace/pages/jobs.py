"""Background work: what runs, what ran, and asking for more."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.job_words import shown_job
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.job_requests import JobRefused, backfill_ask, job_again, load_ask, run_ask
from keepwell.services.team.jobs import WAITING, job_cancel
from keepwell.services.team.schedule import next_run
from keepwell.services.team.settings import team_settings
from keepwell.services.team.sync import inbox_files
from keepwell.services.team.worker import worker_seen
from keepwell.store.models import Job

PAGE: Final = 25
_DATE: Final = forms.DateInput(attrs={"class": "form-control", "type": "date"})


class RangeForm(forms.Form):
    """A range of days to compute."""

    first = forms.DateField(label="First day", widget=_DATE)
    last = forms.DateField(label="Last day", widget=_DATE)


class WhichForm(forms.Form):
    """Which jobs to list."""

    kind = forms.ChoiceField(required=False, choices=[("", "All work"), *Job.Kind.choices])
    state = forms.ChoiceField(required=False, choices=[("", "Any state"), *Job.State.choices])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs = {"class": "form-select", "data-submit": "", "aria-label": name.capitalize()}


@require_GET
@page(Action.RUN_JOBS)
def jobs(request: PageRequest) -> HttpResponse:
    """All work, the newest first; while something runs, the list renews itself."""
    known = _listed(request)
    if request.htmx:
        return render(request, "workspace/jobs/table.html", known)
    return render(request, "workspace/jobs/list.html", known | _around(request, RangeForm()))


@require_GET
@page(Action.RUN_JOBS)
def job(request: PageRequest, pk: int) -> HttpResponse:
    """One job: what it does or did, and what came of it."""
    found = get_object_or_404(Job.objects.select_related("requested_by"), pk=pk)
    template = "workspace/jobs/status.html" if request.htmx else "workspace/jobs/job.html"
    return render(request, template, {"one": shown_job(found, request.now), "opened": found.tasks.count()})


@require_POST
@page(Action.RUN_JOBS)
def job_run(request: PageRequest) -> HttpResponse:
    """Run today now."""
    return _asked(request, run_ask(acting(request), day=request.today, today=request.today, now=request.now))


@require_POST
@page(Action.RUN_JOBS)
def job_load(request: PageRequest) -> HttpResponse:
    """Load what lies in the inbox."""
    return _asked(request, load_ask(acting(request), now=request.now))


@require_POST
@page(Action.RUN_JOBS)
def job_backfill(request: PageRequest) -> HttpResponse:
    """Compute a range of days."""
    form = RangeForm(request.POST)
    if form.is_valid():
        try:
            asked = backfill_ask(acting(request), today=request.today, now=request.now, **form.cleaned_data)
        except JobRefused as refused:
            form.add_error("last", str(refused))
        else:
            return _asked(request, asked)
    return render(request, "workspace/jobs/list.html", _listed(request) | _around(request, form), status=422)


@require_POST
@page(Action.RUN_JOBS)
def job_stop(request: PageRequest, pk: int) -> HttpResponse:
    """Cancel a job."""
    found = get_object_or_404(Job, pk=pk)
    if job_cancel(acting(request), found.pk, request.now):
        messages.success(request, f"{shown_job(found, request.now).title} is being cancelled.")
    else:
        messages.warning(request, "It had ended already; nothing was cancelled.")
    return redirect("job", pk)


@require_POST
@page(Action.RUN_JOBS)
def job_repeat(request: PageRequest, pk: int) -> HttpResponse:
    """The same once more."""
    found = get_object_or_404(Job, pk=pk)
    try:
        return _asked(request, job_again(acting(request), found, today=request.today, now=request.now))
    except JobRefused as refused:
        messages.warning(request, str(refused))
        return redirect("job", pk)


def _asked(request: PageRequest, asked: Job) -> HttpResponse:
    if asked.requested_by_id != request.user.pk or asked.state != Job.State.QUEUED:
        messages.info(request, "This is being worked on already.")
    return redirect("job", asked.pk)


def _listed(request: PageRequest) -> dict[str, Any]:
    form = WhichForm(request.GET)
    found = Job.objects.select_related("requested_by").order_by("-pk")
    for name, value in form.cleaned_data.items() if form.is_valid() else ():
        found = found.filter(**{name: value}) if value else found
    shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    rows = [shown_job(one, request.now) for one in shown]
    return {
        "shown": shown,
        "rows": rows,
        "kept": kept.urlencode(),
        "which": form,
        "filtered": any(request.GET.get(name) for name in form.fields),
        "active": Job.objects.filter(state__in=WAITING).exists(),
        "again": f"{reverse('jobs')}?{request.GET.urlencode()}",
    }


def _around(request: PageRequest, form: RangeForm) -> dict[str, Any]:
    settings = team_settings(request.workspace)
    return {
        "form": form,
        "settings": settings,
        "next_run": next_run(settings.run_time, request.workspace.zone, request.now),
        "worker": worker_seen(request.now),
        "inbox": inbox_files(request.workspace),
    }
