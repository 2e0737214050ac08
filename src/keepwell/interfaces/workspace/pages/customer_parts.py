"""Parts of the customer page that need work: why, what changed, the timeline, usage. Each is asked for by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET

from keepwell.interfaces.workspace.pages.customer_charts import usage_chart
from keepwell.interfaces.workspace.pages.customer_ledger import (
    STEPS,
    DateError,
    Span,
    change_shown,
    default_since,
    span_of,
)
from keepwell.interfaces.workspace.pages.customer_shown import (
    TestShown,
    reasons_of,
    score_shown,
    segment_words,
    unmet_shown,
)
from keepwell.interfaces.workspace.pages.customer_signals import signals_shown
from keepwell.interfaces.workspace.pages.shared import PageRequest, customer_or_404, page
from keepwell.model.definitions import Model
from keepwell.services.explaining import Explained
from keepwell.services.published import (
    band_next,
    customer_changed,
    customer_currency,
    customer_explained,
    customer_history,
    customer_usage,
)
from keepwell.services.published.copies import copies_needed
from keepwell.services.published.kept_models import model_of, segment_shown
from keepwell.services.team.access import Action
from keepwell.services.team.timeline import KINDS, Entry, timeline_of
from keepwell.services.workspace import WorkspaceError

HISTORY_DAYS: Final = 400
USAGE_DAYS: Final = (30, 90, 180)
REASONS: Final = 4
GROUPS: Final = {
    "": ("Everything", ()),
    "tickets": ("Tickets", ("ticket",)),
    "contacts": ("Contacts", ("interaction",)),
    "surveys": ("Surveys", ("survey",)),
    "money": ("Money", ("payment", "invoice")),
    "contract": ("Contract", ("subscription", "renewal")),
    "milestones": ("Milestones", ("milestone",)),
    "team": ("Tasks & outcomes", ("task", "outcome")),
    "offers": ("Offers", ("offer",)),
    "notes": ("Notes", ("note",)),
}
_ICONS: Final = {
    "ticket": "ticket",
    "payment": "credit-card",
    "invoice": "report",
    "interaction": "message",
    "survey": "star",
    "milestone": "flag",
    "subscription": "refresh",
    "renewal": "calendar-event",
    "task": "clipboard-list",
    "outcome": "circle-check",
    "offer": "star",
    "note": "note",
}
_CONTACT_ICONS: Final = {"Call": "phone", "E-mail": "mail", "Meeting": "users", "QBR": "users"}


@require_GET
@page(Action.SEE)
def why(request: PageRequest, customer_id: str) -> HttpResponse:
    """Where the scores come from, what would lift them, and why segments and signals hold."""
    try:
        explained = customer_explained(request.workspace, customer_or_404(request, customer_id))
    except WorkspaceError as error:
        return _said(request, str(error))
    return render(request, "workspace/customer/why.html", _why(explained, request.workspace.currency))


def _why(explained: Explained, currency: str) -> dict[str, Any]:
    explanation, model = explained.explanation, explained.compiled.model
    members = [s for s in explanation.segments if s.member]
    return {
        "as_of": explanation.as_of,
        "notes": explained.notes,
        "currency": currency,
        "reasons": reasons_of(explained, currency)[:REASONS],
        "scores": [score_shown(explained, score, currency) for score in explanation.scores],
        "ahead": band_next(explained, currency),
        "segments": [(s, segment_shown(model, s.name), segment_words(model, s, currency)) for s in members],
        "nearest": _nearest(explained, model),
        "signals": list(signals_shown(explained, currency)),
        "signal_count": len(explanation.signals),
    }


def _nearest(explained: Explained, model: Model) -> tuple[str, list[TestShown]] | None:
    nearest = explained.explanation.nearest
    if nearest is None:
        return None
    return segment_shown(model, nearest.name)[0], [unmet_shown(model, test) for test in nearest.unmet_tests]


@require_GET
@page(Action.SEE)
def changes(request: PageRequest, customer_id: str) -> HttpResponse:
    """What changed between two published dates, the last 30 days where none are named."""
    history = customer_history(request.workspace, customer_or_404(request, customer_id), HISTORY_DAYS)
    dates = [point.as_of for point in history]
    asked = {key: request.GET.get(key, "") for key in ("since", "until")}
    known: dict[str, Any] = {"customer_id": customer_id, "months": _months(dates), **asked}
    try:
        span = span_of(dates, asked["since"], asked["until"])
        changed = customer_changed(request.workspace, customer_id, since=span.since, as_of=span.until)
    except (DateError, WorkspaceError) as error:
        return render(request, "workspace/customer/changes.html", known | {"problem": str(error)}, status=_bad(request))
    model = model_of(request.workspace, copies_needed(request.workspace)).model
    known |= {"span": span, "since": span.since.isoformat(), "until": span.until.isoformat()}
    known |= {"steps": _steps(dates, span), "change": change_shown(changed, model)}
    return render(request, "workspace/customer/changes.html", known)


def _bad(request: PageRequest) -> int:
    """A wrong choice of dates is a form to be corrected; a customer of one day is no fault of anybody."""
    return 422 if request.GET else 200


def _months(dates: list[date]) -> list[tuple[str, list[date]]]:
    """The dates that can be chosen by month, the newest first."""
    return [(month, list(days)) for month, days in groupby(reversed(dates), key=lambda day: f"{day:%B %Y}")]


def _steps(dates: list[date], span: Span) -> Iterator[tuple[int, date, bool]]:
    """Shortcuts: so many days back from the later date, as far as there is something published."""
    for days in STEPS:
        if (span.until - dates[0]).days >= days:
            start = default_since(dates, span.until, days)
            yield days, start, start == span.since


@dataclass(frozen=True)
class EntryShown:
    """An entry of the timeline with its icon; `day` is set on the first of a day."""

    entry: Entry
    icon: str
    day: date | None


@require_GET
@page(Action.SEE)
def timeline(request: PageRequest, customer_id: str) -> HttpResponse:
    """What happened, the newest first; more of it with `before`."""
    customer_or_404(request, customer_id)
    group = request.GET.get("group", "")
    kinds = GROUPS[group][1] if group in GROUPS else tuple(k for k in request.GET.getlist("kind") if k in KINDS)
    before = _moment(request.GET.get("before", ""))
    found = timeline_of(request.workspace, customer_id, kinds=kinds, before=before)
    known = {
        "customer_id": customer_id,
        "group": group,
        "groups": [(key, label) for key, (label, _) in GROUPS.items()],
        "entries": list(_entries(found.entries)),
        "more": found.next_before and urlencode({"group": group, "before": found.next_before.isoformat()}),
        "currency": customer_currency(request.workspace, customer_id),
    }
    template = "workspace/customer/timeline_entries.html" if before else "workspace/customer/timeline.html"
    return render(request, template, known)


def _moment(text: str) -> datetime | None:
    """A moment of an address; what cannot be read asks for the newest."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _entries(entries: tuple[Entry, ...]) -> Iterator[EntryShown]:
    last = None
    for entry in entries:
        on = localtime(entry.at).date()
        icon = _CONTACT_ICONS.get(entry.title, "") if entry.kind == "interaction" else ""
        yield EntryShown(entry, icon or _ICONS[entry.kind], on if on != last else None)
        last = on


@require_GET
@page(Action.SEE)
def usage(request: PageRequest, customer_id: str) -> HttpResponse:
    """How the customer uses the product, by day, feature and event."""
    customer_or_404(request, customer_id)
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, USAGE_DAYS) else 90
    found = customer_usage(request.workspace, customer_id, days)
    known = {
        "customer_id": customer_id,
        "usage": found,
        "chosen": days,
        "choices": USAGE_DAYS,
        "chart": usage_chart(found),
        "active": sum(1 for day in found.days if day.events or day.sessions),
        "events": sum(day.events for day in found.days),
        "tables": [("Feature", found.features), ("Event", found.events)],
    }
    return render(request, "workspace/customer/usage.html", known)


def _said(request: PageRequest, message: str) -> HttpResponse:
    return render(request, "workspace/customer/said.html", {"message": message})
