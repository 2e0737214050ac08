"""Webhooks: which programs are told of which events, and what became of the deliveries."""

from collections import Counter
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.outbox_shown import STATE_COLORS
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.outbox.announcing import EVENTS
from keepwell.services.team.outbox.switches import live
from keepwell.services.team.outbox.targets import (
    TargetError,
    deliveries,
    target_change,
    target_delete,
    target_make,
    target_secret,
)
from keepwell.services.team.outbox.trying import try_target
from keepwell.store.models import Channel, Outgoing, WebhookTarget

PAGE: Final = 25
_TEXT: Final = {"class": "form-control"}


class TargetForm(forms.Form):
    """Where events go, and which."""

    name = forms.CharField(label="Name", max_length=80, widget=forms.TextInput(attrs=_TEXT))
    url = forms.CharField(
        label="Address",
        max_length=500,
        help_text="It begins with https:// and leads to a public server.",
        widget=forms.URLInput(
            attrs=_TEXT | {"placeholder": "https://example.com/hooks/keepwell", "spellcheck": "false"}
        ),
    )
    events = forms.MultipleChoiceField(label="Events", choices=[(name, one.words) for name, one in EVENTS.items()])


@require_GET
@page(Action.MANAGE_CHANNELS)
def webhooks(request: PageRequest) -> HttpResponse:
    """All targets, and a form for another."""
    return _list(request, TargetForm())


@require_POST
@never_cache
@page(Action.MANAGE_CHANNELS)
def webhook_make(request: PageRequest) -> HttpResponse:
    """A new target; its secret is shown once."""
    form = TargetForm(request.POST)
    if form.is_valid():
        try:
            target = target_make(acting(request), now=request.now, **form.cleaned_data)
        except TargetError as error:
            form.add_error(error.field or None, str(error))
        else:
            return _secret(request, target)
    return _list(request, form, status=422)


@page(Action.MANAGE_CHANNELS)
def webhook(request: PageRequest, pk: int) -> HttpResponse:
    """One target: what it gets, and its deliveries."""
    target = get_object_or_404(WebhookTarget, pk=pk)
    form = TargetForm(request.POST or None, initial={"name": target.name, "url": target.url, "events": target.events})
    if request.method == "POST" and form.is_valid():
        on = request.POST.get("on") == "1"
        try:
            target_change(acting(request), pk, on=on, now=request.now, **form.cleaned_data)
        except TargetError as error:
            form.add_error(error.field or None, str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("webhook", pk)
    known = _one(request, target) | {"form": form, "chosen": _chosen(form)}
    return render(request, "workspace/webhooks/target.html", known, status=422 if form.errors else 200)


@require_POST
@page(Action.MANAGE_CHANNELS)
def webhook_test(request: PageRequest, pk: int) -> HttpResponse:
    """Send a test event now."""
    row = try_target(acting(request), request.user, get_object_or_404(WebhookTarget, pk=pk), request.now)
    if row.state == Outgoing.State.SENT:
        messages.success(request, "The target took the test.")
    else:
        messages.warning(request, f"The test failed: {row.error}")
    return redirect("webhook", pk)


@require_POST
@never_cache
@page(Action.MANAGE_CHANNELS)
def webhook_secret(request: PageRequest, pk: int) -> HttpResponse:
    """A new secret, shown once."""
    get_object_or_404(WebhookTarget, pk=pk)
    return _secret(request, target_secret(acting(request), pk, request.now))


@require_POST
@page(Action.MANAGE_CHANNELS)
def webhook_delete(request: PageRequest, pk: int) -> HttpResponse:
    """Forget a target."""
    target = get_object_or_404(WebhookTarget, pk=pk)
    target_delete(acting(request), pk, request.now)
    messages.success(request, f"Nothing more goes to {target.name}.")
    return redirect("webhooks")


def _secret(request: PageRequest, target: WebhookTarget) -> HttpResponse:
    return render(request, "workspace/webhooks/secret.html", {"target": target})


def _list(request: PageRequest, form: TargetForm, status: int = 200) -> HttpResponse:
    known = {
        "targets": [(one, _lately(one)) for one in WebhookTarget.objects.order_by("name")],
        "form": form,
        "events": EVENTS,
        "chosen": _chosen(form),
        "live": _live(),
    }
    return render(request, "workspace/webhooks/list.html", known, status=status)


def _lately(target: WebhookTarget) -> dict[str, int]:
    """States of the last deliveries."""
    return dict(Counter(deliveries(target).values_list("state", flat=True)[:100]))


def _one(request: PageRequest, target: WebhookTarget) -> dict[str, Any]:
    shown = Paginator(deliveries(target).defer("text", "html"), PAGE).get_page(request.GET.get("page"))
    return {"target": target, "events": EVENTS, "shown": shown, "kept": "", "colors": STATE_COLORS, "live": _live()}


def _chosen(form: TargetForm) -> list[str]:
    return list(form["events"].value() or ())


def _live() -> bool:
    return live("webhook", Channel.Audience.INTERNAL)
