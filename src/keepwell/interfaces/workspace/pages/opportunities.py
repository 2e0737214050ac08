"""Opportunities: the pipeline of what customers could buy, from the signal to won or lost."""

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, customer_or_404, page
from keepwell.services.team.access import Action, may
from keepwell.services.team.opportunities import (
    OPEN,
    OpportunityError,
    opportunity_contacted,
    opportunity_lost,
    opportunity_reopened,
    opportunity_won,
    yearly,
)
from keepwell.services.team.pipeline import (
    PipelineQuery,
    campaigns_for,
    pipeline_choices,
    pipeline_found,
    pipeline_history,
    pipeline_totals,
)
from keepwell.services.team.playing.starts import StartRefused, start_by_hand
from keepwell.services.workspace import WorkspaceError
from keepwell.store.models import Opportunity

PAGE: Final = 50
COLORS: Final = {"identified": "lime", "contacted": "yellow", "won": "green", "lost": "gray", "gone": "gray"}
URGENT: Final = {"HIGH": "red", "MEDIUM": "yellow", "LOW": "gray"}
VERBS: Final = ("contacted", "won", "lost", "reopened")
_MOST: Final = Decimal("9999999999999")


class WhichForm(forms.Form):
    """Which opportunities to list."""

    q = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(
        required=False, choices=[("", "In the pipeline"), *Opportunity.State.choices, ("all", "All")]
    )
    signal = forms.ChoiceField(required=False)
    owner = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, signals: list[tuple[str, str]], owners: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["signal"].choices = [("", "All signals"), *signals]  # type: ignore[attr-defined]
        names = [(name or "-", name or "No owner") for name in owners]
        self.fields["owner"].choices = [("", "All owners"), *names]  # type: ignore[attr-defined]
        for name in ("state", "signal", "owner"):
            self.fields[name].widget.attrs = {"class": "form-select", "data-submit": "", "aria-label": name.title()}

    def query(self) -> PipelineQuery:
        """As the service takes it; what cannot be used is left out."""
        self.is_valid()
        given = self.cleaned_data
        return PipelineQuery(
            search=given.get("q", ""),
            state=given.get("state", ""),
            signal=given.get("signal", ""),
            owner=given.get("owner", ""),
        )


class WonForm(forms.Form):
    """What it brings in a year."""

    value = forms.DecimalField(label="Value in a year", required=False, min_value=Decimal(0), max_value=_MOST)
    note = forms.CharField(label="Note", required=False, max_length=4000)


@require_GET
@page(Action.SEE)
def opportunities(request: PageRequest) -> HttpResponse:
    """The pipeline: what there is at which stage, and the list in the order in which to work."""
    signals, owners = pipeline_choices(request.user)
    form = WhichForm(request.GET, signals=signals, owners=owners)
    query = form.query()
    shown = Paginator(pipeline_found(request.user, query), PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known = {
        "shown": shown,
        "kept": kept.urlencode(),
        "form": form,
        "query": query,
        "filtered": query != PipelineQuery(),
        "totals": pipeline_totals(request.user, request.now),
        "colors": COLORS,
        "urgent": URGENT,
        "currency": request.workspace.currency,
    }
    return render(request, f"workspace/opportunities/{'table' if request.htmx else 'list'}.html", known)


@require_GET
@page(Action.SEE)
def opportunity(request: PageRequest, pk: int) -> HttpResponse:
    """One opportunity: why, what it is worth, what to do next, and what was done."""
    return _shown(request, _opportunity_or_404(request, pk))


@require_POST
@page(Action.WORK)
def opportunity_change(request: PageRequest, pk: int, verb: str) -> HttpResponse:
    """Move it: contacted, won, lost, or back into the pipeline."""
    if verb not in VERBS:
        raise Http404
    found, said = _opportunity_or_404(request, pk), request.POST
    version = int(said["version"]) if said.get("version", "").isdecimal() and len(said["version"]) < 10 else 0
    note = said.get("note", "")[:4000]
    who, now = acting(request), request.now
    try:
        match verb:
            case "contacted":
                done = opportunity_contacted(who, found.pk, version=version, note=note, now=now)
            case "won":
                form = WonForm(said)
                if not form.is_valid():
                    raise OpportunityError("What was won is an amount of money, like 1200.")
                value = form.cleaned_data["value"]
                done = opportunity_won(who, found.pk, version=version, value=value, note=note, now=now)
            case "lost":
                done = opportunity_lost(who, found.pk, version=version, note=note, now=now)
            case _:
                done = opportunity_reopened(who, found.pk, version=version, now=now)
    except OpportunityError as refused:
        return _shown(request, _opportunity_or_404(request, pk), problem=str(refused), note=note, status=422)
    messages.success(request, f"{done.title} of {done.company}: {done.get_state_display().lower()}.")
    return redirect("opportunity", pk)


@require_POST
@page(Action.WORK)
def opportunity_campaign(request: PageRequest, pk: int) -> HttpResponse:
    """Start a campaign of the model for this customer."""
    found = _opportunity_or_404(request, pk)
    name = request.POST.get("playbook", "")
    if name not in {campaign.name for campaign in campaigns_for(request.workspace, found.signal)}:
        return _shown(request, found, problem="Choose a campaign.", status=422)
    try:
        run = start_by_hand(acting(request), name, found.customer_id, request.now)
    except (StartRefused, WorkspaceError) as refused:
        return _shown(request, found, problem=str(refused), status=422)
    messages.success(request, f"Started for {found.company}. Nothing is sent while its channel is a dry run.")
    return redirect("playbook_run", run.pk)


def _opportunity_or_404(request: PageRequest, pk: int) -> Opportunity:
    found = Opportunity.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    customer_or_404(request, found.customer_id)
    return found


def _shown(
    request: PageRequest, one: Opportunity, *, problem: str = "", note: str = "", status: int = 200
) -> HttpResponse:
    known = {
        "one": one,
        "yearly": yearly(one),
        "open": one.state in OPEN,
        "color": COLORS[one.state],
        "urgent": URGENT.get(one.urgency, "gray"),
        "campaigns": campaigns_for(request.workspace, one.signal) if one.state in OPEN else (),
        "history": pipeline_history(one),
        "can_work": may(request.user, Action.WORK),
        "problem": problem,
        "note": note,
        "currency": request.workspace.currency,
    }
    return render(request, "workspace/opportunities/one.html", known, status=status)
