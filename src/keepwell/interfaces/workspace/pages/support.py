"""Support: the open tickets, the most urgent first, one ticket, and what people say of it."""

from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.interfaces.workspace.support_shown import PRIORITY_COLORS, level_lines, ticket_line
from keepwell.services.team.access import Action, may
from keepwell.services.team.support.classifier import learned_of
from keepwell.services.team.support.desk import CHOICES, PRIORITIES
from keepwell.services.team.support.judging import TicketRefused, ticket_correct
from keepwell.services.team.support.listing import (
    STATES,
    SupportQuery,
    Waiting,
    chosen,
    escalations_found,
    may_see_escalations,
    of_sources,
    support_figures,
    ticket_seen,
    waiting_tickets,
)
from keepwell.services.team.support.tickets import DeskTicket
from keepwell.store.models import Escalation

PAGE: Final = 50


@require_GET
@page(Action.SEE)
def support(request: PageRequest) -> HttpResponse:
    """The open tickets, by priority and what is due first, and how service levels are kept."""
    found = waiting_tickets(request.workspace, request.user, request.now)
    query = _query(request)
    shown = Paginator(chosen(found, query), PAGE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    known: dict[str, Any] = {
        "shown": shown,
        "lines": [ticket_line(one, request.now) for one in shown],
        "kept": kept.urlencode(),
        "query": query,
        "filtered": query != SupportQuery(),
        "any": bool(found),
        "choices": _choices(found),
        "now": request.now,
        "escalations": _open_escalations(request),
    }
    if not request.htmx:
        known["figures"] = support_figures(request.workspace, request.user, request.now)
        known["learned"], known["sources"] = learned_of(), of_sources(found).most_common()
    return render(request, f"workspace/support/{'table' if request.htmx else 'list'}.html", known)


@require_GET
@page(Action.SEE)
def ticket(request: PageRequest, ticket_id: str) -> HttpResponse:
    """One ticket: what it says, what it is about, until when what is due."""
    return _shown(request, _ticket_or_404(request, ticket_id))


@require_POST
@page(Action.WORK)
def ticket_change(request: PageRequest, ticket_id: str) -> HttpResponse:
    """Say what a ticket is about and how urgent it is: a label that the classifier learns from."""
    one, said = _ticket_or_404(request, ticket_id), request.POST
    try:
        ticket_correct(
            acting(request), one, category=said.get("category", ""), priority=said.get("priority", ""), now=request.now
        )
    except TicketRefused as refused:
        return _shown(request, one, problem=str(refused), status=422)
    messages.success(request, "Noted. The next daily run learns from it.")
    return redirect("support_ticket", ticket_id)


def _query(request: PageRequest) -> SupportQuery:
    given = {name: request.GET.get(name, "")[:255] for name in ("category", "priority", "owner")}
    return SupportQuery(
        search=request.GET.get("q", "").strip()[:200],
        clock=request.GET.get("clock", "")[:20],
        customer_id=request.GET.get("customer", "")[:255],
        **given,
    )


def _choices(found: list[Waiting]) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer: what there is."""
    categories = sorted({one.ticket.category for one in found})
    owners = sorted({one.ticket.row.owner_email for one in found})
    return {
        "category": [("", "All categories"), *((name or "-", name or "No category") for name in categories)],
        "priority": [("", "All priorities"), *((name, name) for name in PRIORITIES)],
        "clock": [("", "Any time left"), *STATES.items()],
        "owner": [("", "All owners"), *((name or "-", name or "No owner") for name in owners)],
    }


def _open_escalations(request: PageRequest) -> int | None:
    """How many wait to be filed; None for whom they are not."""
    if not may_see_escalations(request.user):
        return None
    return escalations_found(state=Escalation.State.OPEN).count()


def _ticket_or_404(request: PageRequest, ticket_id: str) -> DeskTicket:
    found = ticket_seen(request.workspace, request.user, ticket_id, request.now)
    if found is None:
        raise Http404
    return found


def _shown(request: PageRequest, one: DeskTicket, *, problem: str = "", status: int = 200) -> HttpResponse:
    known = {
        "one": one,
        "levels": level_lines(one, request.now),
        "color": PRIORITY_COLORS.get(one.priority, "gray"),
        "categories": CHOICES if one.category in (*CHOICES, "") else (*CHOICES, one.category),
        "priorities": PRIORITIES,
        "can_work": may(request.user, Action.WORK),
        "escalations": _of_ticket(request, one),
        "problem": problem,
    }
    return render(request, "workspace/support/ticket.html", known, status=status)


def _of_ticket(request: PageRequest, one: DeskTicket) -> list[Escalation]:
    """The escalations that it is a part of."""
    if not may_see_escalations(request.user):
        return []
    return [found for found in escalations_found(state="all")[:500] if one.ticket_id in found.tickets]
