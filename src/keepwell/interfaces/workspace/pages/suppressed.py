"""Addresses that nothing is sent to: who is on the list, why, and who put them there."""

from typing import Final
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.outbox.suppression import ALL, SCOPES, SuppressionError, allow, suppress, suppressions
from keepwell.store.models import Suppression

PAGE = 50
_TEXT = {"class": "form-control"}
OFF: Final = "The address may be written to again. The data says so from the next run on."
NO_NEWS: Final = "The address may be written to again, but it gets no marketing: it was unsubscribed."


class SuppressForm(forms.Form):
    """Whom not to write to, and what of."""

    address = forms.EmailField(label="E-mail", max_length=320, widget=forms.EmailInput(attrs=_TEXT))
    scope = forms.ChoiceField(
        label="What is not sent",
        choices=list(SCOPES.items()),
        initial=ALL,
        help_text="Marketing alone leaves personal messages and those of the service.",
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    note = forms.CharField(
        label="Why", max_length=255, required=False, widget=forms.TextInput(attrs=_TEXT | {"placeholder": "By phone"})
    )


@require_GET
@page(Action.SWITCH_PLAYBOOKS)
def suppressed(request: PageRequest) -> HttpResponse:
    """The list, found by a part of an address and by the reason."""
    return _shown(request, SuppressForm())


@require_POST
@page(Action.SWITCH_PLAYBOOKS)
def suppressed_add(request: PageRequest) -> HttpResponse:
    """Put an address on the list."""
    form = SuppressForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, 422)
    given = form.cleaned_data
    try:
        row = suppress(
            acting(request),
            given["address"],
            why=Suppression.Why.BY_HAND,
            scope=given["scope"],
            note=given["note"],
            now=request.now,
        )
    except SuppressionError as error:
        form.add_error("address", str(error))
        return _shown(request, form, 422)
    messages.success(request, f"{row.address} gets no more {'marketing' if row.scope != ALL else 'messages'}.")
    return redirect("suppressed")


@require_POST
@page(Action.SWITCH_PLAYBOOKS)
def suppressed_remove(request: PageRequest, pk: int) -> HttpResponse:
    """Take an address from the list."""
    try:
        allow(acting(request), pk, request.now, reason=request.POST.get("reason", "").strip()[:255])
    except SuppressionError as error:
        messages.error(request, str(error))
    else:
        still = suppressions().filter(pk=pk).exists()
        messages.success(request, NO_NEWS if still else OFF)
    return redirect("suppressed")


def _shown(request: PageRequest, form: SuppressForm, status: int = 200) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    why = request.GET.get("why", "")
    why = why if why in Suppression.Why.values else ""
    shown = Paginator(suppressions(search, why=why), PAGE).get_page(request.GET.get("page"))
    kept = urlencode({name: value for name, value in (("q", search), ("why", why)) if value})
    about = {
        "form": form,
        "shown": shown,
        "search": search,
        "why": why,
        "kept": kept,
        "reasons": Suppression.Why.choices,
    }
    return render(request, "workspace/mail/suppressed.html", about, status=status)
