"""A message of a playbook as a real customer would get it."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET
from liquid.exceptions import LiquidError

from keepwell.interfaces.workspace.framed import framed, framing
from keepwell.interfaces.workspace.pages.playbook_runs import FOUND
from keepwell.interfaces.workspace.pages.playbooks import heading, playbook_or_404
from keepwell.interfaces.workspace.pages.shared import PageRequest, page
from keepwell.interfaces.workspace.playbook_steps import steps_shown
from keepwell.interfaces.workspace.playbook_words import subject_said
from keepwell.model.definitions import Model
from keepwell.model.playbook_parts import message_of
from keepwell.model.step_definitions import AnyStep, OfferStep
from keepwell.model.timelines import timeline
from keepwell.playbooks.calendars import work_calendar
from keepwell.services.published import PortfolioQuery, PortfolioRow, customers_named, portfolio_page
from keepwell.services.team.access import Action, may_see_customer, scope_of
from keepwell.services.team.outbox.compose import Preview, preview_message
from keepwell.services.team.playing.definitions import playbook_model
from keepwell.services.team.playing.shown import runs_of


@require_GET
@framing
@page(Action.SEE)
def playbook_message(request: PageRequest, name: str, message: str) -> HttpResponse:
    """The message filled in for a customer: the one that is chosen, else one that has the playbook, else any."""
    model = playbook_model(request.workspace)
    step = _sending(model, name, message)
    find = request.GET.get("find", "").strip()
    found = _found(request, find)
    row = _chosen(request, name, found)
    preview, problem = _preview(request, model, step, message, row)
    known = {
        **heading(request, model, name),
        "message": message,
        "definition": model.messages[message],
        "subject": subject_said(model, model.messages[message].subject),
        "numbers": [step.number for step in steps_shown(model, model.playbooks[name]) if step.message == message],
        "find": find,
        "found": found,
        "row": row,
        "preview": preview,
        "problem": problem,
    }
    template = "message_body" if request.htmx.target == "letter" else "message"
    return render(request, f"workspace/playbooks/{template}.html", known)


@require_GET
@page(Action.SEE)
def playbook_message_html(request: PageRequest, name: str, message: str) -> HttpResponse:
    """The letter itself as it would leave, for a frame in which nothing works."""
    model = playbook_model(request.workspace)
    step = _sending(model, name, message)
    preview, _ = _preview(request, model, step, message, _chosen(request, name, _found(request, "")))
    if preview is None or not preview.html:
        raise Http404
    return framed(preview.html)


def _sending(model: Model, name: str, message: str) -> AnyStep:
    """The first step of a playbook that sends a message."""
    steps = playbook_or_404(model, name).steps
    found = next((step for step in steps if (message_of(step) or ("", ""))[1] == message), None)
    if found is None or message not in model.messages:
        raise Http404
    return found


def _found(request: PageRequest, find: str) -> tuple[PortfolioRow, ...]:
    query = PortfolioQuery(search=find, limit=FOUND, scope=scope_of(request.user), sort="name", descending=False)
    return portfolio_page(request.workspace, query).rows


def _chosen(request: PageRequest, name: str, found: tuple[PortfolioRow, ...]) -> PortfolioRow | None:
    asked = request.GET.get("customer", "")
    if asked:
        if not may_see_customer(request.user, asked):
            raise Http404
        return customers_named(request.workspace, [asked]).get(asked)
    if request.GET.get("find"):
        return found[0] if found else None
    for run in runs_of(None, playbook=name)[:FOUND]:
        if may_see_customer(request.user, run.customer_id):
            return customers_named(request.workspace, [run.customer_id]).get(run.customer_id)
    return found[0] if found else None


def _preview(
    request: PageRequest, model: Model, step: AnyStep, message: str, row: PortfolioRow | None
) -> tuple[Preview | None, str]:
    if row is None:
        return None, ""
    said = {name: str(getattr(step, name)) for name in ("to", "sender") if hasattr(step, name)}
    offer = _offer(request, model, step) if isinstance(step, OfferStep) else None
    try:
        return preview_message(request.workspace, message, row.customer_id, offer=offer, **said), ""
    except KeyError:
        return None, "There is nothing published of this customer."
    except LiquidError as error:
        return None, f"The message cannot be filled in: {error}"


def _offer(request: PageRequest, model: Model, step: OfferStep) -> dict[str, Any]:
    """What the message says of an offer that would be made now; its page is there once it is made."""
    calendar = work_calendar(model.calendar, request.workspace.zone)
    until = calendar.later(request.now, timeline(step.offer.expires)).date()
    offered = step.offer.model_dump(mode="json", exclude_none=True)
    return {**offered, "expires_on": until, "url": request.build_absolute_uri(reverse("offers"))}
