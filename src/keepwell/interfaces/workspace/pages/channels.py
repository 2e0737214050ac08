"""Channels: what may leave the house, to whom, and since when."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.team.access import Action
from keepwell.services.team.outbox.channels import (
    ChannelError,
    Switch,
    go_dry,
    go_live,
    origins_change,
    switches,
    way_of,
)
from keepwell.services.team.outbox.in_app import Reader
from keepwell.services.team.outbox.trying import try_channel
from keepwell.store.models import Channel, Outgoing

_TEXT = {"class": "form-control"}


class ReaderForm(forms.Form):
    """As whom one is signed in in the product, to see the test there."""

    customer = forms.CharField(label="Your customer id in the product", max_length=255)
    user = forms.CharField(label="Your user id in the product", max_length=255)


class OriginsForm(forms.Form):
    """The pages that show messages."""

    origins = forms.CharField(
        label="Pages that show messages",
        required=False,
        max_length=5_000,
        help_text="One beginning of an address per line, such as https://app.example.com.",
        widget=forms.Textarea(attrs=_TEXT | {"rows": 3, "spellcheck": "false"}),
    )


@require_GET
@page(Action.MANAGE_CHANNELS)
def channels(request: PageRequest) -> HttpResponse:
    """Every channel with its switch, what its configuration lacks, and the last test."""
    return _page(request)


@require_POST
@page(Action.MANAGE_CHANNELS)
def channel_switch(request: PageRequest, name: str, audience: str) -> HttpResponse:
    """Make a channel live, or rehearse again."""
    live = request.POST.get("live") == "1"
    try:
        way = way_of(name, audience)
        (go_live if live else go_dry)(acting(request), name, audience, request.now)
    except ChannelError as error:
        messages.warning(request, str(error))
    else:
        messages.success(request, f"{way.label}: {'live' if live else 'a dry run'} from now on.")
    return redirect("channels")


@require_POST
@page(Action.MANAGE_CHANNELS)
def channel_test(request: PageRequest, name: str, audience: str) -> HttpResponse:
    """Send a test to oneself."""
    try:
        way = way_of(name, audience)
    except ChannelError as error:
        messages.warning(request, str(error))
        return redirect("channels")
    if name == "webhook":
        return redirect("webhooks")
    form = ReaderForm(request.POST)
    reader = None
    if name == "in_app":
        if not form.is_valid():
            messages.warning(request, "Say as whom you are signed in in the product: your customer id and user id.")
            return redirect("channels")
        reader = Reader(form.cleaned_data["customer"], form.cleaned_data["user"])
    row = try_channel(acting(request), request.user, name, audience, request.now, reader)
    if row.state == Outgoing.State.SENT:
        messages.success(request, f"{way.label}: the test was sent. Look whether it arrived.")
    else:
        messages.warning(request, f"{way.label}: the test failed. {row.error}")
    return redirect("channels")


@require_POST
@page(Action.MANAGE_CHANNELS)
def channel_origins(request: PageRequest) -> HttpResponse:
    """Say which pages show messages inside the product."""
    form = OriginsForm(request.POST)
    if form.is_valid():
        try:
            origins_change(acting(request), form.cleaned_data["origins"].splitlines(), request.now)
        except ChannelError as error:
            form.add_error("origins", str(error))
        else:
            messages.success(request, "Saved.")
            return redirect("channels")
    return _page(request, form)


def _page(request: PageRequest, form: OriginsForm | None = None) -> HttpResponse:
    found = switches(request.user.pk, request.now)
    groups = [
        ("To customers", [one for one in found if one.way.audience == Channel.Audience.CUSTOMER]),
        ("To colleagues and programs", [one for one in found if one.way.audience == Channel.Audience.INTERNAL]),
    ]
    known = {
        "groups": groups,
        "form": form or OriginsForm(initial={"origins": _origins(found)}),
        "reader": ReaderForm(),
    }
    return render(request, "workspace/channels/list.html", known, status=422 if form else 200)


def _origins(found: list[Switch]) -> str:
    return "\n".join(next(one for one in found if one.way.name == "in_app").settings.get("origins", ()))
