"""Alerts: the list by severity and time left, one with its history, and what people do with them."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from keepwell.interfaces.workspace.alerts_shown import (
    COLORS,
    address_of,
    clock_of,
    lines_of,
    period_of,
    query_from,
    quick_moments,
    tabs_of,
    until_from,
    whose_of,
)
from keepwell.interfaces.workspace.pages.shared import PageRequest, acting, page
from keepwell.model.problems import DefinitionError
from keepwell.services.team.access import Action, may, may_see_customer
from keepwell.services.team.alerting.alerts import AlertRefused, Seen, acknowledge, assign, resolve, snooze
from keepwell.services.team.alerting.rules import ruling_of
from keepwell.services.team.alerting.shown import (
    RESOLVED,
    alert_list,
    earlier_of,
    history_of,
    visible_alerts,
    waiting_for,
)
from keepwell.services.team.queue import assignable
from keepwell.store.models import Alert, Person
from keepwell.store.models.alerting import AlertMark

ICONS: Final = {
    "opened": "bell", "again": "refresh", "quiet": "zzz", "told": "send", "near": "clock", "breached": "alert-triangle",
    "escalated": "arrow-up", "acknowledged": "check", "snoozed": "zzz", "woken": "sun", "assigned": "user",
    "resolved": "circle-check",
}  # fmt: skip


@require_GET
@page(Action.SEE)
def alerts(request: PageRequest) -> HttpResponse:
    """The list."""
    query = query_from(request.GET)
    found = alert_list(request.user, query, request.now)
    labels = _labels(request)
    context = {
        "alerts": found,
        "lines": lines_of(found, request.now),
        "tabs": tabs_of(found),
        "query": query,
        "whose": whose_of(request.user),
        "severities": Alert.Severity.choices,
        "rules": [(rule, labels.get(rule) or rule.replace("_", " ").capitalize()) for rule in found.rules],
        "any_rules": bool(labels),
        "earlier": address_of(query, page=query.page - 1) if query.page > 1 else None,
        "further": address_of(query, page=query.page + 1) if query.page < found.pages else None,
        "back": address_of(query),
        "now": request.now,
        "newest": max((one.pk for one in found.items), default=0),
        "can_pick": may(request.user, Action.WORK) and query.show != RESOLVED and found.total > 0,
        "alert_list": True,
    }
    return render(request, "workspace/alerts/page.html", context)


@require_GET
@page(Action.SEE)
def news(request: PageRequest) -> HttpResponse:
    """How many alerts wait, for the menu of a page that stays open."""
    return render(request, "workspace/alerts/badge.html", {"waiting": waiting_for(request.user)})


@require_GET
@page(Action.SEE)
def alert(request: PageRequest, pk: int) -> HttpResponse:
    """One alert: what happened, the values, since when, what is at stake, what to do next, and its history."""
    return _one(request, alert_or_404(request, pk))


@require_POST
@page(Action.WORK)
def alert_take(request: PageRequest, pk: int) -> HttpResponse:
    """Take it up: the clock stops."""
    return _change(request, pk, lambda seen: acknowledge(acting(request), seen, now=request.now), "You have it.")


@require_POST
@page(Action.WORK)
def alert_snooze(request: PageRequest, pk: int) -> HttpResponse:
    """Put it away until a moment."""
    until, reason = until_from(request.POST.get("until", "")), request.POST.get("reason", "")
    return _change(
        request,
        pk,
        lambda seen: snooze(acting(request), seen, until=until, reason=reason, now=request.now),
        "It comes back by itself.",
    )


@require_POST
@page(Action.WORK)
def alert_resolve(request: PageRequest, pk: int) -> HttpResponse:
    """Close it, with what was done."""
    why = request.POST.get("why", "")
    return _change(request, pk, lambda seen: resolve(acting(request), seen, why=why, now=request.now), "Resolved.")


@require_POST
@page(Action.WORK)
def alert_assign(request: PageRequest, pk: int) -> HttpResponse:
    """Give it to somebody, or back to the customer's owner."""
    chosen = request.POST.get("to", "")
    to: Person | None = next((one for one in assignable(request.user) if str(one.pk) == chosen), None)
    if to is None and chosen:
        return _one(request, alert_or_404(request, pk), status=422, problem="Choose somebody from the list.")
    words = f"Given to {to.shown_name}." if to else "Given back to the customer's owner."
    return _change(request, pk, lambda seen: assign(acting(request), seen, to=to, now=request.now), words)


def alert_or_404(request: PageRequest, pk: int) -> Alert:
    """The alert when this person may see it."""
    found = visible_alerts(request.user).filter(pk=pk).select_related("assignee", "acknowledged_by").first()
    if found is None:
        raise Http404
    return found


def _change(request: PageRequest, pk: int, change: Callable[[list[Seen]], list[Alert]], said: str) -> HttpResponse:
    """Do it; what is refused is said above the alert, with what was filled in."""
    found = alert_or_404(request, pk)
    version = request.POST.get("version", "")
    seen = [Seen(pk, int(version) if version.isdecimal() and len(version) < 10 else None)]
    try:
        change(seen)
    except AlertRefused as refused:
        return _one(request, found, status=422, problem=str(refused))
    messages.success(request, f"{found.title}: {said}")
    if request.POST.get("next") == "list":
        back = request.POST.get("back", "")
        return redirect(f"/alerts?{back}" if back else "/alerts")
    return redirect("alert", pk)


def _one(request: PageRequest, found: Alert, *, status: int = 200, problem: str = "") -> HttpResponse:
    found.refresh_from_db()
    rule = found.values.get("label") or found.rule
    context = {
        "alert": found,
        "rule": rule,
        "clock": clock_of(found, request.now),
        "color": COLORS.get(found.severity, "gray"),
        "period": period_of(found),
        "history": [(mark, ICONS.get(mark.kind, "note")) for mark in _grouped(history_of(found))],
        "earlier": earlier_of(found),
        "open": found.state != Alert.State.RESOLVED,
        "can_work": may(request.user, Action.WORK),
        "sees_customer": may_see_customer(request.user, found.customer_id),
        "people": assignable(request.user),
        "quick": quick_moments(request.now),
        "filled": {name: request.POST.get(name, "") for name in ("until", "reason", "why")},
        "problem": problem,
        "now": request.now,
    }
    return render(request, "workspace/alerts/alert.html", context, status=status)


def _grouped(marks: list[AlertMark]) -> list[AlertMark]:
    """The history without saying the same thing twice in a row."""
    return [mark for place, mark in enumerate(marks) if place == 0 or _said(mark) != _said(marks[place - 1])]


def _said(mark: AlertMark) -> tuple[Any, ...]:
    return mark.kind, mark.text, mark.at


def _labels(request: PageRequest) -> dict[str, str]:
    try:
        ruling = ruling_of(request.workspace)
    except DefinitionError:
        return {}
    return {name: ruling.label(name) for name in ruling.model.alerts}
