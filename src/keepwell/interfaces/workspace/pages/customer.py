"""One customer on one page: what to know before a call. Parts that need work come after the page."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.alerts_shown import COLORS, AlertClock, clock_of
from keepwell.interfaces.workspace.pages.customer_charts import score_chart, segment_ribbon
from keepwell.interfaces.workspace.pages.shared import PageRequest, customer_or_404, page
from keepwell.model.definitions import Model
from keepwell.services.freshness import feed_ages, stale_feeds
from keepwell.services.published import (
    CustomerCurrent,
    HistoryPoint,
    PersonRow,
    customer_currency,
    customer_current,
    customer_history,
    customer_people,
    customer_subscriptions,
)
from keepwell.services.published.copies import copies_needed
from keepwell.services.published.kept_models import model_of, signal_shown
from keepwell.services.team.access import Action
from keepwell.services.team.alerting.shown import open_of_customer
from keepwell.services.team.holds import standing_holds
from keepwell.services.team.notes import notes_of
from keepwell.services.team.offers import offers_of
from keepwell.services.team.opportunities import opportunities_of
from keepwell.store.models import Alert, Task

TREND_DAYS: Final = 180
CONTACTS: Final = 3
STRETCHES: Final = 8
_CALLED_FIRST: Final = ("decision_maker", "champion", "exec_sponsor", "admin", "billing")
SECTIONS: Final = (
    ("score", "Score"),
    ("segments", "Segments & signals"),
    ("playbooks", "Playbooks"),
    ("timeline", "Timeline"),
    ("usage", "Usage"),
    ("people", "People"),
    ("contract", "Contract"),
    ("values", "All values"),
)


@require_GET
@page(Action.SEE)
def customer(request: PageRequest, customer_id: str) -> HttpResponse:
    """The page: state, trend, contacts and open work at once; why, changes, timeline and usage follow."""
    known = customer_current(request.workspace, customer_or_404(request, customer_id))
    if known is None:
        raise Http404
    model = model_of(request.workspace, copies_needed(request.workspace)).model
    history = customer_history(request.workspace, customer_id, TREND_DAYS)
    people = customer_people(request.workspace, customer_id)
    return render(
        request,
        "workspace/customer/page.html",
        {
            "known": known,
            "row": known.row,
            "customer_id": customer_id,
            "sections": [(key, label) for key, label in SECTIONS if known.scores or key != "score"],
            "people": people,
            "contacts": contacts_first(people)[:CONTACTS],
            "subscriptions": customer_subscriptions(request.workspace, customer_id),
            "own_currency": customer_currency(request.workspace, customer_id),
            "notes": notes_of(customer_id),
            "today": request.today,
            "moment_now": request.now,
            "tasks": open_tasks(customer_id),
            "open_alerts": alerts_shown(customer_id, request.now),
            "now": request.now,
            "opportunities": opportunities_of(customer_id),
            "offers": offers_of(customer_id),
            "hold": standing_holds([customer_id]).get(customer_id),
            **_state(known, model, history),
            **_data(known, model),
        },
    )


def open_tasks(customer_id: str) -> Sequence[Task]:
    """What is to be done for a customer, the first due first."""
    waiting = Task.objects.filter(customer_id=customer_id, state__in=(Task.State.OPEN, Task.State.SNOOZED))
    return list(waiting.select_related("assignee").order_by("due_at", "pk"))


def alerts_shown(customer_id: str, now: datetime) -> list[tuple[Alert, AlertClock, str]]:
    """The open alerts of a customer for the strip above its page."""
    return [(one, clock_of(one, now), COLORS.get(one.severity, "gray")) for one in open_of_customer(customer_id)]


def contacts_first(people: Sequence[PersonRow]) -> list[PersonRow]:
    """Who is still there and can be reached, those who decide first."""
    here = [one for one in people if one.left_company_at is None and (one.email or one.phone)]
    return sorted(here, key=_place)


def _place(one: PersonRow) -> tuple[int, float]:
    role = one.role or ""
    rank = _CALLED_FIRST.index(role) if role in _CALLED_FIRST else len(_CALLED_FIRST)
    return rank, -(one.last_seen_at.timestamp() if one.last_seen_at else 0.0)


def _state(known: CustomerCurrent, model: Model, history: Sequence[HistoryPoint]) -> dict[str, Any]:
    """The score with its trend; for models without one, the segments over time."""
    scores = {score.kind: score for score in reversed(known.scores)}
    health = scores.get("health")
    name = health.name if health else ""
    scored = name in model.scores and any(point.score is not None for point in history)
    chart = score_chart(history, model.scores[name].bands) if scored else None
    ribbon = () if chart else segment_ribbon(history, model)
    return {
        "health": health,
        "risk": scores.get("risk"),
        "chart": chart,
        "ribbon": ribbon,
        "ribbon_last": ribbon[::-1][:STRETCHES],
        "trend": history,
        "segment": model.segments.get(known.row.segment or ""),
        "signals": [(signal_shown(model, name), _action(model, name)) for name in known.row.signals],
    }


def _action(model: Model, signal: str) -> str:
    """What the model says to do about a signal."""
    definition = model.signals.get(signal)
    return "" if definition is None else definition.action


def _data(known: CustomerCurrent, model: Model) -> dict[str, Any]:
    """What could not be known, and how fresh the rest is."""
    said = {table: until and until.isoformat() for table, until in known.freshness.items()}
    feeds = [feed for feed in feed_ages(model, known.as_of, {"keepwell.freshness": json.dumps(said)}) if feed.used]
    reached = [feed for feed in feeds if feed.until is not None]
    return {
        "unknown": [metric for metric in known.metrics if not metric.known],
        "guessed": [metric for metric in known.metrics if metric.known and metric.quality != "known"],
        "sure": [metric for metric in known.metrics if metric.known and metric.quality == "known"],
        "feeds": feeds,
        "stale": [feed.table.replace("_", " ") for feed in stale_feeds(tuple(feeds))],
        "oldest": min(reached, key=lambda feed: feed.until or known.as_of, default=None),
    }


def customer_page(customer_id: str, section: str = "") -> str:
    """The address of a customer's page, at a section."""
    return reverse("customer", args=[customer_id]) + (f"#{section}" if section else "")
