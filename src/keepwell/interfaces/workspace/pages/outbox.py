"""The outbox: every message that left, will leave or would have left, exactly as it is sent."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.framed import framed, framing
from keepwell.interfaces.workspace.pages.outbox_shown import STATE_COLORS, Message, asked_by, shown_message
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.services.published import NothingPublished, customers_named
from keepwell.services.team.access import Action
from keepwell.services.team.outbox.listing import CHANNELS, OutboxQuery, outbox_counts, outbox_found, outbox_seen
from keepwell.services.team.outbox.queue import OutboxError, leave, send_again
from keepwell.store.models import Channel, Outgoing

PAGE: Final = 50
_SELECT: Final = {"class": "form-select", "data-submit": ""}


class OutboxForm(forms.Form):
    """What to look for."""

    q = forms.CharField(required=False, max_length=200)
    state = forms.ChoiceField(
        required=False, choices=[("", "Any state"), ("open", "On their way"), *Outgoing.State.choices]
    )
    channel = forms.ChoiceField(required=False, choices=[("", "All channels"), *CHANNELS.items()])
    audience = forms.ChoiceField(required=False, choices=[("", "Everybody"), *Channel.Audience.choices])
    customer = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)
    run = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("state", "channel", "audience"):
            self.fields[name].widget.attrs = _SELECT | {"aria-label": name.capitalize()}

    def query(self) -> OutboxQuery:
        """As the service takes it; what cannot be used is left out."""
        self.is_valid()
        given = self.cleaned_data
        return OutboxQuery(
            state=given.get("state", ""),
            channel=given.get("channel", ""),
            audience=given.get("audience", ""),
            customer_id=given.get("customer", ""),
            run=given.get("run"),
            search=given.get("q", ""),
        )


@require_GET
@page(Action.SEE)
def outbox(request: PageRequest) -> HttpResponse:
    """All messages that the person may see, the newest first."""
    form = OutboxForm(request.GET)
    query = form.query()
    rows = outbox_seen(request.workspace, request.user)
    counts = outbox_counts(rows)
    found = outbox_found(rows.defer("text", "html").select_related("run"), query)
    shown = Paginator(found, PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known = {
        "shown": shown,
        "kept": kept.urlencode(),
        "form": form,
        "query": query,
        "filtered": query != OutboxQuery(),
        "figures": _figures(counts),
        "colors": STATE_COLORS,
        "channels": CHANNELS,
        "names": _names(request, list(shown)),
        "asked_by": asked_by(request.workspace, shown),
    }
    return render(request, "workspace/outbox/table.html" if request.htmx else "workspace/outbox/list.html", known)


def _names(request: PageRequest, rows: list[Outgoing]) -> dict[str, str]:
    """The names of customers that messages know by their ids alone."""
    wanted = {row.customer_id for row in rows if row.customer_id and not row.company}
    try:
        return {name: found.name for name, found in customers_named(request.workspace, sorted(wanted)).items()}
    except NothingPublished:
        return {}


def _figures(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """The figures above the list: where they lead, what they count, how many."""
    chosen = (
        ("open", "On their way"),
        ("sent", "Sent"),
        ("rehearsed", "Dry run"),
        ("dead", "Given up"),
        ("suppressed", "Not allowed"),
    )
    return [(state, words, counts.get(state, 0)) for state, words in chosen]


@require_GET
@framing
@page(Action.SEE)
def outgoing(request: PageRequest, pk: int) -> HttpResponse:
    """One message: what was or would be sent, and what became of it."""
    return render(request, "workspace/outbox/message.html", {"one": _shown(request, pk)})


@require_GET
@page(Action.SEE)
def outgoing_html(request: PageRequest, pk: int) -> HttpResponse:
    """The HTML of a message, for a frame in which nothing works."""
    row = _row(request, pk)
    if not row.html:
        raise Http404
    return framed(row.html)


@require_POST
@page(Action.WORK)
def outgoing_again(request: PageRequest, pk: int) -> HttpResponse:
    """Send again what was given up."""
    row = _row(request, pk)
    try:
        send_again(acting(request), row.pk, request.now)
        messages.success(request, "It will be sent again within a moment.")
    except OutboxError as error:
        messages.warning(request, str(error))
    return redirect(_back(request, row))


@require_POST
@page(Action.WORK)
def outgoing_leave(request: PageRequest, pk: int) -> HttpResponse:
    """Do not send what has not left yet."""
    row = _row(request, pk)
    why = request.POST.get("why", "").strip()[:255]
    try:
        leave(acting(request), row.pk, why or f"Cancelled by {request.user.shown_name}", request.now)
        messages.success(request, "It will not be sent.")
    except OutboxError as error:
        messages.warning(request, str(error))
    return redirect(_back(request, row))


def _back(request: PageRequest, row: Outgoing) -> str:
    target = row.payload.get("target")
    if request.POST.get("back") == "target" and isinstance(target, int) and row.channel == "webhook":
        return reverse("webhook", args=[target])
    return reverse("outgoing", args=[row.pk])


def _row(request: PageRequest, pk: int) -> Outgoing:
    found = outbox_seen(request.workspace, request.user).select_related("run").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _shown(request: PageRequest, pk: int) -> Message:
    return shown_message(request.workspace, _row(request, pk))
