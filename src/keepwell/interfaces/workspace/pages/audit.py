"""The audit log: who changed what, when and why."""

from datetime import datetime, time, timedelta

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import make_aware
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.services.team.access import Action
from keepwell.store.models import AuditEntry

PAGE = 50


class AuditForm(forms.Form):
    """What to look for."""

    q = forms.CharField(
        label="Words", required=False, widget=forms.TextInput(attrs={"class": "form-control", "placeholder": "Words"})
    )
    area = forms.CharField(label="Area", required=False, widget=forms.Select(attrs={"class": "form-select"}))
    since = forms.DateField(
        label="From", required=False, widget=forms.DateInput(attrs={"class": "form-control", "type": "date"})
    )
    until = forms.DateField(
        label="To", required=False, widget=forms.DateInput(attrs={"class": "form-control", "type": "date"})
    )


@require_GET
@page(Action.SEE_AUDIT)
def audit(request: PageRequest) -> HttpResponse:
    """Changes, the newest first, found by words, area and days."""
    areas = sorted(
        {action.split(".")[0] for action in AuditEntry.objects.order_by().values_list("action", flat=True).distinct()}
    )
    form = AuditForm(request.GET)
    form.fields["area"].widget.choices = [
        ("", "All areas"),
        *((area, area.replace("_", " ").capitalize()) for area in areas),
    ]
    found = _found(form) if form.is_valid() else AuditEntry.objects.none()
    shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    return render(request, "workspace/audit/list.html", {"form": form, "shown": shown, "kept": kept.urlencode()})


def _found(form: AuditForm) -> QuerySet[AuditEntry]:
    wanted = form.cleaned_data
    found = AuditEntry.objects.all()
    if words := wanted["q"].strip():
        found = found.filter(
            Q(summary__icontains=words) | Q(actor_name__icontains=words) | Q(customer_id__iexact=words)
        )
    if wanted["area"]:
        found = found.filter(action__startswith=wanted["area"] + ".")
    if wanted["since"]:
        found = found.filter(at__gte=make_aware(datetime.combine(wanted["since"], time.min)))
    if wanted["until"]:
        found = found.filter(at__lt=make_aware(datetime.combine(wanted["until"] + timedelta(days=1), time.min)))
    return found
